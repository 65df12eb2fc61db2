//go:build unix

package local_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/local"
)

// split is a world of two peers between which the network is broken.
type split struct {
	t      *testing.T
	world  coordinator.World
	box    *mailbox.Box[coordinator.Message]
	links  map[string]coordinator.Driver
	status map[string]testlink.Status
	heard  map[string][]string // chat events by peer: "text late"
	done   map[string]int      // commands and tables that have ended, by peer
}

// TestPartitionByTables cuts two processes from each other by tables on both
// sides: they lose each other, keep what they have to say, and deliver it once
// when they are whole again.
func TestPartitionByTables(t *testing.T) {
	t.Parallel()
	s := &split{
		t: t, world: local.NewWorld(config(t, "peer")), box: mailbox.New[coordinator.Message](),
		links: map[string]coordinator.Driver{}, status: map[string]testlink.Status{}, heard: map[string][]string{}, done: map[string]int{},
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.world.Run(ctx, func(m coordinator.Message) { s.box.Put(m) })
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for i, name := range []string{"alice", "bob"} {
		s.world.Do(coordinator.Order{ID: uint64(i + 1), Verb: coordinator.Start, Peer: name})
		s.until("it can be driven", 20*time.Second, func() bool { return s.links[name] != nil })
		s.links[name].Command("init")
		s.until("init", 20*time.Second, func() bool { return s.done[name] == 1 })
	}
	s.until("they see each other", 10*time.Second, s.see("alive"))
	s.cut(true)
	s.links["alice"].Command("msg while apart")
	lost := s.until("they lose each other", 20*time.Second, s.see("dead"))
	s.cut(false)
	healed := s.until("the message", 15*time.Second, func() bool { return len(s.heard["bob"]) > 0 })
	s.until("they see each other", 5*time.Second, s.see("alive"))
	t.Logf("lost after %v, delivered %v after the heal", lost, healed)
	s.links["alice"].Command("msg after")
	s.until("the next message", 5*time.Second, func() bool { return len(s.heard["bob"]) > 1 })
	if got := strings.Join(s.heard["bob"], ", "); got != "while apart late, after" {
		t.Errorf("bob has heard %q", got)
	}
}

// cut sets or heals a partition on both sides.
func (s *split) cut(on bool) {
	s.t.Helper()
	rule := faulty.Rule{Cut: on}
	want := map[string]int{}
	for self, other := range map[string]string{"alice": "bob", "bob": "alice"} {
		addr := netip.MustParseAddrPort(s.status[other].Self.Addr)
		want[self] = s.done[self] + 1
		s.links[self].Faults(faulty.Table{Self: self, Peers: []faulty.Peer{{Name: other, Addr: addr, To: rule, From: rule}}}, nil)
	}
	s.until("the tables are in force", 5*time.Second, func() bool {
		return s.done["alice"] >= want["alice"] && s.done["bob"] >= want["bob"]
	})
}

// see tells whether each sees the other one in a state.
func (s *split) see(state string) func() bool {
	return func() bool {
		for self, other := range map[string]string{"alice": "bob", "bob": "alice"} {
			m := s.status[self].Members
			if len(m) != 1 || m[0].Name != other || m[0].State != state {
				return false
			}
		}
		return true
	}
}

func (s *split) until(what string, within time.Duration, ok func() bool) time.Duration {
	s.t.Helper()
	start, deadline := time.Now(), time.After(within)
	for !ok() {
		select {
		case <-s.box.Ready():
			for _, m := range s.box.Take() {
				s.take(m)
			}
		case <-deadline:
			s.t.Fatalf("not within %v: %s; there is %+v, %v", within, what, s.status, s.heard)
		}
	}
	return time.Since(start)
}

func (s *split) take(m coordinator.Message) {
	s.t.Helper()
	switch b := m.Body.(type) {
	case testlink.Opened:
		s.links[m.Peer] = m.Link
	case testlink.Status:
		s.status[m.Peer] = b
	case testlink.Finished:
		s.done[m.Peer]++
		if !b.Result.OK {
			s.t.Errorf("%s: %s", m.Peer, b.Result.Error)
		}
	case testlink.Faulted:
		s.done[m.Peer]++
		if b.Err != nil {
			s.t.Errorf("%s: %v", m.Peer, b.Err)
		}
	case testlink.Recorded:
		if b.Event.Type == journal.TypeChat {
			text := b.Event.Text
			if b.Event.Fields["late"] == true {
				text += " late"
			}
			s.heard[m.Peer] = append(s.heard[m.Peer], text)
		}
	}
}
