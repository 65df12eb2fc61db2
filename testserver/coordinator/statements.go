package coordinator

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// errFailed ends a branch in which a statement has failed or was missed: what
// follows it would be about another state than the one that was meant.
var errFailed = errors.New("a statement has failed")

// statements runs statements one after another, to the first failure.
func (b *branch) statements(list []language.Statement) error {
	for _, st := range list {
		if err := b.statement(st); err != nil {
			return err
		}
	}
	return nil
}

// statement runs one statement. The error is errFailed, or why the branch
// has been cancelled.
func (b *branch) statement(st language.Statement) error {
	m := b.m
	if b.cause != nil && b.shield == 0 {
		return b.cause
	}
	m.reached[st.Pos] = true
	if !m.met(st.Conditions) {
		b.skip(st)
		return nil
	}
	if st.Deferred {
		resolved, err := language.Resolve(m.cfg.Script, st, b.vars)
		if err != nil {
			return b.step(st, report.KindStep, func(row *report.Row) { fail(row, message(err)) })
		}
		st = resolved
		st.Text = language.Expand(st.Text, b.vars)
	}
	if kind := kindOf(st); kind != "" && !isBlock(st) {
		return b.step(st, kind, func(row *report.Row) { b.act(st, row) })
	}
	return b.control(st)
}

// skip leaves a statement out, with all that is in it.
func (b *branch) skip(st language.Statement) {
	b.m.reachedAll(st.Body)
	if kind := kindOf(st); kind != "" {
		row := b.m.newRow(st, kind, b.phase)
		row.Status, row.Wrong = report.Skipped, "its condition does not hold"
		b.m.decided(row)
	}
}

// isBlock tells a fault with a body, whose row is made beside that.
func isBlock(st language.Statement) bool {
	do, is := st.Do.(language.Fault)
	return is && do.Block
}

// reachedAll notes the statements of a body that is left out, so that they
// are not said to be missed.
func (m *Machine) reachedAll(list []language.Statement) {
	for _, st := range list {
		m.reached[st.Pos] = true
		m.reachedAll(st.Body)
	}
}

// kindOf is the kind of the statement's row; empty if it has none, because it
// only holds others together.
func kindOf(st language.Statement) string {
	switch st.Do.(type) {
	case language.Command:
		return report.KindCommand
	case language.Output, language.Expect, language.Never, language.Await, language.Stable, language.Check:
		return report.KindAssert
	case language.Converged:
		if st.Inserted {
			return report.KindInserted
		}
		return report.KindAssert
	case language.Life, language.Fault, language.Heal, language.Nemesis, language.Sleep, language.Join, language.Mark:
		return report.KindStep
	}
	if st.Deferred {
		return report.KindStep // what it would have been is not known
	}
	return ""
}

// act does what a statement with a row says, and decides the row.
func (b *branch) act(st language.Statement, row *report.Row) {
	switch do := st.Do.(type) {
	case language.Command:
		b.command(st, do, row)
	case language.Output:
		b.output(do, row)
	case language.Expect:
		b.expect(st, do, row)
	case language.Never:
		b.never(st, do, row)
	case language.Await:
		b.await(st, do, row)
	case language.Stable:
		b.stable(st, do, row)
	case language.Converged:
		b.converged(st, do, row)
	case language.Check:
		b.check(do, row)
	case language.Life:
		b.life(st, do, row)
	case language.Fault:
		b.fault(st, do, row)
	case language.Heal:
		b.heal(row)
	case language.Nemesis:
		b.nemesis(st, do, row)
	case language.Sleep:
		if errors.Is(b.wait(b.m.now.Add(do.For), never), errTime) {
			row.Status = report.OK
		}
	case language.Join:
		b.joinNamed(do, row)
	case language.Mark:
		b.fence(b.m.names)
		b.m.marks[do.Name] = b.m.store.Cut()
		row.Status = report.OK
	default:
		fail(row, fmt.Sprintf("this test server does not know what to do with %T", do))
	}
}

// control runs a statement that holds others together.
func (b *branch) control(st language.Statement) error {
	switch do := st.Do.(type) {
	case language.Phase:
		b.beginPhase(st, do.Title)
		return nil
	case language.Par:
		return b.par(st)
	case language.Repeat:
		for range do.Times {
			if err := b.statements(st.Body); err != nil {
				return err
			}
		}
		return nil
	case language.For:
		return b.each(st, do)
	case language.Background:
		b.m.bgs[do.Name] = b.m.branch(b, func(k *branch) error { return k.statements(st.Body) })
		return nil
	case language.Fault:
		return b.faultBlock(st, do)
	}
	return b.step(st, report.KindStep, func(row *report.Row) {
		fail(row, fmt.Sprintf("this test server does not know what to do with %T", st.Do))
	})
}

// step runs a statement under a row of its own. do decides the row, unless
// the branch is cancelled.
func (b *branch) step(st language.Statement, kind string, do func(*report.Row)) error {
	row := b.m.newRow(st, kind, b.phase)
	b.decide(row, do)
	switch row.Status {
	case report.OK, report.Skipped:
		return nil
	case report.Cancelled:
		return b.cause
	}
	if b.row == nil {
		b.row = row
	}
	if b.cause != nil && b.shield == 0 {
		return b.cause
	}
	return errFailed
}

// decide has do decide a row. A statement that was cut off while it waited has
// shown nothing, whatever it made of that.
func (b *branch) decide(row *report.Row, do func(*report.Row)) {
	began := b.m.now
	row.StartMS = b.m.ms(began)
	b.cut = false
	do(row)
	row.DurationMS = float64(b.m.now.Sub(began).Microseconds()) / 1000
	if b.cut && row.Status != report.OK {
		row.Status, row.Wrong, row.Seen, row.Last = report.Miss, b.cause.Error(), nil, nil
		if errors.Is(b.cause, errCancelled) {
			row.Status = report.Cancelled
		}
	}
	b.m.decided(row)
}

// newRow adds a row that is not decided yet.
func (m *Machine) newRow(st language.Statement, kind string, phase int) *report.Row {
	row := &report.Row{
		Kind: kind, Text: st.Text, File: st.Pos.File, Line: st.Pos.Line, Col: st.Pos.Col,
		Comment: st.Comment, Phase: phase, Asserts: kind == report.KindCommand && st.Outcome == language.MustFail,
	}
	m.rows = append(m.rows, row)
	return row
}

// decided writes a row down when it is decided.
func (m *Machine) decided(row *report.Row) {
	if row.Status == report.Fail {
		m.wrong()
		row.Faults = m.inForce()
	}
	m.work.Rows = append(m.work.Rows, *row)
	m.ownScript(row)
}

// fail decides a row, with one line about what is wrong.
func fail(row *report.Row, wrong string) {
	row.Status, row.Wrong = report.Fail, strings.ReplaceAll(wrong, "\n", "; ")
}

// beginPhase begins a section of the report, and the time from which on its
// assertions count.
func (b *branch) beginPhase(st language.Statement, title string) {
	m := b.m
	b.fence(m.names)
	m.endPhase()
	m.result.Phases = append(m.result.Phases, report.Phase{Title: title, Line: st.Pos.Line, StartMS: m.ms(m.now)})
	b.phase, b.since = len(m.result.Phases)-1, m.store.Cut()
}

// par runs the statements of a body at once. The first failure cancels the
// others.
func (b *branch) par(st language.Statement) error {
	var kids []*branch
	for _, one := range st.Body {
		kids = append(kids, b.m.branch(b, func(k *branch) error { return k.statement(one) }))
	}
	running, failed := 0, (*branch)(nil)
	_ = b.wait(time.Time{}, func() bool {
		running = 0
		for _, k := range kids {
			if !k.over {
				running++
			} else if k.err != nil && failed == nil {
				failed = k
			}
		}
		return running == 0 || failed != nil
	})
	for _, k := range kids {
		if failed != nil {
			k.cancel(errCancelled)
		}
		b.join(k)
	}
	b.kids = nil
	if failed != nil {
		if b.row == nil {
			b.row = failed.row
		}
		return errFailed
	}
	if b.cause != nil && b.shield == 0 {
		return b.cause
	}
	for _, k := range kids {
		maps.Copy(b.vars, k.set)
		maps.Copy(b.set, k.set)
	}
	return nil
}

// each runs a body for each target.
func (b *branch) each(st language.Statement, do language.For) error {
	names, err := b.targets(do.Targets, st.Pos)
	if err != nil {
		return b.step(st, report.KindStep, func(row *report.Row) { fail(row, err.Error()) })
	}
	for _, name := range names {
		b.let(do.Var, name)
		if err := b.statements(st.Body); err != nil {
			return err
		}
	}
	return nil
}

// joinNamed waits for a branch in the background.
func (b *branch) joinNamed(do language.Join, row *report.Row) {
	m := b.m
	bg := m.bgs[do.Name]
	if bg == nil {
		fail(row, fmt.Sprintf("nothing called %s was begun in the background", do.Name))
		return
	}
	within := m.within(do.Within)
	row.Expected = fmt.Sprintf("%s ends within %s, and nothing in it fails", do.Name, within)
	if err := b.wait(m.now.Add(within), func() bool { return bg.over }); err != nil {
		fail(row, fmt.Sprintf("%s still runs after %s", do.Name, within))
		return
	}
	delete(m.bgs, do.Name)
	if bg.err != nil {
		fail(row, fmt.Sprintf("%s has failed%s", do.Name, placeOf(bg.row)))
		return
	}
	maps.Copy(b.vars, bg.set)
	row.Status = report.OK
}

func placeOf(row *report.Row) string {
	if row == nil {
		return ""
	}
	return fmt.Sprintf(" at %s:%d: %s", row.File, row.Line, row.Wrong)
}

// within is the deadline of a wait that names none.
func (m *Machine) within(d time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	if m.cfg.Script.Timeout > 0 {
		return m.cfg.Script.Timeout
	}
	return language.DefaultTimeout
}

// from is the point in time from which on a statement counts events, and its
// words.
func (b *branch) from(s language.Since, names []string) (judge.Cut, string) {
	m := b.m
	switch s.From {
	case language.SinceStart:
		return judge.Cut{}, "since the start"
	case language.SinceNow:
		b.fence(names)
		return m.store.Cut(), "since now"
	case language.SinceMark:
		return m.marks[s.Mark], "since mark:" + s.Mark
	}
	if title := m.result.Phases[b.phase].Title; title != "" {
		return b.since, fmt.Sprintf("since the phase %q began", title)
	}
	return b.since, "since the start"
}

func place(pos language.Pos) string { return fmt.Sprintf("%s:%d", pos.File, pos.Line) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// expandSelf expands what is left to be expanded at each target.
func expandSelf(text, self string) string {
	return language.Expand(text, map[string]string{"self": self})
}

// message is an error of the language without its place, which the row has.
func message(err error) string {
	var e *language.Error
	if errors.As(err, &e) {
		return e.Msg
	}
	return err.Error()
}
