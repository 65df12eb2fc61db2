package local

import (
	"errors"
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

// errNoSignals is for orders that stand on signals.
var errNoSignals = errors.New("pause, resume and stop are not supported on windows")

// canStop tells whether processes can be told to end in order.
func canStop() error { return errNoSignals }

// terminate is never called: see canStop.
func terminate(*os.Process) {}

// signalGroup cannot stop processes on Windows.
func signalGroup(int, bool) error { return errNoSignals }

// awaitStopped is never called: see signalGroup.
func awaitStopped(int) error { return errNoSignals }
