package netsim

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// windowSize is how many bytes may be under way or unread in one direction.
const windowSize = 256 << 10

// end is one end of a stream. It holds what has arrived and was not read yet,
// and knows how much room the other end has. No lock is held while a segment
// is delivered, so the two ends never wait for each other's.
type end struct {
	id     uint64
	host   *Host
	peer   *end
	local  netip.AddrPort
	remote netip.AddrPort

	mu       sync.Mutex
	readable sync.Cond
	writable sync.Cond
	dead     error // why this end is closed
	readDue  deadline
	writeDue deadline

	unread  []byte // unread[start:] has arrived
	start   int
	eof     bool  // no more will arrive
	readErr error // the stream was reset

	room     int   // bytes that the other end takes
	writing  bool  // a Write is under way
	finished bool  // nothing may be written any more
	last     kind  // segment to send when the Write under way has ended
	abrupt   bool  // Close resets
	writeErr error // the other end takes nothing any more
}

// connect makes the two ends of a stream. n.mu is held.
func (n *Net) connect(from, host *Host, to netip.AddrPort) (near, far *end, err error) {
	port, err := from.claim(0, &from.nextTCP, from.streamPortBusy(true))
	if err != nil {
		return nil, nil, err
	}
	local := netip.AddrPortFrom(from.ip, port)
	near, far = n.newEnd(from, local, to), n.newEnd(host, to, local)
	near.peer, far.peer = far, near
	return near, far, nil
}

func (n *Net) newEnd(h *Host, local, remote netip.AddrPort) *end {
	n.ends++
	e := &end{id: n.ends, host: h, local: local, remote: remote, room: windowSize}
	e.readable.L, e.writable.L = &e.mu, &e.mu
	h.ends[e] = struct{}{}
	h.endPorts[local.Port()]++
	return e
}

// arrive takes in a segment from the other end.
func (e *end) arrive(s segment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch s.kind {
	case data:
		if e.dead == nil && !e.eof {
			e.take(s.data)
			e.readable.Broadcast()
		}
	case window:
		e.room += s.n
		e.writable.Broadcast()
	case finish:
		e.eof = true
		e.readable.Broadcast()
	case gone, reset:
		e.part(s.kind)
	}
}

// part takes in that the other end is no more.
func (e *end) part(how kind) {
	why := error(os.NewSyscallError("write", syscall.EPIPE))
	if how == reset {
		why = os.NewSyscallError("write", syscall.ECONNRESET)
	}
	if e.writeErr == nil {
		e.writeErr = why
	}
	if how == reset && !e.eof {
		e.readErr = os.NewSyscallError("read", syscall.ECONNRESET)
	}
	e.eof = true
	e.readable.Broadcast()
	e.writable.Broadcast()
}

// take appends what has arrived. It moves the unread bytes to the front
// before the buffer would have to grow.
func (e *end) take(b []byte) {
	if e.start > 0 && len(e.unread)+len(b) > cap(e.unread) {
		n := copy(e.unread, e.unread[e.start:])
		e.unread, e.start = e.unread[:n], 0
	}
	e.unread = append(e.unread, b...)
}

// Read implements net.Conn. What arrived before the end, or before a reset,
// is read first.
func (e *end) Read(b []byte) (int, error) {
	n, err := e.read(b)
	if n > 0 {
		e.host.net.deliverSegment(e.peer, segment{kind: window, n: n})
	}
	return n, err
}

func (e *end) read(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.dead != nil:
			return 0, e.fail("read", e.dead)
		case e.readDue.passed:
			return 0, e.fail("read", errTimeout)
		case len(b) == 0:
			return 0, nil
		case e.start < len(e.unread):
			n := copy(b, e.unread[e.start:])
			e.start += n
			if e.start == len(e.unread) {
				e.unread, e.start = e.unread[:0], 0
			}
			return n, nil
		case e.readErr != nil:
			return 0, e.fail("read", e.readErr)
		case e.eof:
			return 0, io.EOF
		}
		e.readable.Wait()
	}
}

// Write implements net.Conn. Writes of several goroutines do not mix.
func (e *end) Write(b []byte) (int, error) {
	e.mu.Lock()
	if err := e.beginWrite(); err != nil {
		e.mu.Unlock()
		return 0, err
	}
	sent := 0
	var err error
	for sent < len(b) && err == nil {
		var n int
		n, err = e.reserve(len(b) - sent)
		if n > 0 {
			e.mu.Unlock()
			e.host.net.deliverSegment(e.peer, segment{kind: data, data: b[sent : sent+n]})
			e.mu.Lock()
			sent += n
		}
	}
	last := e.endWrite()
	e.mu.Unlock()
	if last != 0 {
		e.host.net.deliverSegment(e.peer, segment{kind: last})
	}
	return sent, err
}

// beginWrite waits until no other Write is under way.
func (e *end) beginWrite() error {
	for {
		if err := e.unwritable(); err != nil {
			return err
		}
		if !e.writing {
			e.writing = true
			return nil
		}
		e.writable.Wait()
	}
}

// reserve waits for room, and takes at most want of it.
func (e *end) reserve(want int) (int, error) {
	for {
		if err := e.unwritable(); err != nil {
			return 0, err
		}
		if n := min(want, e.room); n > 0 {
			e.room -= n
			return n, nil
		}
		e.writable.Wait()
	}
}

// endWrite lets the next Write begin, and returns the segment that had to
// wait for this one, if any.
func (e *end) endWrite() kind {
	e.writing = false
	e.writable.Broadcast()
	last := e.last
	e.last = 0
	return last
}

func (e *end) unwritable() error {
	switch {
	case e.dead != nil:
		return e.fail("write", e.dead)
	case e.writeDue.passed:
		return e.fail("write", errTimeout)
	case e.finished:
		return e.fail("write", os.NewSyscallError("write", syscall.EPIPE))
	case e.writeErr != nil:
		return e.fail("write", e.writeErr)
	}
	return nil
}

// CloseWrite tells the other end that nothing more will come. What it sends
// can still be read.
func (e *end) CloseWrite() error {
	e.mu.Lock()
	if e.dead != nil {
		defer e.mu.Unlock()
		return e.fail("close", e.dead)
	}
	now := e.finishWith(finish)
	e.mu.Unlock()
	if now {
		e.host.net.deliverSegment(e.peer, segment{kind: finish})
	}
	return nil
}

// finishWith ends the writing, and tells whether the caller has to send the
// segment that says so: a Write under way does it otherwise.
func (e *end) finishWith(last kind) bool {
	e.finished = true
	e.writable.Broadcast()
	if e.writing {
		e.last = max(e.last, last)
		return false
	}
	return true
}

// Close ends the stream. If bytes had arrived that were not read, the other
// end is reset, as TCP does: it cannot believe that they were heard.
func (e *end) Close() error {
	if !e.shut(net.ErrClosed, gone) {
		return e.fail("close", net.ErrClosed)
	}
	return nil
}

// SetLinger with 0 makes Close reset the other end. Other numbers change
// nothing else: what was written has arrived already.
func (e *end) SetLinger(seconds int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead != nil {
		return e.fail("set", e.dead)
	}
	e.abrupt = seconds == 0
	return nil
}

// shut closes this end: its calls fail with why from now on, and the other
// end learns how. It tells whether it was open.
func (e *end) shut(why error, how kind) bool {
	e.mu.Lock()
	if e.dead != nil {
		e.mu.Unlock()
		return false
	}
	e.dead = why
	if e.start < len(e.unread) || e.abrupt {
		how = reset
	}
	e.unread, e.start = nil, 0
	e.readDue.stop()
	e.writeDue.stop()
	e.readable.Broadcast()
	now := e.finishWith(how)
	e.mu.Unlock()
	if now {
		e.host.net.deliverSegment(e.peer, segment{kind: how})
	}
	e.unregister()
	return true
}

// unregister takes the end out of its host's tables.
func (e *end) unregister() {
	h := e.host
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if _, ok := h.ends[e]; !ok {
		return
	}
	delete(h.ends, e)
	port := e.local.Port()
	if h.endPorts[port]--; h.endPorts[port] == 0 {
		delete(h.endPorts, port)
	}
}

func (e *end) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(e.local) }
func (e *end) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.remote) }

func (e *end) SetDeadline(t time.Time) error      { return e.setDeadlines(t, true, true) }
func (e *end) SetReadDeadline(t time.Time) error  { return e.setDeadlines(t, true, false) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.setDeadlines(t, false, true) }

func (e *end) setDeadlines(t time.Time, read, write bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead != nil {
		return e.fail("set", e.dead)
	}
	if read {
		e.readDue.set(t, &e.readable)
	}
	if write {
		e.writeDue.set(t, &e.writable)
	}
	return nil
}

func (e *end) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: e.LocalAddr(), Addr: e.RemoteAddr(), Err: err}
}
