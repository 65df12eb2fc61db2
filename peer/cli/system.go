package cli

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"time"
)

// systemPatience is how long output may still come after a command was ended.
const systemPatience = time.Second

// runSystem runs a command through the system's shell, without input, and
// returns its exit status; the error says that it could not be run. When ctx
// ends, the command and what it has started are killed; on Linux also when
// this process ends, in whatever way.
func runSystem(ctx context.Context, command string, stdout, stderr io.Writer) (status int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// On Linux a command dies with the thread that started it, so that
		// thread must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		status, err = runBound(ctx, command, stdout, stderr)
	}()
	<-done
	return status, err
}

func runBound(ctx context.Context, command string, stdout, stderr io.Writer) (int, error) {
	name, args := systemShell(command)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = systemPatience
	err := cmd.Run()
	if cmd.Process != nil {
		_ = killGroup(cmd.Process) // what it has left behind
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	case errors.Is(err, exec.ErrWaitDelay):
		return 0, nil // it has ended; something in the background kept its output open
	}
	return 0, err
}
