package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/suite"
)

// shrinkFailed shrinks each scenario that has failed, by its first failure.
func (r *runner) shrinkFailed(ctx context.Context, results []*report.Result) {
	for _, s := range r.scenarios {
		i := slices.IndexFunc(results, func(one *report.Result) bool {
			return one.Path == s.Script.Path && one.Verdict == report.Failed
		})
		if i >= 0 && ctx.Err() == nil {
			if err := r.shrinkOne(ctx, s.Script, results[i]); err != nil {
				fmt.Fprintf(r.process.Stderr, "testserver: --shrink: %v\n", err)
			}
		}
	}
}

// shrinkOne shrinks a scenario that has failed, writes what is left, and says
// how to run it.
func (r *runner) shrinkOne(ctx context.Context, s *language.Script, failed *report.Result) error {
	out, err := os.MkdirTemp(r.out, ".shrink-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(out) }() // what is left of it is hidden
	ctx, cancel := context.WithTimeout(ctx, r.budget)
	defer cancel()
	t := &trials{runner: r.quiet(out), ctx: ctx, words: r.console.words, seed: *failed.Seed, peers: slices.Concat(s.Peers, s.Spawns)}
	t.symptom = suite.Symptom(failed, t.peers)
	fmt.Fprintf(r.console.words, "shrinking %s, for at most %s\n", s.Path, r.budget)
	whole, err := language.Parse(s.Path, []byte(suite.Source(s)))
	if err != nil {
		return fmt.Errorf("it cannot be written as one file: %w", err)
	}
	if t.symptom == "" || !t.same(whole) {
		fmt.Fprintf(r.console.words, "not shrunk: %s does not fail the same way again; try --repeat with --until-fail\n", s.Path)
		return nil
	}
	left := suite.Shrink(ctx, whole, t.same)
	path := filepath.Join(r.out, s.Name+"-min.cmd")
	if err := os.WriteFile(path, []byte(suite.Source(left)), 0o644); err != nil {
		return err
	}
	stopped := ""
	if ctx.Err() != nil {
		stopped = "; it was cut off, and may become smaller"
	}
	again := *left
	again.Path = relative(path)
	fmt.Fprintf(r.console.words, "shrunk from %s to %s in %s%s  %s  again: %s\n", size(whole), size(left), several(t.runs, "run"), stopped,
		again.Path, r.rerun(&again, "local", t.seed))
	return nil
}

// quiet is a runner that prints nothing, and keeps its runs elsewhere.
func (r *runner) quiet(out string) *runner {
	o := *r.options
	o.out, o.keep, o.verbose = out, 1, false
	return &runner{options: &o, process: r.process, console: r.console.silent()}
}

// trials run smaller and smaller scripts.
type trials struct {
	*runner
	ctx     context.Context // of all of them
	words   io.Writer
	seed    uint64
	symptom string
	peers   []string
	runs    int
}

// same tells whether the script fails as the whole one did.
func (t *trials) same(s *language.Script) bool {
	t.runs++
	result := t.local(t.ctx, t.console, suite.Scenario{Script: s}, t.seed)
	if suite.Symptom(result, t.peers) != t.symptom {
		return false
	}
	fmt.Fprintf(t.words, "  run %d: %s fail\n", t.runs, size(s))
	return true
}

// size is how much there is of a script.
func size(s *language.Script) string {
	n := 0
	for _, body := range [][]language.Statement{s.Body, s.Cleanup} {
		language.Walk(body, func(st *language.Statement) bool {
			if !st.Inserted {
				n++
			}
			return true
		})
	}
	return several(n, "statement") + " with " + several(len(s.Peers)+len(s.Spawns), "peer")
}

func several(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
