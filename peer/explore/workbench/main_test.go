package workbench_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// onePeer builds the peer that all tests run. Linking it takes seconds.
var onePeer = sync.OnceValues(func() (string, error) {
	peer := filepath.Join(os.Getenv(builtIn), "peer")
	if out, err := exec.Command("go", "build", "-o", peer, "github.com/peerlab/peerlab/peer").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return peer, nil
})

// builtIn is the variable of the environment with the directory of that peer.
const builtIn = "PEERLAB_TEST_BUILT"

func TestMain(m *testing.M) { os.Exit(tests(m)) }

func tests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "peerlab-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv(builtIn, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
