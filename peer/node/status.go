package node

import (
	"fmt"
	"maps"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/membership"
)

// Status is where a peer stands.
type Status struct {
	Ready   bool             // init is done: listening, announced and answered
	Leaving bool             // it has begun to leave, or its membership has ended and not been made anew
	Created bool             // it has an address
	Started bool             // it is a live member
	End     string           // how the membership has ended that is there: left, shut down, cut off; empty if it has not
	Self    extension.Member // without an address before Create
	Node    string           // what memberlist calls this boot
	Members []membership.Info
	Present map[string][]extension.Member // by open extension: who else takes part, as this peer sees it
}

// Status returns where the peer stands now.
func (n *Node) Status() Status {
	n.mu.Lock()
	s := Status{
		Ready:   n.ready,
		Leaving: n.leaving,
		Self:    extension.Member{Name: n.cfg.Name, ID: n.cfg.Identity.ID.String(), Boot: n.boot},
		Present: maps.Clone(n.present),
	}
	l := n.live
	n.mu.Unlock()
	if l == nil {
		return s
	}
	end := l.ending()
	s.Created, s.Started, s.End = end != ended, l.isStarted() && (end == whole || end == cutOff), end.String()
	s.Self, s.Node = l.group.Self(), l.group.NodeName()
	s.Members = l.group.Table()
	return s
}

// Membership is the live membership, which may have left; an error that
// matches ErrNotStarted if there is none.
func (n *Node) Membership() (*membership.Group, error) {
	l := n.current()
	if l == nil || !l.isStarted() || l.ending() == ended {
		return nil, fmt.Errorf("membership: %w: type init", ErrNotStarted)
	}
	return l.group, nil
}

// Watch returns a channel that has an element whenever the status may have
// changed since the last one was taken. stop ends it.
func (n *Node) Watch() (changes <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watchers[c] = true
	return c, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.watchers, c)
	}
}

// changed wakes the watchers.
func (n *Node) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wake()
}

// wake is changed with n.mu held; its sends never block.
func (n *Node) wake() {
	for c := range n.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// setReady notes the end of init; setLeaving the beginning of the end.
func (n *Node) setReady() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ready = true
	n.wake()
}

func (n *Node) setLeaving() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ready, n.leaving = false, true
	n.wake()
}

// setPresent keeps who takes part in an open extension; nobody is not nil.
func (n *Node) setPresent(name string, members []extension.Member) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.present[name] = append([]extension.Member{}, members...)
	n.wake()
}

// setAbsent notes that an extension is not open any more.
func (n *Node) setAbsent(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.present, name)
	n.wake()
}
