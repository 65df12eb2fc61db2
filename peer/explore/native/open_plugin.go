//go:build cgo && (linux || darwin || freebsd)

package native

import (
	"fmt"
	"plugin"
)

func open(file string) error {
	if _, err := plugin.Open(file); err != nil {
		return fmt.Errorf("load the compiled line: %w", err)
	}
	return nil
}
