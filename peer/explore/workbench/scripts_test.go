package workbench_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// built builds a real peer: a test binary does not know how it was built, so
// that nothing can be compiled for it.
func built(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a peer and compiles for it: run without -short")
	}
	childtest.Needs(t, "go", "gcc")
	out, err := exec.CommandContext(t.Context(), "go", "env", "CGO_ENABLED", "GOOS").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^1\n(linux|darwin|freebsd)\n$`).Match(out) {
		t.Skipf("needs plugins: set CGO_ENABLED=1, on Linux, macOS or FreeBSD: %q", out)
	}
	peer, err := onePeer()
	if err != nil {
		t.Fatal(err)
	}
	return peer
}

// unreachable is what an import says where no module can be fetched.
var unreachable = regexp.MustCompile(`(?i)no such host|connection refused|network is unreachable|forbidden|i/o timeout|GOPROXY`)

// quick are the scripts that run every day: without a library, with one that
// the program has, and with some that it has not.
var quick = []string{"basics", "prompt", "btree", "lru", "uuid"}

// TestScripts runs scripts/explore with a real peer, beside another. What a
// line that begins with "#>" asks for must be printed, in that order.
func TestScripts(t *testing.T) {
	t.Parallel()
	peer := built(t)
	scripts, err := filepath.Glob("../../../scripts/explore/*.cmd")
	if err != nil || len(scripts) < 16 {
		t.Fatalf("scripts: %q, %v", scripts, err)
	}
	if os.Getenv("PEERLAB_SOAK") == "" {
		scripts = slices.DeleteFunc(scripts, func(script string) bool {
			return !slices.Contains(quick, strings.TrimSuffix(filepath.Base(script), ".cmd"))
		})
	}
	env := environment(t)
	ctx, cancel := context.WithCancel(t.Context())
	bob := exec.CommandContext(ctx, peer, "bob", "--headless")
	bob.Env, bob.Cancel = env, func() error { return bob.Process.Signal(os.Interrupt) }
	if err := childtest.Start(t, bob); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = bob.Wait() // it was told to leave
	}()
	await(t, peer, env)
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			// A library that has never been compiled here takes minutes.
			out, err := runFor(t, 10*time.Minute, env, peer, "alice", "--dev", "--bare", "--script", script)
			raw, readErr := os.ReadFile(script)
			switch {
			case readErr != nil:
				t.Fatal(readErr)
			case err != nil && unreachable.MatchString(out):
				t.Skip("needs a module proxy that can be reached: set GOPROXY: ", out)
			case err != nil:
				t.Fatalf("%v\n%s", err, out)
			}
			inOrder(t, string(raw), out)
		})
	}
}

// TestFalseFails shows what makes a line of a script fail.
func TestFalseFails(t *testing.T) {
	t.Parallel()
	peer := built(t)
	env := environment(t)
	for _, c := range []struct {
		name, line, want string
		fails            bool
	}{
		{"true", "go len(members()) == 1", "true :: bool", false},
		{"false", "go len(members()) == 2", "error: not true: len(members()) == 2", true},
		{"false among others", "go 1 == 2, 3", "false, 3 :: bool, int", false},
		{"undefined", "go nothing", "error: ‹1›:1:1: undefined: nothing", true},
		{"end of the peer", "go os.Exit(0)", "refused", true},
		{"panic", `go panic("boom")`, "error: panic: boom at ‹1›:1", true},
		{"no memberlist", "memberlistdelete; go ml.NumMembers()", "error: ml is the live memberlist, and there is none now", true},
		{"ml is a field", "go struct{ ml int }{3}.ml", "3 :: int", false},
		{"nested", `go peer.Command(ctx, "go 1")`, "a line of Go runs already", false},
		{"nested, with another context", `go peer.Command(context.Background(), "go 1")`, "a line of Go runs already", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := run(t, env, peer, "alice", "--dev", "-c", c.line)
			if (err != nil) != c.fails || !strings.Contains(out, c.want) {
				t.Errorf("%s: %v, want an error: %t; it does not print %q in\n%s", c.line, err, c.fails, c.want, out)
			}
		})
	}
	if out, err := run(t, env, peer, "alice", "-c", "go 1"); err == nil || !strings.Contains(out, "--dev") {
		t.Errorf("without --dev: %v\n%s", err, out)
	}
}

// environment is one of a user of their own, with this one's Go caches.
func environment(t testing.TB) []string {
	t.Helper()
	runtime := t.TempDir()
	if err := os.Chmod(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "XDG_RUNTIME_DIR="+runtime, "XDG_STATE_HOME="+t.TempDir(), "TMPDIR="+t.TempDir())
}

// run runs a peer to its end and returns all that it has printed.
func run(t *testing.T, env []string, peer string, args ...string) (string, error) {
	t.Helper()
	return runFor(t, time.Minute, env, peer, args...)
}

// runFor is run with another bound.
func runFor(t *testing.T, bound time.Duration, env []string, peer string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, peer, args...)
	var out bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &out
	err := childtest.Run(cmd)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), err
}

// await waits until another peer is there.
func await(t *testing.T, peer string, env []string) {
	t.Helper()
	for range 20 {
		if out, err := run(t, env, peer, "watcher", "-c", "members"); err == nil && strings.Contains(out, "bob ") {
			return
		}
	}
	t.Fatal("bob has not come")
}

// inOrder finds the patterns of a script in lines of the output, in order.
func inOrder(t *testing.T, script, output string) {
	t.Helper()
	lines := strings.Split(output, "\n")
	for want := range strings.Lines(script) {
		pattern, ok := strings.CutPrefix(strings.TrimRight(want, "\n"), "#> ")
		if !ok {
			continue
		}
		re := regexp.MustCompile(pattern)
		for len(lines) > 0 && !re.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			t.Fatalf("no line %q where it is due in\n%s", pattern, output)
		}
		lines = lines[1:]
	}
}
