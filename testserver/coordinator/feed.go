package coordinator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Fed is a statement that comes while the script runs: somebody writes it as
// he goes along, a test in Go for example. The one that comes first is run
// first; a failure stops none that come later.
//
// It is received only when all that came before it has been run. So a run in a
// synctest bubble may be fed from outside of it: while the channel is waited
// for, virtual time stands still.
type Fed struct {
	// Statement is what to do, unless Heal or Look is set; it may be Deferred.
	// Its place and text are those of the row in any case. A body is run with
	// it.
	Statement language.Statement
	// Heal undoes the fault of that number, see Outcome.
	Heal int
	// Look judges the whole journal so far, of all peers and in the order in
	// which it came. It must not keep or modify it.
	Look func([]journal.Event) error

	// Done is told how it went, and must not block. It is not called when the
	// run ends before that.
	Done func(Outcome)
}

// Outcome is what has become of a Fed.
type Outcome struct {
	Rows  []report.Row // of what was run; none for a phase
	Fault int          // the number of the fault that is in force since then; 0 for none
	// Outputs are what the command printed, by peer.
	Outputs map[string]string
}

// feeding is what a Machine has been fed.
type feeding struct {
	waiting []Fed
	over    bool
	hungry  bool // the body waits for more
}

// Hungry tells whether the script waits for what it is fed.
func (m *Machine) Hungry() bool { return m.feeding.hungry }

// Feed adds a statement; without more to come, none, and the script ends.
func (m *Machine) Feed(f Fed, more bool) {
	m.feeding.hungry = false
	if !more {
		m.feeding.over = true
		return
	}
	m.feeding.waiting = append(m.feeding.waiting, f)
}

// fed runs what comes, until nothing does any more. The error is why the
// branch was cancelled.
func (b *branch) fed() error {
	f := &b.m.feeding
	defer func() { f.hungry = false }()
	for {
		f.hungry = len(f.waiting) == 0
		if err := b.wait(time.Time{}, func() bool { return len(f.waiting) > 0 || f.over }); err != nil {
			return err
		}
		if len(f.waiting) == 0 {
			return nil
		}
		one := f.waiting[0]
		f.waiting = f.waiting[1:]
		b.runFed(one)
		if b.cause != nil {
			return b.cause
		}
	}
}

// runFed runs one statement and tells how it went.
func (b *branch) runFed(f Fed) {
	m := b.m
	rows, fault, last := len(m.rows), m.lastFault, b.last
	switch {
	case f.Look != nil:
		_ = b.step(f.Statement, report.KindAssert, func(row *report.Row) { b.look(f, row) }) // its row says it
	case f.Heal > 0:
		_ = b.step(f.Statement, report.KindStep, func(row *report.Row) { b.healOne(f.Heal, row) })
	default:
		_ = b.statement(f.Statement)
	}
	out := Outcome{Outputs: map[string]string{}}
	for _, row := range m.rows[rows:] {
		out.Rows = append(out.Rows, *row)
	}
	if m.lastFault > fault && m.faultOf(m.lastFault) != nil {
		out.Fault = m.lastFault
	}
	if len(b.last) == 0 || len(last) > 0 && &last[0] == &b.last[0] {
		f.Done(out)
		return // it was no command
	}
	for _, a := range b.last {
		out.Outputs[a.peer.name] = strings.TrimRight(a.result.Output, "\n")
	}
	f.Done(out)
}

// look has somebody else judge the journal.
func (b *branch) look(f Fed, row *report.Row) {
	row.Expected = "the check finds nothing wrong"
	b.fence(b.m.names)
	if err := f.Look(b.m.store.Events()); err != nil {
		text, rest, _ := strings.Cut(err.Error(), "\n")
		fail(row, text)
		if rest != "" {
			row.Seen = strings.Split(strings.TrimRight(rest, "\n"), "\n")
		}
		return
	}
	row.Status = report.OK
}

// faultOf is the fault of that number, if it is in force.
func (m *Machine) faultOf(number int) *fault {
	i := slices.IndexFunc(m.faults, func(f *fault) bool { return f.number == number })
	if i < 0 {
		return nil
	}
	return m.faults[i]
}

// healOne undoes one fault.
func (b *branch) healOne(number int, row *report.Row) {
	f := b.m.faultOf(number)
	if f == nil {
		fail(row, fmt.Sprintf("fault %d is not in force any more", number))
		return
	}
	row.Expected = "the fault is undone at all that it concerned"
	if err := b.end(f); err != nil {
		fail(row, err.Error())
		return
	}
	row.Status = report.OK
}
