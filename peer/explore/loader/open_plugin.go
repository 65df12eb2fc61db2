//go:build cgo && (linux || darwin || freebsd)

package loader

import (
	"fmt"
	"plugin"
)

// Open loads a plugin and runs what it initialises. It stays for good. Where
// plugins cannot be loaded the error matches ErrUnsupported.
func Open(file string) error {
	if _, err := plugin.Open(file); err != nil {
		return fmt.Errorf("load the compiled line: %w", err)
	}
	return nil
}
