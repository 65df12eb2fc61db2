//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
)

// pasting is what a terminal sends when text is pasted.
func pasting(text string) string { return "\x1b[200~" + text + "\x1b[201~" }

func TestPaste(t *testing.T) {
	c := newConsole(t, 40, 300)
	c.SetCompleter(func(string, int) ([]repl.Candidate, int) { return []repl.Candidate{{Text: "completed"}}, 0 })
	for _, tt := range []struct{ name, keys, want string }{
		{"one line", pasting("abc") + "\r", "abc"},
		{"with its end", pasting("abc\n") + "\r", "abc\n"},
		{"several lines", pasting("a\nb\r\nc\rd") + "\r", "a\nb\nc\nd"},
		{"nothing", "a" + pasting("") + "b\r", "ab"},
		{"in the middle", "ad\x02" + pasting("b\nc") + "x\r", "ab\ncxd"},
		{"two", pasting("a\n") + pasting("b") + "\r", "a\nb"},
		{"tab", pasting("\treturn\tx") + "\r", "\treturn\tx"},
		{"NUL and control characters", pasting("a\x00b\x01\x03\x04\x07\x1a\x7f\u0085c") + "\r", "abc"},
		{"escapes", pasting("a\x1b[31mb\x1bc\x1b[201d\x1b\x1b") + "\r", "a[31mbc[201d"},
		{"what stands for other things", pasting("a\ue00ab\x1d") + "\r", "a\ufffdb"},
		{"not UTF-8", pasting("a\xffb\xe6\xbc") + "\r", "a\ufffdb\ufffd\ufffd"},
		{"wide", pasting("漢字👍") + "\x02x\r", "漢字x👍"},
		{"typed marks", "a\ue00ab\x1d\r", "a\ufffdb"},
		{"an end alone", "a\x1b[201~b\r", "ab"},
		{"after a search", "\x12" + pasting("a\nb") + "\r", "a\nb"},
		{"undone by kill", pasting("a\nb") + "\x15c\r", "c"},
		{"yanked", pasting("a\nb") + "\x15\x19\r", "a\nb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			c.enters(tt.keys, tt.want)
		})
	}
}

// TestPastedLinesAreOneRow: they are seen as one row while they are edited,
// and as they are when they were entered.
func TestPastedLinesAreOneRow(t *testing.T) {
	c := newConsole(t, 40, 20)
	done := c.read(t.Context())
	c.types(pasting("a\n\tb\n"))
	c.shows("> a⏎  b⏎")
	c.Print("message")
	c.shows("message\n> a⏎  b⏎")
	c.types("c\r")
	c.ends(done, "a\n\tb\nc", nil)
	c.shows("message\n> a\n  b\nc")
}

// TestPasteAtEveryCut: the terminal may deliver a paste in any two parts.
func TestPasteAtEveryCut(t *testing.T) {
	c := newConsole(t, 40, 500)
	keys := "x" + pasting("a\x1b[20\tb\nä\x00") + "y\r"
	for cut := 1; cut < len(keys); cut++ {
		done := c.startRead()
		c.types(keys[:cut])
		c.drained()
		c.types(keys[cut:])
		c.ends(done, "xa[20\tb\näy", nil)
	}
}

// drained waits until the reader has read what was typed.
func (c *console) drained() {
	c.t.Helper()
	c.until("keys to be read", func() bool { return c.unread() == 0 })
}

func TestPasteOf300Lines(t *testing.T) {
	c := newConsole(t, 80, 400)
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "line %d of what is pasted\n", i)
	}
	done := c.read(t.Context())
	start := processorTime() // others may have the machine
	c.types(pasting(text.String()) + "\r")
	c.ends(done, text.String(), nil)
	if took := processorTime() - start; took > 2*time.Second {
		t.Errorf("it took %v of the processor", took)
	}
	c.wait("last line", func() bool { return strings.Contains(c.text(), "\nline 299 of what is pasted") })
}

func TestCloseInAPaste(t *testing.T) {
	for _, keys := range []string{"\x1b[200~", "\x1b[200~abc\ndef", "\x1b[200~abc\x1b[201", "\x1b[20"} {
		c := newConsole(t, 40, 10)
		found := c.state()
		done := c.read(context.Background())
		c.types(keys)
		c.drained()
		c.Close()
		c.ends(done, "", io.EOF)
		if c.state() != found {
			t.Errorf("%q: the terminal is not as it was found", keys)
		}
	}
}

// TestPasteWithoutAnEnd: the keyboard is not dead for ever.
func TestPasteWithoutAnEnd(t *testing.T) {
	c := newConsole(t, 40, 10)
	readline.SetPastePause(c.LineReader, time.Millisecond)
	done := c.read(t.Context())
	c.types("\x1b[200~abc")
	c.shows("> abc")
	c.types("d\r")
	c.ends(done, "abcd", nil)
}

// TestPasteMarksAreOnlyAsked: a terminal marks what is pasted while it is
// ours, and at no other time.
func TestPasteMarksAreOnlyAsked(t *testing.T) {
	c := newConsole(t, 40, 10)
	on := func() bool {
		out := c.output()
		return strings.LastIndex(out, "\x1b[?2004h") > strings.LastIndex(out, "\x1b[?2004l")
	}
	if on() {
		t.Error("on before the first line")
	}
	done := c.read(t.Context())
	c.wait("on", on)
	c.types("a\r")
	c.ends(done, "a", nil)
	if err := c.Suspend(func() error { c.wait("off", func() bool { return !on() }); return nil }); err != nil {
		t.Fatal(err)
	}
	c.wait("on again", on)
	c.Close()
	c.wait("off in the end", func() bool { return !on() })
}
