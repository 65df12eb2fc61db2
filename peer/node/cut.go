package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/peerlab/peerlab/internal/netx"
)

// cable is a network with a plug that can be pulled: what goes through it ends
// at once, so that a crash within a process is heard by others as the end of
// the process would be, without a word. The node has one, and each membership
// of it one that goes through that.
type cable struct {
	network netx.Network

	mu     sync.Mutex // guards the fields below
	pulled bool
	open   map[interface{ Close() error }]bool // what goes through it
}

func newCable(n netx.Network) *cable {
	return &cable{network: n, open: map[interface{ Close() error }]bool{}}
}

// pull closes everything, for good.
func (c *cable) pull() {
	c.mu.Lock()
	c.pulled = true
	open := c.open
	c.open = nil
	c.mu.Unlock()
	for x := range open {
		_ = x.Close() // nobody is to hear of it, and nobody does
	}
}

// plug notes x, or closes it if the cable has been pulled.
func (c *cable) plug(x interface{ Close() error }) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulled {
		_ = x.Close() // it was not used
		return fmt.Errorf("cut off from the network: %w", net.ErrClosed)
	}
	c.open[x] = true
	return nil
}

func (c *cable) unplug(x interface{ Close() error }) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, x)
}

func (c *cable) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	p, err := c.network.ListenPacket(ctx, addr)
	if err != nil {
		return nil, err
	}
	return p, c.plug(p)
}

func (c *cable) Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := c.network.Listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &socket{l, c}, c.plug(l)
}

func (c *cable) Dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := c.network.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &wire{conn, c}, c.plug(conn)
}

// socket and wire are a listener and a stream that go through a cable.
type socket struct {
	net.Listener
	cable *cable
}

func (s *socket) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wire{conn, s.cable}, s.cable.plug(conn)
}

func (s *socket) Close() error {
	s.cable.unplug(s.Listener)
	return s.Listener.Close()
}

type wire struct {
	net.Conn
	cable *cable
}

// From tells the network where an accepted stream comes from; see
// netx.Network.
func (w *wire) From(addr netip.AddrPort) {
	if network, ok := w.Conn.(interface{ From(netip.AddrPort) }); ok {
		network.From(addr)
	}
}

func (w *wire) Close() error {
	w.cable.unplug(w.Conn)
	return w.Conn.Close()
}
