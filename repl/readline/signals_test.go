//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
	"golang.org/x/sys/unix"
)

// startRole starts this test's program in a role on the console, in a process
// group of its own and without a controlling terminal.
func (c *console) startRole(role string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRole$")
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.slave, c.slave, c.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	return cmd
}

// TestTerminalIsRestored: however a program ends that can do something about
// it, the terminal is as it was found.
func TestTerminalIsRestored(t *testing.T) {
	for _, tt := range []struct {
		name, role, keys, seen string
		signal                 os.Signal
		status                 int
		says                   string
	}{
		{"SIGTERM", "leaver", "abc", "> abc", unix.SIGTERM, 0, "left: context canceled"},
		{"SIGHUP", "leaver", "", ">", unix.SIGHUP, 0, "left: context canceled"},
		{"SIGINT", "leaver", "abc", "> abc", unix.SIGINT, 0, "left: context canceled"},
		{"SIGTERM in a search", "leaver", "\x12", "bck-i-search:", unix.SIGTERM, 0, "left: context canceled"},
		{"SIGTERM in a paste", "leaver", "a\x1b[200~bc", "> a", unix.SIGTERM, 0, "left: context canceled"},
		{"SIGTERM between lines", "leaver", "busy\r", "busy now", unix.SIGTERM, 0, "left: context canceled"},
		{"SIGINT between lines", "leaver", "busy\r", "busy now", unix.SIGINT, 0, "left: context canceled"},
		{"SIGTERM while lent", "leaver", "lend\r", "lent now", unix.SIGTERM, 0, "left: context canceled"},
		{"panic of a goroutine", "panicker", "abc", "> abc", unix.SIGUSR1, 2, "panic: on purpose"},
		{"panic between lines", "panicker", "busy\r", "busy now", unix.SIGUSR1, 2, "panic: on purpose"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, 80, 50)
			found := c.state()
			cmd := c.startRole(tt.role)
			c.wait("prompt", func() bool { return strings.HasSuffix(c.text(), ">") })
			c.types(tt.keys)
			c.wait(tt.seen, func() bool { return strings.Contains(c.text(), tt.seen) })
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("status %d; the screen is\n%s", got, c.text())
			}
			if c.state() != found {
				t.Error("the terminal is not as it was found")
			}
			c.wait("last words", func() bool { return strings.Contains(c.text(), tt.says) })
			if out := c.output(); strings.LastIndex(out, "\x1b[?2004h") > strings.LastIndex(out, "\x1b[?2004l") {
				t.Error("the terminal still marks what is pasted")
			}
		})
	}
}

// beLeaver does what a main does: signals end a context, and that the reader.
func beLeaver() int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGHUP, unix.SIGINT)
	defer stop()
	r, err := readline.New(readline.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	err = serveLines(ctx, r)
	if cerr := r.Close(); cerr != nil {
		fmt.Println("close:", cerr)
	}
	fmt.Println("left:", err)
	return 0
}

// bePanicker panics in a goroutine of its own when it gets SIGUSR1.
func bePanicker() int {
	now := notified(unix.SIGUSR1)
	r, err := readline.New(readline.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer r.Close()
	go func() {
		defer readline.RestoreOnPanic(r)
		<-now
		panic("on purpose")
	}()
	_ = serveLines(context.Background(), r)
	return 0
}

// serveLines reads lines; some of them take as long as ctx.
func serveLines(ctx context.Context, r repl.LineReader) error {
	r.SetPrompt("> ")
	for {
		line, err := r.ReadLine(ctx)
		if err != nil {
			return err
		}
		switch line {
		case "busy":
			r.Print("busy now")
			<-ctx.Done()
		case "lend":
			_ = r.Suspend(func() error {
				fmt.Println("lent now")
				<-ctx.Done()
				return nil
			})
		}
	}
}

func TestRestoreOnPanicLeavesOthersAlone(t *testing.T) {
	for _, r := range []repl.LineReader{nil, repl.NewPlainReader(strings.NewReader(""), io.Discard, false)} {
		func() {
			defer readline.RestoreOnPanic(r)
		}()
		func() {
			defer func() {
				if v := recover(); v != "on purpose" {
					t.Errorf("recovered %v", v)
				}
			}()
			defer readline.RestoreOnPanic(r)
			panic("on purpose")
		}()
	}
}

// TestLentTerminal: a program that is lent the terminal gets exactly its keys,
// whatever was typed before, in the state in which the terminal was found.
func TestLentTerminal(t *testing.T) {
	for _, tt := range []struct{ name, keys string }{
		{"after a line", "a\r"},
		{"after Delete", "ab\x02\x1b[3~\r"},
		{"after unknown keys", "a\x1b[99~\x00\x1d\r"},
		{"after a paste", pasting("a\nb") + "\r"},
		{"after a search", "\x12a\x07\r"},
		{"after an interrupt", "a\x03"},
		{"after completion", "\t\r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConsole(t, 60, 20)
			done := c.read(t.Context())
			c.types(tt.keys)
			<-done
			c.Print("before")
			err := c.Suspend(func() error {
				cmd := exec.Command("sh", "-c", `echo ready; read x; echo "got <$x>"; read y; echo "and <$y>"`)
				cmd.Stdin, cmd.Stdout, cmd.Stderr = c.slave, c.slave, c.slave
				if err := cmd.Start(); err != nil {
					return err
				}
				c.wait("editor", func() bool { return strings.HasSuffix(c.text(), "before\nready") })
				c.Print("after")
				c.types("its keys\r")
				c.wait("first", func() bool { return strings.HasSuffix(c.text(), "got <its keys>") })
				c.resize(50, 20)
				c.types("more\r")
				return cmd.Wait()
			})
			if err != nil {
				t.Fatal(err)
			}
			c.wait("the rest", func() bool { return strings.HasSuffix(c.text(), "and <more>\nafter") })
			c.enters("next\r", "next")
			c.wait("row", func() bool { return strings.HasSuffix(c.text(), "after\n> next") })
		})
	}
}
