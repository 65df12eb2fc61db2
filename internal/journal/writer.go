package journal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Sink takes the events of a Writer, in order, one call at a time. line is
// the event's JSON without a newline; both are valid during the call only. A
// sink must not block and must not call the Writer.
type Sink func(e Event, line []byte)

// Config says whose journal a Writer writes.
type Config struct {
	Peer string // its name
	Boot int    // the number of this start, from 1
}

// Writer numbers and stamps the events of one boot of one peer. All its
// methods may be called from several goroutines.
type Writer struct {
	cfg  Config
	self string // process name in the clock

	// order makes events reach the sinks in the order of their numbers. It
	// is held while sinks run, which must not block.
	order sync.Mutex
	sinks []*Sink
	buf   []byte
	shown Clock // the clock that the sinks see
	other Clock // for behind
	seq   uint64

	mu      sync.Mutex // guards the logical time below; never held while sinks run
	lamport uint64
	clock   Clock
	wide    bool   // more than MaxClock processes are known: no clock for good
	stamp   []byte // encoding of the time above; nil when it has changed
}

// NewWriter returns a Writer without sinks: events are numbered and dropped.
func NewWriter(cfg Config) *Writer {
	return &Writer{cfg: cfg, self: fmt.Sprintf("%s#%d", cfg.Peer, cfg.Boot)}
}

// Attach adds a sink; it gets the events that are recorded from now on. The
// returned function removes it: after it returns, the sink is not called.
func (w *Writer) Attach(s Sink) (detach func()) {
	w.order.Lock()
	defer w.order.Unlock()
	w.sinks = append(w.sinks, &s)
	return func() {
		w.order.Lock()
		defer w.order.Unlock()
		w.sinks = slices.DeleteFunc(w.sinks, func(p *Sink) bool { return p == &s })
	}
}

// keptText is how much is kept of the text of an event that is too long for a
// line, in bytes.
const keptText = 64 << 10

// Record numbers, stamps and hands on one event of the given type. A field
// that cannot be encoded is an error in the caller: it is recorded as such,
// so that the sequence has no gap. So is an event that no reader would take,
// because its line is too long.
func (w *Writer) Record(typ, text string, fields map[string]any) {
	w.order.Lock()
	defer w.order.Unlock()
	w.record(typ, text, fields, nil)
}

// RecordSent records the sending of a message and returns the logical time of
// that event, to travel with the message. The result must not be modified.
func (w *Writer) RecordSent(typ, text string, fields map[string]any) (stamp []byte) {
	w.order.Lock()
	defer w.order.Unlock()
	return w.record(typ, text, fields, func(lamport uint64, c Clock) []byte { return appendStamp(nil, lamport, c) })
}

// RecordReceived observes the stamp of a message, as Observe does, and records
// the receiving of it. The event keeps what Sending needs, in the field
// "behind"; fields is as before when it returns, and must not be nil. With a
// malformed stamp the event is recorded without, and the error tells.
func (w *Writer) RecordReceived(stamp []byte, typ, text string, fields map[string]any) error {
	s, err := readStamp(stamp)
	w.order.Lock()
	defer w.order.Unlock()
	if err != nil {
		w.record(typ, text, fields, nil)
		return err
	}
	w.observe(s)
	defer delete(fields, FieldBehind)
	w.record(typ, text, fields, func(_ uint64, c Clock) []byte {
		if c != nil && !s.wide() {
			fields[FieldBehind] = w.behind(s, c)
		}
		return nil
	})
	return nil
}

// behind are the entries of c at which a stamp is behind it. order is held;
// the result is good until the next call.
func (w *Writer) behind(s stamp, c Clock) Clock {
	w.other = append(w.other[:0], c...)
	for i := range w.other {
		w.other[i].Count = 0
	}
	s.each(func(process []byte, count uint64) {
		if i, ok := slices.BinarySearchFunc(w.other, process, compareProcess); ok {
			w.other[i].Count = max(w.other[i].Count, count)
		}
	})
	i := 0
	w.other = slices.DeleteFunc(w.other, func(t Tick) bool {
		same := t.Count == c[i].Count
		i++
		return same
	})
	return w.other
}

func compareProcess(t Tick, process []byte) int { return strings.Compare(t.Process, string(process)) }

// record is Record with order held. at, unless it is nil, is told the time of
// the event before it is written, and may add to fields.
func (w *Writer) record(typ, text string, fields map[string]any, at func(uint64, Clock) []byte) (stamp []byte) {
	w.seq++
	e := Event{
		V: Version, Time: time.Now(), Peer: w.cfg.Peer, Boot: w.cfg.Boot,
		Seq: w.seq, Type: typ, Text: text, Fields: fields,
	}
	e.Lamport, e.Clock = w.tick()
	if at != nil {
		stamp = at(e.Lamport, e.Clock)
	}
	if len(w.sinks) == 0 {
		return stamp
	}
	line, err := e.append(w.buf[:0])
	if err == nil && len(line) > maxLine {
		e.Text = strings.ToValidUTF8(e.Text[:min(len(e.Text), keptText)], "")
		err = fmt.Errorf("the event had %d bytes: its text is cut, its fields are left out", len(line))
	}
	if err != nil {
		e.Fields = map[string]any{"error": err.Error()}
		line, _ = e.append(line[:0]) // a string always encodes
	}
	w.buf = line
	for _, s := range w.sinks {
		(*s)(e, line)
	}
	return stamp
}

// tick advances the logical time. order is held.
func (w *Writer) tick() (uint64, Clock) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lamport++
	w.stamp = nil
	if w.wide {
		return w.lamport, nil
	}
	w.clock.Raise(w.self, w.seq)
	w.shown = append(w.shown[:0], w.clock...)
	return w.lamport, w.shown
}

// Stamp is the writer's logical time in the form that travels with messages.
// The result is shared: it must not be modified.
func (w *Writer) Stamp() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stamp == nil {
		w.stamp = appendStamp(nil, w.lamport, w.clock)
	}
	return w.stamp
}

// Observe merges the stamp of a received message: what is recorded next is
// after everything that the sender had recorded. A malformed stamp is an
// error and changes nothing.
func (w *Writer) Observe(stamp []byte) error {
	s, err := readStamp(stamp)
	if err != nil {
		return err
	}
	w.observe(s)
	return nil
}

func (w *Writer) observe(s stamp) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamp = nil
	w.lamport = max(w.lamport, s.lamport)
	if !w.wide {
		w.merge(s)
	}
	if len(w.clock) > MaxClock || s.wide() {
		w.wide, w.clock = true, nil
	}
}

// merge raises the entries of others; nobody knows better than ourselves what
// we have recorded. mu is held.
func (w *Writer) merge(s stamp) {
	s.each(func(process []byte, count uint64) {
		i, ok := slices.BinarySearchFunc(w.clock, process, compareProcess)
		switch {
		case string(process) == w.self:
		case ok:
			w.clock[i].Count = max(w.clock[i].Count, count)
		default:
			w.clock = slices.Insert(w.clock, i, Tick{Process: string(process), Count: count})
		}
	})
}
