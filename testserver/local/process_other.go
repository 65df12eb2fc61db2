//go:build unix && !linux

package local

import "syscall"

// attributes put a child into a process group of its own, so that ctrl-C at
// the terminal reaches the runner alone.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// leftBehind tells whether processes of the group still run.
func leftBehind(group int) bool { return syscall.Kill(-group, 0) == nil }

// awaitStopped returns at once: that a child has stopped can only be learnt
// here by whoever waits for its end.
func awaitStopped(int) error { return nil }
