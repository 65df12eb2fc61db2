package suite

import (
	"regexp"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/testserver/report"
)

var (
	// What is another one in every run: how long things took, addresses,
	// places in the file, numbers of processes.
	accident = regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s|m|h)(\d+(\.\d+)?(ms|s|m))*\b|\b\d+\.\d+\.\d+\.\d+:\d+|\S+\.cmd:\d+(:\d+)?|\bpid \d+`)
	nameOf   = regexp.MustCompile(`[a-z][a-z0-9_-]*(\[\d+\.\.\d+\])?`)
	several  = regexp.MustCompile(`_((,| and|, and) ?_)+`)
)

// Symptom is how a run has failed, in a form that is the same for two runs
// that fail the same way: the first statement that failed and what is wrong
// with it, or else the first problem, with a "_" for peers, and without what
// is another one in every run. It is empty for a run that has not failed, or
// failed because it passed. peers are those of the scenario.
func Symptom(r *report.Result, peers []string) string {
	if r.Verdict != report.Failed {
		return ""
	}
	known := map[string]bool{}
	for _, p := range peers {
		known[p] = true
	}
	i := slices.IndexFunc(r.Rows, func(row report.Row) bool { return row.Status == report.Fail })
	switch {
	case i >= 0:
		row := r.Rows[i]
		return row.Kind + ": " + masked(row.Text, known) + ": " + masked(row.Wrong, known)
	case len(r.Problems) > 0:
		return "problem: " + masked(r.Problems[0].Text, known)
	}
	return ""
}

func masked(text string, peers map[string]bool) string {
	text = accident.ReplaceAllString(text, "~")
	text = nameOf.ReplaceAllStringFunc(text, func(name string) string {
		base, _, isRange := strings.Cut(name, "[")
		if peers[name] || isRange && peers[base+strings.TrimLeft(firstOf(name), "0")] {
			return "_"
		}
		return name
	})
	return several.ReplaceAllString(text, "_")
}

// firstOf is the first number of a range.
func firstOf(name string) string {
	m := nameRange.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	return m[2]
}
