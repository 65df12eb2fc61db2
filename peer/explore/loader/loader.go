// Package loader loads what a session of Go has compiled into this process. It
// alone imports the package plugin, which makes a program larger and wants
// cgo: programs and tests that compile nothing do without it.
package loader

import "errors"

// ErrUnsupported is returned by Open where Go cannot load plugins.
var ErrUnsupported = errors.New("this program cannot run compiled Go: Go loads plugins on Linux, macOS and FreeBSD, in programs built with cgo; expressions that need no compiler work")
