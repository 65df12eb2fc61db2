//go:build unix && !linux && !aix && !solaris

package readline

import "golang.org/x/sys/unix"

// Unread is the request for how much input waits.
const Unread = 0x4004667f // FIONREAD

// StopOutput stops a terminal's output, as ctrl-S does, or lets it go on.
func StopOutput(fd int, stop bool) error {
	if stop {
		return unix.IoctlSetInt(fd, unix.TIOCSTOP, 0)
	}
	return unix.IoctlSetInt(fd, unix.TIOCSTART, 0)
}
