package netsim

import (
	"context"
	"net/netip"
)

// This file is the way between hosts. A packet, a segment of a stream and an
// attempt to dial each have one place here where it is decided what becomes
// of them; today they arrive at once. Whoever calls holds no lock, and what
// is delivered must be copied to be kept.

// packet is a datagram under way.
type packet struct {
	from, to netip.AddrPort
	data     []byte
}

// deliverPacket brings a packet to the port it is meant for. Nobody tells the
// sender when there is none.
func (n *Net) deliverPacket(p packet) {
	n.mu.Lock()
	var to *packetConn
	if h := n.hosts[p.to.Addr()]; h != nil {
		to = h.packets[p.to.Port()]
	}
	n.mu.Unlock()
	if to != nil {
		to.arrive(p)
	}
}

// kind says what a segment does at the end where it arrives.
type kind int

const (
	data   kind = iota + 1 // bytes to read
	window                 // so many bytes were read: there is room for more
	finish                 // no more bytes will come
	gone                   // no more bytes will come, and nobody reads there any more
	reset                  // the stream is broken
)

// segment is a part of a stream under way.
type segment struct {
	kind kind
	data []byte // for data
	n    int    // for window
}

// deliverSegment brings a segment to an end of a stream. Segments of one
// direction arrive in the order in which they were delivered.
func (n *Net) deliverSegment(to *end, s segment) {
	to.arrive(s)
}

// deliverDial brings an attempt to dial to a listener, and returns our end of
// the stream. It waits, as long as ctx and the caller's host allow, where
// nobody answers.
func (n *Net) deliverDial(ctx context.Context, from *Host, to netip.AddrPort) (*end, error) {
	n.mu.Lock()
	if from.crashed {
		n.mu.Unlock()
		return nil, ErrCrashed
	}
	host := n.hosts[to.Addr()]
	if host == nil {
		n.mu.Unlock()
		return nil, from.unanswered(ctx)
	}
	l := host.listeners[to.Port()]
	if l == nil {
		n.mu.Unlock()
		return nil, errRefused
	}
	near, far, err := n.connect(from, host, to)
	n.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := l.offer(ctx, from, far); err != nil {
		near.shut(err, reset)
		far.shut(err, reset)
		return nil, err
	}
	return near, nil
}
