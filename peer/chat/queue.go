package chat

import (
	"slices"
	"time"
)

// message is one text on its way to everybody. The session owns it until
// done is closed.
type message struct {
	seq     uint64
	text    string
	sent    time.Time
	stamp   []byte // the frame with the logical time of the sending, the beginning of encoded
	encoded []byte // the frames, the same for all receivers

	waiting int      // receivers that Send still waits for
	targets []target // one for each receiver; never moved
	over    bool
	done    chan struct{} // closed when Send need not wait any longer
}

// encode makes the frames of a message that was sent at the time of a stamp,
// which is nil if there is none.
func (m *message) encode(stamp []byte) {
	b := make([]byte, 0, len(stamp)+len(m.text)+frameRoom)
	if len(stamp) > 0 {
		b = appendStamp(b, stamp)
	}
	m.stamp = b[:len(b):len(b)]
	m.encoded = (&frame{kind: kindMsg, num: m.seq, time: uint64(m.sent.UnixNano()), text: m.text}).append(b)
}

// target is a message in the queue of one peer.
type target struct {
	message *message
	name    string
	fate    fate
	awaited bool // Send waits for it
}

type fate int

const (
	pending fate = iota
	reached
	dropped
)

// settle decides the fate of a message for one receiver.
func (t *target) settle(f fate) {
	if t.fate != pending {
		return
	}
	m := t.message
	if !m.over {
		t.fate = f
	}
	if t.awaited {
		t.awaited = false
		m.waiting--
		if m.waiting == 0 {
			m.finish()
		}
	}
}

// finish ends the wait; what happens later is not told any more.
func (m *message) finish() {
	if !m.over {
		m.over = true
		close(m.done)
	}
}

// delivery may be called once done is closed.
func (m *message) delivery() Delivery {
	var d Delivery
	d.Reached = make([]string, 0, len(m.targets))
	for i := range m.targets {
		switch t := &m.targets[i]; t.fate {
		case reached:
			d.Reached = append(d.Reached, t.name)
		case pending:
			d.Pending = append(d.Pending, t.name)
		case dropped:
			d.Dropped = append(d.Dropped, t.name)
		}
	}
	slices.Sort(d.Reached)
	slices.Sort(d.Pending)
	slices.Sort(d.Dropped)
	return d
}

// queue holds what one peer has not acknowledged, oldest first.
type queue struct {
	all   []*target // all[:head] is nil
	head  int
	bytes int // of the texts
}

func (q *queue) items() []*target { return q.all[q.head:] }

// fits tells whether a message has room within the bounds.
func (q *queue) fits(m *message, cfg *Config) bool {
	n := len(q.items())
	return n < cfg.QueueMessages && (q.bytes+len(m.text) <= cfg.QueueBytes || n == 0)
}

func (q *queue) push(t *target) {
	if q.head > 0 && len(q.all) == cap(q.all) {
		n := copy(q.all, q.items())
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	q.all = append(q.all, t)
	q.bytes += len(t.message.text)
}

// acknowledged takes out everything up to a number.
func (q *queue) acknowledged(seq uint64) {
	for q.head < len(q.all) && q.all[q.head].message.seq <= seq {
		t := q.all[q.head]
		q.all[q.head] = nil
		q.head++
		q.bytes -= len(t.message.text)
		t.settle(reached)
	}
	if q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
	}
}

// drop gives everything up and tells how much that was.
func (q *queue) drop() int {
	items := q.items()
	for _, t := range items {
		t.settle(dropped)
	}
	*q = queue{}
	return len(items)
}

// owed returns since when the oldest message is owed an acknowledgement by a
// peer that could be reached since a time; false if none is.
func (q *queue) owed(since time.Time) (time.Time, bool) {
	items := q.items()
	if len(items) == 0 {
		return time.Time{}, false
	}
	if sent := items[0].message.sent; sent.After(since) {
		return sent, true
	}
	return since, true
}
