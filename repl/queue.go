package repl

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// maxQueue is how many bytes of lines wait for the terminal before
	// Print waits too.
	maxQueue = 256 << 10
	// maxStopped is how many wait for a terminal that takes nothing; lines
	// beyond it are not kept.
	maxStopped = 16 << 20
	// maxPiece is how much is written at once, so that the row that is being
	// edited stays in sight.
	maxPiece = 32 << 10
	// patience is how long Print waits for a terminal before it takes it for
	// stopped. One that shows a piece in this time is slow, but alive.
	patience = 2 * time.Second
)

// Queue holds what is printed until the terminal takes it, in order. It is for
// those who implement a LineReader: any number of goroutines print, one takes
// and writes.
//
// It gives back pressure, within bounds: who prints into a full queue waits
// for room. A terminal that takes nothing for a while (stopped by its user,
// or by a program around it) is waited for no longer: from then on lines are
// kept without waiting, up to 16 MiB, until it goes on. While the terminal is
// lent nobody waits either, and 256 KiB are kept. Lines that were not kept are
// counted, and the count is shown.
type Queue struct {
	// Patience is how long Print waits for a terminal before it takes it for
	// stopped. It may be changed before the first Print.
	Patience time.Duration

	kick chan struct{} // one token: the queue is no longer empty

	mu      sync.Mutex
	text    []byte        // whole lines, from head on
	head    int           // what is before it was taken
	piece   []byte        // the buffer of what was taken last
	room    chan struct{} // closed when something was taken
	stopped bool          // the terminal took nothing for all of Patience
	held    bool          // the terminal is lent: nothing is taken
	skipped int           // lines that were not kept
	closed  bool
}

// NewQueue makes an empty queue, with a patience of two seconds.
func NewQueue() *Queue {
	return &Queue{Patience: patience, kick: make(chan struct{}, 1), room: make(chan struct{})}
}

// Ready has a token when something waits that was not there before.
func (q *Queue) Ready() <-chan struct{} { return q.kick }

// Print adds whole lines; a missing newline is added. After Close it does
// nothing.
func (q *Queue) Print(text string) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wait()
	limit := maxQueue
	if q.stopped {
		limit = maxStopped
	}
	switch {
	case q.closed:
		return
	case q.len() >= limit:
		q.skipped += strings.Count(text, "\n")
		return
	}
	q.text = append(q.text, text...)
	q.signal()
}

// wait returns when there is room, or no use in waiting for it. It is called
// with mu held, and releases it meanwhile.
func (q *Queue) wait() {
	var timer *time.Timer
	for q.len() >= maxQueue && !q.held && !q.closed && !q.stopped {
		if timer == nil {
			timer = time.NewTimer(q.Patience)
			defer timer.Stop()
		}
		room := q.room
		q.mu.Unlock()
		timedOut := false
		select {
		case <-room:
			timer.Reset(q.Patience)
		case <-timer.C:
			timedOut = true
		}
		q.mu.Lock()
		if timedOut && room == q.room {
			q.stopped = true
		}
	}
}

func (q *Queue) signal() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

// len is how much waits. It is called with mu held.
func (q *Queue) len() int { return len(q.text) - q.head }

// Waiting is how much waits, in bytes.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.len()
}

// Take removes a piece of whole lines, and tells whether that was all. The
// piece is valid until the next call.
func (q *Queue) Take() (piece []byte, all bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held || q.len() == 0 {
		return nil, true
	}
	n := q.len()
	if i := bytes.LastIndexByte(q.text[q.head:][:min(n, maxPiece)], '\n'); n > maxPiece && i >= 0 {
		n = i + 1
	}
	q.piece = append(q.piece[:0], q.text[q.head:q.head+n]...)
	q.remove(n)
	if q.len() == 0 && q.skipped > 0 {
		q.piece = fmt.Appendf(q.piece, "(%d more were not kept)\n", q.skipped)
		q.skipped = 0
	}
	q.stopped = false
	q.wakeWaiting()
	return q.piece, q.len() == 0
}

// remove drops the first n bytes; what is left moves to the front when it is
// little. It is called with mu held.
func (q *Queue) remove(n int) {
	q.head += n
	if left := q.len(); left <= q.head {
		q.text = append(q.text[:0], q.text[q.head:]...)
		q.head = 0
	}
	if q.len() == 0 && cap(q.text) > 2*maxQueue {
		q.text = nil // a terminal that was stopped goes on
	}
}

// wakeWaiting is called with mu held.
func (q *Queue) wakeWaiting() {
	close(q.room)
	q.room = make(chan struct{})
}

// Hold keeps everything in the queue from now on, or no longer.
func (q *Queue) Hold(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held = on
	q.wakeWaiting()
	q.signal()
}

// Close makes Print do nothing from now on. What waits can still be taken.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.held = true, false
	q.wakeWaiting()
}
