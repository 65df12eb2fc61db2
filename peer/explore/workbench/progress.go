package workbench

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// How long tools may work without a word: at first where somebody waits for
// them, and in the background, or later.
const (
	inFront = 3 * time.Second
	behind  = 15 * time.Second
)

// patience tells what the tools do while somebody waits for them, more and more
// seldom. What is quick it leaves alone.
type patience struct {
	out  io.Writer
	each time.Duration // at first
	over chan struct{}
	told sync.WaitGroup

	mu    sync.Mutex
	what  string         // now; empty while no tool runs
	kinds map[string]int // how often each kind of work was told of
}

// patiently returns a context for what may take long, and what ends the
// telling. Nothing is written to out after that.
func patiently(ctx context.Context, each time.Duration, out io.Writer) (context.Context, func()) {
	p := &patience{out: out, each: each, over: make(chan struct{})}
	return buildenv.WithProgress(ctx, p.note), p.end
}

func (p *patience) end() {
	close(p.over)
	p.told.Wait()
}

// note implements buildenv.Progress.
func (p *patience) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what = what
	kind, _, ok := strings.Cut(what, " ")
	if !ok {
		return
	}
	if p.kinds == nil {
		p.kinds = map[string]int{}
		p.told.Go(p.tell)
	}
	p.kinds[kind]++
}

// tell runs from the first word of a tool until the end.
func (p *patience) tell() {
	for wait := p.each; ; wait = min(2*wait, behind) {
		select {
		case <-p.over:
			return
		case <-time.After(wait):
		}
		if now := p.now(); now != "" {
			fmt.Fprintln(p.out, "...", now)
		}
	}
}

// now is what a person reads, or empty.
func (p *patience) now() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind, _, ok := strings.Cut(p.what, " ")
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s (%d so far)", p.what, p.kinds[kind])
}
