package cli

import "syscall"

// ownGroup puts a command into a process group of its own, and ties its life
// to this process.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
