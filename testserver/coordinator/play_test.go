package coordinator_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/coordinator/fakeworld"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

var update = flag.Bool("update", false, "rewrite what the cases in testdata want")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a Recorder.
type memory struct {
	mu      sync.Mutex
	journal []string
	results []report.Result
	fail    error
}

func (m *memory) Journal(line []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.journal = append(m.journal, string(line))
	return m.fail
}

func (m *memory) WriteResult(r *report.Result) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := *r
	c.Rows = slices.Clone(r.Rows)
	m.results = append(m.results, c)
	return nil
}

var errDisk = errors.New("disk full")

// play runs a scenario in a fake world, in virtual time; it must be called in
// a bubble.
func play(t testing.TB, file, world string, change func(*coordinator.Config)) (*report.Result, *memory) {
	t.Helper()
	script, err := language.Parse("x.cmd", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	w, err := fakeworld.New(world)
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	cfg := coordinator.Config{Script: script, World: w, Recorder: m, Seed: 1, Result: report.Result{Engine: "sim"}}
	if change != nil {
		change(&cfg)
	}
	r, err := coordinator.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r, m
}

// shown is a result as lines, for comparison.
func shown(r *report.Result) string {
	var b strings.Builder
	phase := 0
	for _, row := range r.Rows {
		if row.Phase != phase {
			phase = row.Phase
			fmt.Fprintf(&b, "phase %d %q\n", phase, r.Phases[phase].Title)
		}
		fmt.Fprintf(&b, "%-9s %s %d: %s", row.Status, row.Kind, row.Line, row.Text)
		if row.DurationMS > 0 {
			fmt.Fprintf(&b, "  (%g ms)", row.DurationMS)
		}
		b.WriteByte('\n')
		line := func(name, text string) {
			if text != "" {
				fmt.Fprintf(&b, "    %s: %s\n", name, strings.ReplaceAll(text, "\n", "\\n"))
			}
		}
		line("wrong", row.Wrong)
		line("peer", row.Peer)
		line("expected", row.Expected)
		line("output", row.Output)
		for _, list := range []struct {
			name  string
			lines []string
		}{{"seen", row.Seen}, {"faults", row.Faults}, {"last", row.Last}, {"comment", row.Comment}} {
			for _, l := range list.lines {
				line(list.name, l)
			}
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem (harness: %v): %s %q\n", p.Harness, p.Text, p.Details)
	}
	for _, l := range r.Matrix {
		fmt.Fprintf(&b, "| %s\n", l)
	}
	for _, p := range r.Peers {
		fmt.Fprintf(&b, "peer %s, boot %d: %s, expected: %v\n", p.Name, p.Boot, p.Exit, p.Expected)
	}
	fmt.Fprintf(&b, "%s (%d) after %s: %s\n", r.Verdict, r.ExitStatus, time.Duration(r.DurationMS)*time.Millisecond, r.Why)
	if r.Note != "" {
		fmt.Fprintf(&b, "note: %s\n", r.Note)
	}
	return b.String()
}

// TestCases plays the cases in testdata: a scenario, how the world behaves,
// and all that is reported then.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range a.Files {
				parts[f.Name] = string(f.Data)
			}
			var got string
			synctest.Test(t, func(t *testing.T) {
				change := func(c *coordinator.Config) { configure(t, c, string(a.Comment)) }
				var r *report.Result
				var m *memory
				told := ""
				if fed, is := parts["fed"]; is {
					r, m, told = playFed(t, parts["x.cmd"], parts["world"], fed, change)
				} else {
					r, m = play(t, parts["x.cmd"], parts["world"], change)
				}
				got = shown(r) + told
				if strings.Contains(string(a.Comment), "\njournal\n") {
					got += "journal\n" + journalOf(t, m)
				}
				if strings.Contains(string(a.Comment), "\ntold\n") {
					got += toldTo(t, m)
				}
			})
			if *update {
				rewrite(t, file, a, got)
				return
			}
			if got != parts["want"] {
				t.Errorf("%s\n got:\n%s\nwant:\n%s", a.Comment, got, parts["want"])
			}
		})
	}
}

// configure reads "set NAME DURATION" lines of a case's comment.
func configure(t *testing.T, c *coordinator.Config, comment string) {
	for line := range strings.Lines(comment) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "set" {
			continue
		}
		d, err := time.ParseDuration(f[2])
		if err != nil {
			t.Fatal(err)
		}
		switch f[1] {
		case "budget":
			c.Budget = d
		case "cleanup":
			c.Cleanup = d
		case "command":
			c.Command = d
		default:
			t.Fatalf("%q cannot be set", f[1])
		}
	}
}

func rewrite(t *testing.T, file string, a *txtar.Archive, got string) {
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
	if i < 0 {
		a.Files = append(a.Files, txtar.File{Name: "want"})
		i = len(a.Files) - 1
	}
	a.Files[i].Data = []byte(got)
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}
