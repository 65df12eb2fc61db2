package faulty

import (
	"container/heap"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxHeld bounds the packets that a port keeps for later, in each direction.
// One more is dropped.
const maxHeld = 4096

// packetConn is a packet port with faults. What is sent meets the rule To of
// the host it goes to. What arrives is dropped if the rule From is a cut, so
// that a table is enough that only one of two hosts holds yet; the rest of
// From is the business of the host that sends, unless that has no table.
type packetConn struct {
	net.PacketConn
	network *Network

	mu       sync.Mutex // guards the fields below
	closed   bool
	writeDue time.Time
	out      agenda
	sender   sync.WaitGroup
	sending  bool          // the sender has been started
	wake     chan struct{} // has one element when the sender has to look at out

	readDue time.Time
	in      agenda
	waiting atomic.Int32 // packets in in
	ours    bool         // the deadline of the port is not readDue
}

func newPacketConn(n *Network, p net.PacketConn) *packetConn {
	return &packetConn{PacketConn: p, network: n, wake: make(chan struct{}, 1)}
}

// WriteTo sends a packet, now, later, twice, or not at all.
func (p *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	s := p.network.active.Load()
	if s == nil {
		return p.PacketConn.WriteTo(b, to)
	}
	addr := addrPort(to)
	between, ok := s.between(addr)
	if !ok || between.to == (Rule{}) || len(b) > maxPacket {
		return p.PacketConn.WriteTo(b, to)
	}
	now := time.Now()
	if err := p.writable(now); err != nil {
		return 0, &net.OpError{Op: "write", Net: "udp", Source: p.LocalAddr(), Addr: to, Err: err}
	}
	fate := between.link.out.packet(between.to, len(b), now)
	for _, delay := range fate.Delays[:fate.Copies] {
		if delay > 0 {
			p.sendLater(item{due: now.Add(delay), addr: to, from: addr, data: b})
		} else if _, err := p.PacketConn.WriteTo(b, to); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// maxPacket is the largest packet that could be sent at all, in bytes.
const maxPacket = 65507

func (p *packetConn) writable(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return net.ErrClosed
	case !p.writeDue.IsZero() && !now.Before(p.writeDue):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// sendLater keeps a packet for the sender.
func (p *packetConn) sendLater(i item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.out.add(i) {
		return
	}
	if !p.sending {
		p.sending = true
		p.sender.Go(p.send)
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// send sends what is due, until the port is closed.
func (p *packetConn) send() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		closed := p.closed
		due, next := p.out.take(time.Now())
		p.mu.Unlock()
		if closed {
			return
		}
		s := p.network.active.Load()
		for _, i := range due {
			if between, _ := s.between(i.from); !between.to.Cut {
				_, _ = p.PacketConn.WriteTo(i.data, i.addr) // lost, as packets are
			}
		}
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-p.wake:
		}
	}
}

// ReadFrom returns the next packet that the faults let through.
func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		if p.waiting.Load() > 0 {
			if n, from, ok := p.receive(b); ok {
				return n, from, nil
			}
		}
		n, from, err := p.PacketConn.ReadFrom(b)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && p.again() {
				continue
			}
			return n, from, err
		}
		s := p.network.active.Load()
		if s == nil || p.arrive(s, b[:n], from) {
			return n, from, nil
		}
	}
}

// arrive tells whether a packet goes to the reader now. Otherwise it is lost,
// or kept for later.
func (p *packetConn) arrive(s *state, b []byte, from net.Addr) bool {
	addr := addrPort(from)
	between, ok := s.between(addr)
	switch {
	case !ok || between.from == (Rule{}):
		return true
	case between.from.Cut:
		return false
	case !s.alone:
		return true
	}
	now, at := time.Now(), false
	fate := between.link.in.packet(between.from, len(b), now)
	for _, delay := range fate.Delays[:fate.Copies] {
		if delay > 0 || at {
			p.receiveLater(item{due: now.Add(delay), addr: from, from: addr, data: b})
		} else {
			at = true
		}
	}
	return at
}

func (p *packetConn) receiveLater(i item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && p.in.add(i) {
		p.waiting.Store(int32(len(p.in.items)))
		p.setReadDeadline(time.Now())
	}
}

// receive gives b the first packet that was kept, if it is due.
func (p *packetConn) receive(b []byte) (int, net.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for len(p.in.items) > 0 && !p.in.items[0].due.After(now) && !p.closed && !p.passed(now) {
		i := heap.Pop(&p.in).(item)
		p.waiting.Store(int32(len(p.in.items)))
		p.setReadDeadline(now)
		if between, _ := p.network.active.Load().between(i.from); !between.from.Cut {
			return copy(b, i.data), i.addr, true
		}
	}
	return 0, nil, false
}

// again tells whether a deadline that has passed was ours alone.
func (p *packetConn) again() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.ours || p.passed(now) {
		return false
	}
	p.setReadDeadline(now)
	return true
}

// passed tells whether the reader's own deadline has passed. mu is held.
func (p *packetConn) passed(now time.Time) bool {
	return !p.readDue.IsZero() && !now.Before(p.readDue)
}

// setReadDeadline makes the port wake its reader when the first packet that is
// kept is due, if that is before the reader's own deadline. mu is held.
func (p *packetConn) setReadDeadline(now time.Time) {
	due := p.readDue
	p.ours = len(p.in.items) > 0 && !p.passed(now) && (due.IsZero() || p.in.items[0].due.Before(due))
	if p.ours {
		due = p.in.items[0].due
	}
	_ = p.PacketConn.SetReadDeadline(due) // a closed port has no readers
}

// Close closes the port. What was to be sent later is lost.
func (p *packetConn) Close() error {
	p.mu.Lock()
	p.closed = true
	p.out.items, p.in.items = nil, nil
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	err := p.PacketConn.Close()
	p.sender.Wait()
	return err
}

func (p *packetConn) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *packetConn) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.PacketConn.SetReadDeadline(t); err != nil {
		return err
	}
	p.readDue, p.ours = t, false
	if len(p.in.items) > 0 {
		p.setReadDeadline(time.Now())
	}
	return nil
}

func (p *packetConn) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeDue = t
	return p.PacketConn.SetWriteDeadline(t)
}

// item is a packet that is kept for later.
type item struct {
	due   time.Time
	order uint64
	addr  net.Addr       // to whom, or from whom
	from  netip.AddrPort // the same, to look it up
	data  []byte
}

// agenda is a heap of items by the time at which they are due, and by their
// order where that is the same.
type agenda struct {
	items []item
	added uint64
}

func (a *agenda) Len() int { return len(a.items) }
func (a *agenda) Less(i, j int) bool {
	x, y := &a.items[i], &a.items[j]
	return x.due.Before(y.due) || x.due.Equal(y.due) && x.order < y.order
}
func (a *agenda) Swap(i, j int) { a.items[i], a.items[j] = a.items[j], a.items[i] }
func (a *agenda) Push(x any)    { a.items = append(a.items, x.(item)) }
func (a *agenda) Pop() any {
	last := len(a.items) - 1
	x := a.items[last]
	a.items[last] = item{}
	a.items = a.items[:last]
	return x
}

// add copies an item's packet and keeps it, unless there is no room.
func (a *agenda) add(i item) bool {
	if len(a.items) == maxHeld {
		return false
	}
	a.added++
	i.order = a.added
	i.data = append([]byte(nil), i.data...)
	heap.Push(a, i)
	return true
}

// take removes what is due, and says how long the next one has time.
func (a *agenda) take(now time.Time) (due []item, next time.Duration) {
	for len(a.items) > 0 {
		if wait := a.items[0].due.Sub(now); wait > 0 {
			return due, wait
		}
		due = append(due, heap.Pop(a).(item))
	}
	return due, time.Hour
}
