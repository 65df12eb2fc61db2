package node_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/node"
)

// fragile is a peer with a network that can be broken.
type fragile struct {
	*peer
	faults *faulty.Network

	mu   sync.Mutex
	late map[string]int // chat messages by their text: 1 for each, 100 more if it was late
}

func (l *lab) fragile(name string) *fragile {
	l.t.Helper()
	f := &fragile{late: map[string]int{}}
	f.peer = l.start(name, func(c *node.Config) {
		withChat(l.t)(c)
		f.faults = faulty.New(c.Network)
		c.Network, c.Faults = f.faults, f.faults
	})
	f.Journal().Attach(func(e journal.Event, _ []byte) {
		if e.Type != journal.TypeChat {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.late[e.Text]++
		if e.Fields["late"] == true {
			f.late[e.Text] += 100
		}
	})
	f.init()
	return f
}

func (f *fragile) heard(text string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.late[text]
}

// mirror sets tables that mirror each other between all peers, as a test
// server does.
func mirror(t *testing.T, seed uint64, peers []*fragile, rule func(from, to string) faulty.Rule) {
	t.Helper()
	for _, p := range peers {
		table := faulty.Table{Seed: seed, Self: p.Name()}
		for _, o := range peers {
			if o != p {
				table.Peers = append(table.Peers, faulty.Peer{
					Name: o.Name(), Addr: o.Status().Self.Addr,
					To: rule(p.Name(), o.Name()), From: rule(o.Name(), p.Name()),
				})
			}
		}
		if err := p.faults.Set(table); err != nil {
			t.Fatal(err)
		}
	}
}

func whole(peers []*fragile) func() bool {
	return func() bool {
		for _, p := range peers {
			if strings.Count(p.sees(), "alive") != len(peers)-1 || len(p.Status().Present["chat"]) != len(peers)-1 {
				return false
			}
		}
		return true
	}
}

// A partition of five minutes, set on all sides: the sides lose each other,
// what is said meanwhile is kept, everybody stays on the bootstrap list, and
// when it ends the group is whole within seconds and has what was kept once.
func TestPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		peers := []*fragile{l.fragile("alice"), l.fragile("bob"), l.fragile("charly")}
		alice, bob, charly := peers[0], peers[1], peers[2]
		l.until(5*time.Second, "the group is whole", whole(peers))
		mirror(t, 0, peers, func(from, to string) faulty.Rule {
			return faulty.Rule{Cut: from == "alice" || to == "alice"}
		})
		if got := alice.do("msg", "while apart"); !strings.Contains(got, "delivered to 0 of 2") {
			t.Errorf("msg in the partition answers %q", got)
		}
		lost := l.until(20*time.Second, "the sides lose each other", func() bool {
			return alice.sees() == "bob lost, charly lost" && bob.sees() == "alice lost, charly alive" && charly.sees() == "alice lost, bob alive"
		})
		for range 30 {
			time.Sleep(10 * time.Second)
			for _, p := range peers {
				g, err := p.Discovery().Group(t.Context())
				if err != nil || len(g.Peers) != 3 {
					t.Fatalf("%s: the service lists %d peers, %v", p.Name(), len(g.Peers), err)
				}
			}
		}
		if alice.sees() != "bob lost, charly lost" || bob.heard("while apart") != 0 {
			t.Errorf("in the partition alice sees %s, and bob hears her", alice.sees())
		}
		mirror(t, 0, peers, func(string, string) faulty.Rule { return faulty.Rule{} })
		healed := l.until(5*time.Second, "the group is whole again", whole(peers))
		l.until(time.Second, "what was kept is delivered", func() bool { return bob.heard("while apart") > 0 && charly.heard("while apart") > 0 })
		t.Logf("lost after %v, whole again after %v", lost, healed)
		time.Sleep(time.Minute)
		if bob.heard("while apart") != 101 || charly.heard("while apart") != 101 {
			t.Errorf("bob has heard it %d times, charly %d, want once, late (101)", bob.heard("while apart"), charly.heard("while apart"))
		}
	})
}

// A bad link that is no cut loses nobody, and no message.
func TestBadLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		peers := []*fragile{l.fragile("alice"), l.fragile("bob"), l.fragile("charly")}
		l.until(5*time.Second, "the group is whole", whole(peers))
		mirror(t, 1, peers, func(string, string) faulty.Rule {
			return faulty.Rule{Latency: 50 * time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.05, Dup: 0.05, Reorder: 0.1, Rate: 256_000}
		})
		const messages = 30
		for i := range messages {
			peers[i%3].do("msg", fmt.Sprint("message ", i))
			time.Sleep(2 * time.Second)
			for _, p := range peers {
				if strings.Contains(p.sees(), "lost") { // suspected is allowed
					t.Fatalf("%s sees %s", p.Name(), p.sees())
				}
			}
		}
		l.until(10*time.Second, "the last message", func() bool { return peers[0].heard(fmt.Sprint("message ", messages-1)) > 0 })
		for i := range messages {
			for j, p := range peers {
				if n := p.heard(fmt.Sprint("message ", i)); n != 1 && j != i%3 {
					t.Errorf("%s has heard message %d %d times", p.Name(), i, n)
				}
			}
		}
	})
}
