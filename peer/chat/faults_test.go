package chat_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension/extensiontest"
)

// storm is a chat of five peers under a random schedule of faults: streams
// break, peers stop, networks split, with and without the membership noticing,
// and the last peer crashes and comes back.
type storm struct {
	*lab
	rnd   *rand.Rand
	wg    sync.WaitGroup
	split int // peers on the far side of a noticed partition, or 0

	mu   sync.Mutex
	sent []said
	errs []error
}

// said is a message and what its sender was told.
type said struct {
	text string
	chat.Delivery
}

func TestRandomFaults(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			cfg := chat.Config{QueueMessages: 1 << 20}
			delay := time.Duration(seed) * 5 * time.Millisecond
			inSlowLab(t, delay, cfg, "p0 p1 p2 p3 p4", func(l *lab, _ []*extensiontest.Peer) {
				s := &storm{lab: l, rnd: rand.New(rand.NewPCG(uint64(seed), 1))}
				for i := range 300 {
					s.step(i + 1)
					time.Sleep(time.Duration(s.rnd.IntN(100)) * time.Millisecond)
				}
				s.calm()
				s.verify()
			})
		})
	}
}

// step does something at random; messages most often.
func (s *storm) step(i int) {
	a, b := s.pick(5), s.pick(5)
	switch s.rnd.IntN(12) {
	case 0, 1:
		if a != b {
			s.Reset(a, b)
		}
	case 2:
		a.Stop()
	case 3:
		a.Resume()
	case 4:
		s.divide()
	case 5:
		s.calm()
	case 6:
		if s.rnd.IntN(3) == 0 {
			s.crash()
		}
	default:
		s.say(s.pick(4), fmt.Sprint("m", i))
	}
}

func (s *storm) pick(n int) *extensiontest.Peer { return s.peers[s.rnd.IntN(n)] }

// say sends without waiting.
func (s *storm) say(p *extensiontest.Peer, text string) {
	room, name := s.rooms[p], p.Member().Name
	synctest.Wait() // so that messages of one sender are sent in this order
	s.wg.Go(func() {
		d, err := room.Send(context.Background(), name+" "+text)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sent = append(s.sent, said{name + " " + text, d})
		if err != nil {
			s.errs = append(s.errs, err)
		}
	})
}

// divide splits the group, and in most cases both sides notice.
func (s *storm) divide() {
	if s.split > 0 {
		return
	}
	n := 1 + s.rnd.IntN(4)
	s.Partition(s.peers[:n], s.peers[n:])
	if s.rnd.IntN(3) == 0 {
		return
	}
	s.split = n
	for _, a := range s.peers[:n] {
		for _, b := range s.peers[n:] {
			a.Loses(b)
			b.Loses(a)
		}
	}
}

// calm heals everything.
func (s *storm) calm() {
	s.Heal()
	if n := s.split; n > 0 {
		s.split = 0
		for _, a := range s.peers[:n] {
			for _, b := range s.peers[n:] {
				a.Finds(b)
				b.Finds(a)
			}
		}
	}
}

// crash lets the last peer crash and come back; half of the time its loss is
// noticed in between.
func (s *storm) crash() {
	s.calm()
	e := s.peers[4]
	e.Crash()
	if s.rnd.IntN(2) == 0 {
		time.Sleep(time.Duration(s.rnd.IntN(3000)) * time.Millisecond)
		e.Lost()
	}
	s.start(e)
}

func (s *storm) verify() {
	s.wg.Wait()
	time.Sleep(time.Minute)
	for _, err := range s.errs {
		s.t.Errorf("send: %v", err)
	}
	for i, p := range s.peers {
		for j := range i {
			if n := s.Streams(p, s.peers[j]); n != 1 {
				s.t.Errorf("%d streams between p%d and p%d", n, i, j)
			}
		}
		s.verifyPeer(p, i == 4)
	}
}

// verifyPeer checks what a peer was shown: one that crashed may have been shown
// a message again, in another boot.
func (s *storm) verifyPeer(p *extensiontest.Peer, crashed bool) {
	name := p.Member().Name
	shown := map[string]int{}
	last := map[string]int{}
	for _, e := range p.Events("chat") {
		from := e.Fields["from"].(string)
		var n int
		fmt.Sscanf(strings.TrimPrefix(e.Text, from+" m"), "%d", &n)
		from += fmt.Sprint("#", e.Boot)
		if n <= last[from] {
			s.t.Errorf("%s was shown %q after m%d", name, e.Text, last[from])
		}
		last[from] = n
		shown[e.Text]++
	}
	for _, m := range s.sent {
		if strings.HasPrefix(m.text, name+" ") {
			continue
		}
		want := 0
		if slices.Contains(m.Reached, name) || slices.Contains(m.Pending, name) {
			want = 1
		}
		if got := shown[m.text]; got < want || got > want && !crashed {
			s.t.Errorf("%s was shown %q %d times; the sender was told %+v", name, m.text, got, m.Delivery)
		}
	}
}
