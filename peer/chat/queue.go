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
	encoded []byte // the frame, the same for all receivers

	waiting int // receivers that Send still waits for
	targets []*target
	over    bool
	done    chan struct{} // closed when Send need not wait any longer
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
	for _, t := range m.targets {
		switch t.fate {
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
	items []*target
	bytes int // of their texts
}

// fits tells whether a message has room within the bounds.
func (q *queue) fits(m *message, cfg *Config) bool {
	return len(q.items) < cfg.QueueMessages && (q.bytes+len(m.text) <= cfg.QueueBytes || len(q.items) == 0)
}

func (q *queue) push(t *target) {
	q.items = append(q.items, t)
	q.bytes += len(t.message.text)
}

// acknowledged takes out everything up to a number.
func (q *queue) acknowledged(seq uint64) {
	n := 0
	for n < len(q.items) && q.items[n].message.seq <= seq {
		q.bytes -= len(q.items[n].message.text)
		q.items[n].settle(reached)
		q.items[n] = nil
		n++
	}
	q.items = q.items[n:]
	if len(q.items) == 0 {
		q.items = nil
	}
}

// drop gives everything up and tells how much that was.
func (q *queue) drop() int {
	n := len(q.items)
	for _, t := range q.items {
		t.settle(dropped)
	}
	q.items, q.bytes = nil, 0
	return n
}

// owed returns since when the oldest message is owed an acknowledgement by a
// peer that could be reached since a time; false if none is.
func (q *queue) owed(since time.Time) (time.Time, bool) {
	if len(q.items) == 0 {
		return time.Time{}, false
	}
	if sent := q.items[0].message.sent; sent.After(since) {
		return sent, true
	}
	return since, true
}
