package netx

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/windows"
)

// portable makes the errors of package net match the numbers that the
// contract of Network names: Windows has numbers of its own for them.
func portable(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok {
		return err
	}
	for own, common := range map[error]error{
		windows.WSAEADDRINUSE:    syscall.EADDRINUSE,
		windows.WSAEACCES:        syscall.EADDRINUSE, // a port that somebody holds exclusively
		windows.WSAEADDRNOTAVAIL: syscall.EADDRNOTAVAIL,
		windows.WSAECONNREFUSED:  syscall.ECONNREFUSED,
	} {
		if errors.Is(op.Err, own) {
			named := *op
			named.Err = alias{op.Err, common}
			return &named
		}
	}
	return err
}

// alias reads as one error and matches another one too.
type alias struct {
	error
	common error
}

func (a alias) Unwrap() []error { return []error{a.error, a.common} }
