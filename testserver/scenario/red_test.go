package scenario_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/testserver/scenario"
)

// envRed names the test that is to fail, in a process of its own.
const envRed = "SCENARIO_RED"

// reds are tests that must fail, and what they must say.
func reds() map[string]struct {
	test func(*testing.T)
	says []string
} {
	type red = struct {
		test func(*testing.T)
		says []string
	}
	hello := func(t *testing.T, opts ...scenario.Option) *scenario.Scenario {
		s := scenario.New(t, "alice", "bob").Configure(opts...)
		s.All().Run("init")
		s.AwaitConverged(5 * time.Second)
		s.Peer("alice").Run("msg hello")
		return s
	}
	return map[string]red{
		"a file": {func(t *testing.T) {
			scenario.Run(t, scenario.Script("x.cmd", "peers alice\nalice init\nalice expect chat \"never\" within 1s\n"))
		}, []string{`x.cmd:3: alice expect chat "never" within 1s: alice: expected count >= 1, seen 0`, "FAILED  x.cmd", "go test -run '^TestRed$'"}},
		"nothing asserted": {func(t *testing.T) {
			scenario.Run(t, scenario.Script("x.cmd", "peers alice\nalice init\n"))
		}, []string{"nothing was asserted"}},
		"a wrong file": {func(t *testing.T) {
			scenario.Run(t, scenario.Script("x.cmd", "peers alice\nalise init\n"))
		}, []string{"x.cmd:2:1: no peer and no group is called alise; did you mean alice?"}},
		"no file":     {func(t *testing.T) { scenario.Run(t, scenario.File("none.cmd")) }, []string{"none.cmd"}},
		"no scenario": {func(t *testing.T) { scenario.Run(t) }, []string{"give scenario.File or scenario.Script"}},
		"no engine": {func(t *testing.T) {
			scenario.Run(t, scenario.Engine("steam"), scenario.Script("x.cmd", "peers a\n"))
		}, []string{`engine "steam": there are "sim" and "local"`}},
		"no program": {func(t *testing.T) {
			scenario.Run(t, scenario.Peer("no/such/peer"), scenario.Script("x.cmd", "peers a\n"))
		}, []string{"program of the peers: "}},
		"no main": {func(t *testing.T) {
			t.Setenv("SCENARIO_MAIN", "")
			scenario.Run(t, scenario.Engine("local"), scenario.Script("x.cmd", "peers a\n"))
		}, []string{"scenario.Main(m)"}},
		"a budget": {func(t *testing.T) {
			scenario.Run(t, scenario.Budget(3*time.Second), scenario.Script("x.cmd", "peers a\na init\na stable members.count == 1 for 1m\n"))
		}, []string{"the budget of the run is used up (3s)"}},
		"a step": {func(t *testing.T) {
			s := hello(t)
			s.Peer("bob").Expect("chat", scenario.Text("hello"), scenario.Count(2), scenario.Within(time.Second))
			panic("it went on")
		}, []string{"red_test.go:", `bob expect chat "hello" count == 2 within 1s: bob: expected count == 2, seen 1`, "who sees whom"}},
		"a step in time": {func(t *testing.T) {
			s := hello(t, scenario.Engine("local"))
			s.Peer("bob").Never("chat", time.Second, scenario.Text("hello"))
			panic("it went on")
		}, []string{`bob never chat "hello" for 1s: bob:`}},
		"a command": {func(t *testing.T) {
			hello(t).Peer("bob").Run("nonsense")
			panic("it went on")
		}, []string{`bob nonsense: unknown command "nonsense"`}},
		"a check": {func(t *testing.T) {
			hello(t).Check("red", func([]scenario.Event) error { return errors.New("it is red\nas a rose") })
			panic("it went on")
		}, []string{`check "red": it is red`, "as a rose"}},
		"a wrong step": {func(t *testing.T) {
			hello(t).Peer("alise").Run("members")
			panic("it went on")
		}, []string{"no peer and no group is called alise; did you mean alice?"}},
		"two lines": {func(t *testing.T) {
			hello(t).Peer("alice").Run("msg a\nb")
		}, []string{"a step is one line"}},
		"healed twice": {func(t *testing.T) {
			s := hello(t)
			cut := s.Partition(s.Peer("alice"), s.Peer("bob"))
			cut.Heal()
			cut.Heal()
		}, []string{"fault 1 is not in force any more"}},
		"a crash": {func(t *testing.T) {
			s := hello(t)
			s.Peer("bob").Expect("chat", scenario.Text("hello"))
			s.Do("? bob exit; echo a")
			s.Peer("bob").Run("members")
		}, []string{"bob"}},
		"wrong names": {func(t *testing.T) { scenario.New(t, "Alice") }, []string{"did you mean alice?"}},
		"too late": {func(t *testing.T) {
			hello(t).Configure(scenario.Seed(2))
		}, []string{"before the first step"}},
	}
}

// TestRed is the test that fails, in a process of its own.
func TestRed(t *testing.T) {
	name := os.Getenv(envRed)
	if name == "" {
		t.Skip("is a part of TestReds: run that")
	}
	reds()[name].test(t)
}

// TestReds runs tests that must fail, and reads what they say.
func TestReds(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, red := range reds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, self, "-test.run=^TestRed$")
			tmp := t.TempDir()
			cmd.Env = append(os.Environ(), envRed+"="+name, "TMPDIR="+tmp, "TMP="+tmp)
			out, err := childtest.CombinedOutput(cmd)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("it ended with %v, not with status 1", err)
			}
			says := append([]string{"--- FAIL: TestRed"}, red.says...)
			for _, s := range says {
				if !strings.Contains(string(out), s) {
					t.Errorf("it does not say %q", s)
				}
			}
			if strings.Contains(string(out), "panic") || strings.Contains(string(out), "DATA RACE") {
				t.Error("it panics")
			}
			if t.Failed() {
				t.Logf("%s", out)
			}
			kept(t, tmp, string(out))
		})
	}
}

var aRun = regexp.MustCompile(`\S+/\d{8}-\d{6}-\S+`)

// kept checks that the directory of a run that failed is there, and named.
func kept(t *testing.T, tmp, out string) {
	t.Helper()
	runs, err := filepath.Glob(filepath.Join(tmp, "scenario-*", "*-*", "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	if named := aRun.FindString(out); len(runs) > 0 && !strings.HasPrefix(runs[0], named+string(filepath.Separator)) {
		t.Errorf("the run in %s is called %q", runs[0], named)
	}
}
