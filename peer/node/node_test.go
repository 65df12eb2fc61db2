package node_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// lab is a simulated machine room: one network, one user's runtime directory,
// and a data directory for each name, which outlives restarts.
type lab struct {
	t       *testing.T
	net     *netsim.Net
	runtime files.FS
	data    map[string]files.FS
	next    int
}

// newLab needs a bubble. memberlist's goroutines and timers outlive its
// Shutdown for a while, so the bubble is given time to come to rest.
func newLab(t *testing.T) *lab {
	t.Cleanup(func() { time.Sleep(2 * time.Minute) })
	return &lab{t: t, net: netsim.New(), runtime: files.Mem(), data: map[string]files.FS{}}
}

// peer is one running node of a lab.
type peer struct {
	*node.Node
	lab  *lab
	id   *identity.Identity
	host *netsim.Host
	stop context.CancelFunc
	done chan error

	mu    sync.Mutex
	shown []string
}

func (l *lab) start(name string, change func(*node.Config)) *peer {
	l.t.Helper()
	l.next++
	ip := fmt.Sprintf("10.0.0.%d", l.next)
	if l.data[name] == nil {
		l.data[name] = files.Mem()
	}
	id, err := identity.Open(l.data[name], 1000+l.next, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	p := &peer{lab: l, id: id, host: l.net.Host(ip), done: make(chan error, 1)}
	cfg := node.Config{
		Name: name, Identity: id, Network: p.host, Bind: ip + ":0", PID: 1000 + l.next,
		Rendezvous: l.runtime, Data: l.data[name], Show: p.show,
	}
	if change != nil {
		change(&cfg)
	}
	if p.Node, err = node.New(cfg); err != nil {
		l.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(l.t.Context())
	p.stop = stop
	go func() { p.done <- p.Run(ctx) }()
	return p
}

func (p *peer) show(l extension.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = append(p.shown, fmt.Sprintf("<%s> %s", l.Label, l.Text))
}

func (p *peer) init() {
	p.lab.t.Helper()
	if err := p.Init(p.lab.t.Context()); err != nil {
		p.lab.t.Fatalf("%s init: %v", p.Name(), err)
	}
}

// quit leaves in order; crash does not.
func (p *peer) quit() {
	p.lab.t.Helper()
	p.stop()
	p.end()
}

func (p *peer) crash() {
	p.lab.t.Helper()
	p.Crash()
	p.end()
}

func (p *peer) end() {
	p.lab.t.Helper()
	if err := <-p.done; err != nil {
		p.lab.t.Errorf("%s ended: %v", p.Name(), err)
	}
	p.stop()
	if err := p.id.Close(); err != nil {
		p.lab.t.Error(err)
	}
}

// withChat gives a peer the extensions that the program gives it.
func withChat(t *testing.T) func(*node.Config) {
	return func(c *node.Config) {
		room, err := chat.New(chat.Config{})
		if err != nil {
			t.Fatal(err)
		}
		set, err := broadcast.New(broadcast.Config{})
		if err != nil {
			t.Fatal(err)
		}
		c.Extensions = []extension.Extension{room, set}
	}
}

// do runs a command of one of the peer's extensions and returns its output.
func (p *peer) do(name string, args ...string) string {
	p.lab.t.Helper()
	for _, e := range p.Extensions() {
		for _, c := range e.Commands() {
			if c.Name != name {
				continue
			}
			var out strings.Builder
			call := &repl.Call{Name: name, Args: args, Text: strings.Join(args, " "), Out: &out}
			if err := c.Run(p.lab.t.Context(), call); err != nil {
				p.lab.t.Errorf("%s %s: %v", p.Name(), name, err)
			}
			return strings.TrimSpace(out.String())
		}
	}
	p.lab.t.Fatalf("no command %s", name)
	return ""
}

// saw counts the lines that were shown to the person at p.
func (p *peer) saw(line string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.shown {
		if l == line {
			n++
		}
	}
	return n
}

// sees is the other members as p sees them: "bob alive".
func (p *peer) sees() string {
	var all []string
	for _, m := range p.Status().Members {
		all = append(all, m.Member.Name+" "+string(m.State))
	}
	return strings.Join(all, ", ")
}

// until waits, in virtual time, for what must come true.
func (l *lab) until(within time.Duration, what string, ok func() bool) time.Duration {
	l.t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > within {
			l.t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
	return time.Since(start)
}

func TestThreePeersFindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var peers []*peer
		for _, name := range []string{"alice", "bob", "charly"} {
			p := l.start(name, nil)
			p.init()
			peers = append(peers, p)
		}
		l.until(2*time.Second, "everybody sees everybody", func() bool {
			return peers[0].sees() == "bob alive, charly alive" &&
				peers[1].sees() == "alice alive, charly alive" &&
				peers[2].sees() == "alice alive, bob alive"
		})
		for _, p := range peers {
			if !p.Status().Ready {
				t.Errorf("%s is not ready", p.Name())
			}
		}

		peers[1].crash()
		took := l.until(10*time.Second, "the crash is noticed", func() bool {
			return peers[0].sees() == "bob lost, charly alive" && peers[2].sees() == "alice alive, bob lost"
		})
		t.Logf("crash noticed after %s", took)

		peers[2].quit()
		l.until(time.Second, "leaving is told apart from a crash", func() bool {
			return peers[0].sees() == "bob lost, charly left"
		})
		peers[0].quit()
	})
}

func TestChatOverACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var peers []*peer
		for _, name := range []string{"alice", "bob", "charly"} {
			p := l.start(name, withChat(t))
			p.init()
			peers = append(peers, p)
		}
		alice, bob, charly := peers[0], peers[1], peers[2]
		if got := alice.do("msg", "hello"); got != "delivered to 2" {
			t.Errorf("msg answers %q", got)
		}
		if got := alice.do("broadcastadd", "motto", "onwards"); got != "added here and on 2" {
			t.Errorf("broadcastadd answers %q", got)
		}
		for _, p := range peers[1:] {
			if p.saw("<alice> hello") != 1 {
				t.Errorf("%s saw hello %d times when msg had returned", p.Name(), p.saw("<alice> hello"))
			}
		}

		bob.crash()
		l.until(10*time.Second, "the crash is shown", func() bool {
			return alice.saw("<lost> bob is gone") == 1 && charly.saw("<lost> bob is gone") == 1
		})
		if got := alice.do("msg", "where are you"); !strings.Contains(got, "delivered to 1 of 2") || !strings.Contains(got, "bob") {
			t.Errorf("msg answers %q; want a count, and the name of who was not reached", got)
		}
		bob = l.start("bob", withChat(t))
		bob.init()
		l.until(5*time.Second, "bob is back and gets what was kept", func() bool {
			return bob.saw("<alice> where are you") == 1 && alice.saw("<joined> bob is back") == 1
		})
		if got := bob.do("broadcastlist"); !strings.Contains(got, "onwards") {
			t.Errorf("broadcastlist at the one who came late: %q", got)
		}
		time.Sleep(time.Minute)
		if bob.saw("<alice> where are you") != 1 || bob.saw("<alice> hello") != 0 || alice.saw("<lost> bob is gone") != 1 {
			t.Errorf("something was shown twice:\nbob %q\nalice %q", bob.shown, alice.shown)
		}

		charly.quit()
		if alice.saw("<left> charly is leaving") != 1 || alice.saw("<lost> charly is gone") != 0 {
			t.Errorf("leaving in order was shown as %q", alice.shown)
		}
		alice.quit()
		bob.quit()
	})
}

func TestRestartIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice, bob := l.start("alice", nil), l.start("bob", nil)
		alice.init()
		bob.init()
		l.until(time.Second, "both are there", func() bool { return alice.sees() == "bob alive" && bob.sees() == "alice alive" })
		bob.crash()
		bob = l.start("bob", nil)
		bob.init()
		l.until(2*time.Second, "the new boot takes the old one's place at once", func() bool {
			m := alice.Status().Members
			return len(m) == 1 && m[0].State == membership.Alive && m[0].Member.Boot == 2
		})
		time.Sleep(30 * time.Second) // until memberlist has given up the ghost
		if got := alice.sees(); got != "bob alive" {
			t.Errorf("alice sees %q after the ghost is gone", got)
		}
		alice.quit()
		bob.quit()
	})
}

func TestHostOfTheServiceDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice := l.start("alice", nil)
		alice.init()
		bob := l.start("bob", nil)
		bob.init()
		if _, hosts := alice.Discovery().Service(); !hosts {
			t.Fatal("the first peer does not host the service")
		}
		alice.crash()
		charly := l.start("charly", nil)
		charly.init()
		l.until(3*time.Second, "a third joins all the same", func() bool {
			return strings.Contains(bob.sees(), "charly alive") && strings.Contains(charly.sees(), "bob alive")
		})
		bob.quit()
		charly.quit()
		if names, _ := l.runtime.List("."); slices.Contains(names, "lab.json") {
			t.Error("the last one left the rendezvous file behind")
		}
	})
}

func TestRememberedPeersNeedNoService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice, bob := l.start("alice", nil), l.start("bob", nil)
		alice.init()
		bob.init()
		time.Sleep(5 * time.Second) // until they are written down
		bob.quit()
		bob = l.start("bob", func(c *node.Config) { c.Rendezvous = nil })
		bob.init()
		l.until(2*time.Second, "bob joins whom he knew", func() bool { return bob.sees() == "alice alive" })
		alice.quit()
		bob.quit()
	})
}

func TestNameIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice := l.start("alice", nil)
		alice.init()
		other := newLab(t)
		other.net, other.runtime, other.next = l.net, l.runtime, 100
		thief := other.start("alice", nil)
		err := thief.Init(t.Context())
		if err == nil || !strings.Contains(err.Error(), "alice2") {
			t.Errorf("a second alice: %v; want a refusal that proposes alice2", err)
		}
		thief.quit()
		alice.quit()
	})
}

func TestNobodyToJoin(t *testing.T) {
	for name, change := range map[string]func(*node.Config){
		"no source at all": func(c *node.Config) { c.Rendezvous = nil },
		"no service":       func(c *node.Config) { c.Service = "http://10.0.0.1:1" },
		"static is gone":   func(c *node.Config) { c.Join = []string{"10.0.0.1:1"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				alice := l.start("alice", change)
				if err := alice.Init(t.Context()); err == nil {
					t.Error("init succeeded with nobody to ask")
				} else {
					t.Log(err)
				}
				alice.quit()
			})
		})
	}
}
