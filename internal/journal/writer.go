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
	w.seq++
	e := Event{
		V: Version, Time: time.Now(), Peer: w.cfg.Peer, Boot: w.cfg.Boot,
		Seq: w.seq, Type: typ, Text: text, Fields: fields,
	}
	e.Lamport, e.Clock = w.tick()
	if len(w.sinks) == 0 {
		return
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
	w.clock.raise(w.self, w.seq)
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
	lamport, clock, err := parseStamp(stamp)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamp = nil
	w.lamport = max(w.lamport, lamport)
	if !w.wide {
		w.merge(clock)
	}
	if len(w.clock) > MaxClock || lamport > 0 && len(clock) == 0 {
		w.wide, w.clock = true, nil
	}
	return nil
}

// merge raises the entries of others; nobody knows better than ourselves what
// we have recorded.
func (w *Writer) merge(clock Clock) {
	for _, t := range clock {
		if t.Process != w.self {
			w.clock.raise(t.Process, t.Count)
		}
	}
}
