package readline

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/peerlab/peerlab/repl"
	"github.com/rivo/uniseg"
)

// newline stands for a line break inside the line that is edited: one private
// character, so that the library counts it like any other.
const newline = '\ue00a'

// How a hint differs from what was typed.
const (
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
)

// minText is the least room for text, in columns, that a prompt leaves.
const minText = 10

// line is what is being edited.
type line struct {
	prompt string
	text   []rune // ends in '\n' when it was entered
	pos    int    // the cursor, an index of text
	hint   string // shown after a cursor that is at the end
}

// entered tells that the line is complete and its row is left.
func (l line) entered() bool { return len(l.text) > 0 && l.text[len(l.text)-1] == '\n' }

// cell is one character as people count them, with its width in columns.
type cell struct {
	text  string
	width int
}

// cells splits text into characters, in a form that a terminal can show.
func cells(text []rune) []cell {
	var list []cell
	rest, state := string(text), -1
	for rest != "" {
		var c string
		var width int
		c, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		switch {
		case c == "\t":
			list = append(list, cell{" ", 1}, cell{" ", 1})
			continue
		case c == string(newline), c == "\n", c == "\r\n":
			c, width = "⏎", 1
		case repl.Neutral(c) != c:
			c = repl.Neutral(c)
			width = len(c)
		}
		list = append(list, cell{c, width})
	}
	return list
}

func widthOf(list []cell) int {
	n := 0
	for _, c := range list {
		n += c.width
	}
	return n
}

// render is the row of l on a terminal of that many columns, and the column,
// from 0, at which it leaves the cursor. A text that is too long is shown in
// part, with < and > where it goes on; the row never reaches the last column,
// so that the terminal does not wrap it. An entered line is rendered whole, its
// line breaks are some, and it ends with one. ghost is what follows the row on
// the terminal and is no part of it: the hint, and the way back to the cursor.
func render(l line, columns int) (row, ghost string, cursor int) {
	prompt, room := fit(l.prompt, columns)
	if l.entered() {
		return prompt + joinRows(l.text) + "\n", "", 0
	}
	before, after := cells(l.text[:l.pos]), cells(l.text[l.pos:])
	left, right, at := window(before, after, room)
	cursor = columns - 1 - room + at
	row = prompt + left + right
	back := fmt.Sprintf("\x1b[%dG", cursor+1)
	switch {
	case right != "":
		row += back
	case l.hint != "":
		ghost = dim + join(cutRight(cells([]rune(l.hint)), room-at)) + plain + back
	}
	return row, ghost, cursor
}

// fit returns the prompt, or a short one if it leaves no room for text, and
// the columns that remain for text.
func fit(prompt string, columns int) (shown string, room int) {
	width := uniseg.StringWidth(withoutColour(prompt))
	if columns-width-1 < minText {
		prompt, width = "> ", 2
	}
	return prompt, max(1, columns-width-1)
}

// withoutColour removes SGR sequences, the only ones a prompt may have.
func withoutColour(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		j := strings.IndexByte(s[i:], 'm')
		if j < 0 {
			return b.String()
		}
		s = s[i+j+1:]
	}
}

// window chooses the part of a line that fits into room columns such that the
// cursor, between before and after, is seen; at is its column in there. The
// part moves in steps of half the room.
func window(before, after []cell, room int) (left, right string, at int) {
	at = widthOf(before)
	if at+widthOf(after) <= room {
		return join(before), join(after), at
	}
	step := max(1, room/2)
	for at > room-2 {
		before, at = dropLeft(before, at, step)
	}
	return join(before), join(cutRight(after, room-at)), at
}

// dropLeft removes at least step columns from the left of a text and marks it.
func dropLeft(list []cell, width, step int) ([]cell, int) {
	gone := 0
	for len(list) > 0 && gone < step+1 {
		gone += list[0].width
		list = list[1:]
	}
	return append([]cell{{"<", 1}}, list...), width - gone + 1
}

// cutRight keeps what fits into room columns, and marks it if that is not all.
func cutRight(list []cell, room int) []cell {
	if widthOf(list) <= room {
		return list
	}
	kept, used := []cell(nil), 0
	for _, c := range list {
		if used+c.width > room-1 {
			break
		}
		kept, used = append(kept, c), used+c.width
	}
	return append(kept, cell{">", 1})
}

func join(list []cell) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString(c.text)
	}
	return b.String()
}

// joinRows is text in as many rows as it has lines, without line breaks at its
// end.
func joinRows(text []rune) string {
	rows := strings.Split(strings.TrimRight(string(text), "\n"+string(newline)), string(newline))
	for i, r := range rows {
		rows[i] = join(cells([]rune(r)))
	}
	return strings.Join(rows, "\n")
}

// snap moves a cursor that a key has moved into the middle of a character, as
// people count them, in the direction in which it went.
func snap(text []rune, pos int, back bool) int {
	at, rest, state := 0, string(text), -1
	for rest != "" && at < pos {
		var c string
		c, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		next := at + utf8.RuneCountInString(c)
		if next > pos && back {
			return at
		}
		at = next
	}
	return at
}
