package faulty

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peerlab/peerlab/internal/netx"
)

// ErrTable is matched by the errors of tables that make no sense.
var ErrTable = errors.New("not a table of faults")

// Network is a netx.Network with faults. All methods may be called from
// several goroutines. As long as no fault is in force it costs next to
// nothing.
type Network struct {
	inner netx.Network

	// active is what holds; nil if that is nothing, and then all passes.
	active atomic.Pointer[state]

	mu      sync.Mutex // guards the fields below
	table   Table
	links   map[string]*link // by name of the other host
	streams map[*stream]bool // those that are open
	changed chan struct{}    // closed by the next Set
}

var _ netx.Network = (*Network)(nil)

// New puts faults around a network; at first there are none.
func New(inner netx.Network) *Network {
	return &Network{
		inner:   inner,
		links:   map[string]*link{},
		streams: map[*stream]bool{},
		changed: make(chan struct{}),
	}
}

// state is a table in force. It does not change.
type state struct {
	alone bool
	peers map[netip.AddrPort]pair
	cut   map[netip.Addr]bool // hosts of peers that are cut off in some direction
}

// pair is what holds between us and one other host.
type pair struct {
	to, from Rule
	link     *link
}

// link is what is counted of the traffic with one other host. It lives as
// long as the seed and the names do, whatever tables come and go.
type link struct{ out, in flow }

// Set puts a table in force in place of the one before, for what is sent and
// received from now on; what is under way keeps the time at which it is due,
// unless there is a cut in its way by then. The table is the Network's own
// afterwards. An error matches ErrTable, and then nothing has changed.
func (n *Network) Set(t Table) error {
	if err := t.check(); err != nil {
		return err
	}
	n.mu.Lock()
	if t.Seed != n.table.Seed || t.Self != n.table.Self {
		n.links = map[string]*link{}
	}
	n.table = t
	n.active.Store(n.stateOf(t))
	close(n.changed)
	n.changed = make(chan struct{})
	open := slices.Collect(maps.Keys(n.streams))
	n.mu.Unlock()
	for _, s := range open {
		s.wake()
	}
	return nil
}

// stateOf makes what holds of a table; nil for nothing. mu is held.
func (n *Network) stateOf(t Table) *state {
	s := &state{alone: t.Alone, peers: map[netip.AddrPort]pair{}, cut: map[netip.Addr]bool{}}
	for _, p := range t.Peers {
		if p.To == (Rule{}) && p.From == (Rule{}) {
			continue
		}
		l := n.links[p.Name]
		if l == nil {
			l = &link{
				out: flow{draws: NewLink(t.Seed, t.Self, p.Name)},
				in:  flow{draws: NewLink(t.Seed, p.Name, t.Self)},
			}
			n.links[p.Name] = l
		}
		addr := plain(p.Addr)
		s.peers[addr] = pair{p.To, p.From, l}
		if p.To.Cut || p.From.Cut {
			s.cut[addr.Addr()] = true
		}
	}
	if len(s.peers) == 0 {
		return nil
	}
	return s
}

func (t Table) check() error {
	names, addrs := map[string]bool{}, map[netip.AddrPort]bool{}
	for _, p := range t.Peers {
		switch {
		case p.Name == "" || !p.Addr.IsValid() || p.Addr.Port() == 0:
			return fmt.Errorf("%w: peer %q at %s: a name or an address is missing", ErrTable, p.Name, p.Addr)
		case names[p.Name] || addrs[plain(p.Addr)]:
			return fmt.Errorf("%w: peer %q at %s is there twice", ErrTable, p.Name, p.Addr)
		}
		names[p.Name], addrs[plain(p.Addr)] = true, true
		if err := errors.Join(p.To.check(), p.From.check()); err != nil {
			return fmt.Errorf("%w: peer %q: %w", ErrTable, p.Name, err)
		}
	}
	return nil
}

// Table is what was set last. The caller does not change it.
func (n *Network) Table() Table {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.table
}

// Reset breaks the open streams with the peers of these names, which have to
// be in the table: both ends of each get syscall.ECONNRESET. Streams that the
// other side has opened are found if they have said where they come from. It
// returns how many streams there were.
func (n *Network) Reset(names []string) (int, error) {
	n.mu.Lock()
	addrs := map[netip.AddrPort]bool{}
	var unknown []string
	for _, name := range names {
		i := slices.IndexFunc(n.table.Peers, func(p Peer) bool { return p.Name == name })
		if i < 0 {
			unknown = append(unknown, name)
			continue
		}
		addrs[plain(n.table.Peers[i].Addr)] = true
	}
	var hit []*stream
	for s := range n.streams {
		if addrs[s.peer()] {
			hit = append(hit, s)
		}
	}
	n.mu.Unlock()
	for _, s := range hit {
		s.reset()
	}
	if len(unknown) > 0 {
		return len(hit), fmt.Errorf("%w: no address of %q", ErrTable, unknown)
	}
	return len(hit), nil
}

// between is what holds between us and addr; false if that is nothing.
func (s *state) between(addr netip.AddrPort) (pair, bool) {
	if s == nil {
		return pair{}, false
	}
	p, ok := s.peers[addr]
	return p, ok
}

// plain is an address in the one form in which addresses are compared.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// addrPort reads an address of package net; the zero value if it is none.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return plain(a.AddrPort())
	case *net.TCPAddr:
		return plain(a.AddrPort())
	case nil:
		return netip.AddrPort{}
	}
	return parseAddr(a.String())
}

func parseAddr(addr string) netip.AddrPort {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.AddrPort{}
	}
	return plain(a)
}

// ListenPacket implements netx.Network.
func (n *Network) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	p, err := n.inner.ListenPacket(ctx, addr)
	if err != nil {
		return nil, err
	}
	return newPacketConn(n, p), nil
}

// Listen implements netx.Network.
func (n *Network) Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := n.inner.Listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &listener{l, n}, nil
}

type listener struct {
	net.Listener
	network *Network
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.network.wrap(c, netip.AddrPort{}), nil
}

// Dial implements netx.Network. Across a cut it waits until ctx ends or the
// cut does; a latency is waited for in both directions.
func (n *Network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if n.active.Load() != nil {
		if err := n.pass(ctx, parseAddr(addr)); err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	}
	c, err := n.inner.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return n.wrap(c, addrPort(c.RemoteAddr())), nil
}

// pass waits until a stream to addr can be opened, as far as the faults go.
func (n *Network) pass(ctx context.Context, addr netip.AddrPort) error {
	waited := false
	for {
		n.mu.Lock()
		changed := n.changed
		n.mu.Unlock()
		between, ok := n.active.Load().between(addr)
		var due <-chan time.Time
		switch {
		case !ok:
			return nil
		case between.to.Cut || between.from.Cut: // until the table changes
		case waited:
			return nil
		default:
			waited = true
			l := between.link
			due = time.After(l.out.late(between.to) + l.in.late(between.from))
			changed = nil
		}
		select {
		case <-due:
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
