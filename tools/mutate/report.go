package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// exception is a mutant that need not be killed: "FILE FUNCTION: FROM -> TO".
// A reason stands in comment lines above it.
type exception struct {
	text string
	line int
	met  []*mutant
}

// readExceptions reads the file of exceptions: lines with "#" are reasons,
// others name mutants, and each has to have a reason above it.
func (s *survey) readExceptions(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	reason, n := false, 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "#"):
			reason = true
		case !reason:
			return fmt.Errorf("%s:%d: say why, in a comment above it", name, n)
		default:
			s.except = append(s.except, &exception{text: line, line: n})
		}
	}
	for _, m := range s.mutants {
		for _, x := range s.except {
			if !m.dropped && x.text == fmt.Sprintf("%s %s: %s", m.file.show, m.function, m.change()) {
				m.excepted = true
				x.met = append(x.met, m)
			}
		}
	}
	return nil
}

// stale are the exceptions that are none.
func (s *survey) stale() []string {
	var all []string
	for _, x := range s.except {
		switch {
		case len(x.met) == 0:
			all = append(all, fmt.Sprintf("line %d of the exceptions names no mutant: %s", x.line, x.text))
		case allKilled(x.met):
			all = append(all, fmt.Sprintf("line %d of the exceptions is killed: take it out: %s", x.line, x.text))
		}
	}
	return all
}

func allKilled(list []*mutant) bool {
	for _, m := range list {
		if m.fate == survived {
			return false
		}
	}
	return true
}

// tally counts the mutants of one package.
type tally struct{ all, killed, late, unreached, excepted int }

func (t *tally) add(m *mutant) {
	switch {
	case m.dropped:
		return
	case m.excepted && m.fate == survived:
		t.excepted++
		return
	case m.fate == killed:
		t.killed++
	case m.fate == timedOut:
		t.late++
	case !m.reached:
		t.unreached++
	}
	t.all++
}

// score is the percentage that was killed.
func (t *tally) score() float64 {
	if t.all == 0 {
		return 100
	}
	return 100 * float64(t.killed+t.late) / float64(t.all)
}

func (t *tally) String() string {
	return fmt.Sprintf("%d mutants: %d killed, %d not ended in time, %d survived (%d of them in lines that no test reaches), %d excepted: %.1f %%",
		t.all, t.killed, t.late, t.all-t.killed-t.late, t.unreached, t.excepted, t.score())
}

// report writes the survivors and the score of each package. It fails if any
// is below min.
func (s *survey) report(w io.Writer, min float64, took time.Duration) error {
	var errs []error
	for _, p := range s.packages {
		var t tally
		for _, m := range s.mutants {
			if m.pkg != p {
				continue
			}
			t.add(m)
			if !m.dropped && !m.excepted && m.fate == survived {
				where := "survived"
				if !m.reached {
					where = "no test "
				}
				fmt.Fprintf(w, "%s  %s\n", where, m)
			}
		}
		fmt.Fprintf(w, "%s: %s\n", p.path, &t)
		if t.score() < min {
			errs = append(errs, fmt.Errorf("%s: %.1f %% of the mutants were killed, %g %% are wanted", p.path, t.score(), min))
		}
	}
	fmt.Fprintf(w, "%s\n", took.Round(time.Second))
	for _, x := range s.stale() {
		errs = append(errs, errors.New(x))
	}
	return errors.Join(errs...)
}
