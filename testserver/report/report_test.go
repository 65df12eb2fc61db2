package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/report"
)

func rows(statuses ...string) []report.Row {
	var all []report.Row
	for i, s := range statuses {
		kind := report.KindCommand
		if i%2 == 1 {
			kind = report.KindEvent
		}
		all = append(all, report.Row{Kind: kind, Text: fmt.Sprint("row ", i), File: "x.cmd", Line: i + 1, Status: s, Wrong: "why " + s})
	}
	return all
}

func TestDecide(t *testing.T) {
	const ok, fail, miss = report.OK, report.Fail, report.Miss
	harness := report.Problem{Harness: true, Text: "no port"}
	tests := []struct {
		name     string
		rows     []report.Row
		problems []report.Problem
		want     report.Verdict
		why      string
	}{
		{"nothing", nil, nil, report.Unknown, "nothing was asserted: add a testfilter line"},
		{"commands alone assert nothing", rows(ok), nil, report.Unknown, "nothing was asserted: add a testfilter line"},
		{"passed", rows(ok, ok), nil, report.Passed, ""},
		{"failed command", rows(fail, ok), nil, report.Failed, "x.cmd:1: row 0: why FAILED"},
		{"failed before missed", rows(miss, fail), nil, report.Failed, "x.cmd:2: row 1: why FAILED"},
		{"missed", rows(ok, ok, miss), nil, report.Unknown, "x.cmd:3: row 2: why MISSED"},
		{"not reached", rows(ok, ok, report.Open), nil, report.Unknown, "x.cmd:3: row 2: why "},
		{"problem", rows(ok, ok), []report.Problem{{Text: "bob crashed"}}, report.Failed, "bob crashed"},
		{"harness before all", rows(fail, ok), []report.Problem{{Text: "bob crashed"}, harness}, report.Broken, "no port"},
		{"an inserted step that was missed does not count", append(rows(ok, ok), report.Row{Kind: report.KindInserted, Status: miss}), nil, report.Passed, ""},
		{"one that failed does", append(rows(ok, ok), report.Row{Kind: report.KindInserted, Text: "await", Status: fail, Wrong: "no"}), nil, report.Failed, "await: no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := report.Result{Rows: tt.rows, Problems: tt.problems}
			r.Decide()
			if r.Verdict != tt.want || r.Why != tt.why || r.ExitStatus != tt.want.Status() {
				t.Errorf("%s: %s (%d)", r.Verdict, r.Why, r.ExitStatus)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	p, f, u, b, i := report.Passed, report.Failed, report.Unknown, report.Broken, report.Interrupted
	tests := []struct {
		verdicts []report.Verdict
		want     int
	}{
		{nil, 2},
		{[]report.Verdict{p}, 0},
		{[]report.Verdict{p, u, p}, 2},
		{[]report.Verdict{u, f, p}, 1},
		{[]report.Verdict{b, f, u}, 3},
		{[]report.Verdict{b, i}, 130},
		{[]report.Verdict{report.Running, p}, 2},
	}
	for _, tt := range tests {
		if got := report.Worst(tt.verdicts); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.verdicts, got, tt.want)
		}
	}
}

func terminal(t *testing.T, r *report.Result, list report.Rows) string {
	t.Helper()
	var b strings.Builder
	if err := report.Terminal(&b, r, list); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTerminal(t *testing.T) {
	r := &report.Result{Path: "x.cmd", Dir: "runs/1-x", Rerun: "testserver run x.cmd", DurationMS: 1234, Rows: rows(report.OK, report.OK)}
	r.Decide()
	want := `command "row 0" OK
event "row 1" OK
PASSED  x.cmd  1.23 s  runs/1-x  again: testserver run x.cmd
`
	if got := terminal(t, r, report.Some); got != want {
		t.Errorf("got\n%s", got)
	}
	r.Rows[1].Status, r.Rows[1].Wrong, r.Rows[1].Seen = report.Fail, "expected 1, seen 0", []string{"1 x <bob> \x1b[31mtest", "1 x \u202eabc"}
	r.Rows[1].Comment = []string{"a long story", "everybody is told,", "once"}
	r.Problems = []report.Problem{{Text: "bob crashed", Details: []string{"panic"}}}
	r.Matrix = []string{"alice: members nobody"}
	r.Peers = []report.Peer{{Name: "alice", Expected: true}, {Name: "bob", Exit: "exit status 2", Stderr: []string{"boom"}}}
	r.Decide()
	want = `1 row OK
# everybody is told,
# once
event "row 1" FAILED
    x.cmd:2: expected 1, seen 0
    seen: 1 x <bob> ` + "\ufffd" + `[31mtest
          1 x ` + "\ufffd" + `abc
problem: bob crashed
    panic
who sees whom:
    alice: members nobody
bob ended: exit status 2
    stderr: boom
FAILED  x.cmd  1.23 s  runs/1-x  again: testserver run x.cmd
`
	if got := terminal(t, r, report.Some); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestAReportOfFailuresIsShort(t *testing.T) {
	var statuses []string
	for range 200 {
		statuses = append(statuses, report.Fail, report.Miss, report.OK)
	}
	r := &report.Result{Rows: rows(statuses...)}
	r.Decide()
	got := terminal(t, r, report.Some)
	if n := strings.Count(got, "\n"); n > 40 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(got, "more lines: see result.json") || !strings.Contains(got, "200 rows OK") {
		t.Errorf("%s", got)
	}
	if none := terminal(t, r, report.None); strings.Contains(none, "rows OK") {
		t.Errorf("%s", none)
	}
	if n := strings.Count(terminal(t, r, report.All), "\n"); n < 600 {
		t.Errorf("verbose has %d lines", n)
	}
}

func TestTheReportOfARunThatWasKilled(t *testing.T) {
	r := &report.Result{Verdict: report.Running, Rows: rows(report.OK, report.Open)}
	got := terminal(t, r, report.Some)
	if !strings.Contains(got, "UNKNOWN: the runner has not written a verdict") || !strings.Contains(got, `event "row 1" MISSED`) {
		t.Errorf("%s", got)
	}
}

// suites is what a reader of JUnit XML looks at.
type suites struct {
	Suites []struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string  `xml:"name,attr"`
			Line    int     `xml:"line,attr"`
			Failure *string `xml:"failure"`
			Error   *string `xml:"error"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestJUnit(t *testing.T) {
	failed := &report.Result{Rows: rows(report.OK, report.Fail, report.Miss), Problems: []report.Problem{{Text: "x \x00 \x1b & < crash"}}}
	broken := &report.Result{Rows: rows(report.OK, report.OK), Problems: []report.Problem{{Harness: true, Text: "no port"}}}
	passed := &report.Result{Rows: rows(report.OK, report.OK)}
	for _, r := range []*report.Result{failed, broken, passed} {
		r.Decide()
	}
	var b bytes.Buffer
	if err := report.JUnit(&b, []*report.Result{failed, broken, passed}); err != nil {
		t.Fatal(err)
	}
	var s suites
	if err := xml.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	type counts struct{ tests, failures, errors, skipped int }
	want := []counts{{4, 2, 0, 1}, {3, 0, 1, 0}, {3, 0, 0, 0}}
	for i, suite := range s.Suites {
		if got := (counts{suite.Tests, suite.Failures, suite.Errors, suite.Skipped}); got != want[i] {
			t.Errorf("suite %d: %+v, want %+v", i, got, want[i])
		}
	}
	if c := s.Suites[0].Cases[1]; c.Failure == nil || c.Line != 2 || c.Name != "event: row 1" {
		t.Errorf("case %+v", c)
	}
}

func TestDir(t *testing.T) {
	out := filepath.Join(t.TempDir(), "runs")
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	first, err := report.Create(out, "x", now)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := report.Create(out, "x", now)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if a, b := filepath.Base(first.Path()), filepath.Base(second.Path()); a != "20240506-070809-x" || b != "20240506-070809-x.2" {
		t.Errorf("named %s and %s", a, b)
	}
	for _, line := range []string{`{"a":1}`, `{"b":2}`} {
		if err := second.Journal([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	data, _ := os.ReadFile(filepath.Join(second.Path(), report.JournalFile))
	if string(data) != "{\"a\":1}\n{\"b\":2}\n" {
		t.Errorf("journal %q", data)
	}
	want := &report.Result{Schema: report.Schema, Scenario: "x", Verdict: report.Passed, Rows: rows(report.OK, report.OK)}
	if err := second.WriteResult(want); err != nil {
		t.Fatal(err)
	}
	got, err := report.Load(filepath.Join(out, "latest"))
	if err != nil || got.Scenario != "x" || !slices.EqualFunc(got.Rows, want.Rows, func(a, b report.Row) bool { return a.Text == b.Text && a.Status == b.Status }) {
		t.Errorf("loaded %+v, %v", got, err)
	}
	if _, err := report.Load(first.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory without a result: %v", err)
	}
	pointer := filepath.Join(out, "pointer")
	_ = os.WriteFile(pointer, []byte(filepath.Base(second.Path())+"\r\n"), 0o644)
	if _, err := report.Load(pointer); err != nil {
		t.Errorf("a file that names the directory: %v", err)
	}
	want.Schema = 9
	_ = second.WriteResult(want)
	if _, err := report.Load(second.Path()); !errors.Is(err, report.ErrSchema) {
		t.Errorf("another schema: %v", err)
	}
}

func TestPrune(t *testing.T) {
	out := t.TempDir()
	for i := range 5 {
		d, err := report.Create(out, "x", time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	_ = os.Mkdir(filepath.Join(out, "mine"), 0o755)
	_ = os.WriteFile(filepath.Join(out, "20240101-000000-file"), nil, 0o644)
	if err := report.Prune(out, 2, filepath.Join(out, "20240102-000000-x"), "elsewhere"); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(out)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"20240101-000000-file", "20240102-000000-x", "20240104-000000-x", "20240105-000000-x", "latest", "mine"}
	if !slices.Equal(names, want) {
		t.Errorf("left are %q", names)
	}
}
