package remote_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/remote"
)

// hall is a world that runs for alice and bob.
type hall struct {
	t     *testing.T
	url   string
	world *remote.World
	said  chan coordinator.Message
	stop  func()
}

func open(t *testing.T) *hall {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{t: t, url: "http://" + l.Addr().String(), said: make(chan coordinator.Message, 100)}
	h.world = remote.New(remote.Config{Listener: l, Token: "secret", Peers: []string{"alice", "bob"}, StopTime: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- h.world.Run(ctx, func(m coordinator.Message) { h.said <- m })
		close(h.said)
	}()
	h.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the world: %v", err)
		}
	}
	return h
}

// join attaches a peer that answers commands, and leaves when it is told to
// quit unless it is stubborn.
func (h *hall) join(name string, stubborn bool) (ended <-chan error) {
	h.t.Helper()
	link, err := dial(h.t, h.url, name)
	if err != nil {
		h.t.Fatal(err)
	}
	end := make(chan error, 1)
	ctx, leave := context.WithCancel(context.Background())
	go func() {
		defer leave()
		end <- link.Run(ctx, testlink.HandlerFunc(func(_ context.Context, line string) testlink.Result {
			if line == "quit" && !stubborn {
				leave()
			}
			return testlink.Result{OK: true}
		}))
	}()
	return end
}

func (h *hall) next() coordinator.Message {
	h.t.Helper()
	select {
	case m := <-h.said:
		return m
	case <-time.After(10 * time.Second):
		h.t.Fatal("nothing is told")
		return coordinator.Message{}
	}
}

// done expects the next message to be the end of an order, with words in its
// error; none for success.
func (h *hall) done(id uint64, words string) {
	h.t.Helper()
	m := h.next()
	d, is := m.Body.(coordinator.Done)
	if !is || d.ID != id || (d.Err == nil) != (words == "") || d.Err != nil && !strings.Contains(d.Err.Error(), words) {
		h.t.Fatalf("%+v, want order %d done with %q", m, id, words)
	}
}

func (h *hall) silent() {
	h.t.Helper()
	select {
	case m := <-h.said:
		h.t.Errorf("unexpected %+v", m)
	case <-time.After(50 * time.Millisecond):
	}
}

func (h *hall) do(id uint64, verb coordinator.Verb, peer string) {
	h.world.Do(coordinator.Order{ID: id, Verb: verb, Peer: peer})
}

func TestAStartWaitsForThePeer(t *testing.T) {
	h := open(t)
	h.do(1, coordinator.Start, "alice")
	h.silent()
	h.join("alice", false)
	h.done(1, "")
	if m := h.next(); m.Link == nil || m.Peer != "alice" {
		t.Errorf("%+v", m)
	}
	// One who comes early waits for his start.
	h.join("bob", false)
	h.silent()
	h.do(2, coordinator.Start, "bob")
	h.done(2, "")
	if m := h.next(); m.Link == nil || m.Peer != "bob" {
		t.Errorf("%+v", m)
	}
	h.stop()
}

func TestAStopIsTheCommandQuit(t *testing.T) {
	h := open(t)
	h.do(1, coordinator.Start, "alice")
	h.join("alice", false)
	h.done(1, "")
	h.next() // Opened
	h.do(2, coordinator.Stop, "alice")
	if m := h.next(); !isClosed(m) {
		t.Errorf("%+v: what nobody has asked for is told", m)
	}
	if g, is := h.next().Body.(coordinator.Gone); !is || !g.OK {
		t.Errorf("%+v", g)
	}
	h.done(2, "")
	h.do(3, coordinator.Start, "alice")
	h.done(3, "cannot start it again")
	h.do(4, coordinator.Stop, "alice")
	h.done(4, "is not there")
	h.stop()
}

func isClosed(m coordinator.Message) bool { _, is := m.Body.(testlink.Closed); return is }

func TestAStopHasAnEnd(t *testing.T) {
	h := open(t)
	h.do(1, coordinator.Start, "alice")
	ended := h.join("alice", true)
	h.done(1, "")
	h.next() // Opened
	h.do(2, coordinator.Stop, "alice")
	h.done(2, "has not left within 100ms")
	h.stop()
	<-ended
}

func TestWhatCannotBeDoneFromHere(t *testing.T) {
	h := open(t)
	for i, verb := range []coordinator.Verb{coordinator.Kill, coordinator.Pause, coordinator.Resume} {
		h.do(uint64(i), verb, "alice")
		h.done(uint64(i), "alice was started elsewhere: the test server cannot "+string(verb))
	}
	h.world.Do(coordinator.Order{ID: 10, Verb: coordinator.Ail, Ail: language.ServiceFault{Down: true}})
	h.done(10, "bootstrap service")
	h.do(11, coordinator.Start, "mallory")
	h.done(11, "no peer of the scenario")
	h.do(12, coordinator.Stop, "alice")
	h.done(12, "is not there")
	h.do(13, coordinator.Start, "alice")
	h.do(14, coordinator.Start, "alice")
	h.done(14, "awaited already")
	go h.stop()
	h.done(13, "the run is over")
	if m, more := <-h.said; more {
		t.Errorf("%+v", m)
	}
}
