//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl/readline"
	"golang.org/x/sys/unix"
)

// editKeys is what opens the editor.
const editKeys = "\x18\x05"

// script makes a command of the system to be an editor; "$1" in it is the file.
func script(t *testing.T, lines string) (command string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func withEditor(command string) func(*readline.Config) {
	return func(c *readline.Config) { c.Editor = command }
}

// TestEditor: what an editor saves becomes the line, which is not run before
// Enter; of an editor that fails the line stays, and one line says why.
func TestEditor(t *testing.T) {
	const same = "the line is as it was: "
	for _, tt := range []struct {
		name, editor string
		keys         string // before Enter; E opens the editor
		line         string
		says         string
	}{
		{"change", script(t, `sed s/hello/goodbye/ "$1" >"$1.new"; mv "$1.new" "$1"`), "hello bobE", "goodbye bob", ""},
		{"typing goes on at the end", script(t, `printf 'one' >"$1"`), "hello\x01E two", "one two", ""},
		{"several lines", script(t, `printf 'two\n' >>"$1"`), "oneE", "one\ntwo", ""},
		{"several lines, there and back", script(t, `sed s/^/x/ "$1" >"$1.new"; mv "$1.new" "$1"`), pasting("a\nb") + "E", "xa\nxb", ""},
		{"an empty line", script(t, `wc -c <"$1" | tr -d ' ' >"$1.new"; mv "$1.new" "$1"`), "E", "1", ""},
		{"nothing is left", script(t, `: >"$1"`), "helloEx", "x", ""},
		{"control characters", script(t, `printf 'a\033[31mb\tc\007\r\nd' >"$1"`), "E", "a[31mb\tc\nd", ""},
		{"arguments of its own", `printf '%s' "it's"; true`, "helloE", "hello", ""},
		{"a command with an argument", script(t, `echo "$1" >"$2"`) + " 'an argument'", "E", "an argument", ""},
		{"twice", script(t, `printf x >>"$1"`), "helloEE", "hello\nx\nx", ""},
		{"in a search", script(t, `printf x >>"$1"`), "\x12E", "\nx", ""},
		{"it fails", script(t, `echo no >"$1"; exit 3`), "helloE", "hello", same + `the editor "@" has failed (exit status 3)`},
		{"it is killed", script(t, `echo no >"$1"; kill -9 $$`), "helloE", "hello", same + `the editor "@" `},
		{"it cannot be run", "/dev/null", "helloE", "hello", same + "start the editor: "},
		{"it is not there", "no-such-editor", "helloE", "hello", same + `there is no editor "no-such-editor": set VISUAL or EDITOR`},
		{"none is set", "", "helloE", "hello", `no editor is set: leave, set VISUAL or EDITOR`},
		{"it removes the file", script(t, `rm "$1"`), "helloE", "hello", same + "read what was edited: "},
		{"it saves no text", script(t, `printf '\377' >"$1"`), "helloE", "hello", same + "what was edited is not UTF-8 text"},
		{"it saves too much", script(t, `dd if=/dev/zero of="$1" bs=1048577 count=1 2>/dev/null`), "helloE", "hello", same + "what was edited is longer than 1048576 bytes"},
		{"only ctrl-X", script(t, `echo no >"$1"`), "a\x18b\x05c", "abc", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConsole(t, 250, 20, withEditor(tt.editor))
			found := c.state()
			done := c.read(t.Context())
			c.types(strings.ReplaceAll(tt.keys, "E", editKeys))
			says := strings.Replace(tt.says, "@", tt.editor, 1)
			c.wait(says, func() bool { return strings.Contains(c.text(), says) })
			c.until("keys", func() bool { return c.unread() == 0 })
			c.types("\r")
			c.ends(done, tt.line, nil)
			c.Close()
			if c.state() != found {
				t.Error("the terminal is not as it was found")
			}
		})
	}
}

// TestMessagesWaitForTheEditor: while the editor has the terminal nobody else
// writes to it; then the messages come, and the line below them.
func TestMessagesWaitForTheEditor(t *testing.T) {
	c := newConsole(t, 60, 20, withEditor(script(t, `stat -c %a "$1" 2>/dev/null || stat -f %Lp "$1"; read x; echo "$x" >"$1"`)))
	found := c.state()
	done := c.read(t.Context())
	c.types("hello" + editKeys)
	c.shows("600")
	c.until("terminal lent", func() bool { return c.state() == found })
	c.Print("<bob> a message")
	c.setSize(50, 20)
	c.types("its \x05keys\r")
	c.wait("message", func() bool {
		return strings.HasSuffix(c.text(), "<bob> a message\n> its \x05keys") || strings.HasSuffix(c.text(), "<bob> a message\n> its keys")
	})
	c.types("!\r")
	c.ends(done, "its keys!", nil)
}

// TestEditorGetsItsKeys: not one of them is read by us.
func TestEditorGetsItsKeys(t *testing.T) {
	const keys = 300
	c := newConsole(t, 400, 20, withEditor(script(t, `stty -icanon -echo; echo ready; dd bs=1 count=300 of="$1" 2>/dev/null`)))
	done := c.read(t.Context())
	c.types("hello" + editKeys)
	c.shows("ready")
	for range keys {
		c.types("x")
		c.until("key", func() bool { return c.unread() == 0 })
	}
	c.wait("line", func() bool { return strings.HasSuffix(c.text(), "> "+strings.Repeat("x", keys)) })
	c.types("\r")
	c.ends(done, strings.Repeat("x", keys), nil)
}

// TestEndWhileEditing: an editor does not outlive its line.
func TestEndWhileEditing(t *testing.T) {
	for _, trap := range []string{"", "trap '' HUP TERM INT\n"} {
		c := newConsole(t, 60, 20, withEditor(script(t, trap+`echo $$ here; while :; do sleep 0.05; done`)))
		found := c.state()
		ctx, cancel := context.WithCancel(t.Context())
		done := c.read(ctx)
		c.types("hello" + editKeys)
		c.wait("editor", func() bool { return strings.Contains(c.output(), " here") })
		cancel()
		c.ends(done, "hello", context.Canceled)
		checkGone(t, c)
		done = c.read(t.Context())
		c.types("again" + editKeys)
		c.wait("editor", func() bool { return strings.Count(c.output(), " here") == 2 })
		c.Close()
		if got := <-done; got.err != io.EOF {
			t.Errorf("ReadLine: %v", got.err)
		}
		checkGone(t, c)
		if c.state() != found {
			t.Error("the terminal is not as it was found")
		}
	}
}

// checkGone waits for the end of the process that has said "PID here" last.
func checkGone(t *testing.T, c *console) {
	t.Helper()
	said := regexp.MustCompile(`(\d+) here`).FindAllStringSubmatch(c.output(), -1)
	pid, err := strconv.Atoi(said[len(said)-1][1])
	if err != nil {
		t.Fatal(err)
	}
	c.until("end of the editor", func() bool { return unix.Kill(pid, 0) != nil })
}

// TestEditorIsAJob: the editor is in the foreground, so that its ctrl-C is
// for it alone; one that stops goes on; and afterwards the terminal is ours,
// whatever became of the editor.
func TestEditorIsAJob(t *testing.T) {
	for _, tt := range []struct{ name, editor, line string }{
		{"ctrl-C", `trap 'echo its own >"$1"; exit 0' INT; echo ready; while :; do sleep 0.05; done`, "its own"},
		{"ctrl-C ends it", `echo ready; while :; do sleep 0.05; done`, "hello"},
		{"killed", `echo ready; kill -9 $$`, "hello"},
		{"stopped", `kill -STOP $$; echo ready; echo went on >"$1"`, "went on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConsole(t, 100, 20)
			found := c.state()
			t.Setenv("EDITOR", script(t, tt.editor))
			cmd := c.startLeader("editing")
			defer cmd.Process.Kill()
			c.wait("prompt", func() bool { return strings.HasSuffix(c.text(), ">") })
			c.types("hello" + editKeys)
			c.wait("editor", func() bool { return strings.Contains(c.text(), "ready") })
			if strings.HasPrefix(tt.name, "ctrl-C") {
				c.types("\x03")
			}
			c.wait("line", func() bool { return strings.HasSuffix(c.text(), "> "+tt.line) })
			c.types("\r")
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v; the screen is\n%s", err, c.text())
			}
			c.wait("result", func() bool {
				return strings.HasSuffix(c.text(), fmt.Sprintf("read %q, 0 interrupts, in front: true", tt.line))
			})
			if c.state() != found {
				t.Error("the terminal is not as it was found")
			}
		})
	}
}

// beEditing reads a line and says how that went.
func beEditing() int {
	interrupts := notified(unix.SIGINT)
	r, err := readline.New(readline.Config{Editor: os.Getenv("EDITOR")})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r.SetPrompt("> ")
	line, err := r.ReadLine(context.Background())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r.Close()
	front, _ := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCGPGRP)
	fmt.Printf("read %q, %d interrupts, in front: %t\n", line, len(interrupts), front == unix.Getpgrp())
	return 0
}
