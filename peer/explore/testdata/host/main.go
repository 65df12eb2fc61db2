// Command host is a small program with a session of Go, for tests: every line
// of its input is a Go string with one input, and every line of its output a
// Go string with what came of it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/loader"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// buffer is a writer for several goroutines.
type buffer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	first func() // called once, when something is written
}

// heard has f called when something is written.
func (b *buffer) heard(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first = f
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first != nil {
		b.first()
		b.first = nil
	}
	return b.b.Write(p)
}

func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return b.b.String()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() (err error) {
	ctx := context.Background()
	env, err := buildenv.Open(ctx, buildenv.Config{Nice: -1})
	if err != nil {
		return err
	}
	defer func() { err = env.Close() }()
	if err := env.Load(ctx, "fmt", "errors", "strings", "time", "github.com/peerlab/peerlab/peer/explore/live"); err != nil {
		return err
	}
	s, err := session(env, "new")
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	var out buffer
	for in.Scan() {
		src, err := strconv.Unquote(in.Text())
		if err != nil {
			return err
		}
		if kind, ok := strings.CutPrefix(src, "//"); ok && slices.Contains([]string{"new", "compiled", "mirrored"}, kind) {
			if s, err = session(env, kind); err != nil {
				return err
			}
			src = ""
		}
		fmt.Println(strconv.Quote(eval(ctx, s, src, &out)))
	}
	return s.Close()
}

// session makes a session: one that is compiled compiles what could do without,
// too; one that is mirrored begins without a compiler.
func session(env *buildenv.Env, kind string) (*explore.Session, error) {
	fetch := func(n int) string { return fmt.Sprint("fetched ", n) }
	cfg := explore.Config{Open: loader.Open, Compile: kind == "compiled", Bound: map[string]any{"fetch": fetch, "now": time.Unix(1, 0).UTC()}}
	if kind == "mirrored" {
		cfg.Await = func(context.Context) (native.Builder, error) { return env, nil }
	} else {
		cfg.Builder = env
	}
	return explore.New(cfg)
}

// eval evaluates an input. One that begins with "//stop" is stopped as soon as
// it runs.
func eval(ctx context.Context, s *explore.Session, src string, out *buffer) string {
	if src == "//rss" {
		return memory()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	text, stop := strings.CutPrefix(src, "//stop\n")
	if stop {
		src = "println(\"running\"); " + text
		out.heard(cancel)
	}
	if err := s.Eval(ctx, src, out); err != nil {
		fmt.Fprintln(out, "ERR", err)
	}
	if stop {
		return strings.TrimPrefix(out.take(), "running\n")
	}
	return out.take()
}

func memory() string {
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(status)) {
		if rss, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rss)
		}
	}
	return ""
}
