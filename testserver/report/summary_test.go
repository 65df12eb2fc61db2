package report_test

import (
	"strings"
	"testing"

	"github.com/peerlab/peerlab/testserver/report"
)

func TestSummary(t *testing.T) {
	run := func(path string, v report.Verdict, ms int64, why string) *report.Result {
		return &report.Result{Path: path, Verdict: v, DurationMS: ms, Why: why}
	}
	for name, c := range map[string]struct {
		paths   []string
		results []*report.Result
		want    string
	}{
		"one run": {[]string{"a.cmd"}, []*report.Result{run("a.cmd", report.Passed, 1234, "")},
			"1 run: 1 passed, 0 failed, 0 unknown, 0 harness errors\n"},
		"one scenario again and again": {[]string{"a.cmd"}, []*report.Result{run("a.cmd", report.Passed, 1, ""), run("a.cmd", report.Failed, 2, "x")},
			"flaky: a.cmd failed in 1 of 2 runs\n2 runs: 1 passed, 1 failed, 0 unknown, 0 harness errors\n"},
		"several": {[]string{"d/long.cmd", "b.cmd", "c.cmd", "e.cmd", "f.cmd"}, []*report.Result{
			run("b.cmd", report.Failed, 12_340, "b.cmd:7: all expect chat \"hello\": alice: seen 0,\x1b expected 1"),
			run("d/long.cmd", report.Passed, 1500, ""),
			run("c.cmd", report.Broken, 10, "alice could not be started: "+strings.Repeat("x", 100)),
			run("f.cmd", report.NotRun, 0, "not here"),
		}, `VERDICT         SECONDS  SCENARIO    WHERE
PASSED             1.50  d/long.cmd
FAILED            12.34  b.cmd       line 7: all expect chat "hello": alice: se…
HARNESS ERROR      0.01  c.cmd       alice could not be started: xxxxxxxxxxxxxx…
NOT RUN               -  e.cmd
SKIPPED            0.00  f.cmd       not here
4 runs: 1 passed, 1 failed, 0 unknown, 1 harness error, 1 skipped; 1 scenario not run
`},
		"several, repeated": {[]string{"a.cmd", "b.cmd"}, []*report.Result{
			run("a.cmd", report.Passed, 1000, ""), run("b.cmd", report.Unknown, 1000, "nothing"),
			run("a.cmd", report.Passed, 2000, ""), run("b.cmd", report.Interrupted, 3000, "the run was interrupted"),
		}, `VERDICT         PASSED   SECONDS  SCENARIO  WHERE
PASSED             2/2      1.00  a.cmd
INTERRUPTED        0/2      3.00  b.cmd     the run was interrupted
4 runs: 2 passed, 0 failed, 1 unknown, 0 harness errors, 1 interrupted
`},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := report.Summary(&b, c.paths, c.results, report.Look{}); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
			}
		})
	}
	var b strings.Builder
	_ = report.Summary(&b, []string{"a", "b"}, []*report.Result{run("a", report.Failed, 1, "x")}, report.Look{Colour: true})
	if !strings.Contains(b.String(), "\x1b[1;31mFAILED\x1b[0m         ") {
		t.Errorf("%q", b.String())
	}
}
