package workbench_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWithoutTools runs a real peer where nothing can be compiled: one that was
// built without cgo, and one that finds neither go nor a C compiler.
func TestWithoutTools(t *testing.T) {
	t.Parallel()
	withCgo := built(t)
	without := filepath.Join(t.TempDir(), "peer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", without, "github.com/peerlab/peerlab/peer")
	build.Env = append(environment(t), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, c := range []struct{ name, peer, lack string }{
		{"no cgo", without, "this program was built with CGO_ENABLED=0, so it cannot load compiled code: build it again"},
		{"no go", withCgo, "the go command is not to be run here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := append(environment(t), "PATH="+t.TempDir())
			for _, l := range []struct {
				lines, want string
				fails       bool
			}{
				{"go len(members()) == 1; go n := ml.NumMembers() + 1; go n * 21, peer.Name()", "42, \"alice\" :: int, string", false},
				{"go import \"strings\"; go strings.ToUpper(members()[0].Name)", `"ALICE" :: string`, false},
				{"go len(members()) == 2", "error: not true: len(members()) == 2", true},
				{"go func() int { return 1 }()", "error: this needs a compiler: cannot compile Go for this program: " + c.lack, true},
				{"go slices.Max([]int{1})", "error: this needs a compiler: cannot compile Go for this program: " + c.lack, true},
				{"import github.com/google/uuid", "error: this needs a compiler", true},
				{"go nothing + 1", "error: ‹1›:1:1: undefined: nothing", true},
				{"type peer.Members", "func() []lab.Member", false},
				{"doctor", "missing: " + c.lack, true},
			} {
				var args []string
				for line := range strings.SplitSeq(l.lines, "; ") {
					args = append(args, "-c", line)
				}
				out, err := run(t, env, c.peer, append([]string{"alice", "--dev"}, args...)...)
				if (err != nil) != l.fails || !strings.Contains(out, l.want) {
					t.Errorf("%s: %v, want an error: %t; it does not print %q in\n%s", l.lines, err, l.fails, l.want, out)
				}
			}
		})
	}
}
