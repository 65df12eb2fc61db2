package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/suite"
)

// job is one run of a scenario.
type job struct {
	suite.Scenario
	engine string
	seed   uint64
	world  func(*report.Dir) coordinator.World
	start  time.Duration // how long peers may take to attach; 0 for the default
}

// one runs a scenario in a run directory, and reports it.
func (r *runner) one(ctx context.Context, c *console, j job) *report.Result {
	s := j.Script
	result := &report.Result{
		Scenario: s.Name, Path: s.Path, Engine: j.engine, Seed: &j.seed, Rerun: r.rerun(s, j.engine, j.seed), Started: time.Now(),
	}
	dir, err := report.Create(r.out, s.Name, result.Started)
	if err != nil {
		return broken(c, result, err)
	}
	defer dir.Close()
	r.begin(dir)
	defer r.end(dir)
	result.Dir = relative(dir.Path())
	if err := keepSources(dir, j.Scenario); err != nil {
		return broken(c, result, err)
	}
	played, err := r.play(ctx, c, j, dir, *result)
	err = errors.Join(err, dir.WriteJUnit(played), dir.WriteHTML(played), r.prune())
	if err == nil {
		err = c.show(played)
	}
	if err != nil {
		return broken(c, played, err)
	}
	return played
}

// play runs the scenario.
func (r *runner) play(ctx context.Context, c *console, j job, dir *report.Dir, result report.Result) (*report.Result, error) {
	cfg := coordinator.Config{
		Script: j.Script, World: j.world(dir), Recorder: dir, Result: result, Seed: j.seed, Short: r.short,
		Start: j.start, Command: r.timeout, Budget: r.budget,
	}
	return c.watched(ctx, func(out io.Writer, observe func(coordinator.Snapshot)) (*report.Result, error) {
		cfg.Observe = observe
		if r.verbose && !c.forPrograms() {
			cfg.OnRow = func(row report.Row) {
				fmt.Fprintf(out, "%8.1f ms  %s\n", row.DurationMS, report.RowLine(row))
			}
		}
		return coordinator.Run(ctx, cfg)
	})
}

// keepSources keeps the files of the scenario as they were run.
func keepSources(dir *report.Dir, s suite.Scenario) error {
	err := dir.WriteScenario(s.Script.Source)
	for _, part := range s.Shared {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir.Path(), filepath.Base(part.Path)), []byte(part.Source), 0o644))
	}
	return err
}

// broken reports a run that the harness could not do or could not record.
func broken(c *console, r *report.Result, err error) *report.Result {
	r.Problems = append(r.Problems, report.Problem{Harness: true, Text: err.Error()})
	r.Schema = report.Schema
	r.Decide()
	_ = c.show(r) // there may be nowhere to say it
	return r
}

func (r *runner) begin(dir *report.Dir) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse = append(r.inUse, dir.Path())
}

func (r *runner) end(dir *report.Dir) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse = slices.DeleteFunc(r.inUse, func(path string) bool { return path == dir.Path() })
}

// prune removes old run directories, but not those of runs that go on.
func (r *runner) prune() error {
	r.mu.Lock()
	inUse := slices.Clone(r.inUse)
	r.mu.Unlock()
	return report.Prune(r.out, r.keep, inUse...)
}
