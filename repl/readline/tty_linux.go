package readline

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
	noChar     = 0 // disables a special character
)

// startOutput lets output go on that a program has stopped.
func startOutput(fd int) {
	const outputOn = 1
	_ = unix.IoctlSetInt(fd, unix.TCXONC, outputOn)
}
