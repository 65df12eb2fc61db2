package repl_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/peerlab/peerlab/repl"
)

func TestNeutral(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "hello, wörld 漢字 👩‍👩‍👧", "hello, wörld 漢字 👩‍👩‍👧"},
		{"tab stays", "a\tb", "a\tb"},
		{"escape sequence", "\x1b[2J\x1b]0;x\x07", `\x1b[2J\x1b]0;x\x07`},
		{"lines", "a\nb\r\n", `a\nb\r\n`},
		{"NUL, backspace, DEL", "\x00\b\x7f", `\x00\x08\x7f`},
		{"C1 control", "\u009b2J\u0085", `\u009b2J\u0085`},
		{"C1 as a bare byte", "\x9b2J", `\x9b2J`},
		{"bidi", "a\u202eb\u2066c\u200fd\u061c", `a\u202eb\u2066c\u200fd\u061c`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"invalid UTF-8", "a\xff\xc3(", `a\xff\xc3(`},
		{"the replacement character itself", "a\ufffd", "a\ufffd"},
		{"backslash", `a\n`, `a\n`},
	} {
		if got := repl.Neutral(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzNeutral(f *testing.F) {
	for _, s := range []string{"", "a\x1b[0m", "\xff\u202e", "\n\t\r", "\u009b\x9b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := repl.Neutral(s)
		if !utf8.ValidString(got) || repl.Neutral(got) != got {
			t.Fatalf("%q: %q", s, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool {
			return r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029
		}); i >= 0 {
			t.Fatalf("%q: %q", s, got)
		}
	})
}
