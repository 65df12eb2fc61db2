//go:build !cgo || !(linux || darwin || freebsd)

package native

func open(string) error { return ErrUnsupported }
