// Package report is what a run leaves behind: a directory with everything
// that happened, and the forms in which people and programs read the result
// (terminal, JSON, JUnit XML). All forms are derived from one Result, and can
// be derived again from the directory.
//
// The package knows nothing of peers, engines or the scenario language.
package report

import (
	"errors"
	"time"
)

// Schema is the version of a Result in JSON.
const Schema = 2

// ErrSchema is matched by the error for a result of another version.
var ErrSchema = errors.New("result of another version")

// Verdict is how a run ended.
type Verdict string

// The verdicts. Running is that of a run that has not ended, or whose runner
// was killed.
const (
	Running     Verdict = "running"
	Passed      Verdict = "passed"
	Failed      Verdict = "failed"
	Unknown     Verdict = "unknown"
	Broken      Verdict = "harness error"
	Interrupted Verdict = "interrupted"
	NotRun      Verdict = "skipped" // the scenario says that it is not to be run here
)

// Status is the exit status that stands for the verdict.
func (v Verdict) Status() int {
	switch v {
	case Passed:
		return 0
	case Failed:
		return 1
	case Broken:
		return 3
	case Interrupted:
		return 130
	}
	return 2
}

// Worst is the exit status for several runs: interrupted before harness
// error, before failed, before unknown, before passed. None at all is
// unknown.
func Worst(verdicts []Verdict) int {
	worst := Unknown
	for i, v := range verdicts {
		if i == 0 || rank(v) > rank(worst) {
			worst = v
		}
	}
	return worst.Status()
}

func rank(v Verdict) int {
	switch v {
	case NotRun:
		return -1
	case Passed:
		return 0
	case Failed:
		return 2
	case Broken:
		return 3
	case Interrupted:
		return 4
	}
	return 1
}

// Result is all that is reported of a run. Texts of peers are in it as they
// came; whoever prints them makes them harmless.
type Result struct {
	Schema     int       `json:"schema"`
	Scenario   string    `json:"scenario"`
	Path       string    `json:"path"`
	Dir        string    `json:"dir"` // the run directory
	Verdict    Verdict   `json:"verdict"`
	Why        string    `json:"why,omitempty"`  // one line; empty for passed
	Note       string    `json:"note,omitempty"` // what else to know of the verdict: a failure was expected
	ExitStatus int       `json:"exit_status"`
	Started    time.Time `json:"started"`
	DurationMS int64     `json:"duration_ms"`
	Engine     string    `json:"engine"`
	Seed       *uint64   `json:"seed,omitempty"` // if one was given
	Rerun      string    `json:"rerun,omitempty"`
	Phases     []Phase   `json:"phases,omitempty"`
	Rows       []Row     `json:"rows"`
	Problems   []Problem `json:"problems,omitempty"`
	Matrix     []string  `json:"matrix,omitempty"` // who saw whom at the end, unless passed
	Peers      []Peer    `json:"peers"`
}

// The kinds of rows. Inserted ones are steps that are not in the file; they
// are shown and not counted.
const (
	KindCommand  = "command"   // a line for peers' shells
	KindEvent    = "event"     // a testfilter
	KindAssert   = "assertion" // expect, never, await, stable, check, stdout, stderr
	KindStep     = "step"      // what the script does to peers, network and time
	KindInserted = "inserted"
)

// The statuses of rows.
const (
	OK        = "OK"
	Fail      = "FAILED"
	Miss      = "MISSED"
	Cancelled = "CANCELLED" // another branch of its par block has failed
	Skipped   = "SKIPPED"   // its condition does not hold
	Open      = ""          // not reached yet
)

// Row is a command, or an expectation.
type Row struct {
	Kind       string   `json:"kind"`
	Text       string   `json:"text"`           // "alice msg hello"
	Peer       string   `json:"peer,omitempty"` // whom it is about, if that is one peer; of a failure, the first that failed it
	Phase      int      `json:"phase"`          // index in Result.Phases
	Status     string   `json:"status"`
	File       string   `json:"file,omitempty"`
	Line       int      `json:"line,omitempty"`
	Col        int      `json:"col,omitempty"`
	Comment    []string `json:"comment,omitempty"` // that stands above it in the file
	StartMS    float64  `json:"start_ms"`          // since the start of the run
	DurationMS float64  `json:"duration_ms"`
	Wrong      string   `json:"wrong,omitempty"`    // what is wrong with it, one line
	Expected   string   `json:"expected,omitempty"` // in words
	Seen       []string `json:"seen,omitempty"`     // what was there instead: the closest first
	Faults     []string `json:"faults,omitempty"`   // in force when it failed
	Last       []string `json:"last,omitempty"`     // the last events that have to do with it
	Output     string   `json:"output,omitempty"`   // what a command printed
	Asserts    bool     `json:"asserts,omitempty"`  // a command that has to fail, or Go that has shown true
}

// Phase is a section of the run. The first one has no title and is what comes
// before the script's first phase.
type Phase struct {
	Title   string  `json:"title"`
	Line    int     `json:"line,omitempty"`
	StartMS float64 `json:"start_ms"` // since the start of the run
	EndMS   float64 `json:"end_ms"`
}

// Problem is what is wrong beside the rows. A harness problem is not the
// scenario's fault.
type Problem struct {
	Harness bool     `json:"harness,omitempty"`
	Text    string   `json:"text"`
	Details []string `json:"details,omitempty"`
}

// Peer is how a peer ended.
type Peer struct {
	Name     string   `json:"name"`
	PID      int      `json:"pid,omitempty"`
	Boot     int      `json:"boot,omitempty"`
	Exit     string   `json:"exit"`             // "exit status 2", "killed at the end of the run"
	Expected bool     `json:"expected"`         // the script or the end of the run asked for it
	Stderr   []string `json:"stderr,omitempty"` // its last lines, if it was not expected
}

// Count is how many rows of the kind have the status.
func (r *Result) Count(kind, status string) int {
	n := 0
	for _, row := range r.Rows {
		if row.Kind == kind && row.Status == status {
			n++
		}
	}
	return n
}

// Decide sets the verdict of a run that went to its end, from its rows and
// problems: harness error before failed, before unknown, before passed.
func (r *Result) Decide() {
	r.Verdict, r.Why = r.decide()
	r.ExitStatus = r.Verdict.Status()
}

func (r *Result) decide() (Verdict, string) {
	for _, p := range r.Problems {
		if p.Harness {
			return Broken, p.Text
		}
	}
	for _, row := range r.Rows {
		if row.Status == Fail {
			return Failed, row.place() + row.Text + ": " + row.Wrong
		}
	}
	if len(r.Problems) > 0 {
		return Failed, r.Problems[0].Text
	}
	asserted := 0
	for _, row := range r.Rows {
		if row.Kind != KindInserted && row.Status != OK && row.Status != Skipped {
			return Unknown, row.place() + row.Text + ": " + row.Wrong
		}
		if row.asserts() {
			asserted++
		}
	}
	if asserted == 0 {
		return Unknown, "nothing was asserted: add " + r.assertion()
	}
	return Passed, ""
}

// assertion is what a scenario of this form lacks that asserts nothing.
func (r *Result) assertion() string {
	if r.phased() {
		return "an expect, a never or an await"
	}
	return "a testfilter line"
}

// asserts tells whether a row that is OK has shown something: a filter, an
// assertion, a command that was to fail and did, or Go that is true.
func (r Row) asserts() bool {
	switch r.Kind {
	case KindEvent, KindAssert:
		return r.Status == OK
	case KindCommand:
		return r.Status == OK && r.Asserts
	}
	return false
}

// Expect turns the verdict round for a scenario that is known to fail: a
// failure passes, with a note; what passes has failed, for the remark is out
// of date then. Other verdicts stay.
func (r *Result) Expect(reason string) {
	switch r.Verdict {
	case Failed:
		r.Verdict, r.Why, r.Note = Passed, "", "it failed, as expected ("+reason+"): "+r.Why
	case Passed:
		r.Verdict, r.Why = Failed, "it passed, and was expected to fail ("+reason+"): take the `fails` line out"
	}
	r.ExitStatus = r.Verdict.Status()
}
