package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// shown is how many events or peers a row tells of.
const shown = 5

// count is an assertion about how many events there are at one peer.
type count struct {
	peer  *peer
	watch *judge.Watch
	since int
	meets bool
}

// counts are those of all targets of one statement.
type counts struct {
	b      *branch
	stream string
	text   string // of the pattern
	meets  func(n int) bool
	list   []*count
	short  int // how many do not meet it
}

// counts begins to count at each target. stop must follow.
func (b *branch) counts(names []string, stream string, p language.Pattern, since judge.Cut, meets func(int) bool) (*counts, error) {
	all := &counts{b: b, stream: judge.Stream(stream), text: p.Text, meets: meets}
	for _, name := range names {
		match, err := judge.Compile(p, b.expand(name))
		if err != nil {
			all.stop()
			return nil, err
		}
		c := &count{peer: b.m.peers[name], since: since[name]}
		c.watch = b.m.store.Watch(name, all.stream, match, c.since, func() { all.update(c) })
		all.list = append(all.list, c)
		if c.meets = meets(c.watch.Seen()); !c.meets {
			all.short++
		}
	}
	return all, nil
}

func (c *counts) stop() {
	for _, one := range c.list {
		c.b.m.store.Unwatch(one.watch)
	}
}

// update follows one count that has changed.
func (c *counts) update(one *count) {
	meets := c.meets(one.watch.Seen())
	switch {
	case meets && !one.meets:
		c.short--
	case !meets && one.meets:
		c.short++
	}
	one.meets = meets
}

// hopeless tells whether some count can not be met any more: it is too high,
// or its peer has ended.
func (c *counts) hopeless(most int) bool {
	return slices.ContainsFunc(c.list, func(one *count) bool {
		n := one.watch.Seen()
		return !one.meets && (one.peer.gone != nil || !one.peer.started || most >= 0 && n > most)
	})
}

// tell fails the row for the counts that are not met.
func (c *counts) tell(row *report.Row, wrong func(one *count) string) {
	var bad []*count
	for _, one := range c.list {
		if !one.meets {
			bad = append(bad, one)
		}
	}
	if len(bad) == 0 {
		return
	}
	first := bad[0]
	row.Peer = first.peer.name
	fail(row, fmt.Sprintf("%s: %s", first.peer.name, wrong(first)))
	if g := first.peer.gone; g != nil {
		row.Wrong += "; " + first.peer.why()
	}
	row.Seen = c.b.m.store.Closest(first.peer.name, c.stream, first.since, bare(c.text), shown)
	for _, one := range bad[1:min(len(bad), shown)] {
		row.Seen = append(row.Seen, fmt.Sprintf("%s: %s", one.peer.name, wrong(one)))
	}
	if rest := len(bad) - shown; rest > 0 {
		row.Seen = append(row.Seen, fmt.Sprintf("and %d peers more", rest))
	}
	row.Last = c.b.m.lastOf(first.peer.name, c.stream)
}

// bare is the text of a pattern without its quotes, to compare others with.
func bare(pattern string) string { return strings.Trim(pattern, `"/`) }

// lastOf are the last events of a peer that have to do with a stream.
func (m *Machine) lastOf(name, stream string) []string {
	var lines []string
	for _, e := range m.store.Last(name, "", 0, 200) {
		if e.Type == stream || e.Type == journal.TypeMember || e.Type == journal.TypeCommand || e.Type == journal.TypeNet {
			lines = append(lines, m.eventLine(e))
		}
	}
	return lines[max(0, len(lines)-shown):]
}

func (m *Machine) eventLine(e journal.Event) string {
	return fmt.Sprintf("%8.3f s  %s %s %s", e.Time.Sub(m.result.Started).Seconds(), e.Peer, e.Type, e.Text)
}

// events names the events that a statement counts.
func events(stream string, p language.Pattern) string {
	return strings.TrimSpace(stream + " " + p.Text)
}

// fragile tells whether a count that is met can be broken by more events, so
// that it has to hold for a moment.
func fragile(op language.Op) bool {
	return op != language.AtLeast && op != language.MoreThan
}

// most is the highest number that meets a count, or -1.
func most(c language.Count) int {
	switch c.Op {
	case language.Equal, language.AtMost:
		return c.N
	case language.LessThan:
		return c.N - 1
	}
	return -1
}

// expect waits for events.
func (b *branch) expect(st language.Statement, do language.Expect, row *report.Row) {
	m := b.m
	names, err := b.targets(do.Targets, st.Pos)
	if err != nil {
		fail(row, err.Error())
		return
	}
	if do.Count.Op == "" {
		do.Count = language.Count{Op: language.AtLeast, N: 1}
	}
	since, from := b.from(do.Since, names)
	within := m.within(do.Within)
	row.Expected = fmt.Sprintf("%s: %s, count %s %d, %s, within %s", do.Targets.Text, events(do.Stream, do.Pattern), do.Count.Op, do.Count.N, from, within)
	all, err := b.counts(names, do.Stream, do.Pattern, since, func(n int) bool { return do.Count.Op.Holds(n, do.Count.N) })
	if err != nil {
		fail(row, err.Error())
		return
	}
	defer all.stop()
	limit := most(do.Count)
	err = b.wait(m.now.Add(within), func() bool { return all.short == 0 || all.hopeless(limit) })
	if all.short == 0 && fragile(do.Count.Op) {
		err = b.wait(m.now.Add(m.cfg.Hold), func() bool { return all.short > 0 })
	}
	if err == nil || errors.Is(err, errTime) {
		b.fence(names)
	}
	row.Status = report.OK
	all.tell(row, func(one *count) string {
		return fmt.Sprintf("expected count %s %d, seen %d", do.Count.Op, do.Count.N, one.watch.Seen())
	})
}

// never watches for events that must not come.
func (b *branch) never(st language.Statement, do language.Never, row *report.Row) {
	m := b.m
	names, err := b.running(do.Targets, st.Pos)
	if err != nil {
		fail(row, err.Error())
		return
	}
	since, from := b.from(do.Since, names)
	row.Expected = fmt.Sprintf("%s: no %s, %s, for %s", do.Targets.Text, events(do.Stream, do.Pattern), from, do.For)
	all, err := b.counts(names, do.Stream, do.Pattern, since, func(n int) bool { return n == 0 })
	if err != nil {
		fail(row, err.Error())
		return
	}
	defer all.stop()
	if err := b.wait(m.now.Add(do.For), func() bool { return all.short > 0 }); errors.Is(err, errTime) {
		b.fence(names)
	} else if err != nil {
		return
	}
	row.Status = report.OK
	all.tell(row, func(one *count) string { return fmt.Sprintf("expected none, seen %d", one.watch.Seen()) })
}

// running are targets that can be asked what they see now.
func (b *branch) running(t language.Targets, pos language.Pos) ([]string, error) {
	names, err := b.targets(t, pos)
	for _, name := range names {
		if why := b.m.peers[name].why(); err == nil && why != "" && b.m.peers[name].stuck == "" {
			err = errors.New(why)
		}
	}
	return names, err
}

// states follows a predicate at several targets.
type states struct {
	b      *branch
	do     language.Predicate
	names  []string
	want   func(name string) []string
	lives  uint64 // of the machine, when it was looked at last
	held   bool
	first  string   // who does not hold it
	others []string // they too
	seen   string   // what first sees
}

func (b *branch) states(p language.Predicate, targets language.Targets, pos language.Pos) (*states, error) {
	names, err := b.running(targets, pos)
	if err != nil {
		return nil, err
	}
	s := &states{b: b, do: p, names: names, want: func(string) []string { return nil }}
	if p.Subject == language.Members || p.Subject == language.Chat {
		if s.want, err = b.wanted(p.Names, pos); err != nil {
			return nil, err
		}
	}
	s.look()
	return s, nil
}

// wanted are the names in a predicate, for each target: $self stands for it.
func (b *branch) wanted(t language.Targets, pos language.Pos) (func(name string) []string, error) {
	others := language.Targets{Text: t.Text}
	self := false
	for _, term := range t.Terms {
		if term.Kind == language.Named && term.Name == "$self" {
			self = true
		} else {
			others.Terms = append(others.Terms, term)
		}
	}
	var names []string
	if len(others.Terms) > 0 {
		var err error
		if names, err = b.targets(others, pos); err != nil {
			return nil, err
		}
	}
	return func(name string) []string {
		if self {
			return append(slices.Clone(names), name)
		}
		return names
	}, nil
}

// look asks all targets, if anything has changed.
func (s *states) look() bool {
	if s.lives == s.b.m.lives && s.lives != 0 {
		return s.held
	}
	s.lives, s.held, s.others = s.b.m.lives, true, nil
	for _, name := range s.names {
		p := s.b.m.peers[name]
		ok, seen := s.b.m.sees(p).Holds(s.do, s.want(name), expandSelf(s.do.Peer, name))
		if p.link == nil {
			ok, seen = false, p.why()
		}
		switch {
		case ok:
		case s.held:
			s.held, s.first, s.seen = false, name, seen
		default:
			s.others = append(s.others, fmt.Sprintf("%s: %s", name, seen))
		}
	}
	return s.held
}

// dead tells whether a target has ended, so that waiting is of no use.
func (s *states) dead() bool {
	return slices.ContainsFunc(s.names, func(n string) bool { return s.b.m.peers[n].gone != nil })
}

// tell fails the row for the targets at which it does not hold.
func (s *states) tell(row *report.Row, wrong string) {
	row.Peer = s.first
	fail(row, fmt.Sprintf("%s: %s", s.first, wrong))
	row.Seen = append([]string{s.seen}, s.others[:min(len(s.others), shown-1)]...)
	if rest := len(s.others) - shown + 1; rest > 0 {
		row.Seen = append(row.Seen, fmt.Sprintf("and %d peers more", rest))
	}
	row.Last = s.b.m.lastOf(s.first, journal.TypeMember)
}

// await waits until a state holds at all targets at once.
func (b *branch) await(st language.Statement, do language.Await, row *report.Row) {
	within := b.m.within(do.Within)
	row.Expected = fmt.Sprintf("%s: %s within %s", do.Targets.Text, do.Predicate.Text, within)
	s, err := b.states(do.Predicate, do.Targets, st.Pos)
	if err != nil {
		fail(row, err.Error())
		return
	}
	err = b.wait(b.m.now.Add(within), func() bool { return s.look() || s.dead() })
	switch {
	case s.held:
		row.Status = report.OK
	case err == nil || errors.Is(err, errTime):
		s.tell(row, fmt.Sprintf("%s did not hold within %s", do.Predicate.Text, within))
	}
}

// stable watches a state that must hold without a break.
func (b *branch) stable(st language.Statement, do language.Stable, row *report.Row) {
	row.Expected = fmt.Sprintf("%s: %s, without a break for %s", do.Targets.Text, do.Predicate.Text, do.For)
	names, err := b.running(do.Targets, st.Pos)
	if err != nil {
		fail(row, err.Error())
		return
	}
	b.fence(names)
	s, err := b.states(do.Predicate, do.Targets, st.Pos)
	if err != nil {
		fail(row, err.Error())
		return
	}
	began := b.m.now
	err = b.wait(began.Add(do.For), func() bool { return !s.look() })
	if errors.Is(err, errTime) {
		b.fence(names)
	}
	switch {
	case !s.look():
		s.tell(row, fmt.Sprintf("%s did not hold after %s", do.Predicate.Text, b.m.now.Sub(began)))
	case errors.Is(err, errTime):
		row.Status = report.OK
	}
}

// converged waits until the live peers see each other as they are, and have
// stayed so for a while.
func (b *branch) converged(st language.Statement, do language.Converged, row *report.Row) {
	m := b.m
	within := m.within(do.Within)
	row.Expected = fmt.Sprintf("all live peers see each other, unchanged for %s, within %s", m.cfg.Settle, within)
	var group []string
	if do.Group != nil {
		var err error
		if group, err = b.targets(*do.Group, st.Pos); err != nil {
			fail(row, err.Error())
			return
		}
		row.Expected = fmt.Sprintf("the live peers of %s see each other and nobody else, unchanged for %s, within %s", do.Group.Text, m.cfg.Settle, within)
	}
	if len(m.views.Live(group)) == 0 {
		row.Status, row.Wrong = report.Miss, "no peer is ready: no init has succeeded, or all have left"
		return
	}
	err := b.wait(m.now.Add(within), b.settled(group))
	switch {
	case err == nil:
		row.Status = report.OK
	case errors.Is(err, errTime):
		b.notConverged(group, within, row)
	}
}

// settled tells whether the peers have converged for long enough. It looks
// again when anything has changed, and when the time may have come.
func (b *branch) settled(group []string) func() bool {
	m := b.m
	var version uint64
	var since time.Time
	known, holds := false, false
	return func() bool {
		if v := m.views.Version(); !known || v != version {
			since, holds = m.views.Converged(group)
			known, version = true, v
		}
		if !holds {
			return false
		}
		m.wakeAt(since.Add(m.cfg.Settle))
		return !m.now.Before(since.Add(m.cfg.Settle))
	}
}

func (b *branch) notConverged(group []string, within time.Duration, row *report.Row) {
	fail(row, fmt.Sprintf("the peers have not converged: not within %s", within))
	if row.Seen = b.m.views.Missing(group); row.Seen == nil {
		row.Seen = []string{"they converged, and did not stay so for " + b.m.cfg.Settle.String()}
	}
	if rest := len(row.Seen) - 2*shown; rest > 0 {
		row.Seen = append(row.Seen[:2*shown], fmt.Sprintf("and %d more", rest))
	}
}
