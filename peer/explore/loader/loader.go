// Package loader loads what a session of Go has compiled into this process. It
// alone imports the package plugin, which makes a program larger and wants
// cgo: programs and tests that compile nothing do without it.
package loader

import (
	"errors"
	"runtime"
)

// ErrUnsupported is returned where Go cannot load plugins.
var ErrUnsupported = errors.New("this program cannot load what one makes: Go loads plugins on Linux, macOS and FreeBSD, in programs built with cgo")

// Possible returns ErrUnsupported on platforms where Go loads no plugins,
// however a program is built.
func Possible() error {
	switch runtime.GOOS {
	case "linux", "darwin", "freebsd":
		return nil
	}
	return ErrUnsupported
}
