package childtest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// tie has the kernel kill a program when the thread that starts it ends.
func tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// Follow makes this process end with the one that has started it, as Start does
// from the other side. It is for test binaries that are programs too, and are
// started by what does not know Start, as scripts of package testscript are. It
// is called once, first of all.
func Follow() {
	tied := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the wish is forgotten with the thread that had it
		tied <- unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0)
		select {}
	}()
	if err := <-tied; err != nil {
		fmt.Fprintln(os.Stderr, "childtest: cannot follow:", err)
		os.Exit(2)
	}
}
