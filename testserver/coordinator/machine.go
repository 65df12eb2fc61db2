package coordinator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Machine is one run as a state machine: what the world says goes in with the
// time at which it was said, what is to be written down comes out. It gives
// its orders to the world and to the peers' drivers by calls that do not
// block. It has no clock, no channels and no goroutines that run beside its
// caller; each branch of the script is a coroutine that yields while it waits.
type Machine struct {
	cfg   Config
	now   time.Time
	store *judge.Store
	views *judge.Views

	peers map[string]*peer
	names []string // as the script has them; spawned ones behind

	branches []*branch
	main     *branch
	script   *branch // the body; nil before and after
	bgs      map[string]*branch
	marks    map[string]judge.Cut
	drawn    map[language.Pos]uint64

	alarm     time.Time // when a condition that waits may come true by itself
	orders    map[uint64]*order
	lastOrder uint64
	lives     uint64 // changes when a peer comes, goes, stops or goes on
	listed    []string
	faults    []*fault
	lastFault int
	nemeses   uint64 // until now

	result  report.Result
	rows    []*report.Row
	reached map[language.Pos]bool
	events  []*event // rows of filters, behind the others
	filters []*filter
	inRow   *report.Row // the line of the original form that runs

	feeding feeding

	preparing []preparing
	prepared  bool

	work     Work
	seq      uint64 // of the run's own journal
	matrix   []string
	failed   bool  // something is wrong already
	why      error // why the script was cut off
	worldErr error
	ending   bool // the script is done: ends of peers are expected
}

// Work is what a step has brought that is to be kept.
type Work struct {
	Journal [][]byte     // lines, in order
	Rows    []report.Row // those that were decided
}

// Sentinels of ends that are no failures of a statement.
var (
	errTime      = errors.New("the time is up")
	errCancelled = errors.New("another branch has failed")
	errUnjoined  = errors.New("the script was over first; join it")
	errStopped   = errors.New("stopped")
	errBudget    = errors.New("the budget of the run is used up")
	errTidy      = errors.New("the time of the cleanup is up")
	errWorld     = errors.New("the world has ended")
	// ErrInterrupted is why a run ends early that its caller has ended.
	ErrInterrupted = errors.New("the run was interrupted")
)

// NewMachine returns a Machine for one run, which begins now. Step begins it.
func NewMachine(cfg Config, now time.Time) *Machine {
	cfg.defaults()
	m := &Machine{
		cfg: cfg, now: now, store: judge.NewStore(), views: judge.NewViews(),
		peers: map[string]*peer{}, bgs: map[string]*branch{}, marks: map[string]judge.Cut{},
		drawn: map[language.Pos]uint64{}, orders: map[uint64]*order{}, reached: map[language.Pos]bool{},
		result: cfg.Result,
	}
	s := cfg.Script
	m.result.Schema, m.result.Scenario, m.result.Path = report.Schema, s.Name, s.Path
	m.result.Verdict, m.result.ExitStatus = report.Running, report.Unknown.Status()
	m.result.Started = now
	m.result.Phases = []report.Phase{{}}
	m.store.Begin(self, 1)
	for _, name := range s.Peers {
		m.add(name)
	}
	m.main = m.branch(nil, (*branch).whole)
	return m
}

// add makes a peer known. It does not exist yet.
func (m *Machine) add(name string) {
	m.peers[name] = newPeer(name)
	m.names = append(m.names, name)
}

// Step goes on with everything that may go on now. It returns what is to be
// kept, when it wants to be called again at the latest (never, if that is
// zero), and whether the script and its cleanup are over.
func (m *Machine) Step(now time.Time) (w Work, wake time.Time, done bool) {
	m.now = now
	if deadline := m.result.Started.Add(m.cfg.Budget); m.script != nil && m.why == nil {
		if !now.Before(deadline) {
			m.Interrupt(fmt.Errorf("%w (%s)", errBudget, m.cfg.Budget))
		}
		wake = deadline
	}
	for m.turn() {
	}
	for _, b := range m.branches {
		wake = earlier(wake, b.until)
	}
	wake = earlier(earlier(wake, m.alarm), m.answerPrepared())
	return m.take(), wake, m.main.over
}

// turn lets each branch go on that can, and tells whether one did.
func (m *Machine) turn() bool {
	moved := false
	m.alarm = time.Time{}
	for i := 0; i < len(m.branches); i++ { // branches may begin others
		if b := m.branches[i]; b.due() {
			b.resume()
			moved = true
		}
	}
	m.branches = slices.DeleteFunc(m.branches, func(b *branch) bool { return b.over })
	return moved
}

// take is the work since the last time.
func (m *Machine) take() Work {
	w := m.work
	m.work = Work{}
	return w
}

// wakeAt has Step called at that time: a condition may come true by itself.
func (m *Machine) wakeAt(t time.Time) { m.alarm = earlier(m.alarm, t) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Interrupt cuts the script off; its cleanup still runs.
func (m *Machine) Interrupt(why error) {
	if m.why == nil {
		m.why = why
	}
	if m.script != nil {
		m.script.cancel(m.why)
	}
}

// Ended tells that the world has ended; before the end of the run it ought
// not to. err is why.
func (m *Machine) Ended(err error) {
	if err == nil {
		if m.ending {
			return
		}
		err = errWorld
	}
	m.worldErr = err
	for _, b := range m.branches {
		b.shield = 0
		b.cancel(err)
	}
}

// Ending tells that the world is being ended.
func (m *Machine) Ending() { m.ending = true }

// Abandon gives up all that still waits. Nothing goes on afterwards.
func (m *Machine) Abandon() {
	for _, b := range slices.Clone(m.branches) {
		b.stop()
		b.over = true
	}
}

// whole is the main branch: it is never cancelled, but by the end of the world.
func (b *branch) whole() error {
	m := b.m
	if m.cfg.Script.Skip != nil && m.met(m.cfg.Script.Skip.Conditions) {
		return nil
	}
	m.script = m.branch(b, (*branch).body)
	b.join(m.script)
	m.script = nil
	for _, bg := range m.bgs {
		bg.cancel(errUnjoined)
	}
	for _, name := range slices.Sorted(maps.Keys(m.bgs)) {
		b.join(m.bgs[name])
	}
	if !m.cfg.Script.Original {
		m.endPhase()
		m.addUnreached(m.cfg.Script.Body, len(m.result.Phases)-1)
	}
	if m.matrix == nil {
		m.matrix = m.matrixNow()
	}
	b.healAll()
	b.cleanup()
	b.lastFence()
	return m.worldErr
}

// body is the script without its cleanup.
func (b *branch) body() error {
	m := b.m
	for _, name := range m.cfg.Script.Peers {
		m.start(m.peers[name], false, m.cfg.Script.Files)
	}
	if m.cfg.Script.Original {
		b.original()
		b.judgeFilters()
		return nil
	}
	if !b.allAttached() {
		return errFailed
	}
	b.since = m.store.Cut()
	err := b.statements(m.cfg.Script.Body)
	if err == nil && m.cfg.Feed != nil {
		err = b.fed()
	}
	b.judgeFilters()
	return err
}

// cleanup runs the statements that always run, each whatever became of the
// others. They have a time of their own.
func (b *branch) cleanup() {
	m := b.m
	if len(m.cfg.Script.Cleanup) == 0 || m.worldErr != nil {
		return
	}
	m.endPhase()
	m.result.Phases = append(m.result.Phases, report.Phase{Title: "cleanup", Line: m.cfg.Script.Cleanup[0].Pos.Line, StartMS: m.ms(m.now)})
	phase := len(m.result.Phases) - 1
	end := m.now.Add(m.cfg.Cleanup)
	c := m.branch(b, func(c *branch) error {
		c.phase, c.since = phase, m.store.Cut()
		for _, st := range m.cfg.Script.Cleanup {
			if c.cause == nil {
				_ = c.statement(st) // its row says it
			}
		}
		return nil
	})
	if b.wait(end, func() bool { return c.over }) != nil {
		c.cancel(errTidy)
		b.join(c)
	}
}

// met tells whether the conditions hold.
func (m *Machine) met(cs []language.Condition) bool {
	return !slices.ContainsFunc(cs, func(c language.Condition) bool { return m.cfg.Holds(c.Word) == c.Not })
}

// ms is the time since the start of the run, in milliseconds.
func (m *Machine) ms(t time.Time) float64 {
	return float64(t.Sub(m.result.Started).Microseconds()) / 1000
}

// endPhase ends the last phase, if it has not ended.
func (m *Machine) endPhase() {
	if p := &m.result.Phases[len(m.result.Phases)-1]; p.EndMS == 0 {
		p.EndMS = m.ms(m.now)
	}
}

// maxProblems bounds the problems of a run that are kept.
const maxProblems = 100

func (m *Machine) problem(p report.Problem) {
	m.wrong()
	if len(m.result.Problems) < maxProblems {
		m.result.Problems = append(m.result.Problems, p)
	}
}

// wrong keeps who sees whom at the first thing that goes wrong.
func (m *Machine) wrong() {
	if !m.failed {
		m.failed = true
		if m.script != nil || m.matrix == nil {
			m.matrix = m.matrixNow()
		}
	}
}

// Result is the run so far. It must not be modified, and is valid until the
// next call of a method.
func (m *Machine) Result() *report.Result {
	m.result.Rows = m.result.Rows[:0]
	for _, r := range m.rows {
		m.result.Rows = append(m.result.Rows, *r)
	}
	for _, e := range m.events {
		m.result.Rows = append(m.result.Rows, e.row)
	}
	m.result.DurationMS = m.now.Sub(m.result.Started).Milliseconds()
	return &m.result
}

// Finish decides how it all ended, when the world has ended.
func (m *Machine) Finish(now time.Time) *report.Result {
	m.now = now
	if m.worldErr == nil {
		m.endPhase()
	} else {
		m.problem(report.Problem{Harness: true, Text: m.worldErr.Error()})
	}
	m.missOpen()
	for _, name := range m.names {
		m.result.Peers = append(m.result.Peers, m.peers[name].report())
	}
	r := m.Result()
	m.decide(r)
	if r.Verdict != report.Passed {
		r.Matrix = m.matrix
	}
	return r
}

func (m *Machine) decide(r *report.Result) {
	s := m.cfg.Script
	switch {
	case s.Skip != nil && m.met(s.Skip.Conditions) && m.worldErr == nil:
		r.Verdict, r.Why = report.NotRun, s.Skip.Reason
		r.ExitStatus = r.Verdict.Status()
		return
	case errors.Is(m.why, ErrInterrupted):
		r.Verdict, r.Why = report.Interrupted, ErrInterrupted.Error()
		r.ExitStatus = r.Verdict.Status()
		return
	}
	r.Decide()
	if s.Fails != nil && m.met(s.Fails.Conditions) {
		r.Expect(s.Fails.Reason)
	}
}

// missOpen says of what was not decided why.
func (m *Machine) missOpen() {
	why := m.whyMissed()
	for _, r := range m.rows {
		if r.Status == report.Open {
			r.Status, r.Wrong = report.Miss, why
		}
	}
	for _, e := range m.events {
		if e.row.Status == report.Open {
			e.row.Status, e.row.Wrong = report.Miss, why
		}
	}
}

// whyMissed is why what was not reached was not.
func (m *Machine) whyMissed() string {
	f := m.firstFailure()
	switch {
	case m.why != nil:
		return m.why.Error()
	case m.worldErr != nil:
		return m.worldErr.Error()
	case f != "":
		return "not run, after the failure at " + f
	}
	return "not reached"
}

// addUnreached adds rows, and phases, for statements that were not reached.
func (m *Machine) addUnreached(list []language.Statement, phase int) {
	why := m.whyMissed()
	for _, st := range list {
		if title, is := st.Do.(language.Phase); is && !m.reached[st.Pos] {
			m.result.Phases = append(m.result.Phases, report.Phase{Title: title.Title, Line: st.Pos.Line, StartMS: m.ms(m.now), EndMS: m.ms(m.now)})
			phase = len(m.result.Phases) - 1
		}
		if kind := kindOf(st); kind != "" && !m.reached[st.Pos] {
			row := m.newRow(st, kind, phase)
			row.Status, row.Wrong = report.Miss, why
		}
		m.addUnreached(st.Body, phase)
	}
}

// firstFailure is the place of the first row that failed, or was missed.
func (m *Machine) firstFailure() string {
	for _, r := range m.rows {
		if r.Status == report.Fail {
			return fmt.Sprintf("%s:%d", r.File, r.Line)
		}
	}
	for _, r := range m.rows {
		if r.Status == report.Miss && r.Line > 0 {
			return fmt.Sprintf("%s:%d", r.File, r.Line)
		}
	}
	return ""
}

// Handle takes what the world says.
func (m *Machine) Handle(now time.Time, msg Message) {
	m.now = now
	switch b := msg.Body.(type) {
	case Done:
		m.done(b)
		return
	case Listed:
		m.listed = slices.Clone(b.Names)
		m.lives++
		return
	}
	p := m.peers[msg.Peer]
	if p == nil {
		return
	}
	switch b := msg.Body.(type) {
	case testlink.Opened:
		m.opened(p, msg.Link, b.Hello)
	case testlink.Recorded:
		m.recorded(p, b)
	case testlink.Status:
		m.status(p, b)
	case testlink.Finished:
		p.finished(b)
	case testlink.Asked:
		m.asked(p, b)
	case testlink.Fenced:
		m.fenced(p, b)
	case testlink.Faulted:
		p.faulted(b)
	case testlink.Closed:
		m.closed(p, b)
	case Gone:
		m.gone(p, b)
	}
	p.silent = false
}
