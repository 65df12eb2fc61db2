package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	File       string          `xml:"file,attr,omitempty"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	File    string       `xml:"file,attr,omitempty"`
	Line    int          `xml:"line,attr,omitempty"`
	Time    string       `xml:"time,attr"`
	Failure *junitFault  `xml:"failure,omitempty"`
	Error   *junitFault  `xml:"error,omitempty"`
	Skipped *junitFault  `xml:"skipped,omitempty"`
	Flaky   []junitFault `xml:"flakyFailure,omitempty"`
	Output  string       `xml:"system-out,omitempty"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",chardata"`
}

// JUnit writes the results as JUnit XML: a suite for each run; a case for each
// phase, or for each row of a run in the original form; and one for the run
// as a whole. What does not hold is a failure, what the harness could not do
// an error, what was not reached is skipped, and so is all of a run that was
// not to be made. Of a run that was expected to fail, what failed is skipped,
// with the failure in words.
//
// A scenario that has passed and failed, among repeats, is flaky: all its
// suites have the property flaky=true, its failed runs stay failures, and a
// case that passed says by elements flakyFailure, as Maven Surefire writes
// them and readers of its reports know them, how it failed elsewhere.
func JUnit(w io.Writer, results []*Result) error {
	var all junitSuites
	for _, r := range results {
		all.Suites = append(all.Suites, suite(r))
	}
	markFlaky(all.Suites, results)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suite(r *Result) junitSuite {
	s := junitSuite{
		Name: plain(r.Scenario), File: plain(r.Path), Timestamp: r.Started.UTC().Format(time.RFC3339),
		Time:       fmt.Sprintf("%.3f", float64(r.DurationMS)/1000),
		Properties: []junitProperty{{"verdict", string(r.Verdict)}, {"engine", plain(r.Engine)}, {"run", plain(r.Dir)}},
	}
	if r.Seed != nil {
		s.Properties = append(s.Properties, junitProperty{"seed", fmt.Sprint(*r.Seed)})
	}
	if r.Note != "" {
		s.Properties = append(s.Properties, junitProperty{"note", plain(r.Note)})
	}
	if r.phased() {
		for _, sec := range r.sections() {
			s.Cases = append(s.Cases, phaseCase(r, sec))
		}
	} else {
		for _, row := range r.Rows {
			s.Cases = append(s.Cases, rowCase(r, row))
		}
	}
	s.Cases = append(s.Cases, runCase(r))
	s.Tests = len(s.Cases)
	for i := range s.Cases {
		c := &s.Cases[i]
		if c.Failure != nil && r.Verdict == Passed {
			c.Skipped, c.Failure = c.Failure, nil
			c.Skipped.Message = "failed, as expected: " + c.Skipped.Message
		}
		s.count(c)
	}
	return s
}

func (s *junitSuite) count(c *junitCase) {
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func rowCase(r *Result, row Row) junitCase {
	c := junitCase{
		Name: row.Kind + ": " + plain(row.Text), Class: plain(r.Path), File: plain(row.File), Line: row.Line,
		Time: fmt.Sprintf("%.6f", row.DurationMS/1000),
	}
	switch row.Status {
	case OK:
	case Fail:
		c.Failure = &junitFault{Message: plain(row.Wrong), Type: row.Kind, Body: paragraph(row.Seen)}
	default:
		c.Skipped = &junitFault{Message: plain(row.Wrong)}
	}
	return c
}

// phaseCase is a phase: it fails with the first of its rows that does.
func phaseCase(r *Result, s section) junitCase {
	c := junitCase{Name: s.name(), Class: plain(r.Path), File: plain(r.Path), Line: s.line, Time: fmt.Sprintf("%.3f", s.seconds)}
	var wrong []string
	var first Row
	for _, row := range s.rows {
		c.Output += RowLine(row) + "\n"
		if row.Status == OK || row.Status == Skipped || row.Kind == KindInserted && row.Status != Fail {
			continue
		}
		if len(wrong) == 0 || row.Status == Fail && first.Status != Fail {
			first = row
		}
		wrong = append(wrong, row.words()...)
	}
	fault := &junitFault{Message: first.place() + plain(first.Text) + ": " + plain(first.Wrong), Type: first.Kind, Body: paragraph(wrong)}
	switch {
	case s.status == Fail:
		c.Failure = fault
	case len(wrong) > 0:
		c.Skipped = fault
	case s.status == Skipped:
		c.Skipped = &junitFault{Message: "no condition of its rows holds"}
	}
	return c
}

// words are all that is known of a row that is not OK.
func (r Row) words() []string {
	all := []string{RowLine(r), "    " + r.place() + r.Wrong}
	if r.Expected != "" {
		all = append(all, "    expected: "+r.Expected)
	}
	for _, s := range r.Seen {
		all = append(all, "    seen: "+s)
	}
	for _, f := range r.Faults {
		all = append(all, "    fault: "+f)
	}
	return all
}

// runCase stands for what is wrong beside the rows.
func runCase(r *Result) junitCase {
	c := junitCase{Name: "run", Class: plain(r.Path), File: plain(r.Path), Time: "0"}
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.Text)
		lines = append(lines, p.Details...)
	}
	fault := &junitFault{Message: plain(r.Why), Type: string(r.Verdict), Body: paragraph(lines)}
	switch {
	case r.Verdict == Passed, r.Verdict == Failed && len(r.Problems) == 0 && !r.flipped():
	case r.Verdict == Failed:
		c.Failure = fault
	case r.Verdict == Broken:
		c.Error = fault
	default:
		c.Skipped = fault
	}
	return c
}

func paragraph(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(plain(l) + "\n")
	}
	return b.String()
}

// Flake is a scenario that has passed and failed among repeats.
type Flake struct {
	Path           string
	Passed, Failed int // runs
}

// Flaky finds the scenarios that have passed and failed, in the order in
// which they were first run. Runs that are neither do not count.
func Flaky(results []*Result) []Flake {
	var all []*Flake
	by := map[string]*Flake{}
	for _, r := range results {
		f := by[r.Path]
		if f == nil {
			f = &Flake{Path: r.Path}
			by[r.Path], all = f, append(all, f)
		}
		switch r.Verdict {
		case Passed:
			f.Passed++
		case Failed:
			f.Failed++
		}
	}
	var flaky []Flake
	for _, f := range all {
		if f.Passed > 0 && f.Failed > 0 {
			flaky = append(flaky, *f)
		}
	}
	return flaky
}

// String is the scenario, and how many runs of it failed.
func (f Flake) String() string {
	return fmt.Sprintf("flaky: %s failed in %d of %s", plain(f.Path), f.Failed, count(f.Passed+f.Failed, "run"))
}

// markFlaky marks the suites of flaky scenarios, and those of their cases
// that passed here and failed elsewhere. suites[i] is of results[i].
func markFlaky(suites []junitSuite, results []*Result) {
	for _, f := range Flaky(results) {
		failures := map[string][]junitFault{}
		for i, r := range results {
			if r.Path != f.Path {
				continue
			}
			suites[i].Properties = append(suites[i].Properties, junitProperty{"flaky", "true"})
			for _, c := range suites[i].Cases {
				if c.Failure != nil {
					failures[c.Name] = append(failures[c.Name], *c.Failure)
				}
			}
		}
		for i, r := range results {
			for j := range suites[i].Cases {
				if c := &suites[i].Cases[j]; r.Path == f.Path && c.Failure == nil && c.Error == nil && c.Skipped == nil {
					c.Flaky = failures[c.Name]
				}
			}
		}
	}
}
