//go:build unix

package buildenv

import (
	"fmt"
	"os"
	"syscall"
)

// private refuses a directory in which somebody else may write: what is there
// is run.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(s.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s belongs to somebody else, or others may write there: remove it, or set TMPDIR to a directory of your own", dir)
	}
	return nil
}
