package worldtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// patience is how long anything may take that has to happen.
const patience = 30 * time.Second

var errRefused = errors.New("refused")

// stage is a world that runs, and what it has told.
type stage struct {
	t     *testing.T
	cfg   Config
	world coordinator.World
	law   *law
	opens map[string]actor             // the newest boot of each peer
	last  map[string]*coordinator.Gone // its last end
	dones map[uint64]error
	// results of commands, of the newest boot of each peer
	results map[string]map[uint64]testlink.Result
	listed  *coordinator.Listed // the newest list; nil before the first

	box   *mailbox.Box[coordinator.Message]
	queue []coordinator.Message // taken, and not looked at
	gate  sync.RWMutex          // held while nobody listens
	held  bool

	stop  context.CancelFunc
	ended chan error
	over  bool
	order uint64
}

// actor is one boot of a peer that can be driven.
type actor struct {
	hello testlink.Hello
	link  coordinator.Driver
}

func begin(t *testing.T, c Config) *stage {
	s := &stage{
		t: t, cfg: c, world: c.New(t), law: newLaw(),
		opens: map[string]actor{}, last: map[string]*coordinator.Gone{}, dones: map[uint64]error{},
		results: map[string]map[uint64]testlink.Result{},
		box:     mailbox.New[coordinator.Message](), ended: make(chan error, 1),
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s.stop = stop
	go func() { s.ended <- s.world.Run(ctx, s.deliver) }()
	return s
}

func (s *stage) deliver(m coordinator.Message) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if !s.box.Put(m) {
		s.t.Errorf("%T of %q was delivered after the end of Run", m.Body, m.Peer)
	}
}

// hold has deliver block until release.
func (s *stage) hold()    { s.gate.Lock(); s.held = true }
func (s *stage) release() { s.gate.Unlock(); s.held = false }

// close ends the world, and checks what is left of it. It may be called
// twice.
func (s *stage) close() {
	s.t.Helper()
	if s.over {
		return
	}
	s.over = true
	if s.held {
		s.release()
	}
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		s.t.Fatalf("Run did not end within %s", patience)
	}
	for _, m := range append(s.queue, s.box.Close()...) {
		s.take(m)
	}
	for _, err := range s.law.ended() {
		s.t.Error(err)
	}
}

// take looks at one message.
func (s *stage) take(m coordinator.Message) {
	s.t.Helper()
	if err := s.law.check(m); err != nil {
		s.t.Error(err)
	}
	switch b := m.Body.(type) {
	case testlink.Opened:
		s.opens[m.Peer] = actor{b.Hello, m.Link}
		s.results[m.Peer] = map[uint64]testlink.Result{}
	case testlink.Finished:
		s.results[m.Peer][b.ID] = b.Result
	case coordinator.Gone:
		s.last[m.Peer] = &b
		if len(b.Problems) > 0 {
			s.t.Errorf("%s: %v", m.Peer, b.Problems)
		}
	case coordinator.Listed:
		s.listed = &b
	case coordinator.Done:
		s.dones[b.ID] = b.Err
	}
}

// next looks at the next message; false means that there was none in time.
func (s *stage) next(deadline <-chan time.Time) (m coordinator.Message, ok bool) {
	s.t.Helper()
	for len(s.queue) == 0 {
		select {
		case <-s.box.Ready():
			s.queue = s.box.Take()
		case err := <-s.ended:
			s.over = true
			s.t.Fatalf("Run has ended: %v", err)
		case <-deadline:
			return m, false
		}
	}
	m, s.queue = s.queue[0], s.queue[1:]
	s.take(m)
	return m, true
}

// until looks at messages until one is as wanted.
func (s *stage) until(what string, wanted func(coordinator.Message) bool) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		m, ok := s.next(deadline.C)
		if !ok {
			s.t.Fatalf("not within %s: %s", patience, what)
		}
		if wanted(m) {
			return
		}
	}
}

// silent looks at messages for a time in which none may be like that.
func (s *stage) silent(d time.Duration, unwanted func(coordinator.Message) bool) {
	s.t.Helper()
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	for {
		m, ok := s.next(deadline.C)
		if !ok {
			return
		}
		if unwanted(m) {
			s.t.Errorf("unexpected: %T of %s", m.Body, m.Peer)
		}
	}
}

// do gives an order.
func (s *stage) do(o coordinator.Order) uint64 {
	s.order++
	o.ID = s.order
	s.law.orders[o.ID] = o
	s.world.Do(o)
	return o.ID
}

// done waits for the end of an order.
func (s *stage) done(id uint64) error {
	s.t.Helper()
	if err, is := s.dones[id]; is {
		return err
	}
	s.until("an order is done", func(m coordinator.Message) bool {
		d, is := m.Body.(coordinator.Done)
		return is && d.ID == id
	})
	return s.dones[id]
}

func (s *stage) must(o coordinator.Order) {
	s.t.Helper()
	if err := s.done(s.do(o)); err != nil {
		s.t.Fatalf("%s %s: %v", o.Verb, o.Peer, err)
	}
}

func (s *stage) refused(o coordinator.Order) {
	s.t.Helper()
	if err := s.done(s.do(o)); err == nil || err.Error() == "" {
		s.t.Errorf("%s %s was not refused", o.Verb, o.Peer)
	}
}

func (s *stage) start(name string) actor {
	s.t.Helper()
	return s.startFresh(name, false)
}

func (s *stage) startFresh(name string, fresh bool) actor {
	s.t.Helper()
	delete(s.opens, name)
	s.must(coordinator.Order{Verb: coordinator.Start, Peer: name, Fresh: fresh})
	return s.opened(name)
}

// opened waits until the peer can be driven.
func (s *stage) opened(name string) actor {
	s.t.Helper()
	if a, is := s.opens[name]; is {
		return a
	}
	s.until(name+" attaches", func(m coordinator.Message) bool {
		if g, is := m.Body.(coordinator.Gone); is && m.Peer == name {
			s.t.Fatalf("%s has ended: %+v", name, g)
		}
		_, is := m.Body.(testlink.Opened)
		return is && m.Peer == name
	})
	return s.opens[name]
}

// gone waits until the peer has ended.
func (s *stage) gone(name string) *coordinator.Gone {
	s.t.Helper()
	s.until(name+" ends", func(m coordinator.Message) bool {
		_, is := m.Body.(coordinator.Gone)
		return is && m.Peer == name
	})
	return s.last[name]
}

// listing waits until a peer is on the list of the bootstrap service, or is
// not.
func (s *stage) listing(name string, on bool) {
	s.t.Helper()
	so := func(coordinator.Message) bool {
		return (s.listed != nil && slices.Contains(s.listed.Names, name)) == on
	}
	if !so(coordinator.Message{}) {
		s.until(fmt.Sprintf("%s on the list: %t", name, on), so)
	}
}

// command runs a line at a peer.
func (s *stage) command(a actor, line string) testlink.Result {
	s.t.Helper()
	return s.finished(a.hello.Name, a.link.Command(line))
}

func (s *stage) finished(name string, id uint64) testlink.Result {
	s.t.Helper()
	if r, is := s.results[name][id]; is {
		return r
	}
	s.until("a command of "+name+" ends", func(m coordinator.Message) bool {
		if g, is := m.Body.(coordinator.Gone); is && m.Peer == name {
			s.t.Fatalf("%s has ended before its command: %+v", name, g)
		}
		f, is := m.Body.(testlink.Finished)
		return is && m.Peer == name && f.ID == id
	})
	return s.results[name][id]
}

// testRandom gives orders without thinking. Whether they make sense is for
// the world to say, in the order that the law has.
func testRandom(s *stage) {
	rng := rand.New(rand.NewPCG(7, 11))
	names := []string{"alice", "bob", "charly"}
	verbs := []coordinator.Verb{
		coordinator.Start, coordinator.Start, coordinator.Start, coordinator.Kill, coordinator.Stop,
		coordinator.Pause, coordinator.Resume, coordinator.Ail,
	}
	lines := []string{"init", "echo x", "sleep 60", "quit", "sleep 0.01", "echo y"}
	for range 60 {
		o := coordinator.Order{Verb: verbs[rng.IntN(len(verbs))], Peer: names[rng.IntN(len(names))], Fresh: rng.IntN(4) == 0}
		if o.Verb == coordinator.Ail {
			o.Peer = ""
		}
		s.do(o)
		if a, is := s.opens[names[rng.IntN(len(names))]]; is {
			id := a.link.Command(lines[rng.IntN(len(lines))])
			a.link.Fence()
			if rng.IntN(3) == 0 {
				a.link.Cancel(id)
			}
		}
		s.rest(time.Duration(rng.IntN(30)) * time.Millisecond)
	}
}

// rest looks at messages for a while.
func (s *stage) rest(d time.Duration) {
	s.t.Helper()
	s.silent(d, func(coordinator.Message) bool { return false })
}
