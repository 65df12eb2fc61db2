//go:build !windows

package files

import (
	"errors"
	"os"
	"syscall"
)

// syncDir returns when the names in a directory are on disk. Some file
// systems cannot promise that, and say so; they get away with it.
func syncDir(root *os.Root, local string) error {
	f, err := root.Open(local)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

func rename(root *os.Root, from, to string) error { return root.Rename(from, to) }
