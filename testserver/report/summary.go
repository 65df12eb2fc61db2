package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Summary writes how all runs of several scenarios ended: a line for each
// scenario, in the order of paths, with its worst run, and a last one with
// numbers. A scenario of which there is no result was not run.
func Summary(w io.Writer, paths []string, results []*Result, look Look) error {
	t := table{ink: ink(look.Colour), width: look.Width}
	if t.width <= 0 {
		t.width = 80
	}
	if len(paths) > 1 {
		t.scenarios(paths, results)
	}
	for _, f := range Flaky(results) {
		fmt.Fprintln(&t, f)
	}
	fmt.Fprintln(&t, totals(paths, results))
	_, err := io.WriteString(w, t.String())
	return err
}

// table is a summary that is being written.
type table struct {
	strings.Builder
	ink
	width int
}

func (t *table) scenarios(paths []string, results []*Result) {
	wide := len("SCENARIO")
	for _, p := range paths {
		wide = max(wide, width(plain(p)))
	}
	repeated := len(results) > len(paths)
	line := func(verdict, painted, runs, seconds, path, where string) {
		lead := painted + strings.Repeat(" ", max(0, 13-len(verdict)))
		if repeated {
			lead += fmt.Sprintf("  %7s", runs)
		}
		text := fmt.Sprintf("  %8s  %s", seconds, path)
		if where != "" {
			text += strings.Repeat(" ", wide-width(path)) + "  " + where
		}
		fmt.Fprintln(t, lead+shorten(text, max(t.width, wide+54)-13))
	}
	line("VERDICT", "VERDICT", "PASSED", "SECONDS", "SCENARIO", "WHERE")
	for _, p := range paths {
		of := slices.DeleteFunc(slices.Clone(results), func(r *Result) bool { return r.Path != p })
		if len(of) == 0 {
			line("NOT RUN", t.verdict(NotRun, "NOT RUN"), "0/0", "-", plain(p), "")
			continue
		}
		worst, passed := of[0], 0
		for _, r := range of {
			if rank(r.Verdict) > rank(worst.Verdict) {
				worst = r
			}
			if r.Verdict == Passed {
				passed++
			}
		}
		verdict := strings.ToUpper(string(worst.Verdict))
		seconds := fmt.Sprintf("%.2f", float64(worst.DurationMS)/1000)
		line(verdict, t.verdict(worst.Verdict, verdict), fmt.Sprintf("%d/%d", passed, len(of)), seconds, plain(p), worst.where())
	}
}

// where is what decided, with the line of the scenario if it is one of its
// own.
func (r *Result) where() string {
	why := plain(r.Why)
	if rest, own := strings.CutPrefix(why, plain(r.Path)+":"); own {
		return "line " + rest
	}
	return why
}

// totals counts the verdicts of all runs.
func totals(paths []string, results []*Result) string {
	n := map[Verdict]int{}
	ran := map[string]bool{}
	for _, r := range results {
		n[r.Verdict]++
		ran[r.Path] = true
	}
	text := fmt.Sprintf("%s: %d passed, %d failed, %d unknown, %s", count(len(results), "run"),
		n[Passed], n[Failed], n[Unknown], count(n[Broken], "harness error"))
	for _, v := range []Verdict{NotRun, Interrupted} {
		if n[v] > 0 {
			text += fmt.Sprintf(", %d %s", n[v], v)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return ran[p] })
	if len(missing) > 0 {
		text += fmt.Sprintf("; %s not run", count(len(missing), "scenario"))
	}
	return text
}
