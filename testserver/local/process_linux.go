package local

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes put a child into a process group of its own, so that ctrl-C at
// the terminal reaches the runner alone, and tie its life to the runner's.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// leftBehind tells whether processes of the group still run. Those that have
// ended and wait for somebody to ask do not count.
func leftBehind(group int) bool {
	if syscall.Kill(-group, 0) != nil {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		// "pid (name) state parent group ...", and the name may hold anything.
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		if len(fields) > 2 && string(fields[2]) == strconv.Itoa(group) && fields[0][0] != 'Z' && fields[0][0] != 'X' {
			return true
		}
	}
	return false
}

// awaitStopped returns when all threads of a child stand still: the signal
// that does it has only been sent. If the child ends instead, that is an
// error. What is learnt of the child is left for whoever waits for its end.
func awaitStopped(pid int) error {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case info.Code != cldStopped:
			return os.ErrProcessDone
		default:
			return nil
		}
	}
}

// cldStopped is the code of a child that stands still.
const cldStopped = 5
