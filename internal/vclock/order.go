package vclock

// Order is how two clocks, or two events, stand to each other.
type Order int

// The orders. Unknown is the honest answer where entries are missing.
const (
	Unknown Order = iota
	Equal
	Before
	After
	Concurrent
)

// String is the word for it: unknown, equal, before, after, concurrent.
func (o Order) String() string {
	switch o {
	case Equal:
		return "equal"
	case Before:
		return "before"
	case After:
		return "after"
	case Concurrent:
		return "concurrent"
	}
	return "unknown"
}

// Reverse is the order of the two in the opposite order.
func (o Order) Reverse() Order {
	switch o {
	case Before:
		return After
	case After:
		return Before
	}
	return o
}

// Compare tells how c stands to d: Before, if c is smaller. The answer is
// never Unknown.
func (c Clock) Compare(d Clock) Order { return Cut{Clock: c}.Compare(Cut{Clock: d}) }

// Cut is a clock of which entries may be missing.
type Cut struct {
	Clock   Clock  // the entries that are known; they are exact
	Dropped uint64 // how many more there were; 0 means that the clock is whole
}

// Truncate keeps at most bound entries: those of the processes keep as far as
// c has them, then the greatest, of equal ones those that come first. The
// clock c is left as it is. A bound below 0 is 0.
func (c Clock) Truncate(bound int, keep ...string) Cut {
	bound = max(bound, 0)
	if len(c) <= bound {
		return Cut{Clock: c.Copy()}
	}
	ranked := c.Copy()
	sortByWorth(ranked, keep)
	cut := Cut{Clock: make(Clock, 0, bound), Dropped: uint64(len(c) - bound)}
	for _, t := range ranked[:bound] {
		cut.Clock.Raise(t.Process, t.Count)
	}
	return cut
}

// known returns an entry, and whether it is known.
func (a Cut) known(process string) (uint64, bool) {
	i, ok := a.Clock.find(process)
	if ok {
		return a.Clock[i].Count, true
	}
	return 0, a.Dropped == 0
}

// Compare tells how the whole clocks stand to each other of which a and b are
// left; see the package comment for what can be told.
func (a Cut) Compare(b Cut) Order {
	less, lessPossible := b.exceeds(a) // a is less than b somewhere
	more, morePossible := a.exceeds(b)
	switch {
	case less && more:
		return Concurrent
	case less && !morePossible:
		return Before
	case more && !lessPossible:
		return After
	case !lessPossible && !morePossible:
		return Equal
	}
	return Unknown
}

// exceeds tells whether an entry of a is greater than b's, for certain and
// possibly.
func (a Cut) exceeds(b Cut) (certain, possible bool) {
	possible = a.Dropped > 0 // at a process that neither lists
	for _, t := range a.Clock {
		n, ok := b.known(t.Process)
		certain = certain || ok && t.Count > n
		possible = possible || !ok && t.Count > 0
	}
	return certain, certain || possible
}

// Merge is what is known of the merged clock, if a and b are left of two. An
// entry is exact if both are known.
func (a Cut) Merge(b Cut) Cut {
	var m Cut
	for _, t := range a.Clock {
		if n, ok := b.known(t.Process); ok {
			m.Clock.Raise(t.Process, max(n, t.Count))
		} else {
			m.Dropped++
		}
	}
	for _, t := range b.Clock {
		_, listed := a.Clock.find(t.Process)
		switch {
		case listed:
		case a.Dropped == 0:
			m.Clock.Raise(t.Process, t.Count)
		default:
			m.Dropped++
		}
	}
	m.Dropped = max(m.Dropped, a.Dropped, b.Dropped)
	return m
}

// Event is what is known of one event of an execution: the Count-th one of
// Process.
type Event struct {
	Process string
	Count   uint64
	Lamport uint64 // its Lamport time; 0 if it is not known
	Clock   Cut    // its clock, its own entry included if it is known
}

// Relate tells how event e stands to event f: Before, if e has happened
// before f. Of e's clock and of f's it needs one entry each, so it can often
// tell what Compare cannot:
//
//   - Two events of one process stand as their numbers do.
//   - e has happened before f exactly if f's clock knows e, that is if its
//     entry of e's process is at least e's number.
//   - If that entry was dropped, Lamport times may still tell that e is not
//     before f: that would need a smaller one. They never tell that it is.
//
// Both ways denied is concurrent; one way denied and the other one not
// decided is unknown.
func Relate(e, f Event) Order {
	if e.Process == f.Process {
		switch {
		case e.Count < f.Count:
			return Before
		case e.Count > f.Count:
			return After
		}
		return Equal
	}
	before, knownBefore := e.before(f)
	after, knownAfter := f.before(e)
	switch {
	case before:
		return Before
	case after:
		return After
	case knownBefore && knownAfter:
		return Concurrent
	}
	return Unknown
}

// before tells whether e has happened before f, an event of another process,
// and whether that is known.
func (e Event) before(f Event) (yes, known bool) {
	if n, ok := f.Clock.known(e.Process); ok {
		return n >= e.Count, true
	}
	return false, e.Lamport > 0 && f.Lamport > 0 && e.Lamport >= f.Lamport
}
