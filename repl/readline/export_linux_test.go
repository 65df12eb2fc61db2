package readline

import "golang.org/x/sys/unix"

// Unread is the request for how much input waits.
const Unread = unix.TIOCINQ

// StopOutput stops a terminal's output, as ctrl-S does, or lets it go on.
func StopOutput(fd int, stop bool) error {
	const off, on = 0, 1
	if stop {
		return unix.IoctlSetInt(fd, unix.TCXONC, off)
	}
	return unix.IoctlSetInt(fd, unix.TCXONC, on)
}
