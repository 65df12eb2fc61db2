package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	targets []string // PACKAGE[:FUNCTIONS]
	tests   []string // packages whose tests are run
	run     string   // tests that are run, a regular expression; empty for all
	skip    string   // tests that are not run
	except  string   // file of exceptions; empty for none
	min     float64  // percent that have to be killed
	workers int
	sample  int           // only every n-th mutant
	slack   time.Duration // beyond ten times what the tests take
	list    bool
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	var tests string
	fs := flag.NewFlagSet("mutate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&tests, "tests", "", "comma-separated `packages` whose tests are run; the mutated ones if empty")
	fs.StringVar(&c.run, "run", "", "`tests` that are run, a regular expression; all if empty")
	fs.StringVar(&c.skip, "skip", "", "`tests` that are not run, a regular expression")
	fs.StringVar(&c.except, "except", "", "`file` of mutants that need not be killed")
	fs.Float64Var(&c.min, "min", 0, "fail if less than this `percentage` is killed")
	fs.IntVar(&c.workers, "p", runtime.NumCPU(), "how many tests run at once")
	fs.IntVar(&c.sample, "sample", 1, "only every `n`-th mutant")
	fs.DurationVar(&c.slack, "slack", 2*time.Second, "what a run may take beyond ten times its usual time")
	fs.BoolVar(&c.list, "list", false, "list the mutants and run nothing")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	c.targets = fs.Args()
	switch {
	case len(c.targets) == 0:
		return c, errors.New("name packages, such as ./testserver/judge")
	case c.workers < 1 || c.sample < 1:
		return c, errors.New("-p and -sample have to be 1 or more")
	}
	if tests != "" {
		c.tests = strings.Split(tests, ",")
		return c, nil
	}
	for _, t := range c.targets {
		path, _, _ := strings.Cut(t, ":")
		c.tests = append(c.tests, path)
	}
	return c, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }() // it is in a directory for such things
	s, err := prepare(ctx, c, scratch)
	if err != nil {
		return err
	}
	if c.list {
		for _, m := range s.mutants {
			fmt.Fprintln(stdout, m)
		}
		return nil
	}
	began := time.Now()
	if err := s.try(ctx, c, scratch, stderr); err != nil {
		return err
	}
	return s.report(stdout, c.min, time.Since(began))
}

// prepare loads the packages and finds their mutants.
func prepare(ctx context.Context, c config, scratch string) (*survey, error) {
	s := &survey{}
	for _, target := range c.targets {
		if err := s.load(ctx, target); err != nil {
			return nil, err
		}
	}
	s.thin(c.sample)
	if c.except != "" {
		if err := s.readExceptions(c.except); err != nil {
			return nil, err
		}
	}
	return s, s.write(scratch)
}
