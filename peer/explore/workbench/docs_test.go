package workbench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSessionOfTheDocument types what docs/explore.md has typed, and compares
// all that is printed.
func TestSessionOfTheDocument(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../docs/explore.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(raw), "```go-session\n")
	session, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("the document has no session")
	}
	args := []string{"alice", "--dev"}
	var want strings.Builder
	for line := range strings.Lines(session) {
		if typed, ok := strings.CutPrefix(line, "> "); ok {
			args = append(args, "-c", "go "+strings.TrimSuffix(typed, "\n"))
		} else {
			want.WriteString(line)
		}
	}
	got, _ := run(t, environment(t), built(t), args...) // some of it fails on purpose
	if got != want.String() {
		t.Errorf("it prints\n%s\nand the document says\n%s", got, &want)
	}
}

// TestScenario runs a scenario whose lines are Go, with peers in processes of
// their own.
func TestScenario(t *testing.T) {
	t.Parallel()
	built(t) // or skip
	server := filepath.Join(t.TempDir(), "testserver")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", server, "github.com/peerlab/peerlab/testserver").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := run(t, environment(t), server, "run", "--out", t.TempDir(), "../../../scripts/explore/scenario/keep.cmd", "../../../scripts/explore/scenario/btree.cmd")
	switch {
	case err != nil && unreachable.MatchString(out):
		t.Skip("needs a module proxy that can be reached: set GOPROXY: ", out)
	case err != nil || !strings.Contains(out, "PASSED"):
		t.Errorf("%v\n%s", err, out)
	}
}
