package buildenv_test

import (
	"context"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// TestLibraries imports real libraries into the session of a real peer, one
// after the other, as far as the module proxy has them: PEERLAB_LIBRARIES names
// them, separated by spaces. What happened is in the log; only a panic or a
// message of several lines fails.
func TestLibraries(t *testing.T) {
	libraries := strings.Fields(os.Getenv("PEERLAB_LIBRARIES"))
	if len(libraries) == 0 {
		t.Skip("fetches and compiles libraries: set PEERLAB_LIBRARIES to their import paths")
	}
	needsPlugins(t)
	peer := filepath.Join(t.TempDir(), "peer")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", peer, "github.com/peerlab/peerlab/peer").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := buildinfo.ReadFile(peer)
	if err != nil {
		t.Fatal(err)
	}
	e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info, Binary: peer, Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, e)
	timed := func(what string, f func(ctx context.Context) (string, error)) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		began := time.Now()
		said, err := f(ctx)
		t.Logf("%-45s %6.2f s  %s %v", what, time.Since(began).Seconds(), said, err)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", what, err)
		}
	}
	timed("start", func(ctx context.Context) (string, error) {
		return "", e.Load(ctx, "fmt", "github.com/peerlab/peerlab/peer/node", "github.com/peerlab/peerlab/peer/chat")
	})
	for _, library := range libraries {
		for _, what := range []string{library, library + " again"} {
			timed(what, func(ctx context.Context) (string, error) {
				got, err := e.Import(ctx, library)
				return got.Module + " " + got.Version + " " + got.Note, err
			})
		}
	}
}
