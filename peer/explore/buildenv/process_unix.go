//go:build unix

package buildenv

import (
	"os"
	"syscall"
)

// killGroup kills a tool and all that it has started.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
