//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// TestAPanicGivesTheTerminalBack: a peer that panics while somebody types ends
// with a word, a status, the stack in its log, and the terminal as it was.
func TestAPanicGivesTheTerminalBack(t *testing.T) {
	fresh := freshTerminal(t)
	for _, name := range []string{"boom", "hang"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, data := newUser(t), t.TempDir()
			path, pipe := makePipe(t)
			x := u.open([]string{"TERM=xterm", "TEST_BOMB=" + path}, "alice", "--data", data)
			x.expect("", "alice chat> ")
			x.expect("/"+name+"\r", "it burns")
			if name == "boom" {
				x.expect("", "alice chat> ")
				if raw := state(t, x.master); reflect.DeepEqual(raw, fresh) {
					t.Fatal("the terminal is not raw while somebody types: nothing can be shown")
				}
			}
			if _, err := pipe.WriteString("!"); err != nil {
				t.Fatal(err)
			}
			x.expect("", "peer: a fault in the program: panic: "+name+", in cli_test.(*bomb).Run")
			ended := make(chan error, 1)
			go func() { ended <- x.cmd.Wait() }()
			select {
			case <-ended:
			case <-time.After(patience):
				t.Fatalf("it does not end; it said\n%s", x.output())
			}
			if got := x.cmd.ProcessState.ExitCode(); got != 1 {
				t.Errorf("status %d", got)
			}
			if now := state(t, x.master); !reflect.DeepEqual(now, fresh) {
				t.Errorf("the terminal was %+v and is %+v", fresh, now)
			}
			log, err := os.ReadFile(filepath.Join(data, "peer.log"))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(log), "goroutine ") == strings.Contains(x.output(), "goroutine ") {
				t.Errorf("the log is %.500s; the screen says\n%s", log, x.output())
			}
		})
	}
}

// makePipe makes a named pipe, and opens it for writing, whoever reads it.
func makePipe(t *testing.T) (path string, pipe *os.File) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.Close() })
	return path, pipe
}

// freshTerminal is the state of a terminal that nobody has touched.
func freshTerminal(t *testing.T) *term.State {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("needs a pseudo-terminal: have devpts mounted at /dev/pts: %v", err)
	}
	defer master.Close()
	defer slave.Close()
	return state(t, master)
}

func state(t *testing.T, f *os.File) *term.State {
	t.Helper()
	s, err := term.GetState(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
