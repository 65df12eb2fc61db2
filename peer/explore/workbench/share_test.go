package workbench_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneLinkInAScenario has three peers run the same lines, one of which has
// to be loaded: it is linked once.
func TestOneLinkInAScenario(t *testing.T) {
	t.Parallel()
	built(t) // or skip
	server := filepath.Join(t.TempDir(), "testserver")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", server, "github.com/peerlab/peerlab/testserver").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	tmp := t.TempDir()
	out, err := run(t, append(environment(t), "TMPDIR="+tmp), server, "run", "--out", t.TempDir(), "../../../scripts/explore/scenario/shared.cmd")
	if err != nil || !strings.Contains(out, "PASSED") {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(tmp, "*", "links", "[0-9a-f]*"))
	if err != nil || len(made) != 1 {
		t.Errorf("what was linked: %q, %v, want one file for three peers", made, err)
	}
}
