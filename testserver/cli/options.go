package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/peerlab/peerlab/testserver/language"
)

// What flags are if they are not given.
const (
	defaultBudget  = 5 * time.Minute
	defaultTimeout = 30 * time.Second
)

// options are the flags of run; serve shares those of register.
type options struct {
	forms
	out     string
	keep    int
	budget  time.Duration
	timeout time.Duration
	junit   string
	seed    uint64
	seeded  bool
	short   bool

	repeat    int
	endless   bool // until something fails, however often
	untilFail bool
	parallel  int
	filter    string
	peer      string
	shrink    bool
}

// register adds the flags that run and serve share.
func (o *options) register(s *pflag.FlagSet) {
	s.SortFlags = false
	s.StringVar(&o.out, "out", "runs", "`DIR` in which every run gets a directory")
	s.IntVar(&o.keep, "keep", 20, "how many run directories stay; 0 for all")
	s.BoolVarP(&o.verbose, "verbose", "v", false, "show every row, as it is decided")
	s.DurationVar(&o.budget, "budget", defaultBudget, "one bound on a whole scenario")
	s.DurationVar(&o.timeout, "timeout", defaultTimeout, "how long one command may take")
	s.BoolVar(&o.short, "short", false, "the condition [short] holds")
	s.StringVar(&o.junit, "junit", "", "write the results of all runs to `FILE` as JUnit XML")
	s.Uint64Var(&o.seed, "seed", 0, "`N` to make all random choices with; without it each run draws one, and says it")
	o.forms.register(s)
}

// check refuses what cannot be meant.
func (o *options) check(s *pflag.FlagSet) error {
	o.seeded = s.Changed("seed")
	o.endless = o.untilFail && !s.Changed("repeat")
	switch {
	case o.budget <= 0:
		return fmt.Errorf("--budget %s: it must be more than nothing", o.budget)
	case o.timeout <= 0:
		return fmt.Errorf("--timeout %s: it must be more than nothing", o.timeout)
	case o.repeat < 1:
		return fmt.Errorf("--repeat %d: it must be 1 or more", o.repeat)
	case o.parallel < 0:
		return fmt.Errorf("--parallel %d: give how many scenarios run at once, or 0 for half of the cores", o.parallel)
	case o.keep < 0:
		return fmt.Errorf("--keep %d: give how many run directories stay, or 0 for all", o.keep)
	}
	return cmp.Or(o.checkPeer(), o.checkJUnit())
}

// checkPeer finds out before anything runs that the program is none.
func (o *options) checkPeer() error {
	if o.peer == "" {
		return nil
	}
	if _, err := exec.LookPath(o.peer); err != nil {
		return fmt.Errorf("--peer %s: it cannot be run: %w: give the path of a program", o.peer, errors.Unwrap(err))
	}
	return nil
}

// checkJUnit finds out before anything runs that the file could not be
// written after it.
func (o *options) checkJUnit() error {
	if o.junit == "" {
		return nil
	}
	if info, err := os.Stat(o.junit); err == nil && info.IsDir() {
		return fmt.Errorf("--junit %s: that is a folder: give the name of a file", o.junit)
	}
	dir := filepath.Dir(o.junit)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("--junit %s: there is no folder %s: make it first", o.junit, dir)
	}
	return nil
}

// makeOut makes the directory of run directories.
func (o *options) makeOut() error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("--out: %w: give a folder, or where one can be made", err)
	}
	return nil
}

// workers is how many scenarios run at once.
func (o *options) workers() int {
	if o.parallel > 0 {
		return o.parallel
	}
	return max(1, runtime.NumCPU()/2)
}

// pickSeed is the seed that was given, or a new one. It is short enough to be
// typed again.
func (o *options) pickSeed() uint64 {
	if o.seeded {
		return o.seed
	}
	return uint64(rand.Uint32())
}

// rerun is the command that does the same again.
func (o *options) rerun(s *language.Script, engine string, seed uint64) string {
	words := []string{"testserver", "run", fmt.Sprintf("--seed %d", seed)}
	if engine == "remote" {
		words[1] = "serve"
	}
	add := func(isSet bool, flag ...string) {
		if isSet {
			words = append(words, flag...)
		}
	}
	add(o.short, "--short")
	add(o.budget != defaultBudget, "--budget", o.budget.String())
	add(o.timeout != defaultTimeout, "--timeout", o.timeout.String())
	add(o.peer != "", "--peer", quoted(o.peer))
	path := s.Path
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return strings.Join(append(words, quoted(path)), " ")
}

var harmless = regexp.MustCompile(`^[A-Za-z0-9_@%+:,./-]+$`)

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if harmless.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
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
