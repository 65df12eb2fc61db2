package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// suite is the test binary of one package.
type suite struct {
	path, dir, binary string
	flags             []string      // which tests are run
	usual             time.Duration // what it takes without a mutant
	reached           map[int]bool  // the mutants that it reaches
}

// try runs the tests against every mutant.
func (s *survey) try(ctx context.Context, c config, scratch string, progress io.Writer) error {
	var suites []*suite
	for i, path := range c.tests {
		t := &suite{path: path, flags: []string{"-test.run=" + c.run, "-test.skip=" + c.skip}, binary: filepath.Join(scratch, fmt.Sprintf("tests-%d", i))}
		if err := t.build(ctx, s.overlay); err != nil {
			return err
		}
		if err := t.first(ctx, filepath.Join(scratch, fmt.Sprintf("reached-%d", i))); err != nil {
			return err
		}
		suites = append(suites, t)
	}
	queue := make(chan *mutant)
	var wg sync.WaitGroup
	errs := make([]error, c.workers)
	for i := range c.workers {
		wg.Go(func() {
			for m := range queue {
				if err := m.face(ctx, suites, c.slack); err != nil && errs[i] == nil {
					errs[i] = err
				}
			}
		})
	}
	for i, m := range s.mutants {
		if i%100 == 0 {
			fmt.Fprintf(progress, "%d of %d mutants\n", i, len(s.mutants))
		}
		if !m.dropped && ctx.Err() == nil {
			queue <- m
		}
	}
	close(queue)
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// build builds the tests, with the mutants in what they test.
func (t *suite) build(ctx context.Context, overlay string) error {
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", t.path).Output()
	if err != nil {
		return fmt.Errorf("go list %s: %w", t.path, err)
	}
	t.dir = string(bytes.TrimSpace(dir))
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", t.binary, t.path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c %s: %w\n%s", t.path, err, out)
	}
	return nil
}

// first runs the tests without a mutant: they have to pass.
func (t *suite) first(ctx context.Context, reached string) error {
	cmd := t.command(ctx, envReached+"="+reached)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", t.path, err, out)
	}
	t.usual = time.Since(began)
	t.reached = map[int]bool{}
	f, err := os.Open(reached)
	if errors.Is(err, os.ErrNotExist) {
		return nil // none at all
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		t.reached[n] = true
	}
	return lines.Err()
}

// memory bounds a run of the tests, in kilobytes: a mutant may never stop
// collecting.
const memory = 8 << 20

// command is a run of the tests. It ends at the first failure.
func (t *suite) command(ctx context.Context, env string) *exec.Cmd {
	args := append([]string{t.binary, "-test.failfast", "-test.short"}, t.flags...)
	if sh, err := exec.LookPath("sh"); err == nil {
		args = append([]string{sh, "-c", fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, memory)}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = t.dir, append(os.Environ(), env)
	cmd.WaitDelay = time.Second
	return cmd
}

// face has the tests try to kill the mutant.
func (m *mutant) face(ctx context.Context, suites []*suite, slack time.Duration) error {
	for _, t := range suites {
		if !t.reached[m.number] {
			continue
		}
		m.reached = true
		limit, cancel := context.WithTimeout(ctx, 10*t.usual+slack)
		err := t.command(limit, envMutant+"="+itoa(m.number)).Run()
		late := limit.Err() != nil
		cancel()
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case late:
			m.fate = timedOut
			return nil
		case errors.As(err, &exit):
			m.fate = killed
			return nil
		case err != nil:
			return fmt.Errorf("tests of %s: %w", t.path, err)
		}
	}
	return nil
}
