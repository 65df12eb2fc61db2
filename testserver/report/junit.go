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
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	File    string      `xml:"file,attr,omitempty"`
	Line    int         `xml:"line,attr,omitempty"`
	Time    string      `xml:"time,attr"`
	Failure *junitFault `xml:"failure,omitempty"`
	Error   *junitFault `xml:"error,omitempty"`
	Skipped *junitFault `xml:"skipped,omitempty"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",chardata"`
}

// JUnit writes the results as JUnit XML: a suite for each run, a case for
// each row, and one for the run as a whole. What does not hold is a failure,
// what the harness could not do an error, what was not reached is skipped.
func JUnit(w io.Writer, results []*Result) error {
	var all junitSuites
	for _, r := range results {
		all.Suites = append(all.Suites, suite(r))
	}
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
		Name: r.Scenario, File: r.Path, Timestamp: r.Started.UTC().Format(time.RFC3339),
		Time:       fmt.Sprintf("%.3f", float64(r.DurationMS)/1000),
		Properties: []junitProperty{{"verdict", string(r.Verdict)}, {"engine", r.Engine}, {"run", r.Dir}},
	}
	if r.Seed != nil {
		s.Properties = append(s.Properties, junitProperty{"seed", fmt.Sprint(*r.Seed)})
	}
	for _, row := range r.Rows {
		s.Cases = append(s.Cases, rowCase(r, row))
	}
	s.Cases = append(s.Cases, runCase(r))
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	return s
}

func rowCase(r *Result, row Row) junitCase {
	c := junitCase{
		Name: row.Kind + ": " + plain(row.Text), Class: r.Path, File: row.File, Line: row.Line,
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

// runCase stands for what is wrong beside the rows.
func runCase(r *Result) junitCase {
	c := junitCase{Name: "run", Class: r.Path, File: r.Path, Time: "0"}
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.Text)
		lines = append(lines, p.Details...)
	}
	fault := &junitFault{Message: plain(r.Why), Type: string(r.Verdict), Body: paragraph(lines)}
	switch {
	case r.Verdict == Passed, r.Verdict == Failed && len(r.Problems) == 0:
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
