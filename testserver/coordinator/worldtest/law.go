package worldtest

import (
	"fmt"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// law is the order in which a world may tell things. It is checked for every
// message of every test.
type law struct {
	orders   map[uint64]coordinator.Order // those that are not done
	lives    map[string]*life
	gaps     journal.Gaps
	recorded map[string]int // events by peer
	finished map[string]map[uint64]bool
}

// life is where a peer stands.
type life struct {
	stage stageOfLife
	boot  int // the highest number so far
	fence uint64
	told  uint64 // events of this boot
}

type stageOfLife int

const (
	absent stageOfLife = iota
	exists             // its start is done
	open               // its link is open
	closed
)

func newLaw() *law {
	return &law{
		orders: map[uint64]coordinator.Order{}, lives: map[string]*life{},
		recorded: map[string]int{}, finished: map[string]map[uint64]bool{},
	}
}

func (l *law) life(name string) *life {
	if l.lives[name] == nil {
		l.lives[name] = &life{}
		l.finished[name] = map[uint64]bool{}
	}
	return l.lives[name]
}

// check says what is wrong with the next message.
func (l *law) check(m coordinator.Message) error {
	switch b := m.Body.(type) {
	case coordinator.Done:
		return l.done(m.Peer, b)
	case coordinator.Listed:
		return nil
	}
	p := l.life(m.Peer)
	switch b := m.Body.(type) {
	case testlink.Opened:
		return l.opened(m, b)
	case testlink.Closed:
		if p.stage != open {
			return fmt.Errorf("%s closed a link that was not open", m.Peer)
		}
		if b.Events != nil && *b.Events != p.told {
			return fmt.Errorf("%s closed its link and says that it has recorded %d events, and has told %d", m.Peer, *b.Events, p.told)
		}
		p.stage = closed
		return nil
	case coordinator.Gone:
		if p.stage != exists && p.stage != closed {
			return fmt.Errorf("%s is gone, and was absent or has an open link", m.Peer)
		}
		p.stage = absent
		return nil
	}
	if p.stage != open {
		return fmt.Errorf("%s says %T, and its link is not open", m.Peer, m.Body)
	}
	return l.said(m)
}

// said checks what a peer says over its link.
func (l *law) said(m coordinator.Message) error {
	switch b := m.Body.(type) {
	case testlink.Recorded:
		l.recorded[m.Peer]++
		l.life(m.Peer).told++
		l.gaps.Add(b.Event)
		switch {
		case b.Event.Peer != m.Peer || b.Event.Boot != l.life(m.Peer).boot:
			return fmt.Errorf("%s tells an event of %s#%d", m.Peer, b.Event.Peer, b.Event.Boot)
		case len(b.Line) == 0:
			return fmt.Errorf("%s tells an event without its line", m.Peer)
		}
	case testlink.Finished:
		if l.finished[m.Peer][b.ID] {
			return fmt.Errorf("command %d of %s has finished twice", b.ID, m.Peer)
		}
		l.finished[m.Peer][b.ID] = true
	case testlink.Fenced:
		p := l.life(m.Peer)
		if b.ID <= p.fence {
			return fmt.Errorf("fence %d of %s comes after fence %d", b.ID, m.Peer, p.fence)
		}
		p.fence = b.ID
		if told := l.life(m.Peer).told; b.Events != told {
			return fmt.Errorf("%s says that it has recorded %d events, and has told %d", m.Peer, b.Events, told)
		}
	case testlink.Status, testlink.Faulted, testlink.Asked:
	default:
		return fmt.Errorf("%s says %T, which is no message", m.Peer, m.Body)
	}
	return nil
}

func (l *law) opened(m coordinator.Message, o testlink.Opened) error {
	p := l.life(m.Peer)
	switch {
	case p.stage != exists:
		return fmt.Errorf("%s opens a link before its start is done, or a second one", m.Peer)
	case m.Link == nil:
		return fmt.Errorf("%s opens a link without a driver", m.Peer)
	case o.Hello.Name != m.Peer:
		return fmt.Errorf("%s is called %s", m.Peer, o.Hello.Name)
	case o.Hello.Boot <= p.boot:
		return fmt.Errorf("boot %d of %s follows boot %d", o.Hello.Boot, m.Peer, p.boot)
	}
	p.stage, p.boot, p.fence, p.told = open, o.Hello.Boot, 0, 0
	clear(l.finished[m.Peer])
	return nil
}

// done checks the end of an order.
func (l *law) done(peer string, d coordinator.Done) error {
	o, is := l.orders[d.ID]
	if !is {
		return fmt.Errorf("order %d is done twice, or was never given", d.ID)
	}
	delete(l.orders, d.ID)
	if o.Peer != peer {
		return fmt.Errorf("order %d was for %q and is done by %q", d.ID, o.Peer, peer)
	}
	if d.Err != nil {
		return nil
	}
	p := l.life(peer)
	switch {
	case o.Verb == coordinator.Start && p.stage != absent:
		return fmt.Errorf("%s was started while it runs", peer)
	case o.Verb == coordinator.Start:
		p.stage = exists
	case (o.Verb == coordinator.Kill || o.Verb == coordinator.Stop) && p.stage != absent:
		return fmt.Errorf("%s of %s is done before it is gone", o.Verb, peer)
	}
	return nil
}

// ended checks that nothing is left.
func (l *law) ended() []error {
	var errs []error
	for id, o := range l.orders {
		errs = append(errs, fmt.Errorf("order %d (%s %s) was never done", id, o.Verb, o.Peer))
	}
	for name, p := range l.lives {
		if p.stage != absent {
			errs = append(errs, fmt.Errorf("the end of %s was never told", name))
		}
	}
	if err := l.gaps.Err(); err != nil {
		errs = append(errs, err)
	}
	return errs
}
