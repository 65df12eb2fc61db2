//go:build unix

package cli

import (
	"os"
	"syscall"
)

func systemShell(command string) (name string, args []string) {
	return "/bin/sh", []string{"-c", command}
}

// killGroup kills a process and all that it has started.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
