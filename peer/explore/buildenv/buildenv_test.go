package buildenv_test

import (
	"context"
	"debug/buildinfo"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/rogpeppe/go-internal/txtar"
)

// lab is a machine of its own: a module proxy on disk, a module cache, and a
// host that was installed from there, or built from a directory.
type lab struct {
	environ []string
	host    string // the program
	source  string // its directory, if it was built from one
}

func needsPlugins(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" && runtime.GOOS != "freebsd" {
		t.Skip("needs plugins: run it on Linux, macOS or FreeBSD")
	}
	childtest.Needs(t, "go", "gcc")
	if testing.Short() {
		t.Skip("builds programs: run without -short")
	}
}

// newLab makes the machine and the host. With flags the host is built from a
// directory with them; without any it is installed by version.
func newLab(t testing.TB, fromDirectory bool, flags ...string) *lab {
	t.Helper()
	needsPlugins(t)
	dir := t.TempDir()
	modcache := filepath.Join(dir, "mod cache")
	t.Cleanup(func() { writable(modcache) })
	l := &lab{environ: append(os.Environ(),
		"GOPROXY="+fakeProxy(t, filepath.Join(dir, "proxy")), "GOMODCACHE="+modcache, "GOBIN="+dir,
		"GONOSUMDB=*", "GOFLAGS=-mod=mod", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=1"), host: filepath.Join(dir, "host")}
	if !fromDirectory {
		l.tool(t, dir, append(append([]string{"install"}, flags...), "example.com/host@v0.1.0")...)
		return l
	}
	l.source = filepath.Join(dir, "source of host")
	archive, err := txtar.ParseFile("testdata/mod/example.com_host_v0.1.0.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		file := filepath.Join(l.source, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, file, f.Data)
	}
	l.tool(t, l.source, append(append([]string{"build", "-o", l.host}, flags...), ".")...)
	return l
}

// writable lets the module cache, which go makes read-only, be removed.
func writable(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
}

func (l *lab) tool(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, l.environ
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (l *lab) config(t testing.TB, cache string) buildenv.Config {
	t.Helper()
	info, err := buildinfo.ReadFile(l.host)
	if err != nil {
		t.Fatal(err)
	}
	return buildenv.Config{Info: info, Binary: l.host, Source: l.source, Cache: cache, Environ: l.environ}
}

func (l *lab) open(t testing.TB) *buildenv.Env {
	t.Helper()
	return l.openWith(t, l.config(t, t.TempDir()))
}

func (l *lab) openWith(t testing.TB, cfg buildenv.Config) *buildenv.Env {
	t.Helper()
	e, err := buildenv.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// line compiles one package and links it; it returns the plugin's file.
func line(t testing.TB, e *buildenv.Env, path, source string) string {
	t.Helper()
	base := filepath.Join(e.Dir(), strings.ReplaceAll(path, "/", "-"))
	write(t, base+".go", []byte(source))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := e.Compile(ctx, path, base+".a", []string{base + ".go"}); err != nil {
		t.Fatal(err)
	}
	if err := e.Link(ctx, base+".a", base+".so"); err != nil {
		t.Fatal(err)
	}
	return base + ".so"
}

const (
	first = `package repl

import "example.com/dep"
import "example.com/host/live"

var X = 1

func init() { live.Register(func() { dep.Count++; X++ }) }
`
	second = `package repl

import "fmt"
import "example.com/host/live"
import one "repl/s1"

func init() { live.Register(func() { fmt.Println("x", one.X) }) }
`
	third = `package repl

import "example.com/host/live"
import "example.com/lib"

func init() { live.Register(func() { lib.Inc() }) }
`
)

// TestLinesRunInTheirBinary is the point of the package: what is compiled is
// loaded by the binary, shares the binary's packages, sees the lines before
// it, and may import what the binary never had.
func TestLinesRunInTheirBinary(t *testing.T) {
	for _, test := range []struct {
		name  string
		dir   bool
		flags []string
		long  bool
	}{
		{name: "installed by version"},
		{name: "built from a directory", dir: true},
		{name: "installed without paths", flags: []string{"-trimpath"}, long: true},
		{name: "built from a directory without paths", dir: true, flags: []string{"-trimpath"}, long: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.long && os.Getenv("PEERLAB_SOAK") == "" {
				t.Skip("compiles the standard library once more: set PEERLAB_SOAK=1, or run make soak")
			}
			l := newLab(t, test.dir, test.flags...)
			e := l.open(t)
			var told []string
			ctx := buildenv.WithProgress(t.Context(), func(what string) { told = append(told, what) })
			if err := e.Load(ctx, "fmt", "example.com/dep", "example.com/host/live"); err != nil {
				t.Fatal(err)
			}
			// Without paths an earlier test may have compiled the same.
			if !slices.Contains(test.flags, "-trimpath") && !slices.Contains(told, "compiling example.com/host/live") {
				t.Errorf("progress told of %v, want the host's own package among them", told)
			}
			plugins := []string{line(t, e, "repl/s1", first), line(t, e, "repl/s2", second)}
			got, err := e.Import(ctx, "example.com/lib")
			if err != nil {
				t.Fatal(err)
			}
			if got.Version != "v1.0.0" || !strings.Contains(got.Note, "example.com/dep v1.1.0") {
				t.Errorf("imported %+v, want v1.0.0 and a note that the newest needs example.com/dep v1.1.0", got)
			}
			if !slices.Contains(told, "fetching example.com/lib v1.0.0") || told[len(told)-1] != "" {
				t.Errorf("progress told of %v, want the library, and the end", told)
			}
			plugins = append(plugins, line(t, e, "repl/s3", third))
			out, err := childtest.CombinedOutput(exec.CommandContext(t.Context(), l.host, plugins...))
			if want := "x 2\ncount 42\n"; err != nil || string(out) != want {
				t.Errorf("host: %v, printed %q, want %q", err, out, want)
			}
			withoutNetwork(t, l)
			if test.dir {
				olderRelease(t, e)
				importErrors(t, e)
				changedSource(t, l, e)
			}
		})
	}
}

// withoutNetwork imports what an earlier session has fetched, and what none
// has, where no module can be fetched, and where the user's environment says
// how modules are to be treated.
func withoutNetwork(t *testing.T, l *lab) {
	for _, proxy := range []string{"off", "http://127.0.0.1:1", "file:///nowhere"} {
		cfg := l.config(t, t.TempDir())
		cfg.Environ = append(slices.Clone(l.environ), "GOPROXY="+proxy, "GOFLAGS=-mod=vendor -tags=other", "GOWORK=off")
		e := l.openWith(t, cfg)
		if got, err := e.Import(t.Context(), "example.com/lib@v1.0.0"); err != nil || got.Version != "v1.0.0" {
			t.Errorf("GOPROXY=%s: imported %+v, %v, want what is in the module cache", proxy, got, err)
		}
		began := time.Now()
		_, err := e.Import(t.Context(), "example.com/strict")
		if err == nil || !strings.Contains(err.Error(), "cannot be fetched") || !strings.Contains(err.Error(), "look at GOPROXY") || strings.Contains(err.Error(), "\n") {
			t.Errorf("GOPROXY=%s: got %v, want one line that names GOPROXY", proxy, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("GOPROXY=%s: it took %v to say so", proxy, took)
		}
	}
}

// olderRelease imports a package whose newest release does not fit. The older
// one compiles with what it asks for itself only.
func olderRelease(t *testing.T, e *buildenv.Env) {
	got, err := e.Import(t.Context(), "example.com/app")
	if err != nil || got.Version != "v1.0.0" || !strings.Contains(got.Note, "the newest example.com/app needs example.com/dep v1.1.0") {
		t.Errorf("imported %+v, %v, want v1.0.0 and a note", got, err)
	}
	if p, ok := e.Package("example.com/engine"); !ok || p.Module.Version != "v1.0.0" {
		t.Errorf("it came with %+v, want engine v1.0.0, as it asks for", p)
	}
}

// importErrors are imports that are refused, each in one line.
func importErrors(t *testing.T, e *buildenv.Env) {
	for _, test := range []struct {
		spec, want string
		kind       error
	}{
		{"example.com/lib@v1.1.0", "example.com/lib, which is loaded, runs with example.com/lib v1.0.0, and v1.1.0 cannot be beside it", buildenv.ErrConflict},
		{"example.com/strict", "the newest example.com/strict needs example.com/dep v1.1.0, and this program runs with v1.0.0: name", buildenv.ErrConflict},
		{"example.com/dep@v1.1.0", "example.com/dep", buildenv.ErrConflict},
		{"example.com/strict@v1.0.0", "example.com/strict v1.0.0 needs example.com/dep v1.1.0, and", buildenv.ErrConflict},
		{"example.com/future", "it needs Go 1.999", buildenv.ErrConflict},
		{"example.com/lib@v9.9.9", "there is no such version", nil},
		{"example.com/lib/nothing", "has no such package", nil},
		{"example.com/nowhere", "cannot be fetched", nil},
		{"example.com/broken", "cannot use \"no\"", buildenv.ErrBuild},
		{"example.com/broken/cmd/b", "a program", buildenv.ErrBuild},
		{"example.com/broken/other", "no file of it is meant for this system", buildenv.ErrBuild},
		{"nothing/in/std", "the standard library does not have it", buildenv.ErrNotLoaded},
		{"./here", "is no directory", nil},
		{".here", "want an import path", nil},
	} {
		t.Run(test.spec, func(t *testing.T) {
			_, err := e.Import(t.Context(), test.spec)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want one line with %q", err, test.want)
			}
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v is no %q", err, test.kind)
			}
		})
	}
	if err := e.Load(t.Context(), "example.com/lib"); err != nil {
		t.Errorf("after all the refusals: %v", err)
	}
}

func changedSource(t testing.TB, l *lab, e *buildenv.Env) {
	if found := blocking(e.Doctor(t.Context())); len(found) > 0 {
		t.Errorf("on a healthy machine: %v", found)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(l.source, "live", "live.go"), later, later); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(e.Doctor(t.Context()), func(f buildenv.Finding) bool { return strings.Contains(f.What, "live/live.go has changed") }) {
		t.Errorf("a changed source is not found: %v", e.Doctor(t.Context()))
	}
}

func blocking(found []buildenv.Finding) []buildenv.Finding {
	return slices.DeleteFunc(found, func(f buildenv.Finding) bool { return !f.Blocks })
}
