package buildenv

import "golang.org/x/sys/unix"

// noexec tells a disk from which nothing may be run, and no plugin loaded.
func noexec(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && int64(s.Flags)&unix.ST_NOEXEC != 0 //nolint:unconvert // the types differ by system
}
