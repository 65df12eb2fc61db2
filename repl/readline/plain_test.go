//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
)

// chatShell has a chat mode whose prompt is coloured.
func chatShell(t *testing.T) *repl.Shell {
	t.Helper()
	s, err := repl.New(repl.Config{Modes: []repl.Mode{{
		Name:   "chat",
		Prompt: func() string { return "\x1b[1mchat>\x1b[0m " },
		Run: func(_ context.Context, l string, out io.Writer) error {
			_, err := fmt.Fprintln(out, "\x1b[32msent\x1b[0m", l)
			return err
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPlainReaderOnATerminal: for who cannot use escapes, none are written,
// whatever is typed and printed; lines are edited by the terminal itself.
func TestPlainReaderOnATerminal(t *testing.T) {
	c := newConsole(t, 60, 30)
	found := c.state()
	plain := readline.NewPlain(readline.Config{In: c.slave, Out: c.slave})
	defer plain.Close()
	done := make(chan error, 1)
	go func() { done <- chatShell(t).Interact(t.Context(), plain) }()
	c.shows("chat>")
	for _, step := range []struct{ keys, shows string }{
		{"/echo a\tb\r", "\nchat>"},
		{"hex\x7fllo\r", "sent hello\nchat>"},
		{"/nosuch\r", "/help lists them\nchat>"},
		{"/help sleep\r", "\nchat>"},
		{"\r", "chat>\nchat>"},
	} {
		before := len(c.output())
		c.types(step.keys)
		c.wait(step.shows, func() bool {
			return strings.HasSuffix(c.text(), step.shows) && strings.HasSuffix(c.output()[before:], "chat> ")
		})
	}
	plain.Print("\x1b[31m<bob> a message between lines\x1b[0m")
	c.wait("message", func() bool { return strings.HasSuffix(c.text(), "\n<bob> a message between lines\nchat>") })
	c.types("\x04")
	if err := <-done; err != repl.ErrQuit {
		t.Error(err)
	}
	if out := c.output(); strings.ContainsAny(out, "\x1b\x07") {
		t.Errorf("the terminal got %q", out)
	}
	if c.state() != found {
		t.Error("the terminal is not as it was found")
	}
}

// TestPasteIntoAShell: what several pasted lines do, as a person sees it.
func TestPasteIntoAShell(t *testing.T) {
	c := newConsole(t, 60, 40)
	done := make(chan error, 1)
	s := chatShell(t)
	go func() { done <- s.Interact(t.Context(), c) }()
	c.shows("chat>")
	for _, step := range []struct{ keys, shows string }{
		{pasting("one\ntwo\n"), "chat> one⏎two⏎"},
		{"\r", "chat> one\ntwo\nsend 2 lines, one by one? press Enter again\nchat>"},
		{"\r", "sent one\nsent two\nchat>"},
		{pasting("/echo a\n/echo b") + "\r", "a\nb\nchat>"},
		{"\x1b[A", "chat> /echo b"},
		{"\x15/sl", "chat> /sleep SECONDS|DURATION"},
		{"\r", "usage: sleep SECONDS|DURATION (arguments are missing)\nchat>"},
	} {
		c.types(step.keys)
		c.wait(step.shows, func() bool { return strings.HasSuffix(c.text(), step.shows) })
	}
	c.types("\x04")
	if err := <-done; err != repl.ErrQuit {
		t.Error(err)
	}
}
