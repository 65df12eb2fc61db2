package report_test

import (
	"fmt"
	"testing"

	"github.com/peerlab/peerlab/testserver/report"
)

// The verdicts from the best to the worst, with what a program exits with.
func verdicts() []report.Verdict {
	return []report.Verdict{report.NotRun, report.Passed, report.Unknown, report.Failed, report.Broken, report.Interrupted}
}

func TestVerdictStatus(t *testing.T) {
	want := map[report.Verdict]int{
		report.NotRun: 2, report.Passed: 0, report.Unknown: 2, report.Failed: 1, report.Broken: 3, report.Interrupted: 130, report.Running: 2, "": 2,
	}
	for v, status := range want {
		if got := v.Status(); got != status {
			t.Errorf("%q: %d, not %d", v, got, status)
		}
	}
}

// Of any runs, in any order, the worst counts.
func TestVerdictWorst(t *testing.T) {
	if got := report.Worst(nil); got != 2 {
		t.Errorf("no runs at all: %d", got)
	}
	for i, better := range verdicts() {
		for _, worse := range verdicts()[i:] {
			for _, runs := range [][]report.Verdict{{better, worse}, {worse, better}, {better, better, worse}, {better, worse, better}} {
				if got := report.Worst(runs); got != worse.Status() {
					t.Errorf("%q: %d", runs, got)
				}
			}
		}
	}
	if got := report.Worst([]report.Verdict{report.Passed, report.Running}); got != 2 {
		t.Errorf("one that has not ended: %d", got)
	}
	if got := report.Worst([]report.Verdict{report.Running, report.Failed}); got != 1 {
		t.Errorf("one that has not ended, and a failure: %d", got)
	}
}

// Which rows make a run pass, leave it unknown, or fail it.
func TestVerdictOfOneRow(t *testing.T) {
	kinds := []string{report.KindCommand, report.KindEvent, report.KindAssert, report.KindStep, report.KindInserted}
	for _, kind := range kinds {
		for _, status := range []string{report.OK, report.Fail, report.Miss, report.Cancelled, report.Skipped, report.Open} {
			for _, asserts := range []bool{false, true} {
				want := report.Unknown
				switch {
				case status == report.Fail:
					want = report.Failed
				case status != report.OK:
				case kind == report.KindEvent, kind == report.KindAssert, kind == report.KindCommand && asserts:
					want = report.Passed
				}
				t.Run(fmt.Sprintf("%s %q %v", kind, status, asserts), func(t *testing.T) {
					r := report.Result{Rows: []report.Row{{Kind: kind, Status: status, Asserts: asserts, Text: "x"}}}
					if r.Decide(); r.Verdict != want || r.ExitStatus != want.Status() {
						t.Errorf("%s, %d: %s", r.Verdict, r.ExitStatus, r.Why)
					}
					// Beside one that shows something, what is not OK still counts.
					r.Rows = append(r.Rows, report.Row{Kind: report.KindAssert, Status: report.OK})
					if want == report.Unknown && (status == report.OK || status == report.Skipped || kind == report.KindInserted) {
						want = report.Passed
					}
					if r.Decide(); r.Verdict != want {
						t.Errorf("beside an assertion: %s: %s", r.Verdict, r.Why)
					}
				})
			}
		}
	}
}

// Problems fail a run that would have passed, and harness problems break one
// that would have failed.
func TestVerdictOfProblems(t *testing.T) {
	ok, bad := report.Row{Kind: report.KindAssert, Status: report.OK}, report.Row{Kind: report.KindAssert, Status: report.Fail, Text: "row", Wrong: "wrong"}
	missed := report.Row{Kind: report.KindAssert, Status: report.Miss, Text: "row", Wrong: "missed"}
	own, harness := report.Problem{Text: "own"}, report.Problem{Text: "harness", Harness: true}
	tests := []struct {
		name     string
		rows     []report.Row
		problems []report.Problem
		want     report.Verdict
		why      string
	}{
		{"none", []report.Row{ok}, nil, report.Passed, ""},
		{"one", []report.Row{ok}, []report.Problem{own}, report.Failed, "own"},
		{"one, and a failure", []report.Row{ok, bad}, []report.Problem{own}, report.Failed, "row: wrong"},
		{"one, and something missed", []report.Row{ok, missed}, []report.Problem{own}, report.Failed, "own"},
		{"of the harness", []report.Row{ok}, []report.Problem{harness}, report.Broken, "harness"},
		{"of the harness, behind another", []report.Row{ok, bad}, []report.Problem{own, harness}, report.Broken, "harness"},
		{"missed", []report.Row{ok, missed}, nil, report.Unknown, "row: missed"},
		{"missed before a failure", []report.Row{missed, bad}, nil, report.Failed, "row: wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := report.Result{Rows: tt.rows, Problems: tt.problems}
			if r.Decide(); r.Verdict != tt.want || r.Why != tt.why {
				t.Errorf("%s: %s", r.Verdict, r.Why)
			}
		})
	}
}

func TestVerdictExpected(t *testing.T) {
	for v, want := range map[report.Verdict]report.Verdict{
		report.Failed: report.Passed, report.Passed: report.Failed, report.Unknown: report.Unknown, report.Broken: report.Broken, report.Interrupted: report.Interrupted,
	} {
		r := report.Result{Verdict: v, Why: "why"}
		r.Expect("a bug")
		if r.Verdict != want || r.ExitStatus != want.Status() {
			t.Errorf("%s: %s, %d", v, r.Verdict, r.ExitStatus)
		}
		if told := r.Note + r.Why; v != want && told == "why" {
			t.Errorf("%s: %q", v, told)
		}
	}
}
