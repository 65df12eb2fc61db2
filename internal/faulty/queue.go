package faulty

import (
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	maxPart   = 16 << 10  // bytes
	slowPart  = 1 << 10   // bytes of a part where there is a rate
	maxQueued = 256 << 10 // bytes in one direction of a stream
)

// kind says what a part of a stream is.
type kind int

const (
	partData   kind = iota // bytes to go
	partEnd                // the other side sends no more: end says why
	partFinish             // this side writes no more
	partGone               // this side neither writes nor reads any more
)

// part is a part of a stream under way.
type part struct {
	kind kind
	data []byte
	end  error
	late time.Duration // what the rule adds
	rate int64         // bits per second; 0 is no bound
	due  time.Time     // set by the queue
}

// queue is one direction of a stream under rules: parts in order, each due at
// a time, and never before those ahead of it. Nothing passes while it is cut. At one end of it are the calls of
// who has the stream, with a deadline; at the other is the goroutine that
// moves the parts, without.
type queue struct {
	cut func() bool

	mu       sync.Mutex // guards the fields below
	changed  sync.Cond
	parts    []part
	size     int       // bytes in parts
	busy     time.Time // until when the link sends, at its rate
	writing  bool      // a write is under way
	moving   bool      // the goroutine has a part in its hands
	finished bool      // nothing may be written any more
	dead     error     // what all calls fail with
	deadline time.Time
	alarm    *time.Timer // the deadline
	clock    *time.Timer // the first part is due
}

func newQueue(cut func() bool) *queue {
	q := &queue{cut: cut}
	q.changed.L = &q.mu
	return q
}

// wake makes everybody who waits look again.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changed.Broadcast()
}

func (q *queue) setDeadline(t time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadline = t
	stop(q.alarm)
	if !t.IsZero() {
		q.alarm = time.AfterFunc(time.Until(t), q.wake)
	}
	q.changed.Broadcast()
}

func stop(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

// late tells whether the deadline has passed. mu is held.
func (q *queue) late() bool { return !q.deadline.IsZero() && !time.Now().Before(q.deadline) }

// shut makes all calls fail with why, and forgets what is in the queue.
func (q *queue) shut(why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dead = why
	q.parts, q.size = nil, 0
	stop(q.alarm)
	stop(q.clock)
	q.changed.Broadcast()
}

// empty tells whether all that was written has gone.
func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.parts) == 0 && !q.moving
}

// put brings a part from the network. It waits for room, and tells whether
// anybody will read it.
func (q *queue) put(p part) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.dead == nil && q.size >= maxQueued {
		q.changed.Wait()
	}
	if q.dead != nil {
		return false
	}
	q.add(p)
	return true
}

// add appends a part and says when it is due. mu is held.
func (q *queue) add(p part) {
	p.due = time.Now()
	if p.rate > 0 {
		q.busy = sent(q.busy, p.due, p.rate, len(p.data))
		p.due = q.busy
	}
	p.due = p.due.Add(p.late)
	q.parts = append(q.parts, p)
	q.size += len(p.data)
	q.changed.Broadcast()
}

// ready tells whether the first part may pass. Otherwise changed is signalled
// when it is due. mu is held.
func (q *queue) ready() bool {
	if len(q.parts) == 0 || q.cut() {
		return false
	}
	wait := time.Until(q.parts[0].due)
	if wait <= 0 {
		return true
	}
	stop(q.clock)
	q.clock = time.AfterFunc(wait, q.wake)
	return false
}

// read is a caller's read of what has arrived.
func (q *queue) read(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.dead != nil:
			return 0, q.dead
		case q.late():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case q.ready():
			return q.consume(b)
		}
		q.changed.Wait()
	}
}

// consume reads from the first part. An end stays where it is. mu is held.
func (q *queue) consume(b []byte) (int, error) {
	p := &q.parts[0]
	if p.kind == partEnd {
		return 0, p.end
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	q.size -= n
	if len(p.data) == 0 {
		q.pop()
	}
	q.changed.Broadcast()
	return n, nil
}

// pop removes the first part. mu is held.
func (q *queue) pop() part {
	p := q.parts[0]
	q.parts[0] = part{}
	q.parts = q.parts[1:]
	return p
}

// write is a caller's write: it returns when all parts, which pack makes of
// the beginning of what is left, are in the queue. Writes of several
// goroutines do not mix.
func (q *queue) write(b []byte, pack func(b []byte) part) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.writing {
		if err := q.unwritable(); err != nil {
			return 0, err
		}
		q.changed.Wait()
	}
	q.writing = true
	defer func() {
		q.writing = false
		q.changed.Broadcast()
	}()
	n := 0
	for {
		if err := q.unwritable(); err != nil {
			return n, err
		}
		switch {
		case n == len(b):
			return n, nil
		case q.size >= maxQueued:
			q.changed.Wait()
		default:
			p := pack(b[n:])
			n += len(p.data)
			q.add(p)
		}
	}
}

// unwritable says why nothing can be written now. mu is held.
func (q *queue) unwritable() error {
	switch {
	case q.dead != nil:
		return q.dead
	case q.late():
		return os.ErrDeadlineExceeded
	case q.finished:
		return os.NewSyscallError("write", syscall.EPIPE)
	}
	return nil
}

// finish puts the last part behind all that was written. A write that waits
// for room is over then.
func (q *queue) finish(p part) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead != nil {
		return q.dead
	}
	q.finished = true
	q.add(p)
	return nil
}

// take gives the goroutine that sends the next part when it is due; false
// when nothing will be sent any more. What it had before is done.
func (q *queue) take() (part, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.moving = false
	for {
		if q.dead != nil {
			return part{}, false
		}
		if q.ready() {
			p := q.pop()
			q.size -= len(p.data)
			q.moving = true
			q.changed.Broadcast()
			return p, true
		}
		q.changed.Wait()
	}
}

// clip is the beginning of b that makes one part.
func clip(b []byte, r Rule) []byte {
	if r.Rate > 0 {
		return b[:min(len(b), slowPart)]
	}
	return b[:min(len(b), maxPart)]
}
