// Package childtest starts the programs of tests so that none outlives the test
// process. A test ends its programs and waits for them, as ever; but a test
// process that panics, runs out of time or is killed does not come to that, and
// then, on Linux, the kernel kills them. Elsewhere they live on until their input
// ends. What a program has started itself is that program's business.
//
// It knows nothing of the programs.
package childtest

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"github.com/creack/pty"
)

// Needs skips the test where a program that it needs is not installed.
func Needs(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			tb.Skipf("needs %s: install it, and have it in PATH", p)
		}
	}
}

// Start starts a program that ends with this process. Who waits for it does so
// before the clean-up of tb, or in a part of it that is asked for after Start.
func Start(tb testing.TB, cmd *exec.Cmd) error {
	tb.Helper()
	return startBy(tb, cmd, cmd.Start)
}

// StartOnTerminal is Start for a program on a pseudo-terminal of its own, of
// that size in characters, and returns the other end, which the caller closes.
// The test is skipped where there are no pseudo-terminals, and fails if the
// program cannot be started.
func StartOnTerminal(tb testing.TB, cmd *exec.Cmd, rows, columns uint16) (master *os.File) {
	tb.Helper()
	if master, slave, err := pty.Open(); err != nil {
		tb.Skipf("needs a pseudo-terminal: have devpts mounted at /dev/pts: %v", err)
	} else {
		_, _ = master.Close(), slave.Close()
	}
	err := startBy(tb, cmd, func() (err error) {
		master, err = pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return master
}

// startBy calls start, once, on a thread that lasts until the test ends.
func startBy(tb testing.TB, cmd *exec.Cmd, start func() error) error {
	tb.Helper()
	tie(cmd)
	started, over := make(chan error, 1), make(chan struct{})
	var thread sync.WaitGroup
	thread.Go(func() {
		_ = onThread(func() error {
			started <- start()
			<-over
			return nil
		})
	})
	tb.Cleanup(func() {
		close(over)
		thread.Wait()
	})
	return <-started
}

// Run runs a program to its end, or to that of this process.
func Run(cmd *exec.Cmd) error {
	tie(cmd)
	ended := make(chan error, 1)
	go func() { ended <- onThread(cmd.Run) }()
	return <-ended
}

// CombinedOutput is Run, and returns all that the program prints.
func CombinedOutput(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := Run(cmd)
	return out.Bytes(), err
}

// onThread does something on a thread that nobody ends meanwhile: the kernel
// takes the end of the thread that has started a program for that of the process.
func onThread(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return do()
}
