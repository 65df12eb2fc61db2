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

// startLeader starts a role as the leader of a session on the console.
func (c *console) startLeader(role string) *exec.Cmd {
	c.t.Helper()
	shell := exec.Command(os.Args[0], "-test.run=^TestRole$")
	shell.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	shell.Stdin, shell.Stdout, shell.Stderr = c.slave, c.slave, c.slave
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		c.t.Fatal(err)
	}
	return shell
}

// TestControlZ: ctrl-Z gives the terminal back and stops the job, and not the
// shell that started it; when the job goes on, the line is as it was.
func TestControlZ(t *testing.T) {
	c := newConsole(t, 60, 20)
	found := c.state()
	shell := c.startLeader("shell")
	c.wait("prompt", func() bool { return strings.HasSuffix(c.text(), "job>") })
	c.types("abc\x1a")
	c.wait("stopped", func() bool { return strings.Contains(c.text(), "\nstopped") })
	if c.state() != found {
		t.Error("while stopped: the terminal is not as it was found")
	}
	c.continueJob(shell)
}

// TestStoppedFromOutside: a job that somebody else stops takes the terminal
// back when it goes on, though the shell has used it.
func TestStoppedFromOutside(t *testing.T) {
	c := newConsole(t, 60, 20)
	found := c.state()
	shell := c.startLeader("shell")
	c.wait("prompt", func() bool { return strings.HasSuffix(c.text(), "job>") })
	c.types("abc")
	c.wait("row", func() bool { return strings.HasSuffix(c.text(), "job> abc") })
	raw := c.state()
	if err := unix.Kill(shell.Process.Pid, unix.SIGUSR2); err != nil { // kill -TSTP
		t.Fatal(err)
	}
	c.wait("stopped", func() bool { return strings.Contains(c.text(), "\nstopped") })
	if err := unix.IoctlSetTermios(int(c.slave.Fd()), readline.SetTermios, &found); err != nil {
		t.Fatal(err)
	}
	before := len(c.output())
	c.continueJob(shell, func() {
		if c.state() != raw || !strings.Contains(c.output()[before:], "\x1b[?2004h") {
			t.Error("the terminal is not taken back")
		}
	})
}

// continueJob is fg in the shell; then the job reads what was typed before
// and after it was stopped.
func (c *console) continueJob(shell *exec.Cmd, checks ...func()) {
	c.t.Helper()
	if err := unix.Kill(shell.Process.Pid, unix.SIGUSR1); err != nil {
		c.t.Fatal(err)
	}
	c.wait("row", func() bool { return strings.HasSuffix(c.text(), "job> abc") })
	for _, check := range checks {
		check()
	}
	c.types("d\r")
	if err := shell.Wait(); err != nil {
		c.t.Errorf("%v; the screen is\n%s", err, c.text())
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
	case "leaver":
		os.Exit(beLeaver())
	case "panicker":
		os.Exit(bePanicker())
	case "editing":
		os.Exit(beEditing())
	case "printer":
		os.Exit(bePrinter(false))
	case "plain printer":
		os.Exit(bePrinter(true))
	}
}

// beShell starts the reader in a process group of its own, in the foreground,
// stops it when asked to by SIGUSR2, and continues it once, when asked to by
// SIGUSR1, after it was stopped.
func beShell() int {
	fg, stop := notified(unix.SIGUSR1), notified(unix.SIGUSR2)
	job := exec.Command(os.Args[0], "-test.run=^TestRole$")
	job.Env = append(os.Environ(), roleVariable+"=reader")
	job.Stdin, job.Stdout, job.Stderr = os.Stdin, os.Stdout, os.Stderr
	job.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	if err := job.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	go func() {
		<-stop
		_ = unix.Kill(-job.Process.Pid, unix.SIGTSTP)
	}()
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
