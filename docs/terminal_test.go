//go:build unix

package docs_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/peerlab/peerlab/internal/childtest"
)

// patience bounds every wait for a line or a prompt, unless a document takes
// longer.
const patience = 20 * time.Second

// The screen is as wide as the widest line, and no test fills its height.
const (
	columns = 200
	rows    = 400
)

// aPrompt is what a document shows before something that is typed.
var aPrompt = regexp.MustCompile(`^(\$|\.\.\.>|[a-z][a-z0-9_-]*( (chat|cmd|go))?>) `)

// terminal is a system shell on a pseudo-terminal, with a model of its screen.
type terminal struct {
	t        *testing.T
	name     string
	master   *os.File
	cmd      *exec.Cmd
	read     sync.WaitGroup
	patience time.Duration
	seen     int    // row from which on lines are expected
	typed    string // the beginning of a line that was not entered yet

	mu      sync.Mutex
	vt      vt10x.Terminal
	changed chan struct{} // one token: something did
}

func openTerminal(t *testing.T, name, dir string, env []string) *terminal {
	t.Helper()
	cmd := exec.Command("sh", "-i")
	cmd.Dir, cmd.Env = dir, append(env, "TERM=xterm", "PS1=$ ", "ENV=")
	master := childtest.StartOnTerminal(t, cmd, rows, columns)
	x := &terminal{t: t, name: name, master: master, cmd: cmd,
		patience: patience, vt: vt10x.New(vt10x.WithSize(columns, rows)), changed: make(chan struct{}, 1)}
	x.read.Go(x.watch)
	t.Cleanup(x.close)
	return x
}

// close ends the shell and what still runs in the foreground.
func (x *terminal) close() {
	if conn, err := x.master.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			if group, err := unix.IoctlGetInt(int(fd), unix.TIOCGPGRP); err == nil && group > 1 {
				_ = unix.Kill(-group, unix.SIGKILL) // it may have ended
			}
		})
	}
	_ = x.cmd.Process.Kill() // it may have ended
	_ = x.cmd.Wait()
	_ = x.master.Close()
	x.read.Wait()
}

// watch feeds the model of the screen.
func (x *terminal) watch() {
	buf := make([]byte, 32<<10)
	for {
		n, err := x.master.Read(buf)
		x.mu.Lock()
		_, _ = x.vt.Write(buf[:n])
		x.mu.Unlock()
		select {
		case x.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// screen returns the rows and the row of the cursor.
func (x *terminal) screen() (text []string, cursor int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	text = strings.Split(x.vt.String(), "\n")
	for i := range text {
		text[i] = strings.TrimRight(text[i], " \x00")
	}
	return text, x.vt.Cursor().Y
}

// wait waits until ok of the screen.
func (x *terminal) wait(what string, ok func(text []string, cursor int) bool) {
	x.t.Helper()
	deadline := time.NewTimer(x.patience)
	defer deadline.Stop()
	for {
		text, cursor := x.screen()
		if ok(text, cursor) {
			return
		}
		select {
		case <-x.changed:
		case <-deadline.C:
			x.t.Fatalf("terminal %s: no %s within %s; the screen is\n%s", x.name, what, x.patience,
				strings.TrimRight(strings.Join(text, "\n"), "\n"))
		}
	}
}

// run does what a block says: types, and waits for what must come.
func (x *terminal) run(b block) {
	x.t.Helper()
	for _, line := range b.lines {
		prompt := aPrompt.FindString(line)
		switch {
		case prompt != "":
			x.types(strings.TrimSpace(prompt), line[len(prompt):])
		case line != "...":
			x.expects(line)
		}
	}
}

// types waits for the prompt, with what has been typed there, and types on.
func (x *terminal) types(prompt, text string) {
	x.t.Helper()
	row := strings.TrimSpace(prompt + " " + x.typed)
	x.wait("row "+row, func(rows []string, cursor int) bool {
		x.seen = max(x.seen, cursor)
		return rows[cursor] == row
	})
	rest, ok := strings.CutPrefix(text, x.typed)
	if !ok {
		x.t.Fatalf("terminal %s: %q was typed, and the line goes on otherwise: %q", x.name, x.typed, text)
	}
	keys := strings.NewReplacer("<Tab>", "\t", "<Up>", "\x1b[A", "<Enter>", "", "<Ctrl-C>", "\x03", "<Ctrl-D>", "\x04").Replace(rest)
	typed, more := strings.CutSuffix(keys, "…")
	x.typed = ""
	switch {
	case more:
		x.typed, keys = typed, typed
	case strings.HasSuffix(text, "<Ctrl-D>"), strings.HasSuffix(text, "<Ctrl-C>"):
		x.seen++
	default:
		x.seen++
		keys += "\r"
	}
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
	if more {
		row = prompt + " " + x.typed
		x.wait("row "+row, func(rows []string, cursor int) bool { return rows[cursor] == strings.TrimSpace(row) })
	}
}

// expects waits for a line below those that were seen.
func (x *terminal) expects(line string) {
	x.t.Helper()
	x.wait("line "+line, func(rows []string, _ int) bool {
		for i := x.seen; i < len(rows); i++ {
			if same(rows[i], line) {
				x.seen = i + 1
				return true
			}
		}
		return false
	})
}
