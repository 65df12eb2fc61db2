//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/repl/readline"
	"golang.org/x/sys/unix"
)

// stopOutput is ctrl-S and ctrl-Q.
func (c *console) stopOutput(stop bool) {
	c.t.Helper()
	if err := readline.StopOutput(int(c.slave.Fd()), stop); err != nil {
		c.t.Fatal(err)
	}
}

// withoutEcho makes the terminal show nothing that is typed.
func (c *console) withoutEcho() {
	c.t.Helper()
	state := c.state()
	state.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(c.slave.Fd()), readline.SetTermios, &state); err != nil {
		c.t.Fatal(err)
	}
}

// checkMessages expects "message 0 end" up to n, each once and in order.
func checkMessages(t testing.TB, output string, n int) {
	t.Helper()
	found := regexp.MustCompile(`message \d+ end`).FindAllString(output, -1)
	for i, m := range found {
		if m != fmt.Sprintf("message %d end", i) {
			t.Fatalf("%q is there when number %d is due", m, i)
		}
	}
	if len(found) != n {
		t.Fatalf("%d of %d messages are there", len(found), n)
	}
}

// TestStoppedTerminal: who prints is not kept for ever by a terminal that was
// stopped, and when it goes on everything comes, whole and in order.
func TestStoppedTerminal(t *testing.T) {
	const messages = 12000
	c := newConsole(t, 60, 10)
	readline.SetPatience(c.LineReader, 10*time.Millisecond)
	done := c.read(t.Context())
	c.types("abc")
	c.shows("> abc")
	c.stopOutput(true)
	before := len(c.output())
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		for i := range messages {
			c.Print(fmt.Sprintf("this is message %d end of it, as long as most", i))
		}
	}()
	select {
	case <-printed:
	case <-time.After(patience):
		c.stopOutput(false)
		t.Fatal("Print waits for ever")
	}
	if out := c.output()[before:]; out != "" {
		t.Errorf("the stopped terminal got %q", out)
	}
	c.types("d")
	c.stopOutput(false)
	c.wait("last message", func() bool {
		return strings.HasSuffix(c.text(), fmt.Sprintf("message %d end of it, as long as most\n> abcd", messages-1))
	})
	checkMessages(t, c.output()[before:], messages)
	c.types("\r")
	c.ends(done, "abcd", nil)
}

func TestCloseOfAStoppedTerminal(t *testing.T) {
	c := newConsole(t, 60, 10)
	found := c.state()
	done := c.read(context.Background())
	c.stopOutput(true)
	c.types("abc")
	c.Print("message 0 end")
	c.Close()
	if got := <-done; got.err != io.EOF {
		t.Errorf("ReadLine: %v", got.err)
	}
	if c.state() != found {
		t.Error("the terminal is not as it was found")
	}
	c.wait("message", func() bool { return strings.Contains(c.text(), "message 0 end") })
}

// TestControlSInPlainMode: ctrl-S stops a terminal on which lines are not
// edited by us. Nobody who prints waits for ctrl-Q, and at the latest at the
// end all is there.
func TestControlSInPlainMode(t *testing.T) {
	for _, goOn := range []string{"\x11", ""} {
		c := newConsole(t, 60, 10)
		c.withoutEcho() // it would come in the middle of a message
		found := c.state()
		plain := readline.NewPlain(readline.Config{In: c.slave, Out: c.slave})
		plain.SetPrompt("> ")
		done := make(chan result, 1)
		go func() {
			line, err := plain.ReadLine(context.Background())
			done <- result{line, err}
		}()
		c.shows(">")
		c.types("\x13")
		c.until("stopped", func() bool { return c.unread() == 0 })
		const messages = 1000
		for i := range messages {
			plain.Print(fmt.Sprintf("message %d end", i))
		}
		c.types("typed" + goOn + "\r")
		c.ends(done, "typed", nil)
		if err := plain.Close(); err != nil {
			t.Error(err)
		}
		c.wait("messages", func() bool { return strings.Contains(c.output(), fmt.Sprintf("message %d end", messages-1)) })
		checkMessages(t, c.output(), messages)
		if c.state() != found {
			t.Error("the terminal is not as it was found")
		}
	}
}
