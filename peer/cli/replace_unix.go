//go:build unix

package cli

import (
	"fmt"
	"os"
	"syscall"
)

// Replace returns what runs this program anew in the place of this process; nil
// where a process keeps its place.
func Replace() func(args []string, environ ...string) error { return replace }

func replace(args []string, environ ...string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start anew: %w", err)
	}
	if err := syscall.Exec(program, append(os.Args[:1:1], args...), append(os.Environ(), environ...)); err != nil {
		return fmt.Errorf("start anew: %w", err)
	}
	return nil
}
