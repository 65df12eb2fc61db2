//go:build unix

package readline_test

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 10 * time.Second

// console is a pseudo-terminal with a model of its screen, and a reader on it.
type console struct {
	t             testing.TB
	master, slave *os.File
	repl.LineReader

	mu      sync.Mutex
	vt      vt10x.Terminal
	sent    strings.Builder // all that reached the terminal
	changed chan struct{}   // one token: something did
	ended   chan struct{}
}

func newConsole(t testing.TB, columns, rows int, change ...func(*readline.Config)) *console {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("needs a pseudo-terminal: have devpts mounted at /dev/pts: %v", err)
	}
	master = unblocked(t, master)
	c := &console{t: t, master: master, slave: slave,
		vt: vt10x.New(vt10x.WithSize(columns, rows)), changed: make(chan struct{}, 1), ended: make(chan struct{})}
	c.setSize(columns, rows)
	cfg := readline.Config{In: slave, Out: slave}
	for _, f := range change {
		f(&cfg)
	}
	if c.LineReader, err = readline.New(cfg); err != nil {
		t.Fatal(err)
	}
	c.SetPrompt("> ")
	go c.watch()
	t.Cleanup(func() {
		c.Close()
		slave.Close()
		master.Close()
		<-c.ended
	})
	return c
}

// unblocked returns f such that closing it ends a Read.
func unblocked(t testing.TB, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return os.NewFile(uintptr(fd), "terminal")
}

func (c *console) setSize(columns, rows int) {
	c.t.Helper()
	if err := pty.Setsize(c.slave, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vt.Resize(columns, rows)
}

// watch feeds the model.
func (c *console) watch() {
	defer close(c.ended)
	buf := make([]byte, 32<<10)
	for {
		n, err := c.master.Read(buf)
		c.mu.Lock()
		c.sent.Write(buf[:n])
		_, _ = c.vt.Write(buf[:n])
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// rows are the rows of the screen without what is blank at their ends.
func (c *console) rows() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows := strings.Split(c.vt.String(), "\n")
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " \x00")
	}
	return rows
}

// text is the screen as one string, without the blank rows at its end.
func (c *console) text() string { return strings.TrimRight(strings.Join(c.rows(), "\n"), "\n") }

func (c *console) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.String()
}

func (c *console) cursor() (x, y int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cur := c.vt.Cursor()
	return cur.X, cur.Y
}

// wait waits until the screen is as ok says.
func (c *console) wait(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-c.changed:
		case <-deadline.C:
			c.t.Fatalf("%s: not after %v; the screen is\n%s", what, patience, c.text())
		}
	}
}

// until waits for what no output announces.
func (c *console) until(what string, ok func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: not after %v; the screen is\n%s", what, patience, c.text())
		}
	}
}

// unread is how many bytes that were typed nobody has read.
func (c *console) unread() int {
	c.t.Helper()
	n, err := unix.IoctlGetInt(int(c.slave.Fd()), readline.Unread)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// shows waits until the whole screen is text.
func (c *console) shows(text string) {
	c.t.Helper()
	c.wait("to show "+text, func() bool { return c.text() == text })
}

// at waits until the cursor is in column x.
func (c *console) at(x int) {
	c.t.Helper()
	c.wait("cursor", func() bool { got, _ := c.cursor(); return got == x })
}

func (c *console) types(keys string) {
	c.t.Helper()
	if _, err := c.master.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

type result struct {
	line string
	err  error
}

// read begins to read a line, and returns when its prompt stands there.
func (c *console) read(ctx context.Context) <-chan result {
	c.t.Helper()
	before := len(c.output())
	done := make(chan result, 1)
	go func() {
		line, err := c.ReadLine(ctx)
		done <- result{line, err}
	}()
	c.wait("prompt", func() bool { return strings.Contains(c.output()[before:], "> ") || len(done) > 0 })
	return done
}

// ends waits for the end of a read.
func (c *console) ends(done <-chan result, line string, err error) {
	c.t.Helper()
	select {
	case got := <-done:
		if got.line != line || got.err != err {
			c.t.Errorf("read %q, %v; want %q, %v", got.line, got.err, line, err)
		}
	case <-time.After(patience):
		c.t.Fatalf("ReadLine did not return; the screen is\n%s", c.text())
	}
}

// enters types keys into a new line and expects it to be line.
func (c *console) enters(keys, line string) {
	c.t.Helper()
	done := c.read(c.t.Context())
	c.types(keys)
	c.ends(done, line, nil)
}

func (c *console) state() unix.Termios {
	c.t.Helper()
	state, err := unix.IoctlGetTermios(int(c.slave.Fd()), readline.GetTermios)
	if err != nil {
		c.t.Fatal(err)
	}
	return *state
}

func notified(s os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	return c
}
