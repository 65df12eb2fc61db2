//go:build unix

package readline

import (
	"bytes"
	"slices"
	"testing"
	"unicode"
)

func translated(in []byte, empty bool) (string, int) {
	stops := 0
	k := &keys{empty: func() bool { return empty }, stop: func() { stops++ }}
	for _, b := range in {
		k.translate(b)
	}
	return string(k.ready), stops
}

func TestTranslate(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"text", "abc ä", "abc ä"},
		{"NUL", "a\x00b", "ab"},
		{"keys of the library", "\x01\x05\x0b\x12\x15\x17\x19\t\r\n\x7f", "\x01\x05\x0b\x12\x15\x17\x19\t\r\n\x7f"},
		{"no keys", "\x0f\x11\x16\x18\x1c\x1d\x1e\x1f", ""},
		{"arrows", "\x1b[A\x1b[B\x1b[C\x1b[D", "\x10\x0e\x06\x02"},
		{"arrows of application mode", "\x1bOA\x1bOB\x1bOC\x1bOD", "\x10\x0e\x06\x02"},
		{"home and end", "\x1b[H\x1b[F\x1bOH\x1bOF\x1b[1~\x1b[4~\x1b[7~\x1b[8~", "\x01\x05\x01\x05\x01\x05\x01\x05"},
		{"delete", "\x1b[3~", "\x04"},
		{"words", "\x1b[1;5C\x1b[1;5D\x1bf\x1bb\x1bd\x1b\x7f", "\x1bf\x1bb\x1bf\x1bb\x1bd\x1b\x7f"},
		{"unknown sequence", "a\x1b[202~\x1b[>1;2c\x1b[Z\x1bOPb", "ab"},
		{"very long sequence", "\x1b[" + string(bytes.Repeat([]byte("1;"), 100)) + "Ra", "a"},
		{"lone escape", "\x1ba", "a"},
		{"two escapes", "\x1b\x1b[A", "\x10"},
		{"enter ends a sequence", "\x1b[1\r", "\r"},
		{"interrupt ends a sequence", "\x1b[\x03", "\x03"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := translated([]byte(tt.in), false); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	if got, _ := translated([]byte("\x1b[3~"), true); got != "" {
		t.Errorf("delete on an empty line: %q", got)
	}
	if got, stops := translated([]byte("a\x1ab"), false); got != "ab" || stops != 1 {
		t.Errorf("ctrl-Z: %q, %d stops", got, stops)
	}
}

// FuzzTranslate: the library is given no escape but the few that it knows, no
// NUL, and never an unfinished sequence.
func FuzzTranslate(f *testing.F) {
	f.Add([]byte("\x1b[1;5Ca\x1b\x1bOA\x00\x1a\x1b["))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, _ := translated(in, false)
		for i := 0; i < len(got); i++ {
			switch {
			case got[i] == keyEscape && (i+1 == len(got) || !bytes.ContainsRune([]byte("bfd\x7f\x14"), rune(got[i+1]))),
				got[i] == 0, got[i] == keyStop:
				t.Fatalf("%q: %q", in, got)
			}
		}
	})
}

// FuzzPaste: whatever is pasted, in whatever state the keys are, it comes as
// one key; its text has no control characters but tabs, and what is typed
// after it is typed.
func FuzzPaste(f *testing.F) {
	f.Add([]byte("a\r\nb\tc"), []byte("x"))
	f.Add([]byte("\x1b[20\x1b[201\x00\xff\x1b"), []byte("\x1b["))
	f.Add([]byte("\ue00a\u202e\u0085\x1d"), []byte("\x1b["))
	f.Fuzz(func(t *testing.T, text, before []byte) {
		if bytes.Contains(append(text, pasteEnd...)[:len(text)+len(pasteEnd)-1], []byte(pasteEnd)) || bytes.Contains(before, []byte("[200~")) {
			return // it ends the paste itself
		}
		k := &keys{empty: func() bool { return false }, stop: func() {}}
		for _, b := range slices.Concat(before, []byte("\r\x1b[200~"), text, []byte(pasteEnd+"y")) {
			k.translate(b)
		}
		if !bytes.HasSuffix(k.ready, []byte{'\r', keyPaste, 'y'}) {
			t.Fatalf("keys %q", k.ready)
		}
		got := k.pasted()
		if string(got) != string(pasted(string(text))) {
			t.Errorf("%q became %q", text, string(got))
		}
		for _, r := range got {
			if r != '\t' && unicode.IsControl(r) {
				t.Errorf("%q became %q", text, string(got))
			}
		}
	})
}
