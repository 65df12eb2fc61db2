//go:build unix

package docs_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestExplore types what explore.md has typed, into a peer that was built: Go
// can be compiled for that alone. The session without a prompt is compared in
// package workbench.
func TestExplore(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for a running peer")
	}
	t.Parallel()
	used(t, filepath.Join("..", "peer", "explore", "*", "*.go"))
	if can := goEnv(t, "CGO_ENABLED") + goEnv(t, "GOOS"); !regexp.MustCompile("^1(linux|darwin|freebsd)$").MatchString(can) {
		t.Skip("no plugins here: ", can)
	}
	compiler, _, _ := strings.Cut(goEnv(t, "CC"), " ")
	if _, err := exec.LookPath(compiler); err != nil {
		t.Skip("Go cannot be compiled for a running program here: ", err)
	}
	const library = "github.com/tidwall/btree@latest"
	if out, err := exec.CommandContext(t.Context(), "go", "list", "-m", library).CombinedOutput(); err != nil {
		t.Skipf("no module can be fetched here: %v: %s", err, out)
	}
	p := newPlayer(t, root(t), "GOPROXY="+goEnv(t, "GOPROXY"), "GOSUMDB="+goEnv(t, "GOSUMDB"))
	p.patience = 3 * time.Minute // for what has never been compiled here
	p.play(blocks(t, "explore.md"))
}
