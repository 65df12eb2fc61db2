// Package netx is the network seam: every byte that a peer sends or receives,
// packets, streams and HTTP alike, goes through a Network value.
//
// There are three networks: the real one (Real), a real one with injected
// faults, and a simulated one (package netsim). A peer never knows which it
// has. On top of any Network an Endpoint gives a peer its one address, shared
// by gossip packets, gossip streams and labelled application streams.
//
// The contract of the three methods is proved for each implementation by
// package netxtest. netx must not know of membership, chat or commands.
package netx

import (
	"context"
	"net"
)

// Network is one host's access to a network. All methods may be called from
// several goroutines. Addresses are "host:port"; the real network also takes
// names for hosts, the simulated one takes IP addresses only.
//
// A Network owns nothing that needs closing: what its methods return does.
//
// Nothing but the dialler's word tells from which endpoint an accepted stream
// comes. A stream that is accepted may have a method From(netip.AddrPort):
// the Endpoint calls it once, with the address in the preface, or the zero
// value if there is none, before anything else is read.
type Network interface {
	// ListenPacket binds addr for packets. Port 0 chooses a free port, which
	// LocalAddr of the result tells. A busy port is an error that matches
	// syscall.EADDRINUSE. Packets may be lost, doubled or reordered; a packet
	// that arrives while the receiver's buffer is full is dropped.
	ListenPacket(ctx context.Context, addr string) (net.PacketConn, error)

	// Listen binds addr for streams; port and errors as for ListenPacket.
	// The packet port and the stream port of one number are independent.
	Listen(ctx context.Context, addr string) (net.Listener, error)

	// Dial opens a stream to addr. It returns when the stream is open, when
	// nobody listens there (an error that matches syscall.ECONNREFUSED), or
	// when ctx ends. The returned stream does not depend on ctx any more.
	Dial(ctx context.Context, addr string) (net.Conn, error)
}
