//go:build unix

package trust_test

import (
	"os"
	"syscall"
)

// stopMyself stops this process as a debugger does, and does not return: the
// signal takes a moment to stop all threads, the caller's among them.
func stopMyself() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		panic(err)
	}
	select {}
}
