package node_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/trace"
	"github.com/peerlab/peerlab/internal/vclock"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/node"
)

// history is what a peer's journal has of its boot.
func (p *peer) history() []journal.Event {
	p.lab.t.Helper()
	var all []journal.Event
	for e, err := range p.History() {
		if err != nil {
			p.lab.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// Every message is an arrow from its sending to each of its receivings: the
// clock of the one is before the clock of the other. That holds under a crowd
// of messages, for a peer that was cut off, and for one that came back.
func TestMessagesAreArrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var peers []*peer
		for _, name := range []string{"alice", "bob", "charly"} {
			p := l.start(name, withChat(t))
			p.init()
			peers = append(peers, p)
		}
		for i := range 30 {
			for _, p := range peers {
				p.do("msg", fmt.Sprint("number ", i))
			}
		}
		peers[2].crash()
		events := peers[2].history()
		l.until(time.Minute, "charly is lost", func() bool { return peers[0].saw("<lost> charly is gone") == 1 })
		peers[0].do("msg", "kept for charly")
		peers[1].do("msg", "kept as well")
		time.Sleep(2 * time.Second) // so that they are late
		charly := l.start("charly", withChat(t))
		charly.init()
		l.until(time.Minute, "charly has what was kept", func() bool {
			return charly.saw("<alice> kept for charly") == 1 && charly.saw("<bob> kept as well") == 1
		})
		for _, p := range []*peer{peers[0], peers[1], charly} {
			events = append(events, p.history()...)
			p.quit()
		}
		if n := arrows(t, events); n < 150 {
			t.Errorf("only %d arrows", n)
		}
	})
}

// arrows checks and counts the receivings.
func arrows(t *testing.T, events []journal.Event) int {
	t.Helper()
	sent := map[string]journal.Event{}
	for _, e := range events {
		if e.Type != journal.TypeSent {
			continue
		}
		id := e.Peer + " " + e.Fields["id"].(string)
		if _, twice := sent[id]; twice {
			t.Errorf("%s was sent twice", id)
		}
		sent[id] = e
	}
	n := 0
	for _, e := range events {
		if e.Type != journal.TypeChat {
			continue
		}
		n++
		id := fmt.Sprint(e.Fields["from"], " ", e.Fields["id"])
		s, ok := sent[id]
		to, _ := s.Fields["to"].([]any)
		sending, known := e.Sending()
		switch {
		case !ok || s.Text != e.Text:
			t.Errorf("%s was received and never sent", id)
		case s.Clock.Compare(e.Clock) != vclock.Before || s.Lamport >= e.Lamport:
			t.Errorf("%s was sent at %v, and received at %v", id, s.Clock, e.Clock)
		case !slices.Contains(to, any(e.Peer)):
			t.Errorf("%s is owed to %v, and %s got it", id, to, e.Peer)
		case !known || sending.Compare(s.Clock) != vclock.Equal:
			t.Errorf("%s was sent at %v, and %s says at %v", id, s.Clock, e.Peer, sending)
		}
	}
	return n
}

// Messages of different peers stand to each other as the people would say.
func TestOrderOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice, bob, charly := l.start("alice", withChat(t)), l.start("bob", withChat(t)), l.start("charly", withChat(t))
		for _, p := range []*peer{alice, bob, charly} {
			p.init()
		}
		alice.do("msg", "question")
		bob.do("msg", "answer")
		charly.do("msg", "thanks")
		synctest.Wait()
		for _, p := range []*peer{alice, bob, charly} {
			all, err := trace.Messages(p.History())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range [][3]string{{"question", "answer", "before"}, {"answer", "question", "after"}, {"question", "thanks", "before"}, {"thanks", "thanks", "equal"}} {
				a, errA := trace.Find(all, c[0])
				b, errB := trace.Find(all, c[1])
				if err := errors.Join(errA, errB); err != nil {
					t.Fatalf("%s: %v", p.Name(), err)
				}
				if r := trace.Relate(a, b); r.Order.String() != c[2] {
					t.Errorf("%s says that %q and %q are %v: %s", p.Name(), c[0], c[1], r.Order, r.Reason)
				}
			}
			p.quit()
		}
	})
}

func TestHistoryIsOfThisBoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.start("alice", withChat(t)).quit()
		alice := l.start("alice", withChat(t))
		alice.init()
		events := alice.history()
		if len(events) == 0 || events[0].Boot != 2 || events[0].Seq != 1 {
			t.Errorf("the history begins with %v", events)
		}
		alice.quit()
		nowhere := l.start("bob", func(c *node.Config) { c.Data = nil })
		for _, err := range nowhere.History() {
			if !errors.Is(err, node.ErrNoJournal) || !strings.Contains(err.Error(), "--data") {
				t.Errorf("without data: %v", err)
			}
		}
		nowhere.quit()
	})
}

// TestHistoryBeginsBeforeRun: a command may be faster than the start of Run.
func TestHistoryBeginsBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		data := files.Mem()
		id, err := identity.Open(data, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := node.New(node.Config{Name: "alice", Identity: id, Network: l.net.Host("10.0.0.1"), Bind: "10.0.0.1:0", Data: data})
		if err != nil {
			t.Fatal(err)
		}
		n.Journal().Record(journal.TypeCommand, "help", nil)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := errors.Join(n.Run(ctx), id.Close()); err != nil {
			t.Error(err)
		}
		for e, err := range n.History() {
			if err != nil || e.Seq != 1 || e.Text != "help" {
				t.Errorf("the history begins with event %d %q, %v", e.Seq, e.Text, err)
			}
			return
		}
		t.Error("there is no history")
	})
}

func TestProbesAreEventsIfAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		alice := l.start("alice", func(c *node.Config) { c.Probes = true })
		bob := l.start("bob", nil)
		alice.init()
		bob.init()
		time.Sleep(10 * time.Second)
		probes := func(p *peer) (n int) {
			for _, e := range p.history() {
				if rtt, ok := e.Fields["rtt"].(float64); e.Type == journal.TypeProbe && ok && rtt >= 0 && e.Text == "bob" {
					n++
				}
			}
			return n
		}
		if n := probes(alice); n < 5 || n > 20 {
			t.Errorf("alice has %d probes of 10 seconds in her journal", n)
		}
		if n := strings.Count(fmt.Sprint(bob.history()), journal.TypeProbe); n > 0 {
			t.Errorf("bob, who was not asked, has %d", n)
		}
		alice.quit()
		bob.quit()
	})
}
