//go:build unix && !linux && !aix && !solaris

package readline

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
	noChar     = 0xff // disables a special character
)

// resumeOutput lets output go on that was stopped, as by ctrl-S.
func (t *tty) resumeOutput() { _ = unix.IoctlSetInt(t.out, unix.TIOCSTART, 0) }
