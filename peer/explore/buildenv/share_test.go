package buildenv_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"golang.org/x/sync/errgroup"
)

// TestOneLinkForAll has three peers run the same lines at the same time, and a
// fourth later: each line is linked once.
func TestOneLinkForAll(t *testing.T) {
	l := newLab(t, true)
	log := countTools(t)
	cfg := l.config(t, t.TempDir())
	run := func(lines ...string) func() error {
		return func() error {
			e, err := buildenv.Open(t.Context(), cfg)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			if err := e.Load(t.Context(), "fmt", "example.com/dep", "example.com/host/live"); err != nil {
				return err
			}
			var plugins []string
			for i, source := range lines {
				file, err := build(t.Context(), e, fmt.Sprintf("repl/s%d", i+1), source)
				if err != nil {
					return err
				}
				plugins = append(plugins, file)
			}
			out, err := childtest.CombinedOutput(exec.CommandContext(t.Context(), l.host, plugins...))
			if want := "x 2\n"; err != nil || !strings.Contains(string(out), want) {
				return fmt.Errorf("host: %w, printed %q, want %q", err, out, want)
			}
			return nil
		}
	}
	var peers errgroup.Group
	for range 3 {
		peers.Go(run(first, second))
	}
	if err := peers.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := run(first, second)(); err != nil {
		t.Fatal(err)
	}
	if got := log("link"); got != 2 {
		t.Errorf("%d links for two lines in four peers, want 2", got)
	}
	// The second line is the same, and what it imports is not.
	if err := run(strings.Replace(first, "var X = 1", "var X = 2 - 1", 1)+"\nvar Y = X\n", second)(); err != nil {
		t.Fatal(err)
	}
	if got := log("link"); got != 4 {
		t.Errorf("%d links after a session with another first line, want 4", got)
	}
}

// TestEmptiedCache goes on after somebody has emptied Go's cache: what was
// loaded is loaded again.
func TestEmptiedCache(t *testing.T) {
	l := newLab(t, true)
	e := l.open(t)
	if err := e.Load(t.Context(), "fmt", "example.com/dep", "example.com/host/live"); err != nil {
		t.Fatal(err)
	}
	e.Lose()
	if _, err := e.Export("fmt"); !errors.Is(err, buildenv.ErrNotLoaded) {
		t.Errorf("Export: %v, want that it must be loaded", err)
	}
	if err := e.Load(t.Context(), "fmt"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Export("fmt"); err != nil {
		t.Error(err)
	}
	e.Lose()
	plugins := []string{line(t, e, "repl/s1", first)}
	e.Lose()
	plugins = append(plugins, line(t, e, "repl/s2", second))
	if out, err := exec.CommandContext(t.Context(), l.host, plugins...).CombinedOutput(); err != nil || string(out) != "x 2\ncount 41\n" {
		t.Errorf("host: %v, printed %q", err, out)
	}
}

// build is line for goroutines of a test.
func build(ctx context.Context, e *buildenv.Env, path, source string) (string, error) {
	base := filepath.Join(e.Dir(), strings.ReplaceAll(path, "/", "-"))
	return base + ".so", errors.Join(
		os.WriteFile(base+".go", []byte(source), 0o600),
		e.Compile(ctx, path, base+".a", []string{base + ".go"}),
		e.Link(ctx, base+".a", base+".so"))
}

// countTools puts a program on the PATH through which all tools are run, and
// returns how often one was.
func countTools(t *testing.T) func(tool string) int {
	t.Helper()
	childtest.Needs(t, "nice")
	nice, err := exec.LookPath("nice")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(filepath.Join(dir, "nice"), []byte("#!/bin/sh\necho \"$3\" >>"+log+"\nexec "+nice+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func(tool string) (n int) {
		raw, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			if filepath.Base(strings.TrimSpace(line)) == tool {
				n++
			}
		}
		return n
	}
}

// TestOthersMayNotWrite opens a session where somebody else could put what is
// run then.
func TestOthersMayNotWrite(t *testing.T) {
	cache := t.TempDir()
	if err := os.Chmod(cache, 0o777); err != nil {
		t.Fatal(err)
	}
	if e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: cache}); err == nil {
		t.Errorf("a session in %s, where all may write", e.Dir())
	} else if !strings.Contains(err.Error(), "set TMPDIR") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line with a remedy", err)
	}
}

// TestOpenFails makes no half of a session: what has no directory would write
// into the current one.
func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: file}); err == nil || e != nil {
		t.Errorf("a session below a file: %v, and an Env: %t; want an error alone", err, e != nil)
	}
}
