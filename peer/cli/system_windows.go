package cli

import (
	"os"
	"syscall"
)

func systemShell(command string) (name string, args []string) {
	return "cmd.exe", []string{"/c", command}
}

// ownGroup keeps a ctrl-C at the terminal away from a command.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func killGroup(p *os.Process) error { return p.Kill() }
