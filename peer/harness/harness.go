// Package harness is what a test server makes of a peer: it runs the server's
// commands in the peer's shell, and tells what the peer sees of the group.
//
// It knows nothing of how the server is reached: over a link, for a peer that
// is a process, or directly, for one that shares the server's.
package harness

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// Peer is a peer that is driven by a test server. All fields are required.
type Peer struct {
	Node  *node.Node
	Shell *repl.Shell
	// Tell passes a status on to the server. It must not block, and is called
	// by one goroutine at a time.
	Tell func(testlink.Status)
	// End ends the node, in order or as a crash does, and returns when it has
	// ended.
	End func(inOrder bool)

	// telling is held from the look at the node until that is told: what is
	// told last is what was seen last, whoever tells.
	telling sync.Mutex
}

// Command runs one line as the peer's shell does. What the peer sees then is
// told before Command returns. A command that ends the peer has done so: who
// was left knows it, and after exit nobody hears more. end is repl.ErrQuit or
// repl.ErrExit then, and nil otherwise.
func (p *Peer) Command(ctx context.Context, line string) (r testlink.Result, end error) {
	var out bytes.Buffer
	start := time.Now()
	err := p.Shell.Execute(ctx, line, &out)
	quit, exit := errors.Is(err, repl.ErrQuit), errors.Is(err, repl.ErrExit)
	if quit || exit {
		p.End(quit)
		end, err = err, nil
	}
	p.tell()
	r = testlink.Result{OK: err == nil, Output: out.String(), Duration: time.Since(start)}
	if err != nil {
		r.Error = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return r, end
}

// Depart takes leave of everybody, and tells how that ended.
func (p *Peer) Depart() {
	p.End(true)
	p.tell()
}

// tell tells what the peer sees now.
func (p *Peer) tell() {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.Tell(p.Status())
}

const (
	// reportEvery bounds how often the status is told while it is in motion:
	// it is about all members, and a group that forms changes it for each of
	// them.
	reportEvery = 20 * time.Millisecond
	// healthEvery is how often the health is looked at: nobody says when it
	// changes. It does so with the probes of membership, one a second.
	healthEvery = 500 * time.Millisecond
)

// Report tells the status whenever it has changed until ctx ends: at once,
// then not sooner than reportEvery after the last time. A new address is
// never kept back: faults between peers stand on it.
func (p *Peer) Report(ctx context.Context) {
	changes, stop := p.Node.Watch()
	defer stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	health := time.NewTicker(healthEvery)
	defer health.Stop()
	resting, due := true, true
	var last testlink.Status
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
			resting = false
		case <-changes:
			due = true
		case <-health.C:
			due = due || p.health() != last.Health
		}
		if !due {
			continue
		}
		now, told := p.report(resting, last)
		if !told {
			continue
		}
		last, resting, due = now, true, false
		rest.Reset(reportEvery)
	}
}

// report tells what the peer sees now, unless the report rests and the address
// is that of last.
func (p *Peer) report(resting bool, last testlink.Status) (now testlink.Status, told bool) {
	p.telling.Lock()
	defer p.telling.Unlock()
	now = p.Status()
	if resting && now.Self == last.Self {
		return now, false
	}
	p.Tell(now)
	return now, true
}

// Status is what the peer sees now.
func (p *Peer) Status() testlink.Status {
	s := p.Node.Status()
	w := testlink.Status{
		Ready: s.Ready, Closing: s.Leaving, Health: p.health(), Self: wire(s.Self),
		Members: []testlink.Node{}, Present: map[string][]testlink.Node{},
	}
	for _, m := range s.Members {
		n := wire(m.Member)
		n.State = string(m.State)
		if m.State == membership.Lost {
			n.State = "dead" // as the scenario language has it
		}
		w.Members = append(w.Members, n)
	}
	for name, members := range s.Present {
		w.Present[name] = []testlink.Node{}
		for _, m := range members {
			w.Present[name] = append(w.Present[name], wire(m))
		}
	}
	return w
}

// health is the score of a live member, and 0 where there is none.
func (p *Peer) health() int {
	g, err := p.Node.Membership()
	if err != nil {
		return 0
	}
	score, err := g.Health()
	if err != nil {
		return 0
	}
	return score
}

func wire(m extension.Member) testlink.Node {
	n := testlink.Node{Name: m.Name, ID: m.ID, Boot: m.Boot, Foreign: m.Foreign}
	if m.Addr.IsValid() {
		n.Addr = m.Addr.String()
	}
	return n
}
