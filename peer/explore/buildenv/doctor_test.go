package buildenv_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/native"
)

var (
	_ check.Packages = (*buildenv.Env)(nil)
	_ native.Builder = (*buildenv.Env)(nil)
)

// machine is a PATH with a go command that answers as it is told, and a C
// compiler.
func machine(t *testing.T, version string) (path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell: run it on Unix")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho '{\"GOVERSION\":\"" + version + "\",\"CC\":\"gcc\",\"GOTOOLCHAIN\":\"local\",\"GOPROXY\":\"off\"}'\n"
	for name, content := range map[string]string{"go": script, "gcc": "#!/bin/sh\n", "ld.gold": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func info(version string, settings ...string) *debug.BuildInfo {
	i := &debug.BuildInfo{GoVersion: version, Main: debug.Module{Path: "example.com/host", Version: "v1.0.0", Sum: "h1:x"}}
	for _, s := range append([]string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1"}, settings...) {
		key, value, _ := strings.Cut(s, "=")
		i.Settings = append(i.Settings, debug.BuildSetting{Key: key, Value: value})
	}
	return i
}

func TestDoctor(t *testing.T) {
	whole := machine(t, "go1.26.8")
	noC := machine(t, "go1.26.8")
	if err := os.Remove(filepath.Join(noC, "gcc")); err != nil {
		t.Fatal(err)
	}
	full := machine(t, "go1.26.8")
	write(t, filepath.Join(full, "go"), []byte("#!/bin/sh\necho 'go: creating work dir: mkdir /tmp/go-build1: no space left on device' >&2\nexit 1\n"))
	fromDirectory := info("go1.26.8", "-trimpath=true")
	fromDirectory.Main.Sum = ""
	for _, test := range []struct {
		name   string
		info   *debug.BuildInfo
		path   string
		what   string // of the finding that blocks; empty for none
		remedy string
	}{
		{"nothing is wrong", info("go1.26.8"), whole, "", ""},
		{"no build information", &debug.BuildInfo{}, whole, "no build information", "go build"},
		{"windows", info("go1.26.8", "GOOS=windows"), whole, "this is windows", "simple expressions"},
		{"no cgo", info("go1.26.8", "CGO_ENABLED=0"), whole, "built with CGO_ENABLED=0", "CGO_ENABLED=1"},
		{"no go", info("go1.26.8"), t.TempDir(), "the go command is not to be run", "install go1.26.8"},
		{"full disk", info("go1.26.8"), full, "the disk with /tmp/go-build1 is full", "make room"},
		{"another go", info("go1.25.1"), whole, "built with go1.25.1, and", "have go1.25.1 on the PATH"},
		{"no C compiler", info("go1.26.8"), noC, "no C compiler (gcc)", "install gcc"},
		{"no source", fromDirectory, whole, "the source of this program is not found", "-trimpath leaves no trace"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := buildenv.Open(t.Context(), buildenv.Config{Info: test.info, Cache: t.TempDir(), Environ: []string{"PATH=" + test.path}, Nice: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer closing(t, e)
			found := blocking(e.Doctor(t.Context()))
			if test.what == "" {
				if len(found) > 0 {
					t.Errorf("found %v on a healthy machine", found)
				}
				return
			}
			i := slices.IndexFunc(found, func(f buildenv.Finding) bool { return strings.Contains(f.What, test.what) })
			if i < 0 || !strings.Contains(found[i].Remedy, test.remedy) {
				t.Fatalf("found %v, want %q with %q", found, test.what, test.remedy)
			}
			if err := e.Load(t.Context(), "fmt"); !errors.Is(err, buildenv.ErrUnavailable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Load: %v, want one line that is ErrUnavailable", err)
			}
		})
	}
}

func closing(t *testing.T, e *buildenv.Env) {
	t.Helper()
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(e.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close %s is still there", e.Dir())
	}
}

// TestDeadSessionsAreSwept leaves directories as a killed process does.
func TestDeadSessionsAreSwept(t *testing.T) {
	cache := t.TempDir()
	dead := filepath.Join(cache, "session-1-dead")
	if err := os.MkdirAll(filepath.Join(dead, "scratch"), 0o700); err != nil {
		t.Fatal(err)
	}
	open := func() *buildenv.Env {
		e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: cache})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	alive := open()
	defer closing(t, alive)
	other := open()
	defer closing(t, other)
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Error("the directory of a dead session stays")
	}
	if _, err := os.Stat(alive.Dir()); err != nil {
		t.Errorf("the directory of a living session is gone: %v", err)
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: t.TempDir(), Environ: []string{"PATH=" + machine(t, "go1.26.8")}})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, e)
	if err := e.Load(ctx, "fmt"); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, want %v", err, context.Canceled)
	}
	if _, err := e.Export("fmt"); !errors.Is(err, check.ErrNotLoaded) {
		t.Errorf("Export: %v, want %v", err, check.ErrNotLoaded)
	}
}

func TestExplain(t *testing.T) {
	other := errors.New(`plugin.Open("x"): plugin was built with a different version of package golang.org/x/sys/unix`)
	if err := buildenv.Explain(other); !errors.Is(err, buildenv.ErrConflict) || !strings.Contains(err.Error(), "build the peer again") {
		t.Errorf("got %v, want a conflict with its remedy", err)
	}
	if err := buildenv.Explain(context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want what was given", err)
	}
	if err := buildenv.Explain(nil); err != nil {
		t.Errorf("got %v for nil", err)
	}
}
