package checktest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/explore/check/checktest"
)

var (
	errMissing = errors.New("missing")
	exports    = checktest.Exports(errMissing, "errors")
)

func TestExports(t *testing.T) {
	files := exports(t)
	file, err := files.Export("errors")
	if err != nil {
		t.Fatal(err)
	}
	data, err := files.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	data.Close()
	if !strings.Contains(files.Config(), "packagefile errors="+file+"\n") {
		t.Errorf("the configuration is %q", files.Config())
	}
	for _, path := range []string{"internal/reflectlite", "net/http"} {
		_, err := files.Export(path)
		if wanted := path == "net/http"; errors.Is(err, errMissing) != wanted {
			t.Errorf("%s: %v, want it to be missing: %t", path, err, wanted)
		}
	}
}

func TestImporter(t *testing.T) {
	with := exports(t).Importer()
	pkg, err := with.Import("errors")
	if err != nil || pkg.Scope().Lookup("AsType") == nil {
		t.Errorf("errors: %v, %v", pkg, err)
	}
	if _, err := with.Import("net/http"); err == nil || !strings.Contains(err.Error(), errMissing.Error()) {
		t.Errorf("a package that is missing: %v", err)
	}
}

// witness is a test that is skipped or fails; it ends there.
type witness struct {
	testing.TB
	said string
}

func (*witness) Helper()             {}
func (w *witness) Skip(args ...any)  { w.said = "skip: " + fmt.Sprint(args...); panic(w) }
func (w *witness) Fatal(args ...any) { w.said = "fail: " + fmt.Sprint(args...); panic(w) }

// TestSkipsOnlyWithoutGo asks for what is not there.
func TestSkipsOnlyWithoutGo(t *testing.T) {
	for _, c := range []struct {
		name, path, want string
		noGo             bool
	}{
		{"no go command", "errors", "skip: needs the go command: install Go", true},
		{"no such package", "no/such/package", "fail: go list -export: exit status 1: ", false},
		{"a flag", "-json", "fail: go list -export: exit status 1: ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.noGo {
				t.Setenv("PATH", t.TempDir())
			}
			w := &witness{TB: t}
			func() {
				defer func() { _ = recover() }()
				checktest.Exports(errMissing, c.path)(w)
			}()
			if !strings.HasPrefix(w.said, c.want) || strings.HasSuffix(w.said, ": ") {
				t.Errorf("it says %q, want %q", w.said, c.want)
			}
		})
	}
}
