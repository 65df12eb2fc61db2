package workbench_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/node"
)

// bench makes the workbench of a peer that does not run, in this test binary.
func bench(t *testing.T, open func(string) error, lack error) *workbench.Workbench {
	t.Helper()
	id, err := identity.Open(files.Mem(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.New(node.Config{Name: "alice", Identity: id, Network: netsim.New().Host("10.0.0.1"), Bind: "10.0.0.1:0", Data: files.Mem()})
	if err != nil {
		t.Fatal(err)
	}
	w := workbench.New(workbench.Config{Node: n, Open: open, Lack: lack})
	t.Cleanup(func() {
		if err := errors.Join(w.Close(), id.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// TestBesidePrepare: lines that need no tools do not wait for those who look for
// tools, and others learn what these have found.
func TestBesidePrepare(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no go, no compiler
	w := bench(t, func(string) error { return errors.New("nothing is loaded here") }, nil)
	prepared := make(chan error, 1)
	go func() { prepared <- w.Prepare(t.Context(), io.Discard) }()
	for range 20 {
		var out strings.Builder
		if err := w.Eval(t.Context(), `n := len(members()); n, peer.Name()`, &out, false); err != nil || out.String() != "0, \"alice\" :: int, string\n" {
			t.Errorf("%q, %v", out.String(), err)
		}
	}
	err := w.Eval(t.Context(), "func f() {}", io.Discard, false)
	if !errors.Is(err, explore.ErrNoCompiler) || !errors.Is(err, buildenv.ErrUnavailable) {
		t.Errorf("a line that has to be compiled: %v", err)
	}
	if err := <-prepared; !errors.Is(err, buildenv.ErrUnavailable) {
		t.Errorf("prepare: %v", err)
	}
	if err := w.Eval(t.Context(), "n + 1 == 1", io.Discard, true); err != nil {
		t.Error(err)
	}
	if err := w.Eval(t.Context(), "n + 1 == 2", io.Discard, true); !errors.Is(err, workbench.ErrFalse) {
		t.Error("a false line:", err)
	}
}

// TestDoctorTries: that all tools are there does not mean that they work.
func TestDoctorTries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", filepath.Join(file, "below"))
	w := bench(t, func(string) error { return errors.New("nothing is loaded here") }, nil)
	var out strings.Builder
	if err := w.Doctor(t.Context(), &out); err == nil || !strings.Contains(out.String(), "missing: ") || !strings.Contains(out.String(), file) {
		t.Errorf("%v; it prints %s", err, &out)
	}
}

// TestWithoutLoader: where nothing can be loaded nobody looks for tools.
func TestWithoutLoader(t *testing.T) {
	t.Run("process of many", func(t *testing.T) {
		withoutLoader(t, bench(t, nil, nil), "a peer in a process of its own, started with --dev, can")
	})
	t.Run("platform", func(t *testing.T) {
		withoutLoader(t, bench(t, func(string) error { return nil }, errors.New("not on this platform")), "not on this platform")
	})
}

func withoutLoader(t *testing.T, w *workbench.Workbench, lack string) {
	for name, err := range map[string]error{
		"eval": w.Eval(t.Context(), "func f() {}", io.Discard, false), "import": w.Import(t.Context(), "github.com/google/uuid", io.Discard), "doc": w.Doc(t.Context(), "fmt", io.Discard),
		"prepare": w.Prepare(t.Context(), io.Discard), "doctor": w.Doctor(t.Context(), io.Discard),
	} {
		if err == nil || !strings.Contains(err.Error(), lack) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var out strings.Builder
	if err := errors.Join(w.Import(t.Context(), "strings", &out), w.Eval(t.Context(), `strings.Count("abab", "a")`, &out, false), w.Type(t.Context(), "members()", &out), w.Vars(t.Context(), &out)); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"strings is known", "2 :: int\n", "[]lab.Member\n", "members  peer  func() []lab.Member"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q does not stand in %s", want, out.String())
		}
	}
}
