package harness_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/harness"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told is a status, and when it was told.
type told struct {
	testlink.Status
	at time.Duration
}

// rig is a peer that is driven.
type rig struct {
	harness.Peer
	leave context.CancelFunc
	gone  chan struct{}
	began time.Time

	mu   sync.Mutex
	told []told

	telling, atOnce atomic.Bool
}

// drive runs f with a node that runs, in a bubble.
func drive(t *testing.T, f func(t *testing.T, r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(2 * time.Minute) }) // what memberlist leaves behind
		id, err := identity.Open(files.Mem(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := node.New(node.Config{Name: "alice", Identity: id, Network: netsim.New().Host("10.0.0.1"), Bind: "10.0.0.1:0", Rendezvous: files.Mem()})
		if err != nil {
			t.Fatal(err)
		}
		s, err := shell.New(shell.Config{Node: n, Book: logbook.New(zerolog.Disabled)})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{gone: make(chan struct{}), began: time.Now()}
		r.Peer = harness.Peer{Node: n, Shell: s, Tell: r.tell, End: r.end}
		ctx, leave := context.WithCancel(t.Context())
		r.leave = leave
		go func() {
			defer close(r.gone)
			if err := n.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		work, stop := context.WithCancel(t.Context())
		var reports sync.WaitGroup
		reports.Go(func() { r.Report(work) })
		f(t, r)
		stop()
		reports.Wait()
		leave()
		<-r.gone
	})
}

func (r *rig) tell(s testlink.Status) {
	if !r.telling.CompareAndSwap(false, true) {
		r.atOnce.Store(true)
	}
	defer r.telling.Store(false)
	for range 1000 {
		runtime.Gosched() // others have every chance
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, told{s, time.Since(r.began)})
}

func (r *rig) end(inOrder bool) {
	if inOrder {
		r.leave()
	} else {
		r.Node.Crash()
	}
	<-r.gone
}

// first is the first status that is so.
func (r *rig) first(t *testing.T, what string, so func(testlink.Status) bool) told {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.told {
		if so(s.Status) {
			return s
		}
	}
	t.Fatalf("never told: %s", what)
	return told{}
}

// TestAnAddressIsToldAtOnce creates a member while the report rests.
func TestAnAddressIsToldAtOnce(t *testing.T) {
	drive(t, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Millisecond)
		if err := r.Node.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := r.first(t, "an address", func(s testlink.Status) bool { return s.Self.Addr != "" })
		if s.at != 5*time.Millisecond {
			t.Errorf("told after %s, want 5ms", s.at)
		}
	})
}

func TestCommands(t *testing.T) {
	drive(t, func(t *testing.T, r *rig) {
		for _, tt := range []struct {
			line, output string
			ok           bool
			end          error
		}{
			{"echo hello", "hello\n", true, nil},
			{"no-such-command", "", false, nil},
			{"quit", "", true, repl.ErrQuit},
		} {
			got, end := r.Command(t.Context(), tt.line)
			if got.OK != tt.ok || got.Output != tt.output || (got.Error == "") != tt.ok || end != tt.end {
				t.Errorf("%s: %+v, %v", tt.line, got, end)
			}
		}
		if s := r.Status(); !s.Closing {
			t.Errorf("after quit: %+v", s)
		}
	})
}

func TestALeaveIsTold(t *testing.T) {
	drive(t, func(t *testing.T, r *rig) {
		if got, _ := r.Command(t.Context(), "init"); !got.OK {
			t.Fatal(got.Error)
		}
		r.first(t, "ready", func(s testlink.Status) bool { return s.Ready })
		r.Depart()
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if last := r.told[len(r.told)-1]; !last.Closing || last.Ready {
			t.Errorf("the last that was told: %+v", last)
		}
	})
}

// TestOneTellsAtATime runs commands while the report tells: who has looked at
// the node tells that before anybody else looks.
func TestOneTellsAtATime(t *testing.T) {
	drive(t, func(t *testing.T, r *rig) {
		for range 100 {
			if got, _ := r.Command(t.Context(), "echo hello"); !got.OK {
				t.Fatal(got.Error)
			}
		}
		if r.atOnce.Load() {
			t.Error("two statuses were told at once")
		}
	})
}
