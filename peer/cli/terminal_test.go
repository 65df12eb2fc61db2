//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// terminal is a peer on a pseudo-terminal.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	ended  chan struct{} // nothing more comes
	seen   int           // where what was expected last ends

	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // one token: something came
}

func (u *user) open(env []string, args ...string) *terminal {
	u.t.Helper()
	path, err := exec.LookPath("peer")
	if err != nil {
		u.t.Fatal(err)
	}
	x := &terminal{t: u.t, cmd: exec.Command(path, args...), ended: make(chan struct{}), more: make(chan struct{}, 1)}
	x.cmd.Env = append(append([]string{"GORACE=atexit_sleep_ms=0"}, u.env...), env...)
	x.master = childtest.StartOnTerminal(u.t, x.cmd, 30, 100)
	go x.read()
	u.t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = x.cmd.Wait()
		<-x.ended
		x.master.Close()
	})
	return x
}

func (x *terminal) read() {
	defer close(x.ended)
	buf := make([]byte, 4096)
	for {
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.text.Write(buf[:n])
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (x *terminal) output() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// expect types keys, and waits until what comes from then on contains text.
// Without keys it is what has come since the text that was expected last.
func (x *terminal) expect(keys, text string) {
	x.t.Helper()
	from := x.seen
	if keys != "" {
		from = len(x.output())
	}
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
	deadline := time.After(patience)
	at := strings.Index(x.output()[from:], text)
	for ; at < 0; at = strings.Index(x.output()[from:], text) {
		select {
		case <-x.more:
		case <-deadline:
			x.t.Fatalf("%q does not come after %q, but\n%q", text, keys, x.output()[from:])
		}
	}
	x.seen = from + at + len(text)
}

// leave ends the peer with ctrl-D and returns all that came.
func (x *terminal) leave() string {
	x.t.Helper()
	if _, err := x.master.WriteString("\x04"); err != nil {
		x.t.Fatal(err)
	}
	if err := x.cmd.Wait(); err != nil {
		x.t.Errorf("%v; it said\n%s", err, x.output())
	}
	<-x.ended
	return x.output()
}

// TestTerminals: what a terminal cannot do, or its user does not want, it is
// not given.
func TestTerminals(t *testing.T) {
	for _, tt := range []struct {
		name            string
		env, args       []string
		escapes, colour bool
	}{
		{"a good one", []string{"TERM=xterm"}, nil, true, true},
		{"no colour", []string{"TERM=xterm", "NO_COLOR=1"}, nil, true, false},
		{"plain", []string{"TERM=xterm"}, []string{"--plain"}, false, false},
		{"dumb", []string{"TERM=dumb"}, nil, false, false},
		{"unknown", nil, nil, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			x := u.open(tt.env, append(tt.args, "alice")...)
			x.expect("", "alice chat> ")
			u.start("bob")
			x.expect("", "bob has joined")
			x.expect("/echo a\t\r", "\na")
			x.expect("/chatleave\r", "chat> ")
			x.expect("hello everybody\r", "error: ")
			out := x.leave()
			if got := strings.Contains(out, "\x1b"); got != tt.escapes {
				t.Errorf("escapes: %v\n%q", got, out)
			}
			if got := strings.Contains(out, "\x1b[3"); got != tt.colour {
				t.Errorf("colours: %v\n%q", got, out)
			}
		})
	}
}

// TestNamesOfFilesAtAKeyboard: what Tab makes of the beginning of a path is
// what the command finds.
func TestNamesOfFilesAtAKeyboard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "my own/scripts"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "my own/scripts/it's.cmd"), []byte("echo this is it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newUser(t).open([]string{"TERM=xterm"}, "--bare", "alice")
	x.expect("", "alice chat> ")
	x.expect("/execute "+dir+"/m\ts\t\t\r", "\nthis is it")
	x.expect("/loadconfig '"+dir+"/m\ts\ti\t\r", "is no configuration that this program can load")
	x.leave()
}

// TestControlSStopsTheScreenOnly: a peer whose terminal was stopped takes part
// as before, and shows everything when the terminal goes on.
func TestControlSStopsTheScreenOnly(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	x := u.open([]string{"TERM=xterm"}, "--plain", "alice")
	x.expect("", "alice chat> ")
	bob := u.start("bob")
	x.expect("", "bob has joined")
	bob.expect("ready as bob")
	before := len(x.output())
	if _, err := x.master.WriteString("\x13"); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		answer := bob.ask(fmt.Sprintf("msg number %d", i))
		if len(answer) != 1 || answer[0] != "delivered to 1" {
			t.Fatalf("number %d: %q", i, answer)
		}
	}
	if got := x.output()[before:]; strings.Contains(got, "number 19") { // the first may be faster than ctrl-S
		t.Errorf("the stopped terminal got %q", got)
	}
	x.expect("\x11", "<bob> number 19")
	for i := range 20 {
		if n := strings.Count(x.output(), fmt.Sprintf("<bob> number %d\r\n", i)); n != 1 {
			t.Errorf("number %d is there %d times", i, n)
		}
	}
	x.leave()
}

// TestEditorAtAKeyboard: the line that an editor makes is sent by Enter, and
// not before.
func TestEditorAtAKeyboard(t *testing.T) {
	t.Parallel()
	editor := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\necho here; read x; echo \"/echo $x\" >>\"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	u := newUser(t)
	x := u.open([]string{"TERM=xterm", "VISUAL=", "EDITOR=" + editor}, "alice")
	x.expect("", "alice chat> ")
	x.expect("/echo first\x18\x05", "here\r\n")
	bob := u.start("bob")
	bob.expect("ready as bob")
	if answer := bob.ask("msg are you there"); len(answer) != 1 || answer[0] != "delivered to 1" {
		t.Errorf("while alice edits: %q", answer)
	}
	before := len(x.output())
	x.expect("second\r", "/echo second")
	if got := x.output()[before:]; !strings.Contains(got, "<bob> are you there\x1b[0m\r\n") && !strings.Contains(got, "<bob> are you there\r\n") {
		t.Errorf("after it: %q", got)
	}
	x.expect("\r", "\nfirst\r\nsecond\r\n")
	x.leave()
	y := u.open([]string{"TERM=xterm"}, "--plain", "alice")
	y.expect("", "alice chat> ")
	y.expect("hello\x18\x05\r", "ctrl-X ctrl-E is not available here")
	y.leave()
}
