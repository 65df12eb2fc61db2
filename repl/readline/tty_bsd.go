//go:build unix && !linux && !aix && !solaris

package readline

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
	noChar     = 0xff // disables a special character
)
