package readline

import (
	"strings"
	"testing"
	"unicode"

	"github.com/peerlab/peerlab/repl"
	"github.com/rivo/uniseg"
)

func TestRender(t *testing.T) {
	for _, tt := range []struct {
		name, prompt, text string // | is the cursor, if not at the end
		columns            int
		row                string
		cursor             int
	}{
		{"empty", "> ", "", 40, "> ", 2},
		{"at the end", "> ", "abc", 40, "> abc", 5},
		{"in the middle", "> ", "a|bc", 40, "> abc\x1b[4G", 3},
		{"at the start", "> ", "|abc", 40, "> abc\x1b[3G", 2},
		{"coloured prompt", "\x1b[32m> \x1b[0m", "a|b", 40, "\x1b[32m> \x1b[0mab\x1b[4G", 3},
		{"wide characters", "> ", "漢|字", 40, "> 漢字\x1b[5G", 4},
		{"emoji of several parts", "> ", "👩‍👩‍👧|x", 40, "> 👩‍👩‍👧x\x1b[5G", 4},
		{"combining", "> ", "e\u0301|x", 40, "> e\u0301x\x1b[4G", 3},
		{"tab", "> ", "\t|x", 40, ">   x\x1b[5G", 4},
		{"line break inside", "> ", "a\ue00ab", 40, "> a⏎b", 5},
		{"escape", "> ", "\x1b[2J", 40, `> \x1b[2J`, 9},
		{"bidi", "> ", "\u202e", 40, `> \u202e`, 8},
		{"full row", "> ", "01234567890123456", 20, "> 01234567890123456", 19},
		{"too long", "> ", "012345678901234567", 20, "> <901234567", 12},
		{"too long, at the start", "> ", "|012345678901234567", 20, "> 0123456789012345>\x1b[3G", 2},
		{"wide at the cut", "> ", "|漢漢漢漢漢漢漢漢漢", 20, "> 漢漢漢漢漢漢漢漢>\x1b[3G", 2},
		{"prompt too wide", strings.Repeat("p", 30) + "> ", "abc", 40, "> abc", 5},
		{"entered", "> ", "abc\n", 40, "> abc\n", 0},
		{"entered, long", "> ", strings.Repeat("x", 100) + "\n", 40, "> " + strings.Repeat("x", 100) + "\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, after, _ := strings.Cut(tt.text, "|")
			row, _, cursor := render(line{prompt: tt.prompt, text: []rune(before + after), pos: len([]rune(before))}, tt.columns)
			if row != tt.row || cursor != tt.cursor {
				t.Errorf("%q and %d, want %q and %d", row, cursor, tt.row, tt.cursor)
			}
		})
	}
}

func TestRenderHint(t *testing.T) {
	for _, tt := range []struct {
		name string
		line line
		want string
	}{
		{"none", line{text: []rune("abc"), pos: 3}, ""},
		{"at the end", line{text: []rune("abc"), pos: 3, hint: " KEY"}, "\x1b[2m KEY\x1b[0m\x1b[6G"},
		{"in the middle", line{text: []rune("abc"), pos: 2, hint: " KEY"}, ""},
		{"entered", line{text: []rune("abc\n"), pos: 4, hint: " KEY"}, ""},
		{"cut", line{text: []rune("abcdefghij"), pos: 10, hint: " KEYS AND TEXT"}, "\x1b[2m KEYS >\x1b[0m\x1b[13G"},
	} {
		tt.line.prompt = "> "
		if _, ghost, _ := render(tt.line, 20); ghost != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, ghost, tt.want)
		}
	}
}

// FuzzRender: no text reaches the last column, or moves the cursor elsewhere
// than render says.
func FuzzRender(f *testing.F) {
	f.Add("abc", 1, 20)
	f.Add("漢字漢字漢字漢字漢字漢字漢字", 3, 20)
	f.Add("e\u0301\x1b[2J\u202e👩‍👩‍👧\t", 2, 15)
	f.Fuzz(func(t *testing.T, text string, pos, columns int) {
		runes := []rune(strings.TrimRight(text, "\n"))
		pos = max(0, min(pos, len(runes)))
		columns = 13 + max(0, columns)%200
		row, _, cursor := render(line{prompt: "> ", text: runes, pos: pos}, columns)
		shown, _, moved := strings.Cut(row, "\x1b[")
		if strings.IndexFunc(shown, unicode.IsControl) >= 0 {
			t.Fatalf("%q: row %q", text, row)
		}
		if cursor < 2 || cursor >= columns || !moved && cursor != widthOf(cells([]rune(shown))) && !strings.ContainsFunc(text, unicode.IsMark) {
			t.Fatalf("%q at %d: row %q, cursor %d of %d", text, pos, row, cursor, columns)
		}
	})
}

func TestChoose(t *testing.T) {
	list := func(words ...string) (all []repl.Candidate) {
		for _, w := range words {
			all = append(all, repl.Candidate{Text: w, Help: "help of " + w})
		}
		return all
	}
	for _, tt := range []struct {
		name        string
		list        []repl.Candidate
		typed, next string
		insert      string
		table       string
	}{
		{"none", nil, "a", "", "", ""},
		{"none fits", list("b"), "a", "", "", ""},
		{"one", list("abc", "b"), "a", "", "bc ", ""},
		{"one before other text", list("abc"), "a", " x", "bc", ""},
		{"complete", list("abc"), "abc", "", " ", ""},
		{"common prefix", list("abcd", "abce"), "a", "", "bc", ""},
		{"common prefix of whole characters", list("aä", "aö"), "a", "", "", "  aä  help of aä\n  aö  help of aö\n"},
		{"table", list("ab", "acc"), "a", "", "", "  ab   help of ab\n  acc  help of acc\n"},
		{"prefix of the other", list("a", "ab"), "a", "", "", "  a   help of a\n  ab  help of ab\n"},
		{"part of a word", []repl.Candidate{{Text: "sub/", Part: true}}, "s", "", "ub/", ""},
		{"names in a folder", list("'my own/a", "'my own/b"), "'my own/", "", "", "  a  help of 'my own/a\n  b  help of 'my own/b\n"},
		{"escapes", []repl.Candidate{{Text: "a\x1b"}, {Text: "b"}}, "", "", "", "  a\\x1b\n  b\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			insert, table := choose(tt.list, tt.typed, tt.next, 40, 24)
			if insert != tt.insert || table != tt.table {
				t.Errorf("%q and %q, want %q and %q", insert, table, tt.insert, tt.table)
			}
		})
	}
}

func TestManyCandidatesStandInColumns(t *testing.T) {
	var list []repl.Candidate
	for c := 'a'; c <= 'z'; c++ {
		list = append(list, repl.Candidate{Text: string(c) + "xx", Help: "help"})
	}
	_, table := choose(list, "", "", 20, 24)
	if !strings.HasPrefix(table, "axx  bxx  cxx  dxx\nexx") || strings.Count(table, "\n") != 7 {
		t.Errorf("\n%s", table)
	}
	for row := range strings.Lines(table) {
		if uniseg.StringWidth(strings.TrimSpace(row)) > 20 {
			t.Errorf("%q is too wide", row)
		}
	}
}
