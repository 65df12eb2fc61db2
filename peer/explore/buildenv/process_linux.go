package buildenv

import "syscall"

// attributes put a tool into a process group of its own, so that ctrl-C at the
// terminal reaches this process alone, and tie its life to this process.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
