//go:build unix

package local

import (
	"fmt"
	"os"
	"syscall"
)

// detached puts a process into a process group of its own, and no more.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a process and all that it has started, stopped or not.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // it may have ended

// canStop tells whether processes can be told to end in order.
func canStop() error { return nil }

// terminate tells a process to end in order.
func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) } // it may have ended

// signalGroup has a process and all that it has started stand still, or run
// again.
func signalGroup(pid int, pause bool) error {
	sig, word := syscall.SIGCONT, "resume"
	if pause {
		sig, word = syscall.SIGSTOP, "pause"
	}
	if err := syscall.Kill(-pid, sig); err != nil {
		return fmt.Errorf("%s process %d: %w", word, pid, err)
	}
	return nil
}
