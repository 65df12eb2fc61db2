//go:build linux || darwin || freebsd

package buildenv

import "golang.org/x/sys/unix"

// freeSpace is how many bytes this user may still write where dir lies.
func freeSpace(dir string) (bytes uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true //nolint:unconvert // the types differ by system
}
