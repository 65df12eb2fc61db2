package readline

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
	noChar     = 0 // disables a special character
)

// resumeOutput lets output go on that was stopped, as by ctrl-S.
func (t *tty) resumeOutput() {
	const outputOn = 1
	_ = unix.IoctlSetInt(t.out, unix.TCXONC, outputOn)
}
