//go:build !cgo || !(linux || darwin || freebsd)

package loader

// Open loads a plugin where that can be. Here it cannot: ErrUnsupported.
func Open(string) error { return ErrUnsupported }
