package netsim

import (
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	inboxSize = 256   // packets
	maxPacket = 65507 // bytes, as of UDP over IPv4
)

// packetConn is an open packet port.
type packetConn struct {
	host  *Host
	local netip.AddrPort

	mu       sync.Mutex
	changed  sync.Cond // the inbox, a deadline, or dead
	inbox    []packet  // a ring of at most inboxSize, from head on
	head     int
	count    int
	dead     error // why the port is closed
	readDue  deadline
	writeDue deadline
}

func newPacketConn(h *Host, local netip.AddrPort) *packetConn {
	p := &packetConn{host: h, local: local}
	p.changed.L = &p.mu
	return p
}

// arrive puts a packet into the inbox, or drops it.
func (p *packetConn) arrive(pkt packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil || p.count == inboxSize {
		return
	}
	if p.count == len(p.inbox) {
		p.grow()
	}
	pkt.data = append([]byte(nil), pkt.data...)
	p.inbox[(p.head+p.count)%len(p.inbox)] = pkt
	p.count++
	p.changed.Signal()
}

// grow doubles the ring: most of a thousand peers never need all of it.
func (p *packetConn) grow() {
	bigger := make([]packet, max(8, 2*len(p.inbox)))
	n := copy(bigger, p.inbox[p.head:])
	copy(bigger[n:], p.inbox[:p.head])
	p.inbox, p.head = bigger, 0
}

// ReadFrom returns the next packet; what does not fit into b is lost.
func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.dead != nil:
			return 0, nil, p.fail("read", nil, p.dead)
		case p.readDue.passed:
			return 0, nil, p.fail("read", nil, errTimeout)
		case p.count > 0:
			pkt := p.inbox[p.head]
			p.inbox[p.head] = packet{}
			p.head = (p.head + 1) % len(p.inbox)
			p.count--
			return copy(b, pkt.data), net.UDPAddrFromAddrPort(pkt.from), nil
		}
		p.changed.Wait()
	}
}

// WriteTo sends a packet and never waits. That nobody gets it is no error.
func (p *packetConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if err := p.writable(); err != nil {
		return 0, p.fail("write", addr, err)
	}
	if len(b) > maxPacket {
		return 0, p.fail("write", addr, syscall.EMSGSIZE)
	}
	to, err := p.target(addr)
	if err != nil {
		return 0, p.fail("write", addr, err)
	}
	p.host.net.deliverPacket(packet{from: p.local, to: to, data: b})
	return len(b), nil
}

func (p *packetConn) writable() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead == nil && p.writeDue.passed {
		return errTimeout
	}
	return p.dead
}

func (p *packetConn) target(addr net.Addr) (netip.AddrPort, error) {
	if udp, ok := addr.(*net.UDPAddr); ok && udp != nil {
		to := udp.AddrPort()
		if ip := to.Addr().Unmap(); ip.IsValid() && !ip.IsUnspecified() {
			return netip.AddrPortFrom(ip.WithZone(""), to.Port()), nil
		}
	}
	if addr == nil {
		return netip.AddrPort{}, syscall.EDESTADDRREQ
	}
	return p.host.parse(addr.String())
}

// Close frees the port and ends a ReadFrom under way.
func (p *packetConn) Close() error {
	if !p.shut(net.ErrClosed) {
		return p.fail("close", nil, net.ErrClosed)
	}
	n := p.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(p.host.packets, p.local.Port())
	return nil
}

// shut makes all calls fail with why, and tells whether none did before.
func (p *packetConn) shut(why error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return false
	}
	p.dead = why
	p.inbox, p.count = nil, 0
	p.readDue.stop()
	p.writeDue.stop()
	p.changed.Broadcast()
	return true
}

func (p *packetConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.local) }

func (p *packetConn) SetDeadline(t time.Time) error      { return p.setDeadlines(t, true, true) }
func (p *packetConn) SetReadDeadline(t time.Time) error  { return p.setDeadlines(t, true, false) }
func (p *packetConn) SetWriteDeadline(t time.Time) error { return p.setDeadlines(t, false, true) }

func (p *packetConn) setDeadlines(t time.Time, read, write bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return p.fail("set", nil, p.dead)
	}
	if read {
		p.readDue.set(t, &p.changed)
	}
	if write {
		p.writeDue.set(t, &p.changed)
	}
	return nil
}

func (p *packetConn) fail(op string, to net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: p.LocalAddr(), Addr: to, Err: err}
}
