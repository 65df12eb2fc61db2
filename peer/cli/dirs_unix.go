//go:build !windows

package cli

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func userID() string { return strconv.Itoa(os.Getuid()) }

// private refuses a directory that somebody else owns or may look into.
func private(dir string) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("runtime directory: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !fi.IsDir() || !ok || int(st.Uid) != os.Getuid() {
		return fmt.Errorf("runtime directory %s is not a directory of yours: remove it, or set XDG_RUNTIME_DIR", dir)
	}
	if fi.Mode().Perm() != 0o700 {
		return fmt.Errorf("runtime directory %s is open to others (mode %o): chmod 700 it", dir, fi.Mode().Perm())
	}
	return nil
}
