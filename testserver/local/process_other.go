//go:build unix && !linux

package local

import "syscall"

// attributes put a child into a process group of its own, so that ctrl-C at
// the terminal reaches the runner alone.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// leftBehind tells whether processes of the group still run.
func leftBehind(group int) bool { return syscall.Kill(-group, 0) == nil }
