package buildenv_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// TestDirectories imports modules that somebody works on.
func TestDirectories(t *testing.T) {
	l := newLab(t, true)
	e := l.open(t)
	dir := filepath.Join(t.TempDir(), "my,[own]{work}")
	module := func(name, path, requires, source string) string {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(at, "sub"), 0o700); err != nil {
			t.Fatal(err)
		}
		if path != "" {
			write(t, filepath.Join(at, "go.mod"), []byte("module "+path+"\n\n"+cmp.Or(requires, "go 1.24\n")))
		}
		write(t, filepath.Join(at, "a.go"), []byte("package mine\n\n"+source))
		write(t, filepath.Join(at, "sub", "b.go"), []byte("package sub\n\nconst B = 2\n"))
		return at
	}
	mine := module("mine", "example.com/mine", "require example.com/dep v1.0.0\n", "import \"example.com/dep\"\n\nfunc Inc() { dep.Count++ }\n")
	for _, test := range []struct {
		name, dir, want string
		kind            error
	}{
		{"no module", module("none", "", "", ""), "there is no go.mod in it, or above it", nil},
		{"newer requirement", module("newer", "example.com/newer", "require example.com/dep v1.1.0\n", "import _ \"example.com/dep\"\n"), "this program runs with example.com/dep v1.0.0, and v1.1.0 cannot be beside it: build the peer", buildenv.ErrConflict},
		{"a module of the program", module("dep", "example.com/dep", "", ""), "and the one in " + filepath.Join(dir, "dep") + " cannot be beside it", buildenv.ErrConflict},
		{"newer Go", module("future", "example.com/later", "go 1.999.0\n", ""), "it needs Go 1.999.0, and this program is built with", buildenv.ErrConflict},
		{"does not compile", module("broken", "example.com/faulty", "", "var X int = \"no\"\n"), "cannot use \"no\"", buildenv.ErrBuild},
		{"not there", filepath.Join(dir, "mine", "nothing"), "is no directory", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := e.Import(t.Context(), test.dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want one line with %q", err, test.want)
			}
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v is no %q", err, test.kind)
			}
		})
	}
	got, err := e.Import(t.Context(), mine)
	if err != nil || got.ImportPath != "example.com/mine" || got.Dir != mine || got.Note != "" {
		t.Fatalf("imported %+v, %v", got, err)
	}
	if got, err := e.Import(t.Context(), "example.com/mine/sub"); err != nil || got.ImportPath != "example.com/mine/sub" {
		t.Errorf("imported %+v, %v", got, err)
	}
	if err := e.Load(t.Context(), "example.com/dep", "example.com/host/live"); err != nil {
		t.Fatal(err)
	}
	plugin := line(t, e, "repl/s1", strings.ReplaceAll(third, "lib", "mine"))
	if out, err := childtest.CombinedOutput(exec.CommandContext(t.Context(), l.host, plugin)); err != nil || string(out) != "count 41\n" {
		t.Errorf("host: %v, printed %q, want that dep is the host's", err, out)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(mine, "a.go"), later, later); err != nil {
		t.Fatal(err)
	}
	if got, err := e.Import(t.Context(), mine); err != nil || !strings.Contains(got.Note, "restart the peer") {
		t.Errorf("after a change: %+v, %v, want a note", got, err)
	}
}
