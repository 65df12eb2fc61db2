package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Scenario is one that a test writes as it goes along. Its peers start with
// the first step, and end with the test. Steps are methods; each returns when
// it has been done, or ends the test. Only the goroutine of the test may call
// them.
type Scenario struct {
	t      *testing.T
	opts   []Option
	script *language.Script
	marks  int
	steps  strings.Builder // that were done, as lines

	feed chan coordinator.Fed // nil before the first step, and after the end
	over chan struct{}        // the run has ended
	// Of the run, when it has ended:
	result *report.Result
	err    error
}

// Event is one event of a run's journal; docs/scenarios.md has the types.
type Event = journal.Event

// New returns a scenario with these peers. A range such as "p[1..50]" stands
// for as many.
func New(t *testing.T, peers ...string) *Scenario {
	t.Helper()
	source := "peers " + strings.Join(peers, " ")
	parsed, err := language.Parse(t.Name(), []byte(source+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	// Names are read from the script at every step, so that it may grow.
	return &Scenario{t: t, script: &language.Script{
		Name: strings.ReplaceAll(t.Name(), "/", "-"), Path: t.Name(),
		Source: "# The steps of " + t.Name() + ".\n" + source + "\n",
		Peers:  parsed.Peers, Groups: parsed.Groups, Timeout: language.DefaultTimeout,
	}}
}

// Configure adds options, before the first step. File, Script and Param have
// no meaning here.
func (s *Scenario) Configure(opts ...Option) *Scenario {
	s.t.Helper()
	if s.over != nil {
		s.t.Fatal("Configure comes before the first step")
	}
	s.opts = append(s.opts, opts...)
	return s
}

// Do runs one statement of the language. It has no block and no condition: Go
// has those.
func (s *Scenario) Do(statement string) {
	s.t.Helper()
	s.do(statement)
}

func (s *Scenario) do(statement string) coordinator.Outcome {
	s.t.Helper()
	st := language.Statement{Text: statement, Deferred: true}
	switch {
	case strings.HasPrefix(statement, "!"):
		st.Outcome = language.MustFail
	case strings.HasPrefix(statement, "?"):
		st.Outcome = language.MayFail
	}
	return s.step(coordinator.Fed{Statement: st})
}

// Phase begins a section of the report. What is expected after it must happen
// after it.
func (s *Scenario) Phase(title string) {
	s.t.Helper()
	s.Do("phase " + quoted(title))
}

// AwaitConverged waits until all peers that run see each other, and nobody
// else, for a second.
func (s *Scenario) AwaitConverged(within time.Duration) {
	s.t.Helper()
	s.Do("await converged within " + within.String())
}

// Spawn starts a peer that New has not named.
func (s *Scenario) Spawn(name string) {
	s.t.Helper()
	s.script.Spawns = append(s.script.Spawns, name) // nobody reads it between steps
	s.Do("spawn " + name)
}

// Mark is a point in time, for Since.
type Mark string

// Mark names this moment.
func (s *Scenario) Mark() Mark {
	s.t.Helper()
	s.marks++
	m := Mark(fmt.Sprintf("m%d", s.marks))
	s.Do("mark " + string(m))
	return m
}

// CheckDelivery checks that every message was shown once by all that were
// connected with its sender.
func (s *Scenario) CheckDelivery() { s.t.Helper(); s.Do("check delivery") }

// CheckOrder checks that messages of one sender were shown in their order.
func (s *Scenario) CheckOrder() { s.t.Helper(); s.Do("check order") }

// CheckCausal checks that no message was shown before those its sender knew.
func (s *Scenario) CheckCausal() { s.t.Helper(); s.Do("check causal") }

// CheckMembership checks that nobody was called dead without a reason.
func (s *Scenario) CheckMembership() { s.t.Helper(); s.Do("check membership") }

// Check has a function judge the journals of all peers so far, in the order in
// which the test server got them; all that peers have said before this step is
// there. The events have no vector clocks, and must not be kept or modified.
// Lines of the error below its first one are reported as what was seen.
func (s *Scenario) Check(name string, holds func(events []Event) error) {
	s.t.Helper()
	s.step(coordinator.Fed{Statement: language.Statement{Text: "check " + quoted(name)}, Look: holds})
}

// step does one step and ends the test if it fails.
func (s *Scenario) step(f coordinator.Fed) coordinator.Outcome {
	s.t.Helper()
	if strings.ContainsAny(f.Statement.Text, "\n\r") {
		s.t.Fatalf("a step is one line: %q", f.Statement.Text)
	}
	s.begin()
	f.Statement.Pos = caller()
	done := make(chan coordinator.Outcome, 1)
	f.Done = func(o coordinator.Outcome) { done <- o }
	select {
	case s.feed <- f:
	case <-s.over:
		s.end()
		s.t.FailNow()
	}
	s.steps.WriteString(f.Statement.Text + "\n")
	var o coordinator.Outcome
	select {
	case o = <-done:
	case <-s.over:
		s.end()
		s.t.FailNow()
	}
	for _, row := range o.Rows {
		if row.Status != report.OK && row.Status != report.Skipped {
			s.end()
			s.t.FailNow()
		}
	}
	return o
}

// begin starts the run with the first step.
func (s *Scenario) begin() {
	s.t.Helper()
	if s.over != nil {
		return
	}
	o, err := gather(s.opts)
	if err != nil {
		s.t.Fatal(err)
	}
	s.feed, s.over = make(chan coordinator.Fed), make(chan struct{})
	out := o.where(s.t)
	s.t.Cleanup(s.end) // before the directory is removed
	feed := s.feed
	go func() { // end waits for it
		defer close(s.over)
		s.result, s.err = o.play(s.t, s.script, out, feed)
	}()
}

// end ends the run, and says what is wrong with it. It may be called twice.
func (s *Scenario) end() {
	s.t.Helper()
	if s.feed == nil {
		return
	}
	close(s.feed)
	s.feed = nil
	<-s.over
	if s.result != nil {
		s.keepSteps()
	}
	switch {
	case s.err != nil:
		s.t.Error(s.err)
	case s.result == nil:
		s.t.Error("the run has ended without a result")
	case s.result.Verdict != report.Passed && s.t.Failed():
		s.t.Logf("%s; the run is in %s", s.result.Why, s.result.Dir)
	case s.result.Verdict != report.Passed:
		s.t.Error(textOf(s.result))
	case s.t.Failed():
		s.t.Logf("the run is in %s", s.result.Dir)
	}
}

// keepSteps writes the steps into the directory of the run.
func (s *Scenario) keepSteps() {
	file := filepath.Join(s.result.Dir, report.ScenarioFile)
	if err := os.WriteFile(file, []byte(s.script.Source+s.steps.String()), 0o644); err != nil {
		s.t.Error(err)
	}
}

// caller is the line of the test that calls a step.
func caller() language.Pos {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "testserver/scenario.") || !more {
			return language.Pos{File: filepath.Base(f.File), Line: f.Line, Col: 1}
		}
	}
}
