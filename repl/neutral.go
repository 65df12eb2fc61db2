package repl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Neutral makes a stranger's text harmless to a terminal and to the person
// before it: the text of one line, whatever it was. Line breaks, escapes and
// other control characters (C0 but tab, DEL, C1), bidirectional controls, line
// and paragraph separators, and bytes that are not UTF-8 are shown as the
// escapes of a Go string: \n, \x1b, \u202e, \xff. Everything else stays.
func Neutral(s string) string {
	return neutral(s, func(r rune) bool { return false })
}

// neutralLines is Neutral for each line of s.
func neutralLines(s string) string {
	return neutral(s, func(r rune) bool { return r == '\n' })
}

func neutral(s string, keep func(rune) bool) string {
	var b strings.Builder
	done := 0 // s[:done] is in b
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if shown := visible(s[i], r, size); shown != "" && !keep(r) {
			b.WriteString(s[done:i])
			b.WriteString(shown)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// visible is the harmless form of r, or "" if r is harmless itself.
func visible(first byte, r rune, size int) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf(`\x%02x`, first)
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r < ' ' && r != '\t', r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r)
	case r >= 0x80 && r < 0xa0, steersText(r):
		return fmt.Sprintf(`\u%04x`, r)
	}
	return ""
}

// steersText tells the characters that reorder or break the text around them.
func steersText(r rune) bool {
	switch {
	case r == 0x061c, r == 0x200e, r == 0x200f, // marks
		r >= 0x202a && r <= 0x202e, // embeddings and overrides
		r >= 0x2066 && r <= 0x2069, // isolates
		r == 0x2028, r == 0x2029,   // line and paragraph separators
		r >= 0xfff9 && r <= 0xfffb: // interlinear annotations
		return true
	}
	return false
}
