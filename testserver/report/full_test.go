package report_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/report"
)

// crash is the result of a run in the full form whose last phase failed.
func crash() *report.Result {
	seed := uint64(42)
	r := &report.Result{
		Schema: report.Schema, Scenario: "crash", Path: "crash.cmd", Dir: "runs/20240506-070809-crash", Engine: "local", Seed: &seed,
		Started: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), DurationMS: 38330, Rerun: "testserver run --seed 42 crash.cmd",
		Phases: []report.Phase{
			{EndMS: 1},
			{Title: "everybody hears everybody, once", Line: 4, StartMS: 1, EndMS: 911},
			{Title: "split, then whole again", Line: 12, StartMS: 911, EndMS: 23311},
			{Title: "a crash is noticed, once", Line: 21, StartMS: 23311, EndMS: 38330},
		},
		Rows: []report.Row{
			{Kind: report.KindCommand, Text: "all init", Phase: 1, Line: 5, Status: report.OK, StartMS: 2, DurationMS: 300},
			{Kind: report.KindAssert, Text: "await converged within 5s", Phase: 1, Line: 6, Status: report.OK, StartMS: 310, DurationMS: 590},
			{Kind: report.KindStep, Text: "fault partition alice | bob,charly", Phase: 2, Line: 13, Status: report.OK, StartMS: 920, DurationMS: 4},
			{Kind: report.KindAssert, Text: "alice await members == alice within 20s", Phase: 2, Line: 14, Status: report.OK, StartMS: 930, DurationMS: 9000},
			{Kind: report.KindStep, Text: "kill charly", Phase: 3, Line: 22, Status: report.OK, StartMS: 23320, DurationMS: 20},
			{
				Kind: report.KindAssert, Text: `alice,bob expect member "dead charly" count == 1`, Phase: 3, File: "crash.cmd", Line: 24, Col: 1, Status: report.Fail,
				Comment: []string{"Both must know, and say it once."}, Peer: "bob", StartMS: 23400, DurationMS: 5000,
				Wrong: "seen 0, expected 1", Expected: `member events whose text is "dead charly", exactly 1, at alice and at bob, since the phase began, within 5 s`,
				Seen: []string{`bob  28.1 s  suspect charly`, "bob  12.0 s  dead alice \x1b[31m"}, Faults: []string{"link alice <-> bob loss 5%"},
				Last: []string{"28.100 bob member suspect charly", "28.400 alice member dead charly"},
			},
			{Kind: report.KindCommand, Text: "alice quit", Phase: 3, Line: 26, Status: report.Miss, Wrong: "not reached"},
		},
		Matrix: report.Matrix([]string{"alice", "bob", "charly"}, func(a, b string) report.Sight {
			switch {
			case a == "charly":
				return report.Sight{Blind: true}
			case b == "charly" && a == "bob":
				return report.Sight{State: "suspect"}
			case b == "charly":
				return report.Sight{State: "dead"}
			}
			return report.Sight{State: "alive", Chat: true}
		}),
		Peers: []report.Peer{{Name: "alice", Expected: true}, {Name: "bob", Exit: "exit status 2", Stderr: []string{"panic: boom", "goroutine 1 [running]:"}}},
	}
	r.Decide()
	return r
}

func TestFullReport(t *testing.T) {
	want := `OK            2 rows     0.91 s  everybody hears everybody, once
OK            2 rows    22.40 s  split, then whole again
FAILED      1/3 rows    15.02 s  a crash is noticed, once

crash.cmd:24:1  in phase "a crash is noticed, once"
    # Both must know, and say it once.
    alice,bob expect member "dead charly" count == 1
  FAILED: bob: seen 0, expected 1
  expected: member events whose text is "dead charly", exactly 1, at alice and
            at bob, since the phase began, within 5 s
  closest:  bob  28.1 s  suspect charly
            bob  12.0 s  dead alice ` + "\ufffd" + `[31m
  faults:   link alice <-> bob loss 5%
1 more row MISSED
who sees whom:
           alice bob charly
    alice    .    +    X
    bob      +    .    ?
    charly (no sign of life)
    (+ alive and in the chat, - alive only, ? suspect, X dead, blank unknown)
bob ended by itself: exit status 2
    stderr: panic: boom
    stderr: goroutine 1 [running]:
  last:     28.100 bob member suspect charly
            28.400 alice member dead charly
again: testserver run --seed 42 crash.cmd
FAILED  crash.cmd  38.33 s  runs/20240506-070809-crash
`
	if got := terminal(t, crash(), report.Some); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestColoursAddNothingButColours(t *testing.T) {
	var plain, painted strings.Builder
	_ = report.Print(&plain, crash(), report.Look{})
	_ = report.Print(&painted, crash(), report.Look{Colour: true})
	codes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	if !codes.MatchString(painted.String()) {
		t.Error("no colours")
	}
	if got := codes.ReplaceAllString(painted.String(), ""); got != plain.String() {
		t.Errorf("without its colours it is\n%s", got)
	}
}

func TestPassedPhasesAreALineEach(t *testing.T) {
	r := crash()
	r.Rows, r.Peers = r.Rows[:5], nil
	r.Verdict = report.Passed
	want := `OK            2 rows     0.91 s  everybody hears everybody, once
OK            2 rows    22.40 s  split, then whole again
OK             1 row    15.02 s  a crash is noticed, once
again: testserver run --seed 42 crash.cmd
PASSED  crash.cmd  38.33 s  runs/20240506-070809-crash
`
	if got := terminal(t, r, report.Some); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := terminal(t, r, report.All); !strings.Contains(got, "     9.000 s  assertion \"alice await members == alice within 20s\" OK\n") {
		t.Errorf("verbose is\n%s", got)
	}
}

// TestAFullReportIsShort gives a report much more than it has room for: what
// decided stays, and it has no more than 40 lines.
func TestAFullReportIsShort(t *testing.T) {
	many := func(what string) []string {
		var all []string
		for i := range 60 {
			all = append(all, fmt.Sprint(what, i))
		}
		return all
	}
	for _, phases := range []int{1, 12, 13, 100} {
		r := crash()
		fail := r.Rows[5]
		fail.Comment, fail.Seen, fail.Faults, fail.Last = many("comment"), many("seen"), many("fault"), many("last")
		fail.Expected, fail.Wrong = strings.Join(many("expected"), " "), strings.Join(many("wrong"), " ")
		for i := range phases {
			r.Phases = append(r.Phases, report.Phase{Title: fmt.Sprint("phase ", i)})
			fail.Phase = len(r.Phases) - 1
			r.Rows = append(r.Rows, fail)
		}
		r.Matrix = many("matrix")
		for i := range 50 {
			r.Peers = append(r.Peers, report.Peer{Name: fmt.Sprint("p", i), Exit: "exit status 2", Stderr: many("stderr")})
			r.Problems = append(r.Problems, report.Problem{Text: "problem", Details: many("detail")})
		}
		got := terminal(t, r, report.Some)
		if n := strings.Count(got, "\n"); n > 40 || n < 30 {
			t.Errorf("%d phases: %d lines", phases, n)
		}
		for _, must := range []string{"crash.cmd:24:1", "FAILED: bob", "FAILED  crash.cmd", "again:", "more lines: see result.json", "expected: "} {
			if !strings.Contains(got, must) {
				t.Errorf("%d phases: no %q in\n%s", phases, must, got)
			}
		}
		for line := range strings.Lines(got) {
			if len([]rune(line)) > 81 {
				t.Errorf("%d columns: %s", len([]rune(line)), line)
			}
		}
	}
}

// TestAFailureComesBeforeWhatWasMissed has the missed row first in the file.
func TestAFailureComesBeforeWhatWasMissed(t *testing.T) {
	r := crash()
	r.Rows[5], r.Rows[6] = r.Rows[6], r.Rows[5]
	if got := terminal(t, r, report.Some); !strings.Contains(got, "\n\ncrash.cmd:24:1  in phase") {
		t.Errorf("got\n%s", got)
	}
}

func TestAHarnessErrorComesFirst(t *testing.T) {
	r := crash()
	r.Problems = []report.Problem{{Harness: true, Text: "no port"}}
	r.Decide()
	got := terminal(t, r, report.Some)
	if strings.Index(got, "problem: no port") > strings.Index(got, "crash.cmd:24:1") {
		t.Errorf("got\n%s", got)
	}
}

func TestMatrix(t *testing.T) {
	names := func(n int) []string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("peer-%02d", i+1))
		}
		return all
	}
	alive := func(a, b string) report.Sight { return report.Sight{State: "alive", Chat: b != "peer-03"} }
	if lines := report.Matrix(names(3), func(a, b string) report.Sight { return report.Sight{Blind: true} }); lines != nil {
		t.Errorf("nothing is known, and it says %q", lines)
	}
	grid := report.Matrix(names(20), alive)
	if len(grid) != 22 || grid[0] != "          a b c d e f g h i j k l m n o p q r s t" || grid[1] != "a peer-01 . + - + + + + + + + + + + + + + + + + +" {
		t.Errorf("grid:\n%s", strings.Join(grid, "\n"))
	}
	lines := report.Matrix(names(50), func(a, b string) report.Sight {
		switch {
		case a == "peer-07":
			return report.Sight{Blind: true}
		case a == "peer-09" && b < "peer-07":
			return report.Sight{State: "dead"}
		case a == "peer-09" && b == "peer-08":
			return report.Sight{}
		}
		return report.Sight{State: "alive", Chat: true}
	})
	want := []string{"peer-07: no sign of life", "peer-09: dead peer-01,peer-02,peer-03,peer-04 and 2 more; unknown peer-08", "48 of 50 see all others alive and in the chat"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

// TestReasonsAreWhole has a reason that is longer than a line in each place
// in which one is told.
func TestReasonsAreWhole(t *testing.T) {
	reason := "attach to test server http://127.0.0.1:40123: the test server refused this peer: the name alice is taken by a peer that runs as process 4711; " +
		"give it another name, or end that one first, and then start it again with the token of this run, not that of another"
	for name, put := range map[string]func(*report.Result){
		"problem": func(r *report.Result) { r.Problems = []report.Problem{{Text: reason}} },
		"detail":  func(r *report.Result) { r.Problems = []report.Problem{{Text: "bob failed", Details: []string{reason}}} },
		"row":     func(r *report.Result) { r.Rows[5].Wrong = reason },
		"another": func(r *report.Result) {
			r.Rows = append(r.Rows, report.Row{Kind: report.KindCommand, Text: "alice x", Phase: 3, Status: report.Fail, Wrong: reason})
		},
		"stderr": func(r *report.Result) { r.Peers[1].Stderr = []string{reason} },
		"exit":   func(r *report.Result) { r.Peers[1].Exit = reason },
	} {
		t.Run(name, func(t *testing.T) {
			r := crash()
			put(r)
			got := terminal(t, r, report.Some)
			if words := strings.Join(strings.Fields(got), " "); !strings.Contains(words, reason) {
				t.Errorf("the reason is not whole:\n%s", got)
			}
			if n := strings.Count(got, "\n"); n > 40 {
				t.Errorf("%d lines", n)
			}
			for line := range strings.Lines(got) {
				if len([]rune(strings.TrimSpace(line))) > 80 && !strings.HasPrefix(line, "FAILED ") {
					t.Errorf("a line is too long: %s", line)
				}
			}
		})
	}
	r := crash()
	r.Rows[5].Wrong = strings.Repeat(reason+" ", 100)
	if got := terminal(t, r, report.Some); strings.Count(got, "\n") > 40 || !strings.Contains(got, "who sees whom") || !strings.Contains(got, "FAILED  crash.cmd") {
		t.Errorf("a novel:\n%s", got)
	}
}
