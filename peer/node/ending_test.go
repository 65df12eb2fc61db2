package node_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
)

// endings are the ways to end a membership and to keep the process.
func endings(p *peer) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"leave":             func(ctx context.Context) error { return p.LeaveGroup(ctx, 2*time.Second) },
		"shutdown":          p.Shutdown,
		"shutdowntransport": p.ShutdownTransport,
		"delete":            p.Delete,
	}
}

// TestMadeAnewInOneProcess ends a member in each way and makes it anew: it is
// a new boot, others know it at once, and every message is seen exactly once.
func TestMadeAnewInOneProcess(t *testing.T) {
	for _, way := range []string{"leave", "shutdown", "shutdowntransport", "delete"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				alice, bob := l.start("alice", withChat(t)), l.start("bob", withChat(t))
				var others atomic.Int32 // events of another boot than the process's
				bob.Journal().Attach(func(e journal.Event, _ []byte) {
					if e.Boot != 1 {
						others.Add(1)
					}
				})
				alice.init()
				bob.init()
				bob.do("msg", "before")
				if err := endings(bob)[way](t.Context()); err != nil {
					t.Fatal(err)
				}
				if s := bob.Status(); s.Ready || !s.Leaving {
					t.Errorf("after the end: ready %t, leaving %t", s.Ready, s.Leaving)
				}
				if listed(t, alice) != "alice" {
					t.Errorf("the service lists %q", listed(t, alice))
				}
				bob.init()
				took := l.until(3*time.Second, "alice sees the new boot", func() bool {
					m := alice.Status().Members
					return len(m) == 1 && m[0].State == membership.Alive && m[0].Member.Boot == 2
				})
				t.Logf("known again after %s", took)
				if s := bob.Status(); !s.Ready || s.Leaving || s.End != "" || s.Self.Boot != 2 || bob.id.Boot != 1 {
					t.Errorf("made anew: %+v", s)
				}
				if listed(t, alice) != "alice bob" {
					t.Errorf("the service lists %q", listed(t, alice))
				}
				bob.do("msg", "after")
				alice.do("msg", "welcome")
				time.Sleep(time.Minute)
				for line, p := range map[string]*peer{"<bob> before": alice, "<bob> after": alice, "<alice> welcome": bob} {
					if n := p.saw(line); n != 1 {
						t.Errorf("%s saw %q %d times", p.Name(), line, n)
					}
				}
				if alice.sees() != "bob alive" || others.Load() > 0 {
					t.Errorf("alice sees %q; bob's journal has %d events of another boot than the process's", alice.sees(), others.Load())
				}
				bob.quit()
				bob = l.start("bob", withChat(t))
				bob.init()
				if bob.Status().Self.Boot != 3 {
					t.Errorf("the next process has boot %d", bob.Status().Self.Boot)
				}
				alice.quit()
				bob.quit()
			})
		})
	}
}

func listed(t *testing.T, p *peer) string {
	t.Helper()
	g, err := p.Discovery().Group(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range g.Peers {
		names = append(names, m.Name)
	}
	return strings.Join(names, " ")
}

// TestWhatWaitsIsSeenOnce keeps messages for a member that was cut off, and
// that made itself anew.
func TestWhatWaitsIsSeenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice, bob := l.start("alice", withChat(t)), l.start("bob", withChat(t))
		alice.init()
		bob.init()
		for i := range 3 {
			alice.do("msg", fmt.Sprint("seen ", i))
			if err := bob.ShutdownTransport(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := alice.do("msg", fmt.Sprint("kept ", i)); strings.Contains(got, "delivered to 1") {
				t.Errorf("a message to nobody: %q", got)
			}
			bob.init()
			l.until(5*time.Second, "bob gets it", func() bool { return bob.saw(fmt.Sprint("<alice> kept ", i)) == 1 })
		}
		time.Sleep(time.Minute)
		for i := range 3 {
			if bob.saw(fmt.Sprint("<alice> kept ", i)) != 1 || bob.saw(fmt.Sprint("<alice> seen ", i)) != 1 {
				t.Errorf("bob saw %q", bob.shown)
			}
		}
		alice.quit()
		bob.quit()
	})
}

// TestEndingsInAnyOrder does steps of starting and ending at random: nothing
// panics or hangs, each error says what to do, and init mends it.
func TestEndingsInAnyOrder(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { anyOrder(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func anyOrder(t *testing.T, rnd *rand.Rand) {
	l := newLab(t)
	alice, bob := l.start("alice", withChat(t)), l.start("bob", withChat(t))
	alice.init()
	steps := map[string]func(context.Context) error{
		"init":     bob.Init,
		"create":   bob.Create,
		"start":    bob.Start,
		"join":     func(ctx context.Context) error { _, err := bob.Join(ctx, nil); return err },
		"list":     func(ctx context.Context) error { _, err := bob.BootstrapJoin(ctx); return err },
		"unlist":   bob.Discovery().Leave,
		"chat":     func(ctx context.Context) error { return bob.StartExtension(ctx, "chat") },
		"stop":     func(ctx context.Context) error { return bob.StopExtension(ctx, "chat") },
		"silence":  func(ctx context.Context) error { return bob.SilenceExtension(ctx, "chat") },
		"announce": func(ctx context.Context) error { return bob.Reannounce(ctx, time.Second) },
		"nodes": func(context.Context) error {
			g, err := bob.Membership()
			if err == nil {
				_, err = g.Nodes()
			}
			return err
		},
	}
	for name, f := range endings(bob) {
		steps[name] = f
	}
	names := strings.Fields("init create start join list unlist chat stop silence announce nodes leave shutdown shutdowntransport delete")
	var done []string
	for range 40 {
		name := names[rnd.IntN(len(names))]
		done = append(done, name)
		start := time.Now()
		err := steps[name](t.Context())
		if took := time.Since(start); took > 12*time.Second {
			t.Fatalf("%s took %s after %q", name, took, done)
		}
		known := errors.Is(err, node.ErrNotStarted) || errors.Is(err, node.ErrEnded) || errors.Is(err, membership.ErrNotRunning)
		if err != nil && known && !strings.Contains(err.Error(), "init") && name != "nodes" {
			t.Errorf("%s does not say what to do: %v", name, err)
		}
		if err != nil && !known {
			t.Errorf("%s after %q: %v", name, done, err)
		}
	}
	bob.init()
	if err := bob.StartExtension(t.Context(), "chat"); err != nil { // init on a ready peer opens no chat that was closed
		t.Fatal(err)
	}
	l.until(5*time.Second, "bob is a member after all that", func() bool { return alice.sees() == "bob alive" && bob.sees() == "alice alive" })
	l.until(10*time.Second, "and chats", func() bool { return strings.HasPrefix(bob.do("msg", "still here"), "delivered to 1") })
	alice.quit()
	bob.quit()
}

// TestLeaveAfterShutdown: memberlist panics there.
func TestLeaveAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		bob := l.start("bob", withChat(t))
		if err := bob.LeaveGroup(t.Context(), time.Second); !errors.Is(err, node.ErrNotStarted) {
			t.Errorf("leave before the start: %v", err)
		}
		bob.init()
		if err := bob.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := bob.LeaveGroup(t.Context(), time.Second); !errors.Is(err, node.ErrEnded) || !strings.Contains(err.Error(), "init") {
				t.Errorf("leave after shutdown: %v", err)
			}
		}
		bob.quit()
	})
}

// TestTheTimeToLeaveCounts: too little of it is an error, and a leave, while
// somebody does not answer.
func TestTheTimeToLeaveCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice, bob, charly := l.start("alice", nil), l.start("bob", nil), l.start("charly", nil)
		alice.init()
		bob.init()
		charly.init()
		if err := bob.Reannounce(t.Context(), time.Millisecond); err == nil || !strings.Contains(err.Error(), "more than 1ms") {
			t.Errorf("an announcement within a millisecond: %v", err)
		}
		if err := bob.Reannounce(t.Context(), 5*time.Second); err != nil {
			t.Errorf("an announcement within 5 s: %v", err)
		}
		charly.crash()
		if err := bob.LeaveGroup(t.Context(), time.Millisecond); err == nil || !strings.Contains(err.Error(), "more than 1ms") {
			t.Errorf("a leave within a millisecond: %v", err)
		}
		l.until(time.Second, "the leave is heard", func() bool { return strings.HasPrefix(alice.sees(), "bob left") })
		alice.quit()
		bob.quit()
	})
}
