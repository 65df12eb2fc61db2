package node_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// bomb is an extension that panics in one of its methods once it is lit.
type bomb struct {
	where string
	lit   chan struct{}
	stuck chan struct{} // Run does not end before; nil is not stuck
	live  chan bool     // gets an element for each run that has begun
	svc   extension.Services
}

func newBomb(where string) *bomb {
	return &bomb{where: where, lit: make(chan struct{}), live: make(chan bool, 10)}
}

func (b *bomb) Name() string             { return "bomb" }
func (b *bomb) Commands() []repl.Command { return nil }

func (b *bomb) explode(where string) {
	select {
	case <-b.lit:
		if b.where == where {
			panic("boom in " + where)
		}
	default:
	}
}

func (b *bomb) Run(ctx context.Context, s extension.Services, ready func()) error {
	var wg sync.WaitGroup
	b.svc = s
	wg.Go(func() {
		defer guard.Catch(ctx)
		select {
		case <-b.lit:
			b.explode("goroutine")
			s.Show(extension.Line{Label: "tick", Text: "tack"})
		case <-ctx.Done():
		}
	})
	defer wg.Wait()
	ready()
	b.live <- true
	select {
	case <-b.lit:
		b.explode("run")
	case <-ctx.Done():
	}
	<-ctx.Done()
	b.explode("leave")
	if b.stuck != nil {
		<-b.stuck
	}
	return nil
}

func (b *bomb) Changed(extension.Change) { b.explode("changed") }
func (b *bomb) Accept(s extension.Stream) {
	defer s.Close()
	b.explode("accept")
}

// TestAPanicEndsThePeer: wherever a peer panics, Run returns, its error is one
// line, the stack is in the log, and the others live on.
func TestAPanicEndsThePeer(t *testing.T) {
	for _, where := range []string{"run", "goroutine", "changed", "accept", "leave", "show", "stuck"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { panicIn(t, where) })
		})
	}
}

func panicIn(t *testing.T, where string) {
	l := newLab(t)
	b := newBomb(where)
	if where == "stuck" {
		b.where, b.stuck = "changed", make(chan struct{})
		defer close(b.stuck)
	}
	var log strings.Builder
	alice := l.start("alice", func(c *node.Config) {
		c.Extensions = []extension.Extension{newBomb("nowhere")}
	})
	alice.init()
	bob := l.start("bob", func(c *node.Config) {
		c.Extensions = []extension.Extension{b}
		c.Log = func(name string) zerolog.Logger {
			if name != "node" {
				return zerolog.Nop()
			}
			return zerolog.New(&log)
		}
		c.Show = func(extension.Line) { b.explode("show") }
	})
	bob.init()
	<-b.live
	close(b.lit)
	switch b.where {
	case "changed":
		charly := l.start("charly", nil)
		charly.init()
		defer charly.quit()
	case "accept":
		open := alice.Extensions()[0].(*bomb).svc
		if _, err := open.Open(t.Context(), bob.Status().Self); err != nil {
			t.Fatal(err)
		}
	case "leave":
		bob.stop()
	}
	start := time.Now()
	err := <-bob.done
	var p *guard.Panic
	if !errors.As(err, &p) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("Run returned %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("after %s", took)
	}
	if want := "boom in " + b.where; !strings.Contains(err.Error(), want) || !strings.Contains(log.String(), "broken_test.go") {
		t.Errorf("it says %q; the log is %q", err, log.String())
	}
	bob.stop()
	if err := bob.id.Close(); err != nil {
		t.Error(err)
	}
	l.until(20*time.Second, "alice sees that bob is gone", func() bool { return !strings.Contains(alice.sees(), "bob alive") })
	alice.quit()
}
