package coordinator

import (
	"iter"
	"maps"
	"time"

	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/report"
)

// branch is one flow of a script: its body, a statement of a par block, one
// in the background. Its code reads from top to bottom; where it waits, it
// yields to the machine, which goes on with it when the time has come.
type branch struct {
	m      *Machine
	kids   []*branch
	over   bool
	err    error
	cause  error // why it has been cancelled
	shield int   // while it is above zero, waits are not cancelled
	cut    bool  // its statement has been cut off while it waited

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	ready func() bool // what it waits for; nil before it has begun
	until time.Time   // when that is of no use any more; zero for never

	vars  map[string]string
	set   map[string]string // of them, those that this branch has set
	last  []answer          // of its last command
	phase int               // index in the result
	since judge.Cut         // where the phase began
	row   *report.Row       // the first of its rows that failed or was missed
}

// branch begins a new branch at the next turn. It inherits from parent.
func (m *Machine) branch(parent *branch, body func(*branch) error) *branch {
	b := &branch{m: m, vars: map[string]string{}, set: map[string]string{}}
	if parent != nil {
		parent.kids = append(parent.kids, b)
		b.vars, b.last = maps.Clone(parent.vars), parent.last
		b.phase, b.since = parent.phase, parent.since
	}
	b.next, b.stop = iter.Pull(func(yield func(struct{}) bool) {
		b.yield = yield
		b.err = body(b)
	})
	m.branches = append(m.branches, b)
	return b
}

// due tells whether the branch can go on.
func (b *branch) due() bool {
	return !b.over && (b.ready == nil || b.cause != nil && b.shield == 0 || b.ready() || b.late())
}

func (b *branch) late() bool { return !b.until.IsZero() && !b.m.now.Before(b.until) }

func (b *branch) resume() {
	if _, more := b.next(); !more {
		b.over, b.until = true, time.Time{}
	}
}

// wait yields until ready says so; that costs nothing if it does at once. The
// error is errTime when the time until which it waits has come (zero for
// never), or why the branch was cancelled.
func (b *branch) wait(until time.Time, ready func() bool) error {
	for {
		b.ready, b.until = ready, until
		switch {
		case b.cause != nil && b.shield == 0:
			b.cut = true
			return b.cause
		case ready():
			return nil
		case b.late():
			return errTime
		}
		if !b.yield(struct{}{}) {
			b.cause, b.shield = errStopped, 0
			return errStopped
		}
	}
}

// never is what waits only for the time to pass.
func never() bool { return false }

// shielded runs what has to be done though the branch has been cancelled.
// Its waits need deadlines.
func (b *branch) shielded(do func()) {
	b.shield++
	do()
	b.shield = max(0, b.shield-1) // the end of the world takes shields away
}

// cancel ends the branch and those that it has begun, as soon as they wait.
func (b *branch) cancel(why error) {
	if b.cause == nil {
		b.cause = why
	}
	for _, k := range b.kids {
		k.cancel(why)
	}
}

// join waits for another branch to be over, cancelled or not: it is, soon
// after it has been cancelled.
func (b *branch) join(o *branch) {
	b.shielded(func() { _ = b.wait(time.Time{}, func() bool { return o.over }) })
}

// let sets a variable.
func (b *branch) let(name, value string) { b.vars[name], b.set[name] = value, value }

// expand is what becomes of a text at a target.
func (b *branch) expand(self string) func(string) string {
	return func(text string) string { return expandSelf(text, self) }
}
