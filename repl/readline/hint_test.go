//go:build unix

package readline_test

import (
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl"
)

func TestHints(t *testing.T) {
	c := newConsole(t, 30, 20)
	c.SetHint(func(line string) string {
		if strings.HasPrefix(line, "/set") {
			return strings.TrimPrefix(" KEY TEXT", line[len("/set"):])
		}
		return ""
	})
	done := c.read(t.Context())
	c.types("/set")
	c.shows("> /set KEY TEXT")
	c.at(6)
	if !strings.Contains(c.output(), "\x1b[2m KEY TEXT\x1b[0m") {
		t.Errorf("it is not faint: %q", c.output())
	}
	c.Print("message")
	c.shows("message\n> /set KEY TEXT")
	c.at(6)
	c.types(" ")
	c.shows("message\n> /set KEY TEXT")
	c.at(7)
	c.types("\x02") // not at the end
	c.shows("message\n> /set")
	c.at(6)
	c.types("\x05")
	c.shows("message\n> /set KEY TEXT")
	c.types("\r")
	c.ends(done, "/set ", nil)
	c.shows("message\n> /set")
}

// TestKeyBeforeAHintIsCheap: the row is not written anew for each key.
func TestKeyBeforeAHintIsCheap(t *testing.T) {
	c := newConsole(t, 30, 10)
	c.SetHint(func(line string) string { return strings.TrimPrefix("/set KEY", line) })
	done := c.read(t.Context())
	c.types("/s")
	c.shows("> /set KEY")
	c.at(4)
	before := len(c.output())
	c.types("e\r")
	c.ends(done, "/se", nil)
	c.shows("> /se")
	if got := c.output()[before:]; got != "\x1b[Ke\x1b[2mt KEY\x1b[0m\x1b[6G\x1b[K\r\n" {
		t.Errorf("the terminal got %q", got)
	}
}

// TestHintIsCut: it does not leave the row, and cannot steer the terminal.
func TestHintIsCut(t *testing.T) {
	c := newConsole(t, 30, 20)
	c.SetHint(func(string) string { return "\x1b[2J" + strings.Repeat("x", 50) })
	done := c.read(t.Context())
	c.types("abc")
	c.shows(`> abc\x1b[2J` + strings.Repeat("x", 16) + ">")
	c.at(5)
	c.types(strings.Repeat("y", 40))
	c.wait("end of row", func() bool { x, _ := c.cursor(); return strings.HasPrefix(c.text(), "> <yyy") && x < 29 })
	c.types("\x03")
	c.ends(done, "abc"+strings.Repeat("y", 40), repl.ErrInterrupt)
	c.wait("the hint to go", func() bool { return strings.HasSuffix(c.text(), "y^C") && !strings.Contains(c.text(), "x") })
}

// TestWideCharacters: after so many keys to the left of the text's end the
// cursor is in that column, and what is typed there lands there.
func TestWideCharacters(t *testing.T) {
	c := newConsole(t, 60, 100)
	for _, tt := range []struct {
		name, text string
		left       int
		column     int
		want       string
	}{
		{"CJK", "漢字仮名", 1, 8, "漢字仮x名"},
		{"CJK, start", "漢字", 2, 2, "x漢字"},
		{"mixed", "a漢b字c", 2, 6, "a漢bx字c"},
		{"emoji", "a👍b👍c", 2, 6, "a👍bx👍c"},
		{"combining", "ae\u0301o\u0308b", 2, 4, "ae\u0301xo\u0308b"},
		{"combining, two", "ae\u0301o\u0308b", 3, 3, "axe\u0301o\u0308b"},
		{"family", "a👩\u200d👩\u200d👧b", 2, 3, "ax👩\u200d👩\u200d👧b"},
		{"skin", "a👍🏽b", 2, 3, "ax👍🏽b"},
		{"flags", "🇩🇪🇫🇷", 1, 4, "🇩🇪x🇫🇷"},
		{"hangul", "한국어", 1, 6, "한국x어"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			done := c.read(t.Context())
			c.types(tt.text + strings.Repeat("\x1b[D", tt.left))
			c.at(tt.column)
			c.types("\x1b[C\x1b[Dx\r")
			c.ends(done, tt.want, nil)
		})
	}
}

func TestSearch(t *testing.T) {
	c := newConsole(t, 30, 60)
	for _, l := range []string{"/set colour blue", "/set size 1", "two\nlines", "漢字 find"} {
		c.AddHistory(l)
	}
	for _, tt := range []struct{ name, keys, shows, then, want string }{
		{"enter", "\x12colour", "> /set colour blue\nbck-i-search: colour", "\r", "/set colour blue"},
		{"again", "\x12set\x12", "> /set colour blue\nbck-i-search: set", "\r", "/set colour blue"},
		{"given up", "draft\x12colour", "> /set colour blue\nbck-i-search: colour", "\x07\r", "draft"},
		{"edited", "\x12size", "> /set size 1\nbck-i-search: size", "\x05x\r", "/set size 1x"},
		{"ended by a paste", "\x12size", "> /set size 1\nbck-i-search: size", pasting("2\n3") + "\r", "/set size 12\n3"},
		{"fails", "\x12sizeq", "failing bck-i-search: sizeq", "\x7f\r", "/set size 1"},
		{"several lines", "\x12two", "> two⏎lines\nbck-i-search: two", "\r", "two\nlines"},
		{"wide", "\x12find", "find\nbck-i-search: find", "\r", "漢字 find"},
		{"longer than the screen", "\x12" + strings.Repeat("y", 40), "> \nfailing bck-i-search: yyyyy>", "\x07\r", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			done := c.read(t.Context())
			c.types(tt.keys)
			c.wait(tt.shows, func() bool { return strings.HasSuffix(noPrompt(c.text()), noPrompt(tt.shows)) })
			c.Print("message")
			c.wait("below the message", func() bool {
				return strings.HasSuffix(noPrompt(c.text()), noPrompt(tt.shows)) && strings.Contains(c.text(), "message\n")
			})
			c.types(tt.then)
			c.ends(done, tt.want, nil)
		})
	}
}

// noPrompt is text without the prompt of an empty row, whose blank the model
// of the screen cannot tell from none.
func noPrompt(text string) string { return strings.ReplaceAll(text, "> \n", ">\n") }

// TestClearScreen: ctrl-L leaves the row that is being edited.
func TestClearScreen(t *testing.T) {
	c := newConsole(t, 30, 10)
	done := c.read(t.Context())
	c.Print("message")
	c.types("abc")
	c.shows("message\n> abc")
	c.types("\x0c")
	c.shows("> abc")
	if _, y := c.cursor(); y != 0 {
		t.Errorf("the cursor is in row %d", y)
	}
	c.types("\r")
	c.ends(done, "abc", nil)
}

// TestLongTableIsBounded: candidates do not push the line from the screen.
func TestLongTableIsBounded(t *testing.T) {
	c := newConsole(t, 30, 8)
	var list []repl.Candidate
	for r := 'a'; r <= 'p'; r++ {
		list = append(list, repl.Candidate{Text: "/" + string(r), Help: strings.Repeat("help ", 10)})
	}
	c.SetCompleter(func(string, int) ([]repl.Candidate, int) { return list, 0 })
	done := c.read(t.Context())
	c.types("/\t")
	c.wait("table", func() bool { return strings.Contains(c.text(), "(11 more rows: type on)\n> /") })
	rows := strings.Split(c.text(), "\n")
	if rows[0] != "  /a  help help help help he>" || len(rows) != 7 {
		t.Errorf("%d rows:\n%s", len(rows), c.text())
	}
	c.types("a\r")
	c.ends(done, "/a", nil)
}
