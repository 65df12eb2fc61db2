package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// testEvent is a line of what `go test -json` prints.
type testEvent struct {
	Time    time.Time
	Action  string
	Package string
	Test    string   `json:",omitempty"`
	Elapsed *float64 `json:",omitempty"` // seconds
	Output  string   `json:",omitempty"`
}

// Test2JSON writes the run as the stream of events that `go test -json`
// prints, for the programs that read it: the scenario's file is the package,
// the scenario a test, each phase a subtest (each row, in the original form).
// What was not reached is skipped; a run that is unknown fails, because
// nothing in that format stands for it.
func Test2JSON(w io.Writer, r *Result) error {
	s := &testStream{enc: json.NewEncoder(w), pkg: plain(r.Path), now: r.Started, forgiven: r.Verdict == Passed, names: map[string]int{}}
	s.enc.SetEscapeHTML(false)
	top := testName(r.Scenario)
	s.event(testEvent{Action: "start"})
	s.event(testEvent{Action: "run", Test: top})
	if r.phased() {
		for _, sec := range r.sections() {
			s.test(top+"/"+testName(sec.name()), sec.rows, sec.status, sec.seconds)
		}
	} else {
		for _, row := range r.Rows {
			s.test(top+"/"+testName(row.Text), []Row{row}, row.status(), row.DurationMS/1000)
		}
	}
	s.now = r.Started.Add(time.Duration(r.DurationMS) * time.Millisecond)
	var b strings.Builder
	_ = Print(&b, r, Look{Rows: None}) // a strings.Builder takes all
	s.output(top, b.String())
	seconds := float64(r.DurationMS) / 1000
	s.event(testEvent{Action: r.Verdict.action(), Test: top, Elapsed: &seconds})
	s.event(testEvent{Action: r.Verdict.action(), Elapsed: &seconds})
	return s.err
}

// testStream writes events; the first error sticks.
type testStream struct {
	enc      *json.Encoder
	pkg      string
	now      time.Time
	forgiven bool // what fails was expected to: it is skipped
	names    map[string]int
	err      error
}

func (s *testStream) event(e testEvent) {
	if s.err == nil {
		e.Time, e.Package = s.now, s.pkg
		s.err = s.enc.Encode(e)
	}
}

func (s *testStream) output(test, text string) {
	for line := range strings.Lines(text) {
		s.event(testEvent{Action: "output", Test: test, Output: line})
	}
}

func (s *testStream) test(name string, rows []Row, status string, seconds float64) {
	n := s.names[name]
	s.names[name]++
	if n > 0 {
		name += fmt.Sprintf("#%02d", n) // as package testing tells them apart
	}
	s.event(testEvent{Action: "run", Test: name})
	for _, row := range rows {
		s.output(name, RowLine(row)+"\n")
		if row.Status == Fail {
			s.output(name, paragraph(row.words()[1:]))
		}
	}
	s.now = s.now.Add(time.Duration(seconds * float64(time.Second)))
	action := "skip"
	switch status {
	case OK, "":
		action = "pass"
	case Fail:
		if !s.forgiven {
			action = "fail"
		}
	}
	s.event(testEvent{Action: action, Test: name, Elapsed: &seconds})
}

func (v Verdict) action() string {
	switch v {
	case Passed:
		return "pass"
	case NotRun:
		return "skip"
	}
	return "fail"
}

// testName is a title as the name of a test, without what separates names.
func testName(title string) string {
	return strings.Join(strings.FieldsFunc(plain(title), func(r rune) bool { return r == ' ' || r == '/' }), "_")
}
