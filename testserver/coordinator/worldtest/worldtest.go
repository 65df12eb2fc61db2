// Package worldtest proves that a coordinator.World keeps its contract: what
// it tells of each boot of a peer comes in order, every order is done once,
// nothing blocks, and the end of Run is the end of everything.
//
// It drives peers by four commands of their shell: init, echo, sleep, quit.
package worldtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
)

// Config says which world is proved.
type Config struct {
	// New makes a world that is not running yet.
	New func(t *testing.T) coordinator.World
	// Around runs one test, in a bubble for example. Nil calls it.
	Around func(t *testing.T, test func(*testing.T))
	// Pauses: the world can pause peers. Otherwise it has to refuse.
	Pauses bool
	// Lists: its peers use the bootstrap service of the world.
	Lists bool
}

// Run proves a world.
func Run(t *testing.T, c Config) {
	around := c.Around
	if around == nil {
		around = func(t *testing.T, test func(*testing.T)) { test(t) }
	}
	tests := []struct {
		name string
		run  func(*stage)
	}{
		{"a life in order", testLife},
		{"several peers at once", testSeveral},
		{"a killed peer is gone", testKill},
		{"each boot has a number of its own", testBoots},
		{"a stopped peer leaves in order", testStop},
		{"orders that make no sense", testRefusals},
		{"pause and resume", testPause},
		{"a fence is a cut", testFence},
		{"faults are answered", testFaults},
		{"who is listed", testListed},
		{"orders never block", testNeverBlocks},
		{"the end of the run", testEnd},
		{"the end comes at once", testEndAtOnce},
		{"random orders", testRandom},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			around(t, func(t *testing.T) {
				s := begin(t, c)
				defer s.close()
				tt.run(s)
			})
		})
	}
}

func testLife(s *stage) {
	alice := s.start("alice")
	if r := s.command(alice, "init"); !r.OK {
		s.t.Fatalf("init: %s", r.Error)
	}
	if r := s.command(alice, "echo hello"); !r.OK || r.Output != "hello\n" {
		s.t.Errorf("echo hello: %+v", r)
	}
	if r := s.command(alice, "no-such-command"); r.OK || r.Error == "" {
		s.t.Errorf("a command that is none: %+v", r)
	}
	if r := s.command(alice, "quit"); !r.OK {
		s.t.Errorf("quit: %+v", r)
	}
	if g := s.gone("alice"); !g.OK || g.State == "" {
		s.t.Errorf("after quit: %+v", g)
	}
	if s.law.recorded["alice"] == 0 {
		s.t.Error("no event of alice was delivered")
	}
}

func testSeveral(s *stage) {
	names := []string{"alice", "bob", "charly", "dora"}
	for _, name := range names {
		s.do(coordinator.Order{Verb: coordinator.Start, Peer: name})
	}
	var ids []uint64
	for _, name := range names {
		ids = append(ids, s.opened(name).link.Command("init"))
	}
	for i, name := range names {
		if r := s.finished(name, ids[i]); !r.OK {
			s.t.Errorf("%s init: %s", name, r.Error)
		}
	}
}

func testKill(s *stage) {
	alice := s.start("alice")
	long := alice.link.Command("sleep 60")
	s.rest(20 * time.Millisecond) // so that it has begun
	s.must(coordinator.Order{Verb: coordinator.Kill, Peer: "alice"})
	if r, is := s.results["alice"][long]; is {
		s.t.Errorf("who is killed does not say how a command ended: %+v", r)
	}
	if g := s.last["alice"]; g == nil || g.OK || g.State == "" {
		s.t.Errorf("gone by a kill: %+v", g)
	}
	// Nothing happens any more on the link of a boot that has ended.
	alice.link.Command("echo x")
	alice.link.Cancel(1)
	alice.link.Answer(1, testlink.Answer{})
	alice.link.Refuse(1, errRefused)
	alice.link.Fence()
	alice.link.Faults(faulty.Table{}, nil)
	s.refused(coordinator.Order{Verb: coordinator.Kill, Peer: "alice"})
}

func testBoots(s *stage) {
	number := s.start("alice").hello.Boot
	again := func(what string, end func(), fresh bool) {
		end()
		alice := s.startFresh("alice", fresh)
		if alice.hello.Boot <= number {
			s.t.Errorf("boot %d %s, after boot %d", alice.hello.Boot, what, number)
		}
		number = alice.hello.Boot
		if r := s.command(alice, "init"); !r.OK {
			s.t.Errorf("init %s: %s", what, r.Error)
		}
	}
	kill := func() { s.must(coordinator.Order{Verb: coordinator.Kill, Peer: "alice"}) }
	again("after a kill", kill, false)
	again("with fresh data", kill, true)
	again("with kept data after fresh data", kill, false)
	again("after quit", func() {
		s.opens["alice"].link.Command("quit")
		s.gone("alice")
	}, false)
	again("with fresh data, stopped", func() { s.must(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"}) }, true)
}

func testStop(s *stage) {
	alice := s.start("alice")
	if r := s.command(alice, "init"); !r.OK {
		s.t.Fatalf("init: %s", r.Error)
	}
	s.must(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"})
	if g := s.last["alice"]; g == nil || !g.OK {
		s.t.Errorf("stopped: %+v", g)
	}
	bob := s.start("bob")
	s.command(bob, "echo up") // it knows that it has attached
	ids := []uint64{bob.link.Command("sleep 60"), bob.link.Command("sleep 61"), bob.link.Command("sleep 62")}
	fence := bob.link.Fence() // behind it, bob has the commands
	s.until("the fence", func(m coordinator.Message) bool {
		f, is := m.Body.(testlink.Fenced)
		return is && m.Peer == "bob" && f.ID == fence
	})
	stopped := s.do(coordinator.Order{Verb: coordinator.Stop, Peer: "bob"})
	also := s.do(coordinator.Order{Verb: coordinator.Stop, Peer: "bob"})
	for _, id := range ids {
		if r := s.finished("bob", id); r.OK {
			s.t.Error("what a peer did or was to do when it was stopped ended well")
		}
	}
	if err := s.done(stopped); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	_ = s.done(also) // it may have come too late
}

func testRefusals(s *stage) {
	for _, verb := range []coordinator.Verb{coordinator.Kill, coordinator.Stop, coordinator.Pause, coordinator.Resume} {
		s.refused(coordinator.Order{Verb: verb, Peer: "nobody"})
	}
	s.refused(coordinator.Order{Verb: "paint", Peer: "alice"})
	s.start("alice")
	s.refused(coordinator.Order{Verb: coordinator.Start, Peer: "alice"})
	s.refused(coordinator.Order{Verb: coordinator.Start, Peer: "alice", Fresh: true})
	s.refused(coordinator.Order{Verb: coordinator.Resume, Peer: "alice"})
	s.refused(coordinator.Order{Verb: coordinator.Kill, Peer: "bob"})
	if r := s.command(s.opens["alice"], "echo x"); !r.OK {
		s.t.Errorf("after orders that were refused: %+v", r)
	}
}

func testPause(s *stage) {
	alice := s.start("alice")
	if !s.cfg.Pauses {
		s.refused(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
		return
	}
	s.must(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
	s.refused(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
	s.refused(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"})
	id := alice.link.Command("echo x")
	s.silent(200*time.Millisecond, func(m coordinator.Message) bool {
		f, is := m.Body.(testlink.Finished)
		return is && f.ID == id
	})
	s.must(coordinator.Order{Verb: coordinator.Resume, Peer: "alice"})
	if r := s.finished("alice", id); !r.OK {
		s.t.Errorf("after resume: %+v", r)
	}
	for range 20 {
		s.do(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
		s.do(coordinator.Order{Verb: coordinator.Resume, Peer: "alice"})
	}
	s.must(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
	s.must(coordinator.Order{Verb: coordinator.Kill, Peer: "alice"})
	s.start("alice") // and is paused when the run ends
	s.must(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
}

func testFence(s *stage) {
	alice := s.start("alice")
	command := alice.link.Command("echo one")
	s.finished("alice", command)
	long := alice.link.Command("sleep 60")
	fence := alice.link.Fence()
	if fence == command || fence == long {
		s.t.Error("a fence has the number of a command")
	}
	s.until("the fence", func(m coordinator.Message) bool {
		f, is := m.Body.(testlink.Fenced)
		return is && m.Peer == "alice" && f.ID == fence
	})
	if s.law.finished["alice"][long] {
		s.t.Error("the fence waited for a command to end")
	}
	alice.link.Cancel(long)
	if r := s.finished("alice", long); r.OK {
		s.t.Error("a cancelled command ended well")
	}
}

func testFaults(s *stage) {
	alice := s.start("alice")
	id := alice.link.Faults(faulty.Table{Self: "alice"}, nil)
	s.until("the answer to faults", func(m coordinator.Message) bool {
		f, is := m.Body.(testlink.Faulted)
		return is && m.Peer == "alice" && f.ID == id
	})
}

func testListed(s *stage) {
	s.listing("alice", false)
	s.must(coordinator.Order{Verb: coordinator.Ail, Ail: language.ServiceFault{Slow: time.Millisecond}})
	s.must(coordinator.Order{Verb: coordinator.Ail})
	if !s.cfg.Lists {
		return
	}
	alice := s.start("alice")
	alice.link.Command("init")
	s.listing("alice", true)
	s.must(coordinator.Order{Verb: coordinator.Ail, Ail: language.ServiceFault{Down: true}})
	bob := s.start("bob")
	id := bob.link.Command("bootstrapjoin")
	if r := s.finished("bob", id); r.OK {
		s.t.Error("bob joined a service that was down")
	}
	s.must(coordinator.Order{Verb: coordinator.Ail})
	s.must(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"})
	s.listing("alice", false)
}

func testNeverBlocks(s *stage) {
	s.hold()
	begun := time.Now()
	for i := range 5000 {
		s.do(coordinator.Order{Verb: coordinator.Kill, Peer: fmt.Sprint("p", i)})
	}
	if took := time.Since(begun); took > 5*time.Second {
		s.t.Errorf("5000 orders took %s while nobody listened", took)
	}
	s.release()
	for id := range s.law.orders {
		if err := s.done(id); err == nil {
			s.t.Fatal("somebody who was never started was killed")
		}
	}
}

func testEnd(s *stage) {
	s.command(s.start("alice"), "init")
	s.start("bob").link.Command("sleep 60")
	if s.cfg.Pauses {
		s.start("charly")
		s.must(coordinator.Order{Verb: coordinator.Pause, Peer: "charly"})
	}
	s.do(coordinator.Order{Verb: coordinator.Start, Peer: "dora"})
	s.do(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"})
	s.close()
	s.world.Do(coordinator.Order{ID: 1 << 40, Verb: coordinator.Kill, Peer: "alice"})
	for _, name := range []string{"alice", "bob"} {
		if s.last[name] == nil {
			s.t.Errorf("the end of %s was not told", name)
		}
	}
}

func testEndAtOnce(s *stage) {
	s.do(coordinator.Order{Verb: coordinator.Start, Peer: "alice"})
	s.do(coordinator.Order{Verb: coordinator.Kill, Peer: "alice"})
	s.do(coordinator.Order{Verb: coordinator.Start, Peer: "bob"})
	s.close()
}
