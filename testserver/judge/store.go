package judge

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/peerlab/peerlab/internal/journal"
)

// Store keeps the events of a run, per peer in the order in which they came,
// and counts for whoever waits for some of them. Nothing is forgotten, so an
// assertion misses nothing that happened before it was made. The zero value
// is not ready: use NewStore.
type Store struct {
	peers map[string]*log
	all   []journal.Event
}

// log is what one peer recorded, over all its boots.
type log struct {
	boot    int                 // the one that is open
	next    uint64              // the number that is due in it
	broken  bool                // something is wrong with this boot, and was said
	events  []int               // indices in Store.all
	streams map[string][]placed // by type
	watches map[string][]*Watch // by type
}

// placed is an event and its position in its peer's journal.
type placed struct{ position, index int }

// Errors that callers branch on.
var (
	// ErrGap is matched by Store.Add when events are missing, or come twice.
	ErrGap = errors.New("gap in a journal")
	// ErrForged is matched by Store.Add when an event is not its sender's own.
	ErrForged = errors.New("forged event")
	// ErrFilter is matched by the error for a filter that cannot be judged.
	ErrFilter = errors.New("not a filter")
)

// NewStore returns an empty Store.
func NewStore() *Store { return &Store{peers: map[string]*log{}} }

func (s *Store) log(peer string) *log {
	l := s.peers[peer]
	if l == nil {
		l = &log{streams: map[string][]placed{}, watches: map[string][]*Watch{}}
		s.peers[peer] = l
	}
	return l
}

// Begin notes that a boot of a peer begins to record. What it records is
// numbered from 1.
func (s *Store) Begin(peer string, boot int) {
	l := s.log(peer)
	l.boot, l.next, l.broken = boot, 1, false
}

// Add keeps an event that came from the peer. The error matches ErrForged if
// it is not an event of the boot that is open, and is not kept then; or
// ErrGap if it is not the next one of it, which is told once for each boot.
func (s *Store) Add(peer string, e journal.Event) error {
	l := s.log(peer)
	if e.Peer != peer || l.boot == 0 || e.Boot != l.boot {
		return fmt.Errorf("%w: %s, which runs as boot %d, sent an event of %s, boot %d", ErrForged, peer, l.boot, orNobody(e.Peer), e.Boot)
	}
	due := l.next
	l.next = e.Seq + 1
	e.Clock = nil // not needed here, and large
	p := placed{len(l.events), len(s.all)}
	s.all = append(s.all, e)
	l.events = append(l.events, p.index)
	l.streams[e.Type] = append(l.streams[e.Type], p)
	for _, w := range l.watches[e.Type] {
		w.offer(p.position, &s.all[p.index])
	}
	if e.Seq != due && !l.broken {
		l.broken = true
		return fmt.Errorf("%w: journal of %s, boot %d: event %d follows where %d was due", ErrGap, peer, e.Boot, e.Seq, due)
	}
	return nil
}

// Complete compares how many events the peer says that it has recorded in the
// boot that is open with what came: the last of them may be missing, of which
// no number tells. The error matches ErrGap, which is told once for each boot.
func (s *Store) Complete(peer string, recorded uint64) error {
	l := s.log(peer)
	if l.boot == 0 || l.broken || l.next == recorded+1 {
		return nil
	}
	l.broken = true
	return fmt.Errorf("%w: journal of %s, boot %d: it has recorded %d events, and the last that came is %d", ErrGap, peer, l.boot, recorded, l.next-1)
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// Position is where the journal of the peer stands: events that come later
// are at this position or behind it.
func (s *Store) Position(peer string) int {
	if l := s.peers[peer]; l != nil {
		return len(l.events)
	}
	return 0
}

// Events are all events of the run, in the order in which they came. They
// must not be modified.
func (s *Store) Events() []journal.Event { return s.all }

// Cut is a point in time through the journals of all peers: for each how much
// came before. A peer that is not in it had recorded nothing.
type Cut map[string]int

// Cut is the present.
func (s *Store) Cut() Cut {
	c := Cut{}
	for name, l := range s.peers {
		c[name] = len(l.events)
	}
	return c
}

// Between yields the peer's events of a stream whose positions are from
// since on and before until; until < 0 stands for all.
func (s *Store) between(peer, stream string, since, until int) []placed {
	l := s.peers[peer]
	if l == nil {
		return nil
	}
	events := l.streams[stream]
	if until >= 0 {
		events = events[:sort.Search(len(events), func(i int) bool { return events[i].position >= until })]
	}
	return events[sort.Search(len(events), func(i int) bool { return events[i].position >= since }):]
}

// Count is how many of the peer's events on the stream match, of those from
// position since on and before until; until < 0 stands for all.
func (s *Store) Count(peer, stream string, m Match, since, until int) int {
	n := 0
	for _, p := range s.between(peer, stream, since, until) {
		if m(&s.all[p.index]) {
			n++
		}
	}
	return n
}

// Last are the last n events of the peer from position since on, on the
// stream if it is not empty, the oldest first.
func (s *Store) Last(peer, stream string, since, n int) []journal.Event {
	l := s.peers[peer]
	if l == nil {
		return nil
	}
	var found []journal.Event
	for i := len(l.events) - 1; i >= since && len(found) < n; i-- {
		if e := s.all[l.events[i]]; stream == "" || e.Type == stream {
			found = append(found, e)
		}
	}
	slices.Reverse(found)
	return found
}

// Watch counts the events of one peer and stream that match, those of the
// past and those to come.
type Watch struct {
	peer, stream string
	match        Match
	since        int
	seen         int
	changed      func()
}

// Watch begins to count from position since on. changed is called at every
// event that counts, if it is not nil. Unwatch ends it.
func (s *Store) Watch(peer, stream string, m Match, since int, changed func()) *Watch {
	w := &Watch{peer: peer, stream: stream, match: m, since: since, changed: changed}
	w.seen = s.Count(peer, stream, m, since, -1)
	l := s.log(peer)
	l.watches[stream] = append(l.watches[stream], w)
	return w
}

// Unwatch ends a Watch.
func (s *Store) Unwatch(w *Watch) {
	l := s.log(w.peer)
	l.watches[w.stream] = slices.DeleteFunc(l.watches[w.stream], func(o *Watch) bool { return o == w })
}

// Seen is how many events counted until now.
func (w *Watch) Seen() int { return w.seen }

func (w *Watch) offer(position int, e *journal.Event) {
	if position < w.since || !w.match(e) {
		return
	}
	w.seen++
	if w.changed != nil {
		w.changed()
	}
}
