//go:build unix

package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/coordinator/worldtest"
	"github.com/peerlab/peerlab/testserver/local"
)

func TestWorld(t *testing.T) {
	worldtest.Run(t, worldtest.Config{
		New: func(t *testing.T) coordinator.World {
			return local.NewWorld(config(t, "peer"))
		},
		Pauses: true,
		Lists:  true,
	})
}

// config is for peers that the test binary is, in a directory of the test.
func config(t *testing.T, program ...string) local.Config {
	root := t.TempDir()
	return local.Config{
		Program: append([]string{os.Args[0]}, program...),
		Env:     append(os.Environ(), "GORACE=atexit_sleep_ms=0"), // or each end takes a second under -race
		Dir: func(name string) (string, error) {
			dir := filepath.Join(root, "peers", name)
			return dir, os.MkdirAll(dir, 0o755)
		},
	}
}
