package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

// runner is the name under which the test server writes events of its own.
const runner = "testserver"

// Types of the runner's events that stand for what it did to peers, and of
// messages on their way. The rest is in package journal.
const (
	typeLife = "life"
	typeSent = "sent"
)

// maxEvents bounds what a page shows of a journal.
const maxEvents = 300_000

// timeline is what a journal says, as the diagram needs it: events in the
// order of time, and what connects them. Times are since the base.
type timeline struct {
	base     time.Time
	end      time.Duration
	peers    []string // in the order of their columns
	events   []mark
	messages []message
	lost     []loss
	faults   []band
	lives    []life
	pauses   []life
	script   map[int]span // of rows, by their index
	notes    []string     // what the reader must know of the journal itself
}

// mark is one event of a peer.
type mark struct {
	at     time.Duration
	peer   int
	boot   int
	seq    uint64
	typ    string
	text   string
	detail string
	from   string   // of a message that was received
	id     string   // of a message
	owed   []string // to whom a sent message is owed
}

// message is an arrow between two events, by index.
type message struct{ from, to int }

// loss is a message that a peer never got.
type loss struct{ event, peer int }

// span is a time that has an end, or -1 if it lasts to the end of the run.
type span struct{ from, to time.Duration }

// band is a fault.
type band struct {
	span
	number string // by which its end is known
	text   string
	peers  []int
}

// life is one boot of a peer, or a pause of it.
type life struct {
	span
	peer     int
	boot     int
	how      string // why it ended
	expected bool
}

// lasting is the end of what has none.
const lasting = time.Duration(-1)

// readTimeline reads a journal. A journal that cannot be read to its end
// yields what came before, and a note.
func readTimeline(r *Result, from io.Reader) *timeline {
	t := &timeline{script: map[int]span{}}
	for _, p := range r.Peers {
		t.column(p.Name)
	}
	var own []journal.Event
	var times []time.Time
	for e, err := range readEvents(from) {
		if err != nil {
			t.notes = append(t.notes, "the journal is not whole: "+err.Error())
			break
		}
		if e.Peer == runner {
			own = append(own, e)
			continue
		}
		if len(t.events) == maxEvents {
			t.notes = append(t.notes, fmt.Sprintf("the first %d events only: the others are in %s", maxEvents, JournalFile))
			break
		}
		t.events, times = append(t.events, t.mark(e)), append(times, e.Time)
	}
	t.setBase(r, own, times)
	t.sort()
	t.connect()
	for _, e := range own {
		t.own(e)
	}
	t.finish(r)
	return t
}

// column is the index of a peer, new if need be.
func (t *timeline) column(name string) int {
	if i := slices.Index(t.peers, name); i >= 0 {
		return i
	}
	t.peers = append(t.peers, name)
	return len(t.peers) - 1
}

func (t *timeline) mark(e journal.Event) mark {
	m := mark{peer: t.column(e.Peer), boot: e.Boot, seq: e.Seq, typ: e.Type, text: e.Text}
	if id, ok := e.Fields["id"]; ok {
		m.id = fmt.Sprint(id)
		m.from, _ = e.Fields["from"].(string)
	}
	if e.Type == typeSent {
		m.owed = names(e.Fields["to"])
	}
	m.detail = details(e.Fields)
	return m
}

// names is a list of strings in a field.
func names(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, n := range list {
		if s, ok := n.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// details are fields as lines for people. Their order is that of the names.
func details(fields map[string]any) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := strings.TrimRight(fmt.Sprint(fields[name]), "\n")
		if value == "" {
			continue
		}
		if strings.Contains(value, "\n") {
			value = "\n  " + strings.ReplaceAll(value, "\n", "\n  ")
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// setBase takes the earliest moment as the start, and times from it.
func (t *timeline) setBase(r *Result, own []journal.Event, times []time.Time) {
	first, last := time.Time{}, time.Time{}
	see := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	for _, at := range times {
		see(at)
	}
	for _, e := range own {
		see(e.Time)
		if at, ok := started(e); ok {
			see(at)
		}
	}
	if first.IsZero() {
		first, last = r.Started, r.Started
	}
	t.base, t.end = first, last.Sub(first)
	for i, at := range times {
		t.events[i].at = at.Sub(first)
	}
}

// started is when the statement began whose end an event of the runner tells.
func started(e journal.Event) (time.Time, bool) {
	s, _ := e.Fields["started"].(string)
	at, err := time.Parse(time.RFC3339Nano, s)
	return at, err == nil
}

// sort brings events into the order of time. No event is before an earlier
// one of the same boot, though a clock may have been set back.
func (t *timeline) sort() {
	type process struct{ peer, boot int }
	last := map[process]time.Duration{}
	for i, e := range t.events {
		p := process{e.peer, e.boot}
		t.events[i].at = max(e.at, last[p])
		last[p] = t.events[i].at
	}
	slices.SortStableFunc(t.events, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
}

// connect finds the messages: what was sent, and the events elsewhere that
// have the same sender and number.
func (t *timeline) connect() {
	type key struct{ from, id string }
	type receipt struct{ event, peer int }
	sent := map[key]int{}
	for i, e := range t.events {
		if e.typ == typeSent {
			sent[key{t.peers[e.peer], e.id}] = i
		}
	}
	got := map[receipt]bool{}
	for i, e := range t.events {
		from, ok := sent[key{e.from, e.id}]
		if e.from == "" || !ok || e.typ == typeSent {
			continue
		}
		t.messages = append(t.messages, message{from, i})
		got[receipt{from, e.peer}] = true
	}
	slices.SortStableFunc(t.messages, func(a, b message) int { return cmp.Compare(a.from, b.from) })
	for i, e := range t.events {
		for _, name := range e.owed {
			if p := slices.Index(t.peers, name); p >= 0 && !got[receipt{i, p}] {
				t.lost = append(t.lost, loss{i, p})
			}
		}
	}
}

// own takes an event of the runner.
func (t *timeline) own(e journal.Event) {
	at := e.Time.Sub(t.base)
	switch e.Type {
	case journal.TypeScript:
		if row, ok := e.Fields["row"].(float64); ok {
			s := span{at, at}
			if from, ok := started(e); ok {
				s.from = min(at, from.Sub(t.base))
			}
			t.script[int(row)] = s
		}
	case journal.TypeNet:
		t.fault(e, at)
	case typeLife:
		t.living(e, at)
	}
}

func (t *timeline) fault(e journal.Event, at time.Duration) {
	number := fmt.Sprint(e.Fields["fault"])
	if e.Fields["state"] == "healed" {
		for i := range t.faults {
			if f := &t.faults[i]; f.to == lasting && f.number == number {
				f.to = at
			}
		}
		return
	}
	f := band{span: span{at, lasting}, number: number, text: e.Text}
	for _, name := range names(e.Fields["peers"]) {
		f.peers = append(f.peers, t.column(name))
	}
	t.faults = append(t.faults, f)
}

// living takes what happened to a peer: "start alice", "gone alice", "pause
// alice", "resume alice".
func (t *timeline) living(e journal.Event, at time.Duration) {
	what, name, ok := strings.Cut(e.Text, " ")
	if !ok {
		return
	}
	peer := t.column(name)
	switch what {
	case "start":
		t.closeOpen(t.lives, peer, at, e)
		boot, ok := e.Fields["number"].(float64)
		if !ok {
			boot = float64(t.boots(peer) + 1)
		}
		t.lives = append(t.lives, life{span: span{t.firstOf(peer, int(boot), at), lasting}, peer: peer, boot: int(boot)})
	case "gone":
		t.closeOpen(t.lives, peer, at, e)
		t.closeOpen(t.pauses, peer, at, e)
	case "pause":
		t.pauses = append(t.pauses, life{span: span{at, lasting}, peer: peer})
	case "resume":
		t.closeOpen(t.pauses, peer, at, e)
	}
}

// firstOf is when a boot was first heard of: its start is known only when the
// peer has attached, and by then it has done things.
func (t *timeline) firstOf(peer, boot int, known time.Duration) time.Duration {
	for _, e := range t.events {
		if e.at >= known {
			break
		}
		if e.peer == peer && e.boot == boot {
			return e.at
		}
	}
	return known
}

func (t *timeline) boots(peer int) int {
	n := 0
	for _, l := range t.lives {
		if l.peer == peer {
			n++
		}
	}
	return n
}

// closeOpen ends what has not ended of a peer.
func (t *timeline) closeOpen(all []life, peer int, at time.Duration, e journal.Event) {
	for i := range all {
		if l := &all[i]; l.peer == peer && l.to == lasting {
			l.to = at
			l.how, _ = e.Fields["state"].(string)
			l.expected, _ = e.Fields["expected"].(bool)
		}
	}
}

// finish takes boots from the events where the runner has not told of them,
// and gives rows of which the journal has no word the times of the result.
func (t *timeline) finish(r *Result) {
	if len(t.lives) == 0 {
		t.livesFromEvents()
	}
	offset, known := r.Started.Sub(t.base), false
	for i, row := range r.Rows {
		if s, ok := t.script[i]; ok && !known {
			offset, known = s.from-milliseconds(row.StartMS), true
		}
	}
	// The clock of simulated peers is another one than that of the result.
	if !known && (offset < -time.Minute || offset > t.end+time.Minute) {
		return
	}
	for i, row := range r.Rows {
		if _, ok := t.script[i]; !ok && row.Status != Open && row.StartMS > 0 {
			from := max(0, offset+milliseconds(row.StartMS))
			t.script[i] = span{from, from + milliseconds(row.DurationMS)}
		}
	}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func (t *timeline) livesFromEvents() {
	for _, e := range t.events {
		i := slices.IndexFunc(t.lives, func(l life) bool { return l.peer == e.peer && l.boot == e.boot })
		if i < 0 {
			t.lives = append(t.lives, life{span: span{e.at, lasting}, peer: e.peer, boot: e.boot})
			i = len(t.lives) - 1
			for j := range t.lives[:i] {
				if l := &t.lives[j]; l.peer == e.peer && l.to == lasting {
					l.to, l.expected, l.how = e.at, true, "ended"
				}
			}
		}
	}
}
