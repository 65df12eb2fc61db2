//go:build unix && !linux && !aix && !solaris

package readline

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
	noChar     = 0xff // disables a special character
)

// startOutput lets output go on that a program has stopped.
func startOutput(fd int) { _ = unix.IoctlSetInt(fd, unix.TIOCSTART, 0) }
