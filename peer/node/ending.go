package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/membership"
)

// The steps back. Each ends a part of the membership and keeps the process;
// each may be called at any time, and an error says what to do where it makes
// no sense. Create, and so Init, then makes a new boot of the member: others
// refuse a known one at a new address for a while.

// ErrEnded is matched when a step needs a membership and the one that is there
// has left, was shut down, or is cut off.
var ErrEnded = errors.New("the membership has ended")

// ending is how far a membership has ended.
type ending int

const (
	whole  ending = iota
	left          // it has taken leave, and still hears the others
	cutOff        // it has no network any more, and does not know
	ended         // it was shut down
)

func (e ending) String() string {
	return map[ending]string{left: "left", cutOff: "cut off", ended: "shut down"}[e]
}

func (l *live) ending() ending {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

func (l *live) setEnding(e ending) {
	l.mu.Lock()
	l.end = max(l.end, e)
	l.mu.Unlock()
	l.node.setEnded()
}

// usable is nil unless the membership has ended in some way.
func (l *live) usable() error {
	switch l.ending() {
	case left:
		return fmt.Errorf("%w: it has left the group: init, or memberlistcreate, makes a new one", ErrEnded)
	case cutOff:
		return fmt.Errorf("%w: its transport was shut down: init, or memberlistcreate, makes a new one", ErrEnded)
	case ended:
		return fmt.Errorf("%w: it was shut down: init, or memberlistcreate, makes a new one", ErrEnded)
	}
	return nil
}

// setEnded notes that the membership is not what it was.
func (n *Node) setEnded() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ready, n.leaving = false, true
	n.wake()
}

// nextBoot is the number of the member that Create makes now. The first one
// has the number of the process.
func (n *Node) nextBoot() (int, error) {
	n.mu.Lock()
	boot, numbered := n.boot, n.numbered
	n.mu.Unlock()
	if !numbered {
		return boot, nil
	}
	return n.cfg.Identity.Next()
}

// discard ends what is left of a membership that cannot be used any more.
func (n *Node) discard() {
	n.mu.Lock()
	l := n.live
	n.live = nil
	n.mu.Unlock()
	if l != nil {
		l.close()
	}
}

// delist takes the peer off the service's list: nobody is to be sent to an
// address at which there is no member. A service that does not answer forgets
// us when our lease ends.
func (n *Node) delist(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, delistPatience)
	defer cancel()
	if err := n.discovery.Leave(ctx); err != nil {
		logger := n.log("bootstrap")
		logger.Info().Err(err).Msg("leave")
	}
}

const delistPatience = 2 * time.Second

// LeaveGroup takes leave of all members and keeps the process: the record at
// the service, the extensions, then the membership, for which the word may
// take as long as wait. When that has passed it is an error, and the member
// has left all the same. It does nothing after a leave.
func (n *Node) LeaveGroup(ctx context.Context, wait time.Duration) error {
	if err := n.step(ctx); err != nil {
		return err
	}
	defer n.stepped()
	if l := n.current(); l != nil && l.ending() == left {
		return nil
	}
	l, err := n.member("leave")
	if err != nil {
		return err
	}
	n.remember()
	l.setEnding(left)
	n.delist(ctx)
	l.stopExtensions(n.cfg.Extensions, nil)
	if err := l.group.LeaveWithin(ctx, wait); err != nil {
		return fmt.Errorf("leave: %w: this member has left all the same, and some others may take it for lost; give it more than %s next time", err, wait)
	}
	return nil
}

// Reannounce announces the member's metadata once more and waits until it is
// on its way, for at most wait.
func (n *Node) Reannounce(ctx context.Context, wait time.Duration) error {
	l, err := n.member("announce")
	if err != nil {
		return err
	}
	if err := l.group.Update(ctx, wait); err != nil {
		return fmt.Errorf("announce: %w: it goes on in the background; give it more than %s to see its end", err, wait)
	}
	return nil
}

// Shutdown ends the membership without leaving: the others find out. It does
// nothing if it was shut down already.
func (n *Node) Shutdown(ctx context.Context) error {
	return n.endMembership(ctx, func(l *live) {
		l.setEnding(ended)
		n.delist(ctx)
		l.stopExtensions(n.cfg.Extensions, extension.ErrSilent)
		l.close()
	})
}

// ShutdownTransport takes the network away from the membership, which goes on
// without knowing: the others lose it, and it loses them. It does nothing if
// that was done already.
func (n *Node) ShutdownTransport(ctx context.Context) error {
	return n.endMembership(ctx, func(l *live) {
		if l.ending() < cutOff {
			l.setEnding(cutOff)
			n.delist(ctx)
		}
		l.cable.pull()
	})
}

// Delete forgets the membership, which it shuts down before, and the address
// with it. It does nothing if there is none.
func (n *Node) Delete(ctx context.Context) error {
	err := n.endMembership(ctx, func(l *live) {
		l.setEnding(ended)
		n.delist(ctx)
		l.stopExtensions(n.cfg.Extensions, extension.ErrSilent)
		n.discard()
	})
	if errors.Is(err, ErrNotStarted) {
		return nil
	}
	return err
}

// endMembership is one step that ends the membership that is there.
func (n *Node) endMembership(ctx context.Context, end func(*live)) error {
	if err := n.step(ctx); err != nil {
		return err
	}
	defer n.stepped()
	l := n.current()
	if l == nil {
		return fmt.Errorf("membership: %w: there is nothing to shut down; init starts the peer", ErrNotStarted)
	}
	n.remember()
	end(l)
	n.changed()
	return nil
}

// SetSettings replaces the configuration that the next Create uses.
func (n *Node) SetSettings(s *membership.Settings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settings = s.Clone()
}

// SavedSettings is that configuration as a file; see membership.DecodeSettings.
func (n *Node) SavedSettings() ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings.Encode()
}
