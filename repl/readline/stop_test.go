//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/peerlab/peerlab/repl/readline"
	"golang.org/x/sys/unix"
)

// roleVariable makes this test's program one of the processes of
// TestControlZ: "shell", which starts "reader" as a job on its terminal.
const roleVariable = "READLINE_TEST_ROLE"

// TestControlZ: ctrl-Z gives the terminal back and stops the job, and not the
// shell that started it; when the job goes on, the line is as it was.
func TestControlZ(t *testing.T) {
	c := newConsole(t, 60, 20)
	shell := exec.Command(os.Args[0], "-test.run=^TestRole$")
	shell.Env = append(os.Environ(), roleVariable+"=shell")
	shell.Stdin, shell.Stdout, shell.Stderr = c.slave, c.slave, c.slave
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	found := c.state()
	c.wait("prompt", func() bool { return strings.HasSuffix(c.text(), "job>") })
	c.types("abc\x1a")
	c.wait("stopped", func() bool { return strings.Contains(c.text(), "\nstopped") })
	if c.state() != found {
		t.Error("while stopped: the terminal is not as it was found")
	}
	if err := unix.Kill(shell.Process.Pid, unix.SIGUSR1); err != nil { // fg
		t.Fatal(err)
	}
	c.wait("row", func() bool { return strings.HasSuffix(c.text(), "job> abc") })
	c.types("d\r")
	if err := shell.Wait(); err != nil {
		t.Errorf("%v; the screen is\n%s", err, c.text())
	}
	c.wait("line", func() bool { return strings.Contains(c.text(), `read "abcd"`) })
}

// TestRole is not a test but what the processes of TestControlZ do.
func TestRole(t *testing.T) {
	switch os.Getenv(roleVariable) {
	case "shell":
		os.Exit(beShell())
	case "reader":
		os.Exit(beReader())
	}
}

// beShell starts the reader in a process group of its own, in the foreground,
// and continues it once, when asked to by SIGUSR1, after it was stopped.
func beShell() int {
	fg := notified(unix.SIGUSR1)
	job := exec.Command(os.Args[0], "-test.run=^TestRole$")
	job.Env = append(os.Environ(), roleVariable+"=reader")
	job.Stdin, job.Stdout, job.Stderr = os.Stdin, os.Stdout, os.Stderr
	job.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	if err := job.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(job.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		fmt.Println("not stopped:", err, status)
		return 1
	}
	fmt.Println("\nstopped")
	<-fg
	_ = unix.Kill(-job.Process.Pid, unix.SIGCONT)
	if err := job.Wait(); err != nil {
		return 1
	}
	return 0
}

func beReader() int {
	r, err := readline.New(readline.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r.SetPrompt("job> ")
	line, err := r.ReadLine(context.Background())
	r.Close()
	fmt.Printf("read %q, %v\n", line, err)
	return 0
}
