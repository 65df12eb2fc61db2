package local

import (
	"os"
	"syscall"
)

// attributes put a child into a process group of its own, so that ctrl-C at
// the terminal reaches the runner alone.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// detached is the same for a process that outlives its starter.
func detached() *syscall.SysProcAttr { return attributes() }

// leftBehind is not known on Windows.
func leftBehind(int) bool { return false }

// killGroup kills a process.
func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // it may have ended
		_ = p.Release()
	}
}
