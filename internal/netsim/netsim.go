// Package netsim is a network in memory: hosts that send packets to each
// other and open streams, without a kernel and without a goroutine of its
// own. A Host is a netx.Network, so a peer cannot tell it from the real one.
//
// The model is the part of UDP and TCP that programs rely on: packets are
// copied, and dropped when a receiver's buffer is full; streams are ordered
// and bounded, push back on a fast writer, close in halves, and are reset by
// a crash; nobody answers at an unknown host, and a known host refuses where
// nobody listens. What waits here waits on conditions and channels, never on
// a lock: in a testing/synctest bubble all of it blocks durably. A Net
// belongs to the bubble in which it, its hosts and their ports were made.
//
// All that travels passes through deliver.go, on its way from a sender to a
// receiver; that is where latency, loss and partitions belong. The package
// must not know of peers, membership or chat.
package netsim

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
)

// ErrCrashed is matched by the errors of everything on a host that crashed.
// It matches net.ErrClosed too: code that runs on there ends as after Close.
var ErrCrashed = fmt.Errorf("host crashed: %w", net.ErrClosed)

const (
	firstEphemeral = 49152
	lastEphemeral  = 65535
)

// Net is a network with no hosts at first.
type Net struct {
	mu    sync.Mutex // guards hosts, and the tables of all of them
	hosts map[netip.Addr]*Host
	ends  uint64 // ends of streams made so far
}

// New makes a network.
func New() *Net {
	return &Net{hosts: map[netip.Addr]*Host{}}
}

// Host returns the host with an IP address, and makes it if it is new. After
// a crash it is a new one, with no ports open: the host has been started
// again. Host panics if ip is no IP address.
func (n *Net) Host(ip string) *Host {
	addr := netip.MustParseAddr(ip).Unmap().WithZone("")
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.hosts[addr]; h != nil && !h.crashed {
		return h
	}
	h := &Host{
		net:       n,
		ip:        addr,
		down:      make(chan struct{}),
		packets:   map[uint16]*packetConn{},
		listeners: map[uint16]*listener{},
		ends:      map[*end]struct{}{},
		endPorts:  map[uint16]int{},
		nextUDP:   firstEphemeral,
		nextTCP:   firstEphemeral,
	}
	n.hosts[addr] = h
	return h
}

// Host is one host's access to the network; it implements netx.Network. It
// has one address. To listen on the unspecified address is to listen on that
// one; to dial it is to dial oneself. There is no loopback.
type Host struct {
	net  *Net
	ip   netip.Addr
	down chan struct{} // closed by Crash

	// Guarded by net.mu.
	crashed   bool
	packets   map[uint16]*packetConn
	listeners map[uint16]*listener
	ends      map[*end]struct{}
	endPorts  map[uint16]int // local ports of ends, and of how many
	nextUDP   uint16
	nextTCP   uint16
}

// IP is the host's address.
func (h *Host) IP() netip.Addr { return h.ip }

// Crash takes the host off the network at once, as if its process had been
// killed: it sends and hears nothing any more, its ports are closed, and the
// other ends of its streams are reset. Whatever goes on running there gets
// errors that match ErrCrashed. Crash may be called twice.
func (h *Host) Crash() {
	n := h.net
	n.mu.Lock()
	if h.crashed {
		n.mu.Unlock()
		return
	}
	h.crashed = true
	packets, listeners := sortedValues(h.packets), sortedValues(h.listeners)
	ends := make([]*end, 0, len(h.ends))
	for e := range h.ends {
		ends = append(ends, e)
	}
	clear(h.packets)
	clear(h.listeners)
	clear(h.ends)
	clear(h.endPorts)
	n.mu.Unlock()

	close(h.down)
	for _, p := range packets {
		p.shut(ErrCrashed)
	}
	for _, l := range listeners {
		l.shut(ErrCrashed)
	}
	slices.SortFunc(ends, func(a, b *end) int { return cmp.Compare(a.id, b.id) })
	for _, e := range ends {
		e.shut(ErrCrashed, reset)
	}
}

// sortedValues returns a table's values in the order of their ports: a crash
// must not depend on the order of a map.
func sortedValues[T any](table map[uint16]T) []T {
	ports := make([]uint16, 0, len(table))
	for port := range table {
		ports = append(ports, port)
	}
	slices.Sort(ports)
	values := make([]T, len(ports))
	for i, port := range ports {
		values[i] = table[port]
	}
	return values
}

// ListenPacket implements netx.Network.
func (h *Host) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	want, err := h.own(ctx, addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Err: err}
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	port, err := h.claim(want, &h.nextUDP, func(port uint16) bool { return h.packets[port] != nil })
	local := netip.AddrPortFrom(h.ip, port)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(local), Err: err}
	}
	p := newPacketConn(h, local)
	h.packets[port] = p
	return p, nil
}

// Listen implements netx.Network.
func (h *Host) Listen(ctx context.Context, addr string) (net.Listener, error) {
	want, err := h.own(ctx, addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	port, err := h.claim(want, &h.nextTCP, h.streamPortBusy(want == 0))
	local := netip.AddrPortFrom(h.ip, port)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(local), Err: err}
	}
	l := newListener(h, local)
	h.listeners[port] = l
	return l, nil
}

// own parses an address to listen on, which must be this host's, and returns
// its port.
func (h *Host) own(ctx context.Context, addr string) (uint16, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	to, err := h.parse(addr)
	if err != nil {
		return 0, err
	}
	if to.Addr() != h.ip {
		return 0, fmt.Errorf("%s is not an address of host %s: %w", to.Addr(), h.ip, syscall.EADDRNOTAVAIL)
	}
	return to.Port(), nil
}

// parse reads "ip:port"; the unspecified IP and the empty one are this host.
func (h *Host) parse(addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" {
		host = h.ip.String()
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, &net.AddrError{Err: "want an IP address and a port", Addr: addr}
	}
	ip := to.Addr().Unmap().WithZone("")
	if ip.IsUnspecified() {
		ip = h.ip
	}
	return netip.AddrPortFrom(ip, to.Port()), nil
}

// claim returns want, or for 0 the next free ephemeral port. net.mu is held.
func (h *Host) claim(want uint16, next *uint16, busy func(uint16) bool) (uint16, error) {
	if h.crashed {
		return want, ErrCrashed
	}
	if want != 0 {
		if busy(want) {
			return want, syscall.EADDRINUSE
		}
		return want, nil
	}
	for range lastEphemeral - firstEphemeral + 1 {
		port := *next
		*next++
		if port == lastEphemeral {
			*next = firstEphemeral
		}
		if !busy(port) {
			return port, nil
		}
	}
	return 0, syscall.EADDRINUSE
}

// streamPortBusy tells which stream ports are taken. A port that is asked for
// by its number is free when nobody listens there, whatever streams it still
// has; one that the host chooses has no streams either. net.mu is held.
func (h *Host) streamPortBusy(chosen bool) func(uint16) bool {
	return func(port uint16) bool {
		return h.listeners[port] != nil || chosen && h.endPorts[port] > 0
	}
}
