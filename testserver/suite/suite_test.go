package suite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/suite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree writes files below a folder, and goes there.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	tree(t, map[string]string{
		"a.cmd":                  "alice init\n",
		"b/full.cmd":             "# prose\npeers alice bob\nall init\n",
		"b/forgotten.cmd":        "all init\nall msg x\n",
		"b/broken.cmd":           "alice inti\nalice init\nbob msg x\n",
		"b/expects.cmd":          "bob testfilter view 1 x\n",
		"b/phases.cmd":           "phase \"x\"\n",
		"b/empty.cmd":            "# later\n",
		"b/setup.cmd":            "peers alice\n",
		"b/teardown.cmd":         "peers alice\n",
		"b/readme.txt":           "alice init\n",
		"shell/start.cmd":        "# by hand\ninit\nmsg init\nsleep 1\nquit\n",
		"shell/help.cmd":         "help init\nmembers\n",
		"runs/1/journal.jsonl":   "",
		"runs/1/scenario.cmd":    "alice init\n",
		"runs/latest/result":     "",
		"runs/x-min.cmd":         "alice init\n",
		"old/1/journal.jsonl":    "",
		"old/1/scenario.cmd":     "alice init\n",
		".git/hooks/sample.cmd":  "alice init\n",
		"b/deep/er/scenario.cmd": "alice init\n",
	})
	for name, c := range map[string]struct {
		paths        []string
		want, others string
	}{
		"all":           {[]string{"."}, "a.cmd b/broken.cmd b/deep/er/scenario.cmd b/empty.cmd b/expects.cmd b/forgotten.cmd b/full.cmd b/phases.cmd", "shell/help.cmd shell/start.cmd"},
		"a folder":      {[]string{"shell"}, "", "shell/help.cmd shell/start.cmd"},
		"named":         {[]string{"shell/start.cmd", "b/setup.cmd", "runs/1"}, "shell/start.cmd b/setup.cmd runs/1/scenario.cmd", ""},
		"none is twice": {[]string{"a.cmd", "./a.cmd", ".", "shell", "./shell"}, "a.cmd b/broken.cmd b/deep/er/scenario.cmd b/empty.cmd b/expects.cmd b/forgotten.cmd b/full.cmd b/phases.cmd", "shell/help.cmd shell/start.cmd"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := suite.Find(c.paths)
			if err != nil {
				t.Fatal(err)
			}
			if s := filepath.ToSlash(strings.Join(got.Scenarios, " ")); s != c.want {
				t.Errorf("scenarios:\n got %s\nwant %s", s, c.want)
			}
			if name == "all" && filepath.ToSlash(strings.Join(got.Shared, " ")) != "b/setup.cmd b/teardown.cmd" {
				t.Errorf("shared: %q", got.Shared)
			}
			if s := filepath.ToSlash(strings.Join(got.Others, " ")); s != c.others {
				t.Errorf("others: %s, want %s", s, c.others)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	tree(t, map[string]string{
		"d/setup.cmd":       "peers alice zoe\ntimeout 7s\nall init\nawait converged\n",
		"d/teardown.cmd":    "peers alice\nalice quit\n",
		"d/one.cmd":         "peers alice bob\nbob msg x\nalice expect chat \"x\"\ncleanup { bob quit }\n",
		"d/sub/two.cmd":     "alice init\n",
		"o/setup.cmd":       "peers alice\n",
		"o/original.cmd":    "alice init\n",
		"e/teardown.cmd":    "peers alice\nalcie quit\n",
		"e/fine.cmd":        "peers alice\nalice quit\n",
		"w/wrong.cmd":       "all init\n",
		"w/wrong2.cmd":      "peers alice\nbob init\n",
		"shell/by-hand.cmd": "init\n",
		"clash/setup.cmd":   "peers alice bob\ngroup g = alice\n",
		"clash/x.cmd":       "peers alice bob\ngroup g = bob\ng init\n",
	})
	all := regexp.MustCompile("")
	found, others, err := suite.Load([]string{"d"}, all)
	if err != nil || len(found) != 2 || others != nil {
		t.Fatalf("%v, %v, %v", found, others, err)
	}
	s := found[0]
	var lines []string
	for _, part := range [][]language.Statement{s.Script.Body, s.Script.Cleanup} {
		language.Walk(part, func(st *language.Statement) bool { lines = append(lines, st.Text); return true })
	}
	want := []string{"all init", "await converged", "bob msg x", `alice expect chat "x"`, "bob quit", "alice quit"}
	if !slices.Equal(lines, want) || s.Script.Name != "one" || s.Script.Timeout != 7*time.Second || strings.Join(s.Script.Peers, " ") != "alice zoe bob" {
		t.Errorf("%q, %+v", lines, s.Script)
	}
	if len(s.Shared) != 2 || s.Shared[0].Name != "setup" || s.Shared[1].Name != "teardown" || found[1].Shared != nil {
		t.Errorf("shared: %v, and of a folder below %v", s.Shared, found[1].Shared)
	}
	for name, c := range map[string]struct {
		path, filter, want string
	}{
		"missing":              {"nowhere", "", "nowhere: no such file or folder; `testserver list` names scenarios"},
		"nothing matches":      {"d", "x{3}", `no scenario in d matches "x{3}"`},
		"scripts for shells":   {"shell", "", "no scenario in shell; shell/by-hand.cmd is one for the shell of a peer: peer NAME --script shell/by-hand.cmd"},
		"all errors":           {"w", "", "wrong.cmd:1:1: "},
		"of two forms":         {"o", "", "o/original.cmd:1:1: what is run with o/setup.cmd has to be in the full form: add a `peers` line"},
		"a wrong shared file":  {"e/fine.cmd", "", "e/teardown.cmd:2:1: "},
		"names that do not go": {"clash", "", "group g is another one"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := suite.Load([]string{c.path}, regexp.MustCompile(c.filter))
			if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if name == "all errors" && !strings.Contains(err.Error(), "wrong2.cmd:2:1") {
				t.Error(err)
			}
		})
	}
	if _, _, err := suite.Load([]string{"shell"}, all); !errors.Is(err, suite.ErrNone) {
		t.Error(err)
	}
	if alone, _, err := suite.Load([]string{"d/setup.cmd"}, all); err != nil || alone[0].Shared != nil {
		t.Errorf("a setup by itself: %v, %v", alone, err)
	}
}

func TestAbout(t *testing.T) {
	for source, want := range map[string]string{
		"# Three peers.\n# More.\npeers a\n":      "Three peers.",
		"\n#\n# ====\n#   Late prose  \na init\n": "Late prose",
		"a init\n# not this\n":                    "",
		"":                                        "",
		"\ufeff# Marked\na init\n":                "Marked",
	} {
		s, err := language.Parse("x.cmd", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if got := suite.About(s); got != want {
			t.Errorf("%q is about %q, want %q", source, got, want)
		}
	}
}

// TestPlan has jobs that take a second each, of which number 4 does not pass.
func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		plan    suite.Plan
		things  int
		cancel  time.Duration
		jobs    int
		seconds int
		atOnce  int
	}{
		"one after another":       {suite.Plan{Rounds: 2}, 3, 0, 6, 6, 1},
		"two at once":             {suite.Plan{Rounds: 2, Parallel: 2}, 3, 0, 6, 3, 2},
		"more than there are":     {suite.Plan{Rounds: 1, Parallel: 10}, 3, 0, 3, 1, 3},
		"until one fails":         {suite.Plan{UntilFail: true}, 3, 0, 6, 6, 1},
		"at most so often":        {suite.Plan{Rounds: 1, UntilFail: true}, 3, 0, 3, 3, 1},
		"until one fails, of two": {suite.Plan{Rounds: 100, UntilFail: true, Parallel: 2}, 6, 0, 6, 3, 2},
		"interrupted":             {suite.Plan{Parallel: 2}, 3, 2500 * time.Millisecond, 6, 3, 2},
		"nothing":                 {suite.Plan{}, 0, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, cancel)
				}
				var mu sync.Mutex
				began := time.Now()
				jobs, running, most := []int{}, 0, 0
				c.plan.Run(ctx, c.things, func(job int) bool {
					mu.Lock()
					jobs = append(jobs, job)
					running++
					most = max(most, running)
					mu.Unlock()
					if job != 4 { // whether the others have ended is clear then
						time.Sleep(100 * time.Millisecond)
					}
					time.Sleep(900 * time.Millisecond)
					mu.Lock()
					running--
					mu.Unlock()
					return job != 4
				})
				slices.Sort(jobs)
				if len(jobs) != c.jobs || len(jobs) > 0 && jobs[len(jobs)-1] != c.jobs-1 {
					t.Errorf("jobs %v, want %d", jobs, c.jobs)
				}
				if got := time.Since(began).Round(time.Second); got != time.Duration(c.seconds)*time.Second || most != c.atOnce {
					t.Errorf("took %s with %d at once, want %d s and %d", got, most, c.seconds, c.atOnce)
				}
			})
		})
	}
}
