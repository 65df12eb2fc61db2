package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/local"
	"github.com/peerlab/peerlab/testserver/report"
)

// options are the flags that run and serve share.
type options struct {
	out     string
	keep    int
	verbose bool
	budget  time.Duration
	timeout time.Duration
	junit   string
	json    bool
	seed    uint64
	seeded  bool

	repeat    int
	untilFail bool
	filter    string
	peer      string
}

func (o *options) register(s *pflag.FlagSet) {
	s.SortFlags = false
	s.StringVar(&o.out, "out", "runs", "`DIR` in which every run gets a directory")
	s.IntVar(&o.keep, "keep", 20, "how many run directories stay; 0 for all")
	s.BoolVarP(&o.verbose, "verbose", "v", false, "show every row, as it is decided")
	s.DurationVar(&o.budget, "budget", 5*time.Minute, "one bound on a whole scenario")
	s.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long one command may take")
	s.StringVar(&o.junit, "junit", "", "write the results of all runs to `FILE` as JUnit XML")
	s.BoolVar(&o.json, "json", false, "print result.json, one line a run; the report goes to stderr")
	s.Uint64Var(&o.seed, "seed", 0, "`N` to make all random choices with; it is kept with the result")
}

func (o *options) check() error {
	switch {
	case o.budget <= 0:
		return fmt.Errorf("--budget %s: it must be more than nothing", o.budget)
	case o.timeout <= 0:
		return fmt.Errorf("--timeout %s: it must be more than nothing", o.timeout)
	case o.repeat < 1:
		return fmt.Errorf("--repeat %d: it must be 1 or more", o.repeat)
	case o.keep < 0:
		return fmt.Errorf("--keep %d: give how many run directories stay, or 0 for all", o.keep)
	}
	return nil
}

func runCommand(p Process) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "run [flags] FILE|DIR ...",
		Short: "Run scenarios with peers on this machine",
		Long: `Run runs scenarios, one after another; of a folder, all files *.cmd in and
below it. Each gets peers of its own, as processes of this machine, with a
bootstrap service of their own. No process outlives the run.`,
		Example: `  testserver run scripts/scenario/default.cmd
  testserver run --filter chat -v scripts/scenario`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.seeded = cmd.Flags().Changed("seed")
			if err := o.check(); err != nil {
				return err
			}
			scripts, err := load(args, o.filter)
			if err != nil {
				return err
			}
			return ended(o.runAll(cmd.Context(), p, scripts))
		},
	}
	o.register(c.Flags())
	c.Flags().IntVar(&o.repeat, "repeat", 1, "run everything so many times")
	c.Flags().BoolVar(&o.untilFail, "until-fail", false, "run again until something does not pass; at most --repeat times, if that is given")
	c.Flags().StringVar(&o.filter, "filter", "", "only files whose path matches `RE`")
	c.Flags().StringVar(&o.peer, "peer", "", "start peers with the program at `PATH`")
	return c
}

// load parses all files, so that an error is found before any peer starts.
func load(paths []string, filter string) ([]*language.Script, error) {
	match, err := regexp.Compile(filter)
	if err != nil {
		return nil, fmt.Errorf("--filter: %w", err)
	}
	files, err := find(paths)
	if err != nil {
		return nil, err
	}
	var scripts []*language.Script
	var errs []error
	for _, f := range files {
		if !match.MatchString(f) {
			continue
		}
		s, err := parse(f)
		scripts, errs = append(scripts, s), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("nothing was run: %w", err)
	}
	if len(scripts) == 0 {
		return nil, fmt.Errorf("no scenario (*.cmd) in %s", strings.Join(paths, " "))
	}
	return scripts, nil
}

func parse(file string) (*language.Script, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return language.Parse(file, source)
}

// find names the files: those given, and *.cmd in and below folders, sorted.
// Run directories below a folder are left out.
func find(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: no such file or folder; `testserver list` names scenarios", path)
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		err = filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && p != path && isRun(p):
				return fs.SkipDir
			case !d.IsDir() && filepath.Ext(p) == ".cmd":
				files = append(files, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// isRun tells a run directory, whose scenario is a copy.
func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "journal.jsonl"))
	return err == nil
}

// runAll runs the scripts as often as wanted and returns the exit status.
func (o *options) runAll(ctx context.Context, p Process, scripts []*language.Script) int {
	var results []*report.Result
	var verdicts []report.Verdict
	for round := 1; o.again(round, verdicts) && ctx.Err() == nil; round++ {
		for _, s := range scripts {
			if ctx.Err() != nil {
				break
			}
			r := o.runLocal(ctx, p, s)
			results, verdicts = append(results, r), append(verdicts, r.Verdict)
		}
	}
	return o.wrapUp(p, results, verdicts)
}

// again tells whether there is another round.
func (o *options) again(round int, verdicts []report.Verdict) bool {
	if o.untilFail {
		for _, v := range verdicts {
			if v != report.Passed {
				return false
			}
		}
		return o.repeat <= 1 || round <= o.repeat
	}
	return round <= max(1, o.repeat)
}

// wrapUp writes what all runs have in common.
func (o *options) wrapUp(p Process, results []*report.Result, verdicts []report.Verdict) int {
	if len(results) > 1 {
		count := map[report.Verdict]int{}
		for _, v := range verdicts {
			count[v]++
		}
		fmt.Fprintf(o.text(p), "%d runs: %d passed, %d failed, %d unknown, %d harness errors\n", len(results),
			count[report.Passed], count[report.Failed], count[report.Unknown]+count[report.Interrupted], count[report.Broken])
	}
	for _, f := range report.Flaky(results) {
		fmt.Fprintln(o.text(p), f)
	}
	status := report.Worst(verdicts)
	if o.junit == "" {
		return status
	}
	f, err := os.Create(o.junit)
	if err == nil {
		err = errors.Join(report.JUnit(f, results), f.Close())
	}
	if err != nil {
		fmt.Fprintf(p.Stderr, "testserver: --junit: %v\n", err)
		return StatusBroken
	}
	return status
}

// runLocal runs one scenario with processes of this machine.
func (o *options) runLocal(ctx context.Context, p Process, s *language.Script) *report.Result {
	program := []string{p.Self, "peer"}
	if o.peer != "" {
		program = []string{o.peer}
	}
	seed := o.pickSeed()
	return o.runOne(ctx, p, s, "local", seed, func(dir *report.Dir) coordinator.World {
		cfg := local.Config{Program: program, Env: p.Environ, Dir: dir.Peer, Seed: seed}
		if runtime.GOOS != "linux" {
			cfg.Watchdog = []string{p.Self, "watchdog"}
		}
		return local.NewWorld(cfg)
	}, 0)
}

// pickSeed is the seed that was given, or a new one. It is short enough to be
// typed again.
func (o *options) pickSeed() uint64 {
	if o.seeded {
		return o.seed
	}
	return uint64(rand.Uint32())
}

// runOne runs a scenario in a world, in a run directory, and reports it. start
// is how long peers may take to attach; 0 for the default.
func (o *options) runOne(ctx context.Context, p Process, s *language.Script, engine string, seed uint64, make func(*report.Dir) coordinator.World, start time.Duration) *report.Result {
	r := report.Result{Scenario: s.Name, Path: s.Path, Engine: engine, Rerun: o.rerun(s, engine, seed), Started: time.Now()}
	if o.seeded || !s.Original {
		r.Seed = &seed
	}
	dir, err := report.Create(o.out, s.Name, r.Started)
	if err != nil {
		return o.broken(p, r, err)
	}
	defer dir.Close()
	r.Dir = relative(dir.Path())
	if err := dir.WriteScenario(s.Source); err != nil {
		return o.broken(p, r, err)
	}
	cfg := coordinator.Config{
		Script: s, World: make(dir), Recorder: dir, Result: r, Seed: seed,
		Start: start, Command: o.timeout, Budget: o.budget,
	}
	list := report.Some
	if o.verbose {
		list = report.None // they come as they are decided
	}
	result, err := o.watched(p, func(out io.Writer, observe func(coordinator.Snapshot)) (*report.Result, error) {
		cfg.Observe = observe
		if o.verbose {
			cfg.OnRow = func(row report.Row) {
				fmt.Fprintf(out, "%8.1f ms  %s\n", row.DurationMS, report.RowLine(row))
			}
		}
		return coordinator.Run(ctx, cfg)
	})
	err = errors.Join(err, dir.WriteJUnit(result), dir.WriteHTML(result), report.Prune(o.out, o.keep))
	if err != nil {
		return o.broken(p, *result, err)
	}
	if err := o.show(p, result, list); err != nil {
		return o.broken(p, *result, err)
	}
	return result
}

// broken reports a run that the harness could not do or could not record.
func (o *options) broken(p Process, r report.Result, err error) *report.Result {
	r.Problems = append(r.Problems, report.Problem{Harness: true, Text: err.Error()})
	r.Schema = report.Schema
	r.Decide()
	_ = o.show(p, &r, report.Some) // there may be nowhere to say it
	return &r
}

// rerun is the command that does the same again.
func (o *options) rerun(s *language.Script, engine string, seed uint64) string {
	words := []string{"testserver", "run"}
	if engine != "local" {
		words[1] = "serve"
	}
	if o.seeded || !s.Original {
		words = append(words, fmt.Sprintf("--seed %d", seed))
	}
	if o.peer != "" {
		words = append(words, "--peer", quoted(o.peer))
	}
	return strings.Join(append(words, quoted(s.Path)), " ")
}

func quoted(s string) string {
	if strings.ContainsAny(s, " \t'\"$\\*?;&|<>()") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// relative is a path as a person would type it.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
