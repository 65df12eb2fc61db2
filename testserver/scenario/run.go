package scenario

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Run runs a scenario, given by File or Script, and fails the test unless it
// passes. A scenario that is not to be run here skips the test.
func Run(t *testing.T, opts ...Option) {
	t.Helper()
	o, err := gather(opts)
	if err == nil && o.path == "" {
		err = errors.New("no scenario: give scenario.File or scenario.Script")
	}
	if err != nil {
		t.Fatal(err)
	}
	script, err := language.Parse(o.path, []byte(o.source))
	if err != nil {
		t.Fatalf("nothing was run:\n%v", err)
	}
	r, err := o.play(t, script, o.where(t), nil)
	switch {
	case err != nil:
		t.Fatal(err)
	case r.Verdict == report.NotRun:
		t.Skip(r.Why)
	case r.Verdict != report.Passed:
		t.Error(textOf(r))
	}
}

// play runs a script to the end, in a bubble if its time is virtual. Its
// directory goes to out.
func (o *options) play(t *testing.T, script *language.Script, out string, feed <-chan coordinator.Fed) (r *report.Result, err error) {
	base := report.Result{Engine: o.engine, Seed: &o.seed, Rerun: again(t.Name())}
	if o.engine != sim {
		return o.run(t.Context(), script, out, base, feed)
	}
	synctest.Test(t, func(t *testing.T) {
		r, err = o.run(t.Context(), script, out, base, feed)
		time.Sleep(rest)
	})
	return r, err
}

// rest is how long memberlist leaves goroutines behind, in virtual time.
const rest = 2 * time.Minute

// run runs a script, with its directory in out.
func (o *options) run(ctx context.Context, script *language.Script, out string, r report.Result, feed <-chan coordinator.Fed) (*report.Result, error) {
	r.Started = time.Now()
	dir, err := report.Create(out, script.Name, r.Started)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := dir.WriteScenario(script.Source); err != nil {
		return nil, err
	}
	r.Dir = dir.Path()
	world, err := o.world(dir)
	if err != nil {
		return nil, err
	}
	result, err := coordinator.Run(ctx, coordinator.Config{
		Script: script, World: world, Recorder: dir, Result: r, Seed: o.seed, Budget: o.budget, Feed: feed,
	})
	return result, errors.Join(err, dir.WriteJUnit(result), dir.WriteHTML(result))
}

// where is the folder for the directory of the run.
func (o *options) where(t *testing.T) string {
	t.Helper()
	if o.out != "" {
		return o.out
	}
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		return t.ArtifactDir()
	}
	dir, err := os.MkdirTemp("", "scenario-")
	if err != nil {
		t.Fatalf("a directory for the run: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			return // it says why
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// again is the command that runs a test again.
func again(name string) string {
	parts := strings.Split(regexp.QuoteMeta(name), "/")
	return "go test -run '^" + strings.Join(parts, "$/^") + "$'"
}

// textOf is what a failed test says: what is wrong, with its place, and then
// the whole report.
func textOf(r *report.Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Why)
	_ = report.Terminal(&b, r, report.Some) // a Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}
