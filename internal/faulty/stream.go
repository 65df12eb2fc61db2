package faulty

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lingering is how long a stream that was closed may still take to bring what
// was written to the other side. It is reset after that.
const lingering = 30 * time.Second

// stream is a stream with faults. It is read and written directly until a rule
// concerns it for the first time. From then on each direction has a queue that
// is emptied at the times that the rule asks for, by a goroutine that lives as
// long as the stream.
//
// Both directions of a stream are ruled by the side that dialled. The side
// that accepted holds it back for a cut, once it knows from where it comes:
// what is held back twice is held back once. If the dialling side has no
// table, the accepting one applies everything.
type stream struct {
	net.Conn
	network *Network
	dialled bool
	addr    atomic.Pointer[netip.AddrPort] // the other host; nil while that is unknown
	in, out half
	pumps   sync.WaitGroup

	mu       sync.Mutex // guards the fields below
	closed   bool
	broken   bool // by reset
	lingerer *time.Timer
}

// half is one direction of a stream.
type half struct {
	calls atomic.Int32          // reads or writes that go to the network directly
	queue atomic.Pointer[queue] // nil as long as they do
	idle  sync.Cond             // calls is 0; its lock is the stream's

	due   time.Time // the caller's deadline; guarded by the stream's lock
	taken bool      // the goroutine alone uses the network; guarded by the stream's lock
}

// wrap makes a stream with the host at peer, which is the zero value if it is
// not known.
func (n *Network) wrap(c net.Conn, peer netip.AddrPort) net.Conn {
	s := &stream{Conn: c, network: n, dialled: peer.IsValid()}
	s.in.idle.L, s.out.idle.L = &s.mu, &s.mu
	if peer.IsValid() {
		s.addr.Store(&peer)
	}
	n.mu.Lock()
	n.streams[s] = true
	n.mu.Unlock()
	if half, ok := c.(closeWriter); ok {
		return &halvedStream{s, half}
	}
	return s
}

type closeWriter interface{ CloseWrite() error }

// halvedStream is a stream that can be closed in one direction.
type halvedStream struct {
	*stream
	inner closeWriter
}

// CloseWrite tells the other side, behind all that was written, that nothing
// more will come.
func (h *halvedStream) CloseWrite() error {
	if h.direct(&h.out) {
		defer h.leave(&h.out)
		return h.told("close", h.inner.CloseWrite())
	}
	return h.told("close", h.out.queue.Load().finish(h.part(&h.out, partFinish, nil)))
}

func (s *stream) peer() netip.AddrPort {
	if p := s.addr.Load(); p != nil {
		return *p
	}
	return netip.AddrPort{}
}

// From says from which host a stream comes that was accepted; the zero value
// says that it will not tell. A stream that might come from a host that is
// cut off, which knows nothing of that, is reset then.
func (s *stream) From(peer netip.AddrPort) {
	if peer.IsValid() {
		peer = plain(peer)
		s.addr.Store(&peer)
		return
	}
	if st := s.network.active.Load(); st != nil && st.alone && st.cut[addrPort(s.RemoteAddr()).Addr()] {
		s.reset()
	}
}

// rule is what holds for a direction now, and what counts its parts, which is
// nil if nothing does.
func (s *stream) rule(h *half) (Rule, *flow) {
	st := s.network.active.Load()
	if st == nil {
		return Rule{}, nil
	}
	p, ok := st.between(s.peer())
	if !ok {
		return Rule{}, nil
	}
	r, f := p.to, &p.link.out
	if h == &s.in {
		r, f = p.from, &p.link.in
	}
	if !s.dialled && !st.alone {
		r = Rule{Cut: r.Cut}
	}
	return r, f
}

// concerned tells whether a rule holds for a direction.
func (s *stream) concerned(h *half) bool {
	if s.network.active.Load() == nil {
		return false // told here, and not by comparing rules: all calls pass by
	}
	r, _ := s.rule(h)
	return r != Rule{}
}

// direct begins a call that goes to the network itself, if that is allowed;
// leave must follow. Otherwise the direction has a queue.
func (s *stream) direct(h *half) bool {
	h.calls.Add(1)
	if h.queue.Load() == nil && !s.concerned(h) {
		return true
	}
	s.pump(h)
	s.leave(h)
	return false
}

func (s *stream) leave(h *half) {
	if h.calls.Add(-1) == 0 && h.queue.Load() != nil {
		s.mu.Lock()
		h.idle.Broadcast()
		s.mu.Unlock()
	}
}

// Read implements net.Conn.
func (s *stream) Read(b []byte) (int, error) {
	if s.direct(&s.in) {
		n, err := s.Conn.Read(b)
		if !s.concerned(&s.in) || n == 0 && (err == nil || errors.Is(err, os.ErrDeadlineExceeded)) {
			s.leave(&s.in)
			return n, s.told("read", err)
		}
		s.bring(s.pump(&s.in), b[:n], err) // it came while a rule was set
		s.leave(&s.in)
	}
	n, err := s.in.queue.Load().read(b)
	return n, s.told("read", err)
}

// bring puts what was read below into the queue, and tells whether there is
// more to read.
func (s *stream) bring(q *queue, b []byte, err error) bool {
	more := len(b) == 0 || q.put(s.part(&s.in, partData, b))
	if err == nil {
		return more
	}
	end := s.part(&s.in, partEnd, nil)
	end.end = cause(err)
	q.put(end)
	return false
}

// Write implements net.Conn. Under a rule it returns when there is room for
// what is to be sent.
func (s *stream) Write(b []byte) (int, error) {
	if s.direct(&s.out) {
		n, err := s.Conn.Write(b)
		s.leave(&s.out)
		return n, s.told("write", err)
	}
	n, err := s.out.queue.Load().write(b, s.pack)
	return n, s.told("write", err)
}

// pack makes a part of the beginning of what is to be written.
func (s *stream) pack(b []byte) part {
	r, _ := s.rule(&s.out)
	return s.part(&s.out, partData, clip(b, r))
}

// part makes a part of a direction, which meets the rule that holds now.
func (s *stream) part(h *half, k kind, b []byte) part {
	r, f := s.rule(h)
	p := part{kind: k, data: append([]byte(nil), b...), rate: r.Rate}
	if f != nil {
		p.late = f.late(r)
	}
	return p
}

// pump gives a direction its queue and the goroutine that moves it, if it has
// none.
func (s *stream) pump(h *half) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := h.queue.Load(); q != nil {
		return q
	}
	q := newQueue(func() bool { r, _ := s.rule(h); return r.Cut })
	q.setDeadline(h.due)
	h.queue.Store(q)
	if s.broken || s.closed {
		q.shut(net.ErrClosed)
		return q
	}
	work := s.fill
	if h == &s.out {
		work = s.drain
	}
	s.pumps.Go(func() {
		s.takeOver(h)
		work(q)
	})
	return q
}

// takeOver waits until no call goes to the network directly any more.
func (s *stream) takeOver(h *half) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h.calls.Load() > 0 {
		h.idle.Wait()
	}
	h.taken = true
	if h == &s.in {
		_ = s.Conn.SetReadDeadline(time.Time{}) // a closed stream says so when it is read
	} else {
		_ = s.Conn.SetWriteDeadline(time.Time{})
	}
}

// fill moves what arrives into the queue.
func (s *stream) fill(q *queue) {
	buf := make([]byte, maxPart)
	for {
		r, _ := s.rule(&s.in)
		n, err := s.Conn.Read(clip(buf, r))
		if !s.bring(q, buf[:n], err) {
			return
		}
	}
}

// drain sends what is due, and at last closes the stream.
func (s *stream) drain(q *queue) {
	for {
		p, ok := q.take()
		if !ok {
			s.abandon()
			return
		}
		switch p.kind {
		case partData:
			if _, err := s.Conn.Write(p.data); err != nil {
				q.shut(cause(err))
			}
		case partFinish:
			if half, ok := s.Conn.(closeWriter); ok {
				_ = half.CloseWrite() // the next write tells
			}
		case partGone:
			_ = s.end()
			return
		}
	}
}

// abandon ends a stream that was closed and cannot bring what was written.
func (s *stream) abandon() {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		_ = s.end()
	}
}

// cause is what an error of package net is about.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// end closes the stream below.
func (s *stream) end() error {
	s.network.mu.Lock()
	delete(s.network.streams, s)
	s.network.mu.Unlock()
	s.mu.Lock()
	if s.lingerer != nil {
		s.lingerer.Stop()
	}
	s.mu.Unlock()
	return s.Conn.Close()
}

// Close ends the stream. What was written goes its way first, as it would in
// the kernel: Close does not wait for it, and a cut in its way keeps the
// stream open below for a while.
func (s *stream) Close() error {
	ruled := s.concerned(&s.out)
	if ruled {
		s.pump(&s.out)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return s.told("close", net.ErrClosed)
	}
	s.closed = true
	broken := s.broken
	s.mu.Unlock()
	if broken {
		s.pumps.Wait()
		return nil
	}
	if q := s.in.queue.Load(); q != nil {
		q.shut(net.ErrClosed)
	}
	q := s.out.queue.Load()
	if q != nil && (ruled || !q.empty()) && s.linger(q) {
		return nil
	}
	err := s.end()
	if q != nil {
		q.shut(net.ErrClosed)
	}
	s.pumps.Wait()
	return err
}

// linger leaves it to the queue to close the stream below when it is empty. It
// fails if the queue has ended already.
func (s *stream) linger(q *queue) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.finish(s.part(&s.out, partGone, nil)) != nil {
		return false
	}
	s.lingerer = time.AfterFunc(lingering, s.reset)
	past := time.Unix(1, 0) // ends calls under way
	if !s.in.taken {
		_ = s.Conn.SetReadDeadline(past)
	}
	if !s.out.taken {
		_ = s.Conn.SetWriteDeadline(past)
	}
	return true
}

// reset breaks the stream for both sides.
func (s *stream) reset() {
	s.mu.Lock()
	if s.broken {
		s.mu.Unlock()
		return
	}
	s.broken = true
	s.mu.Unlock()
	if l, ok := s.Conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = l.SetLinger(0) // the other side is told by a reset, not by an end, whoever closes the stream below first
	}
	for _, h := range []*half{&s.in, &s.out} {
		if q := h.queue.Load(); q != nil {
			q.shut(syscall.ECONNRESET)
		}
	}
	_ = s.end()
}

// wake makes those who wait look at the table again.
func (s *stream) wake() {
	for _, h := range []*half{&s.in, &s.out} {
		if q := h.queue.Load(); q != nil {
			q.wake()
		}
	}
}

// told is an error as the owner of the stream is to see it: the network below
// does not know what was done to the stream above it.
func (s *stream) told(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	s.mu.Lock()
	closed, broken := s.closed, s.broken
	s.mu.Unlock()
	switch {
	case closed:
		err = net.ErrClosed
	case broken:
		err = syscall.ECONNRESET
	}
	return s.fail(op, err)
}

// fail is an error in the form in which package net gives them.
func (s *stream) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: cause(err)}
}

func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *stream) SetReadDeadline(t time.Time) error {
	return s.setDeadline(&s.in, t, s.Conn.SetReadDeadline)
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	return s.setDeadline(&s.out, t, s.Conn.SetWriteDeadline)
}

func (s *stream) setDeadline(h *half, t time.Time, below func(time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return s.fail("set", net.ErrClosed)
	case s.broken:
		return s.fail("set", syscall.ECONNRESET)
	}
	h.due = t
	if q := h.queue.Load(); q != nil {
		q.setDeadline(t)
	}
	if h.taken {
		return nil
	}
	return below(t)
}
