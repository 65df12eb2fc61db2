package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/peerlab/peerlab/internal/files"
)

// stateDir is the user's directory for the data of peers, by the convention
// of the operating system. Without a home it lies in the runtime directory,
// which may not outlive the machine; lasting tells.
func stateDir(env func(string) string) (dir string, lasting bool) {
	if d := env("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "peerlab"), true
	}
	switch home := env("HOME"); {
	case runtime.GOOS == "windows" && env("LocalAppData") != "":
		return filepath.Join(env("LocalAppData"), "peerlab", "state"), true
	case runtime.GOOS == "darwin" && home != "":
		return filepath.Join(home, "Library", "Application Support", "peerlab"), true
	case home != "" && writable(home):
		return filepath.Join(home, ".local", "state", "peerlab"), true
	}
	return filepath.Join(runtimeDir(env), "state"), false
}

// writable tells whether a directory is there and may be written, by writing.
func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".peerlab-*")
	if err != nil {
		return false
	}
	return errors.Join(f.Close(), os.Remove(f.Name())) == nil
}

// runtimeDir is where the peers of one user on this machine meet.
func runtimeDir(env func(string) string) string {
	if runtime.GOOS == "windows" && env("LocalAppData") != "" {
		return filepath.Join(env("LocalAppData"), "peerlab", "run")
	}
	if d := env("XDG_RUNTIME_DIR"); filepath.IsAbs(d) && writable(d) {
		return filepath.Join(d, "peerlab")
	}
	return filepath.Join(os.TempDir(), "peerlab-"+userID())
}

// openRuntime opens the runtime directory, which must belong to the user
// alone: in it stands the secret of the bootstrap service.
func openRuntime(env func(string) string) (files.FS, error) {
	dir := runtimeDir(env)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("runtime directory: %w", err)
	}
	if err := private(dir); err != nil {
		return nil, err
	}
	return files.Dir(dir)
}
