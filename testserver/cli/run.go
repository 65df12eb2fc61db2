package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/local"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/suite"
)

func runCommand(p Process) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "run [flags] FILE|DIR ...",
		Short: "Run scenarios with peers on this machine",
		Long: `Run runs scenarios; of a folder, all files *.cmd in and below it, but scripts for
the shell of one peer. Each gets peers of its own, as processes of this machine,
with a bootstrap service of their own. No process outlives the run.

What setup.cmd and teardown.cmd in a folder say is run before and after each
scenario of that folder, teardown.cmd whatever happened.

Interrupted by ctrl-C, a run ends in order: its cleanup runs, its peers are ended,
and what was not run is said. A second ctrl-C ends it at once.

With --shrink, a scenario that has failed is run again and again with fewer
statements, peers and faults, as long as it fails the same way; what is left is
written to DIR/NAME-min.cmd. --budget bounds all of that, too.`,
		Example: `  testserver run scripts/scenario/default.cmd
  testserver run --filter chat -v scripts/scenario
  testserver run --repeat 100 --until-fail --shrink scripts/scenario/heal.cmd`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			all, others, err := load(args, o.filter)
			if err == nil {
				err = o.makeOut()
			}
			if err != nil {
				return err
			}
			r := &runner{options: &o, process: p, scenarios: all}
			r.console = o.console(p)
			r.leftOut(others)
			return ended(r.all(cmd.Context()))
		},
	}
	o.register(c.Flags())
	c.Flags().IntVar(&o.repeat, "repeat", 1, "run everything so many times")
	c.Flags().BoolVar(&o.untilFail, "until-fail", false, "run again until something does not pass; at most --repeat times, if that is given")
	c.Flags().IntVar(&o.parallel, "parallel", 0, "run `N` scenarios at once; 0 for half of the cores")
	c.Flags().StringVar(&o.filter, "filter", "", "only files whose path matches `RE`")
	c.Flags().StringVar(&o.peer, "peer", "", "start peers with the program at `PATH`")
	c.Flags().BoolVar(&o.shrink, "shrink", false, "make a scenario that fails smaller, as long as it fails the same way")
	c.MarkFlagsMutuallyExclusive("json", "result-json")
	return c
}

func load(paths []string, filter string) (all []suite.Scenario, others []string, err error) {
	match, err := regexp.Compile(filter)
	if err != nil {
		return nil, nil, fmt.Errorf("--filter: %w", err)
	}
	return suite.Load(paths, match)
}

// runner runs scenarios. Several goroutines use it.
type runner struct {
	*options
	process   Process
	scenarios []suite.Scenario
	console   *console

	mu      sync.Mutex // also held while a run is printed
	inUse   []string   // run directories of runs that go on
	results map[int]*report.Result
}

// leftOut names the files of folders that were not taken for scenarios.
func (r *runner) leftOut(others []string) {
	if len(others) > 0 && r.verbose {
		fmt.Fprintf(r.console.words, "left out, as scripts for the shell of a peer: %q\n", others)
	}
}

// all runs the scenarios as often as wanted and returns the exit status.
func (r *runner) all(ctx context.Context) int {
	plan := suite.Plan{Rounds: r.repeat, UntilFail: r.untilFail, Parallel: r.workers()}
	if r.endless {
		plan.Rounds = 0
	}
	single := len(r.scenarios)*plan.Rounds == 1
	if plan.Parallel > 1 || !r.console.live {
		defer context.AfterFunc(ctx, func() { fmt.Fprintln(r.process.Stderr, interrupting) })()
	}
	r.results = map[int]*report.Result{}
	plan.Run(ctx, len(r.scenarios), func(job int) bool {
		c, flush := r.console, func() {}
		if plan.Parallel > 1 && !single {
			c, flush = r.console.apart()
		}
		s := r.scenarios[job%len(r.scenarios)]
		if !single && !c.forPrograms() {
			fmt.Fprintf(c.words, "== %s\n", s.Script.Path)
		}
		result := r.local(ctx, c, s, r.pickSeed())
		r.mu.Lock()
		defer r.mu.Unlock()
		flush()
		r.results[job] = result
		return result.Verdict == report.Passed || result.Verdict == report.NotRun
	})
	results := r.inOrder()
	status := r.wrapUp(results)
	if r.shrink {
		r.shrinkFailed(ctx, results)
	}
	return status
}

const interrupting = "interrupted: it ends in order, with its cleanup; ctrl-C again ends it at once"

// inOrder are the results in the order of the jobs.
func (r *runner) inOrder() []*report.Result {
	var jobs []int
	for job := range r.results {
		jobs = append(jobs, job)
	}
	slices.Sort(jobs)
	var results []*report.Result
	for _, job := range jobs {
		results = append(results, r.results[job])
	}
	return results
}

// local runs one scenario with processes of this machine.
func (r *runner) local(ctx context.Context, c *console, s suite.Scenario, seed uint64) *report.Result {
	program := []string{r.process.Self, "peer"}
	if r.peer != "" {
		program = []string{r.peer}
	}
	return r.one(ctx, c, job{Scenario: s, engine: "local", seed: seed, world: func(dir *report.Dir) coordinator.World {
		cfg := local.Config{Program: program, Env: r.process.Environ, Dir: dir.Peer, Seed: seed}
		if runtime.GOOS != "linux" {
			cfg.Watchdog = []string{r.process.Self, "watchdog"}
		}
		return local.NewWorld(cfg)
	}})
}

// wrapUp writes what all runs have in common, and returns the exit status.
func (r *runner) wrapUp(results []*report.Result) int {
	var paths []string
	for _, s := range r.scenarios {
		paths = append(paths, s.Script.Path)
	}
	var errs []error
	if len(paths) > 1 || len(results) > 1 {
		errs = append(errs, report.Summary(r.console.words, paths, results, r.console.look(report.Some)))
	}
	var verdicts []report.Verdict
	for _, one := range results {
		verdicts = append(verdicts, one.Verdict)
	}
	if r.junit != "" {
		f, err := os.Create(r.junit)
		if err == nil {
			err = errors.Join(report.JUnit(f, results), f.Close())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--junit: %w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintf(r.process.Stderr, "testserver: %v\n", err)
		return StatusBroken
	}
	return report.Worst(verdicts)
}
