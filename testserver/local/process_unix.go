//go:build unix

package local

import "syscall"

// detached puts a process into a process group of its own, and no more.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a process and all that it has started, stopped or not.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // it may have ended
