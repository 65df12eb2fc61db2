package extensiontest

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

// window is how many bytes one direction of a pipe holds before writes wait.
const window = 64 << 10

// errReset is what both ends of a broken stream see.
var errReset = errors.New("connection reset by peer")

// end is one end of a stream in memory.
type end struct {
	in, out *half
}

// Pipe returns the two ends of a stream in memory: buffered, with deadlines,
// and without a lock held while anybody waits, so that a goroutine waiting on
// it is durably blocked in a synctest bubble.
func Pipe() (a, b extension.Stream) {
	x, y := newPipe(0)
	return x, y
}

// newPipe makes a pipe whose bytes travel for a time.
func newPipe(delay time.Duration) (a, b *end) {
	ab, ba := newHalf(delay), newHalf(delay)
	return &end{in: ba, out: ab}, &end{in: ab, out: ba}
}

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }

// Close ends both directions; what was written before can still be read by
// the other end.
func (e *end) Close() error {
	e.out.change(func() { e.out.ended = true })
	e.in.change(func() { e.in.closed = true })
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func() { e.in.readBy = t })
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.change(func() { e.out.writeBy = t })
	return nil
}

// stall stops or resumes the bytes under way in both directions.
func (e *end) stall(on bool) {
	e.in.change(func() { e.in.stalled = on })
	e.out.change(func() { e.out.stalled = on })
}

// reset breaks both directions and loses what is under way.
func (e *end) reset() {
	e.in.change(func() { e.in.broken = true })
	e.out.change(func() { e.out.broken = true })
}

// half is one direction of a stream.
type half struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	delay   time.Duration
	buf     []byte
	marks   []mark // the writes that buf consists of, unless delay is 0
	stalled bool   // nothing arrives for now
	ended   bool   // the writer closed
	closed  bool   // the reader closed
	broken  bool
	readBy  time.Time
	writeBy time.Time
}

// mark is when n more bytes arrive.
type mark struct {
	n  int
	at time.Time
}

func newHalf(delay time.Duration) *half {
	return &half{changed: make(chan struct{}), delay: delay}
}

// arrived tells how many bytes can be read, and when there will be more; a
// zero time if nothing is under way.
func (h *half) arrived() (int, time.Time) {
	if h.delay == 0 {
		return len(h.buf), time.Time{}
	}
	n := 0
	for _, m := range h.marks {
		if !expired(m.at) {
			return n, m.at
		}
		n += m.n
	}
	return n, time.Time{}
}

// takeOut removes bytes that have been read.
func (h *half) takeOut(n int) {
	h.buf = append(h.buf[:0], h.buf[n:]...)
	for n > 0 && len(h.marks) > 0 {
		part := min(n, h.marks[0].n)
		n -= part
		h.marks[0].n -= part
		if h.marks[0].n == 0 {
			h.marks = h.marks[1:]
		}
	}
}

// change runs f under the lock and wakes all who wait.
func (h *half) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *half) read(p []byte) (int, error) {
	for {
		n, wait, by, err := h.tryRead(p)
		if wait == nil {
			return n, err
		}
		waitFor(wait, by)
	}
}

// tryRead reads what is there, or tells what to wait for.
func (h *half) tryRead(p []byte) (n int, wait chan struct{}, by time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	there, more := h.arrived()
	switch {
	case h.closed:
		return 0, nil, by, io.ErrClosedPipe
	case h.broken:
		return 0, nil, by, errReset
	case expired(h.readBy):
		return 0, nil, by, os.ErrDeadlineExceeded
	case there > 0 && !h.stalled:
		n = copy(p, h.buf[:there])
		h.takeOut(n)
		close(h.changed)
		h.changed = make(chan struct{})
		return n, nil, by, nil
	case h.ended && !h.stalled && len(h.buf) == 0:
		return 0, nil, by, io.EOF
	}
	by = h.readBy
	if !more.IsZero() && (by.IsZero() || more.Before(by)) {
		by = more
	}
	return 0, h.changed, by, nil
}

func (h *half) write(p []byte) (int, error) {
	done := 0
	for {
		n, wait, by, err := h.tryWrite(p[done:])
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
		if wait != nil {
			waitFor(wait, by)
		}
	}
}

func (h *half) tryWrite(p []byte) (n int, wait chan struct{}, by time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return 0, nil, by, io.ErrClosedPipe
	case h.broken, h.closed && !h.stalled:
		return 0, nil, by, errReset
	case expired(h.writeBy):
		return 0, nil, by, os.ErrDeadlineExceeded
	case len(h.buf) >= window:
		return 0, h.changed, h.writeBy, nil
	}
	n = min(len(p), window-len(h.buf))
	h.buf = append(h.buf, p[:n]...)
	if h.delay > 0 {
		h.marks = append(h.marks, mark{n, time.Now().Add(h.delay)})
	}
	close(h.changed)
	h.changed = make(chan struct{})
	return n, nil, by, nil
}

func expired(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// waitFor waits for a change, or for a deadline unless it is zero.
func waitFor(changed chan struct{}, by time.Time) {
	if by.IsZero() {
		<-changed
		return
	}
	t := time.NewTimer(time.Until(by))
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
}
