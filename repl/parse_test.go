package repl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// isRaw is the table of these tests: msg takes the rest of the line.
func isRaw(name string) bool { return name == "msg" }

// written shows what parse made of a line: name[arg|arg] or name<text>, joined
// by semicolons.
func written(list []statement) string {
	var parts []string
	for _, st := range list {
		if st.raw {
			parts = append(parts, fmt.Sprintf("%s<%s>", st.name.text, st.text))
			continue
		}
		var args []string
		for _, a := range st.args {
			args = append(args, a.text)
		}
		parts = append(parts, fmt.Sprintf("%s[%s]", st.name.text, strings.Join(args, "|")))
	}
	return strings.Join(parts, ";")
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"empty", "", ""},
		{"blank", " \t ", ""},
		{"comment", "# a ; b 'c", ""},
		{"comment after blanks", "  #x", ""},
		{"words", "a b  c\td", "a[b|c|d]"},
		{"slash", "/a /b", "a[/b]"},
		{"two slashes", "//a", "/a[]"},
		{"quoted slash is a name", "'/a'", "/a[]"},
		{"two commands", "a b; c d", "a[b];c[d]"},
		{"slash after semicolon", "/a;/b", "a[];b[]"},
		{"empty commands", ";; a ;; b ;", "a[];b[]"},
		{"comment after command", "a b # c; d", "a[b]"},
		{"number sign inside a word", "a b#c", "a[b#c]"},
		{"comment after semicolon", "a;#b", "a[]"},
		{"single quotes", `a 'b ; # " \' c`, `a[b ; # " \|c]`},
		{"double quotes", `a "b ; ' \" \\ \n"`, `a[b ; ' " \ \n]`},
		{"glued pieces", `a b'c d'"e f"g\ h`, `a[bc de fg h]`},
		{"empty word", `a '' ""`, "a[|]"},
		{"backslash", `a \# \; \'`, "a[#|;|']"},
		{"line break in quotes", "a 'b\nc'", "a[b\nc]"},
		{"umlauts", "a äö 'ü ß'", "a[äö|ü ß]"},
		{"raw", `msg a; b # c "x`, `msg<a; b # c "x>`},
		{"raw after another", "a; msg x; y", "a[];msg<x; y>"},
		{"raw with slash", "/msg /x", "msg</x>"},
		{"raw keeps blanks", "msg  a  ", "msg< a  >"},
		{"raw after tab", "msg\ta", "msg<a>"},
		{"raw keeps line breaks", "msg a\nb", "msg<a\nb>"},
		{"raw without text", "msg", "msg<>"},
		{"raw with a blank only", "msg ", "msg<>"},
		{"raw and semicolon", "msg;a", "msg<>;a[]"},
		{"quoted raw name", `"msg" 'a`, "msg<'a>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := parse(tt.line, isRaw)
			if err != nil {
				t.Fatal(err)
			}
			if got := written(list); got != tt.want {
				t.Errorf("%q: %s, want %s", tt.line, got, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, line, problem string }{
		{"double quote", `a b "c d`, `column 5: the quote " is not closed`},
		{"single quote", `a 'b`, `column 3: the quote ' is not closed`},
		{"later quote of a word", `ä "x"y'z`, `column 7: the quote ' is not closed`},
		{"quote in the second command", `a; b "`, `column 6`},
		{"backslash at the end", `a b\`, `column 4: nothing follows the backslash`},
		{"NUL", "a\x00b", "NUL in column 2"},
		{"NUL in raw text", "msg a\x00", "NUL in column 6"},
		{"not UTF-8", "msg \xff", "not UTF-8"},
		{"line break", "a\nb", "column 2: line break"},
		{"too long", strings.Repeat("a", MaxLine+1), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(tt.line, isRaw)
			if !errors.Is(err, ErrSyntax) || !strings.Contains(fmt.Sprint(err), tt.problem) {
				t.Errorf("error %v, want %q", err, tt.problem)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	for w, want := range map[string]string{
		"": "''", "a": "a", "a b": "'a b'", "it's": `'it'\''s'`, "#x": "'#x'", "a#": "a#", "--json": "'--json'", "/a": "'/a'", `a\b`: `'a\b'`,
	} {
		if got := Quote(w); got != want {
			t.Errorf("%q: %s, want %s", w, got, want)
		}
	}
}

// FuzzParse: no line makes the parser panic; what it read can be written down
// again, and is read the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a b; c", `a 'b "c`, `msg x; "y # z`, "/a#b \\", "a\r", "a '\n'", ";;#", "\"\\\\\"x", "a\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		list, err := parse(line, isRaw)
		if err != nil {
			if !errors.Is(err, ErrSyntax) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q: error %q", line, err)
			}
			return
		}
		if !utf8.ValidString(line) {
			t.Fatalf("%q was taken", line)
		}
		var again []string
		for _, st := range list {
			again = append(again, rewritten(st))
		}
		twice, err := parse(strings.Join(again, " ; "), isRaw)
		if err != nil || written(twice) != written(list) {
			t.Fatalf("%q is %q; written again %q is %q, %v", line, written(list), again, written(twice), err)
		}
	})
}

// rewritten is a line for one statement.
func rewritten(st statement) string {
	line := Quote(st.name.text)
	if st.raw {
		if st.text == "" {
			return line
		}
		return line + " " + st.text
	}
	for _, a := range st.args {
		line += " " + Quote(a.text)
	}
	return line
}

// FuzzComplete: completion never panics, and each candidate begins with what
// is typed of its word.
func FuzzComplete(f *testing.F) {
	s, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	for _, l := range []string{"he", "/help gr", `help "gr`, "mode c; help ", "echo a b", `help 'groups' \`, "#", "a;#"} {
		f.Add(l, len(l))
	}
	f.Fuzz(func(t *testing.T, line string, pos int) {
		list, start := s.Complete(line, pos)
		pos = max(0, min(pos, len(line)))
		if start < 0 || start > pos {
			t.Fatalf("start %d of %q at %d", start, line, pos)
		}
		for _, c := range list {
			if !strings.HasPrefix(c.Text, line[start:pos]) {
				t.Fatalf("%q at %d: candidate %q", line, pos, c.Text)
			}
		}
	})
}
