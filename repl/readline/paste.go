package readline

import (
	"strings"
	"unicode/utf8"
)

const (
	pasteOn    = "\x1b[?2004h" // the terminal marks what is pasted
	pasteOff   = "\x1b[?2004l"
	pasteBegin = "200" // the parameter of the mark before it
	pasteEnd   = "\x1b[201~"

	// maxPaste is how much of one paste is kept, in bytes.
	maxPaste = 1 << 20
)

// paste collects what is pasted, up to its end.
type paste struct {
	on   bool
	text []byte
	mark int // how much of pasteEnd the last bytes were
}

// add takes one byte, and tells whether it was the last one. The mark of the
// end may be cut anywhere; a beginning of it that goes on otherwise is text.
func (p *paste) add(b byte) (done bool) {
	switch {
	case b == pasteEnd[p.mark]:
		p.mark++
		if p.mark == len(pasteEnd) {
			return true
		}
		return false
	case p.mark > 0:
		p.keep([]byte(pasteEnd[:p.mark])...)
		p.mark = 0
		return p.add(b)
	}
	p.keep(b)
	return false
}

func (p *paste) keep(b ...byte) {
	if len(p.text) < maxPaste {
		p.text = append(p.text, b...)
	}
}

// take ends the paste and returns it as it is edited: see pasted.
func (p *paste) take() []rune {
	text := pasted(string(p.text))
	*p = paste{}
	return text
}

// pasted is a pasted text as it is edited. Tabs stay, line breaks of every
// kind become newline, other control characters are left out, and bytes that
// are not UTF-8 are replaced, like the one character that newline is itself.
func pasted(s string) []rune {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	text := make([]rune, 0, len(s))
	for _, r := range s {
		switch {
		case r == '\n':
			text = append(text, newline)
		case r == newline:
			text = append(text, utf8.RuneError)
		case r == '\t', r >= ' ' && r < 0x7f, r >= 0xa0:
			text = append(text, r)
		}
	}
	return text
}
