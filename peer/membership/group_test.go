package membership_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/membership"
)

func TestNew(t *testing.T) {
	good := func() membership.Config {
		return membership.Config{Name: "alice", ID: uuid.New(), Boot: 1}
	}
	for name, c := range map[string]struct {
		bind   string
		change func(*membership.Config)
		want   string
	}{
		"good":         {"10.0.0.1:7", func(*membership.Config) {}, ""},
		"advertised":   {"0.0.0.0:7", func(c *membership.Config) { c.Advertise = netip.MustParseAddrPort("192.0.2.1:7") }, ""},
		"bad name":     {"10.0.0.1:7", func(c *membership.Config) { c.Name = "Alice" }, `name "Alice"`},
		"no boot":      {"10.0.0.1:7", func(c *membership.Config) { c.Boot = 0 }, "boot number"},
		"no endpoint":  {"10.0.0.1:7", func(c *membership.Config) { c.Endpoint = nil }, "endpoint"},
		"unspecified":  {"10.0.0.1:7", func(c *membership.Config) { c.Advertise = netip.MustParseAddrPort("0.0.0.0:7") }, "--advertise"},
		"without port": {"10.0.0.1:7", func(c *membership.Config) { c.Advertise = netip.MustParseAddrPort("192.0.2.1:0") }, "--advertise"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: netsim.New().Host("10.0.0.1"), Addr: c.bind})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			cfg := good()
			cfg.Endpoint = e
			c.change(&cfg)
			g, err := membership.New(cfg)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && (g.Self().Addr.Port() != 7 || g.Self().Addr.Addr().IsUnspecified()):
				t.Errorf("others are told %s", g.Self().Addr)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestJoinLeaveAndCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob, carol := w.start(0, "alice"), w.start(1, "bob"), w.start(2, "carol")
		bob.join(alice)
		if got := bob.sees(); got != "alice alive" {
			t.Errorf("when join returns bob sees %q", got)
		}
		carol.join(alice)
		until(t, time.Second, "all see all", func() bool { return converged([]*member{alice, bob, carol}) })
		synctest.Wait() // the table is ahead of what is announced
		alice.announced()

		if err := bob.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		bob.stop()
		took := until(t, time.Second, "bob has left", func() bool { return alice.sees() == "bob left, carol alive" })
		t.Logf("leaving is known after %s", took)
		carol.host.Crash()
		carol.stop()
		took = until(t, 20*time.Second, "carol is lost", func() bool { return alice.sees() == "bob left, carol lost" })
		t.Logf("a crash is known after %s", took)
		synctest.Wait() // the table is ahead of what is announced
		if got := alice.announced(); got != "left bob, suspect carol, lost carol" {
			t.Errorf("alice was told %q", got)
		}

		again := w.start(2, "carol/2")
		again.join(alice)
		until(t, time.Second, "she is back", func() bool { return alice.sees() == "bob left, carol alive" })
		time.Sleep(time.Minute)
		if got := alice.announced(); got != "back carol" {
			t.Errorf("alice was told %q", got)
		}
	})
}

func TestRestartBeforeTheCrashWasNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob := w.start(0, "alice"), w.start(1, "bob")
		bob.join(alice)
		until(t, time.Second, "alice knows bob", func() bool { return alice.announced() == "joined bob" })
		bob.host.Crash()
		bob.stop()
		again := w.start(7, "bob/2") // at another address
		again.join(alice)
		until(t, time.Second, "bob is back", func() bool { return alice.announced() == "back bob" })
		time.Sleep(time.Minute) // memberlist gives up the ghost meanwhile
		if got := alice.announced() + alice.sees(); got != "bob alive" {
			t.Errorf("a minute later: %q", got)
		}
		if m := alice.Members(); m[0].Boot != 2 || m[0].Addr != again.Self().Addr {
			t.Errorf("alice has %+v", m[0])
		}
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob := w.start(0, "alice"), w.start(1, "bob")
		if _, err := alice.Ping(bob.Self()); err == nil || !strings.Contains(err.Error(), "bob") {
			t.Errorf("ping of somebody who is not there: %v", err)
		}
		bob.join(alice)
		until(t, time.Second, "alice knows bob", func() bool { return len(alice.Members()) == 1 })
		if _, err := alice.Ping(bob.Self()); err != nil {
			t.Error(err)
		}
		if score, err := alice.Health(); score != 0 || err != nil {
			t.Errorf("health %d, %v", score, err)
		}
		w.cut(bob)
		if _, err := alice.Ping(bob.Self()); err == nil {
			t.Error("ping went through a cut")
		}
	})
}

func TestJoinFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob, carol := w.start(0, "alice"), w.start(1, "bob"), w.start(2, "carol")
		nobody := "10.0.9.9:1"
		n, err := alice.Join(t.Context(), []string{nobody, "10.0.0.2:9"})
		if n != 0 || err == nil || !strings.Contains(err.Error(), nobody) || !strings.Contains(err.Error(), "10.0.0.2:9: ") {
			t.Errorf("%d answered, %v; want both named", n, err)
		}
		if n, err := alice.Join(t.Context(), nil); n != 0 || err != nil {
			t.Errorf("nobody to join: %d, %v", n, err)
		}
		if n, err := alice.Join(t.Context(), []string{nobody, bob.Self().Addr.String()}); n != 1 || err != nil {
			t.Errorf("one of two: %d, %v", n, err)
		}
		w.cut(carol)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if n, err := alice.Join(ctx, []string{carol.Self().Addr.String()}); n != 0 || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("a join that has no more time: %d, %v, after %s", n, err, time.Since(start))
		}
	})
}

func TestLabelsKeepGroupsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice := w.start(0, "alice")
		bob := open(t, cable{w.net.Host("10.0.0.77"), w}, "10.0.0.77", "bob", func(c *membership.Config) { c.Label = "other" })
		bob.run()
		if n, err := bob.Join(t.Context(), []string{alice.Self().Addr.String()}); n != 0 || err == nil || !strings.Contains(err.Error(), "in this group?") {
			t.Errorf("joined another group: %d, %v", n, err)
		}
		if n, err := alice.Join(t.Context(), []string{bob.Self().Addr.String()}); n != 0 || err == nil {
			t.Errorf("joined another group: %d, %v", n, err)
		}
		time.Sleep(time.Minute)
		if a, b := alice.sees(), bob.sees(); a+b != "" {
			t.Errorf("they see %q and %q", a, b)
		}
	})
}

func TestBeforeAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bob := w.start(1, "bob")
		host := w.net.Host("10.0.0.1")
		alice := open(t, cable{host, w}, "10.0.0.1", "alice", nil)
		calls := map[string]func() error{
			"leave":  func() error { return alice.Leave(t.Context()) },
			"join":   func() error { _, err := alice.Join(t.Context(), []string{bob.Self().Addr.String()}); return err },
			"ping":   func() error { _, err := alice.Ping(bob.Self()); return err },
			"health": func() error { _, err := alice.Health(); return err },
		}
		all := func(when string) {
			t.Helper()
			for name, call := range calls {
				if err := call(); !errors.Is(err, membership.ErrNotRunning) {
					t.Errorf("%s %s: %v, want ErrNotRunning", name, when, err)
				}
			}
		}
		all("before Run")
		alice.run()
		alice.join(bob)
		alice.stop()
		all("after Run")
		if err := alice.Run(t.Context(), func() {}); err == nil {
			t.Error("it ran twice")
		}
	})
}

func TestLeaveWhileItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bob := w.start(1, "bob")
		for i := range 20 {
			alice := w.start(10+i, "alice/"+fmt.Sprint(i+1))
			alice.join(bob)
			done := make(chan error, 3)
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*10*time.Millisecond)
			for range 2 {
				go func() { done <- alice.Leave(ctx) }()
			}
			go func() {
				_, err := alice.Join(ctx, []string{bob.Self().Addr.String()})
				done <- err
			}()
			if i%2 == 0 {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			}
			alice.stop()
			for range 3 {
				<-done
			}
			cancel()
		}
	})
}

// TestLeaveIsHeard: nobody takes a leave for a loss, on links that lose
// packets, and when all but one leave at once.
func TestLeaveIsHeard(t *testing.T) {
	for _, c := range []struct {
		leavers, members int
		loss             float64
		within           time.Duration
	}{
		{1, 2, 0, 50 * time.Millisecond}, {1, 10, 0, 50 * time.Millisecond}, {9, 10, 0, 50 * time.Millisecond},
		{1, 2, 0.3, 2 * time.Second}, {1, 10, 0.3, 2 * time.Second}, {9, 10, 0.3, 2 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d of %d, loss %v", c.leavers, c.members, c.loss), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				all := w.startAll(c.members)
				w.lose(c.loss)
				start := time.Now()
				var group sync.WaitGroup
				for _, m := range all[:c.leavers] {
					group.Go(func() {
						_ = m.Leave(t.Context()) // memberlist's own word may take longer on a bad link
						m.stop()
					})
				}
				group.Wait()
				if took := time.Since(start); took > c.within {
					t.Errorf("the leave took %s", took)
				}
				time.Sleep(time.Second)
				w.lose(0)
				time.Sleep(time.Minute)
				for _, m := range all[c.leavers:] {
					if log := m.announced(); strings.Contains(log, "lost") || strings.Count(log, "left") != c.leavers {
						t.Errorf("%s was told: %s", m.Self().Name, log)
					}
				}
			})
		})
	}
}

func TestLeaveAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := newWorld(t).start(0, "alice")
		start := time.Now()
		if err := alice.Leave(t.Context()); err != nil || time.Since(start) > 100*time.Millisecond {
			t.Errorf("nobody to take leave of: %v after %s", err, time.Since(start))
		}
	})
}

// memberlist's suspicion timers fire long after its Shutdown.
func TestNothingIsAnnouncedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob, carol := w.start(0, "alice"), w.start(1, "bob"), w.start(2, "carol")
		bob.join(alice)
		carol.join(alice)
		until(t, time.Second, "all see all", func() bool { return converged([]*member{alice, bob, carol}) })
		w.cut(bob, carol)
		until(t, 20*time.Second, "suspected", func() bool { return strings.Contains(alice.sees(), "suspect") })
		synctest.Wait() // the table is ahead of what is announced
		alice.announced()
		alice.stop()
		before := alice.sees()
		time.Sleep(5 * time.Minute)
		if got := alice.announced(); got != "" || alice.sees() != before {
			t.Errorf("after its end: %q, and %q became %q", got, before, alice.sees())
		}
	})
}

func TestListedAddressesAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob, carol := w.start(0, "alice"), w.start(1, "bob"), w.start(2, "carol")
		carol.join(bob)
		alice.SetListed([]netip.AddrPort{alice.Self().Addr, netip.MustParseAddrPort("10.0.9.9:1"), bob.Self().Addr})
		took := until(t, 10*time.Second, "one again", func() bool { return converged([]*member{alice, bob, carol}) })
		t.Logf("joined after %s", took)
	})
}

// An address that somebody else has by now is left alone.
func TestLostAddressWithAnotherPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob := w.start(0, "alice"), w.start(1, "bob")
		bob.join(alice)
		until(t, time.Second, "alice knows bob", func() bool { return alice.sees() == "bob alive" })
		addr := bob.Self().Addr
		bob.host.Crash()
		bob.stop()
		until(t, 20*time.Second, "lost", func() bool { return alice.sees() == "bob lost" })
		eve := w.start(1, "eve")
		if eve.Self().Addr != addr {
			t.Fatalf("eve has %s, bob had %s", eve.Self().Addr, addr)
		}
		time.Sleep(time.Minute)
		if got := alice.sees() + eve.sees(); got != "bob lost" {
			t.Errorf("they see %q; nobody asked for that", got)
		}
	})
}

var runs = flag.Int("converge", 1, "how many groups of 50 must converge")

// Groups of 50 peers that come one after another, each of which knows the
// first one, see each other. Gossip alone misses a member now and then; the
// exchange of whole states, at 50 members once a minute, makes up for it.
func TestFiftyConverge(t *testing.T) {
	const peers = 50
	for run := range *runs {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var all []*member
			for i := range peers {
				all = append(all, w.start(i, fmt.Sprint("peer", i)))
				if i > 0 {
					all[i].join(all[0])
				}
			}
			took := until(t, 3*time.Minute, "all see all", func() bool { return converged(all) })
			t.Logf("run %d: %s", run, took)
		})
	}
}

func TestPartitionHeals(t *testing.T) {
	for _, c := range []struct {
		peers, apart int
		lasts        time.Duration
	}{
		{10, 5, 10 * time.Second}, {10, 5, time.Minute}, {10, 5, 10 * time.Minute},
		{10, 1, time.Minute}, {2, 1, 10 * time.Minute}, {20, 10, time.Minute},
	} {
		t.Run(fmt.Sprintf("%d of %d for %s", c.apart, c.peers, c.lasts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				all := w.startAll(c.peers)
				w.cut(all[:c.apart]...)
				time.Sleep(c.lasts)
				if n := len(all[0].Members()); c.lasts >= 10*time.Minute && n != c.apart-1 {
					t.Errorf("one side sees %d others during the cut, want %d", n, c.apart-1)
				}
				w.heal()
				took := until(t, 15*time.Second, "one again", func() bool { return converged(all) })
				t.Logf("healed after %s", took)
				time.Sleep(10 * time.Second)
				if !converged(all) {
					t.Error("it did not stay so")
				}
			})
		})
	}
}
