package shell_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// The scripts in scripts/shell are documentation that runs: here on a
// simulated network, and with real peers in the tests of package cli.
func TestScripts(t *testing.T) {
	const dir = "../../scripts/shell"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var table *repl.Table
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			raw, err := os.ReadFile(path.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(t)
				r.peer("bob", nil).must("init")
				p := r.peer("alice", func(c *shell.Config) { c.Dev, c.System = true, echoes })
				table = p.Table()
				var out bytes.Buffer
				err := p.Script(t.Context(), e.Name(), bytes.NewReader(raw), &out)
				if err != nil && !errors.Is(err, repl.ErrQuit) {
					t.Fatalf("%v\n%s", err, &out)
				}
				expect(t, string(raw), out.String())
				for _, c := range p.commands {
					name, _, _ := strings.Cut(c.Text, " ")
					used[name] = true
				}
			})
		})
	}
	if t.Failed() {
		return // what comes after a failure has not been used
	}
	for _, c := range table.Commands() {
		// Those of a test run need a test server, and have a scenario. Go needs
		// a peer that was built, and has scripts of its own. What was kept brings
		// its own example.
		if c.Group != "test" && c.Group != "go" && c.Group != "kept" && !used[c.Name] && !slices.Contains([]string{"exit", "execute"}, c.Name) {
			t.Errorf("%s is in no script", c.Name)
		}
	}
}

// expect finds the patterns of a script, its lines that begin with "#>", in
// lines of the output, in that order.
func expect(t *testing.T, script, output string) {
	t.Helper()
	lines := strings.Split(output, "\n")
	for want := range strings.Lines(script) {
		pattern, ok := strings.CutPrefix(strings.TrimRight(want, "\n"), "#> ")
		if !ok {
			continue
		}
		i := slices.IndexFunc(lines, regexp.MustCompile(pattern).MatchString)
		if i < 0 {
			t.Fatalf("no line %q where it is due; there is\n%s\nin\n%s", pattern, strings.Join(lines, "\n"), output)
		}
		lines = lines[i+1:]
	}
}

// echoes is a system that knows what the scripts ask of it.
func echoes(_ context.Context, command string, stdout, stderr io.Writer) (int, error) {
	text, isEcho := strings.CutPrefix(command, "echo ")
	out := stdout
	if line, toErrors := strings.CutSuffix(text, " >&2"); toErrors {
		text, out = line, stderr
	}
	if !isEcho {
		text = "1"
	}
	_, err := io.WriteString(out, text+"\n")
	return 0, err
}
