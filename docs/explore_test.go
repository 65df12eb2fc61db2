//go:build unix

package docs_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// TestExplore types what explore.md has typed, into a peer that was built: Go
// can be compiled for that alone. The session without a prompt is compared in
// package workbench.
func TestExplore(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for a running peer: run without -short")
	}
	t.Parallel()
	used(t, filepath.Join("..", "peer", "explore", "*", "*.go"))
	if can := goEnv(t, "CGO_ENABLED") + goEnv(t, "GOOS"); !regexp.MustCompile("^1(linux|darwin|freebsd)$").MatchString(can) {
		t.Skipf("needs plugins: set CGO_ENABLED=1, on Linux, macOS or FreeBSD: %q", can)
	}
	compiler, _, _ := strings.Cut(goEnv(t, "CC"), " ")
	childtest.Needs(t, compiler)
	const library = "github.com/tidwall/btree@latest"
	if out, err := exec.CommandContext(t.Context(), "go", "list", "-m", library).CombinedOutput(); err != nil {
		t.Skipf("needs a module proxy that can be reached: set GOPROXY: %v: %s", err, out)
	}
	p := newPlayer(t, root(t), "GOPROXY="+goEnv(t, "GOPROXY"), "GOSUMDB="+goEnv(t, "GOSUMDB"))
	p.patience = 3 * time.Minute // for what has never been compiled here
	p.play(blocks(t, "explore.md"))
}
