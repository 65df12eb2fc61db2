package repl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl"
)

func TestComplete(t *testing.T) {
	s := newShell(t, chatModes, func(c *repl.Config) {
		c.Modes[2].Complete = func(line string, pos int) ([]repl.Candidate, int) {
			return []repl.Candidate{{Text: "mode:" + line[:pos]}}, 0
		}
		c.Commands[0].Complete = func(args []string) []repl.Candidate {
			return []repl.Candidate{{Text: "@bob"}, {Text: strings.Join(args, "+")}}
		}
	})
	all := "/boom /count /echo /execute /exit /fail /help /memberjoin /members /mode /msg /quit /set /sleep"
	for _, tt := range []struct {
		name, mode, line string // | is the cursor, if not at the end
		want             string // candidates, joined by blanks
		start            int
	}{
		{"empty in chat", "chat", "", all, 0},
		{"blanks in chat", "chat", "  ", all, 2},
		{"slash", "chat", "/", all, 0},
		{"slash in cmd", "cmd", "/", all, 0},
		{"empty in cmd", "cmd", "", strings.ReplaceAll(all, "/", ""), 0},
		{"bare text", "chat", "hel", "", 3},
		{"slash command", "chat", "/me", "/memberjoin /memberlist /members", 0},
		{"before the cursor only", "chat", "/me|mbers x", "/memberjoin /memberlist /members", 0},
		{"word in cmd", "cmd", "se", "set", 0},
		{"second command", "chat", "/fail;se", "set", 6},
		{"after a semicolon", "cmd", "fail; s", "set sleep", 6},
		{"raw swallows the semicolon", "cmd", "msg a; se", "", 7},
		{"argument", "chat", "/set ", `cold\ cut colour height`, 5},
		{"argument prefix", "chat", "/set co", `cold\ cut colour`, 5},
		{"by prefix of the command", "chat", "/se hei", "height", 4},
		{"open single quote", "chat", "/set 'col", "'cold cut' 'colour'", 5},
		{"open double quote", "chat", `/set "cold c`, `"cold cut"`, 5},
		{"escaped blank", "chat", `/set cold\ c`, `cold\ cut`, 5},
		{"second argument", "chat", "/set colour ", "", 12},
		{"unknown command", "chat", "/nosuch x", "", 8},
		{"option of a query", "cmd", "members -", "--json", 8},
		{"no option of others", "cmd", "set -", "", 4},
		{"help topics", "cmd", "help gr", "groups", 5},
		{"help groups", "cmd", "help groups ", "chat cli data script", 12},
		{"modes", "cmd", "mode c", "chat cmd", 5},
		{"raw text", "cmd", "msg x y @", "@bob", 8},
		{"raw arguments", "cmd", "msg x y ", "@bob x+y", 8},
		{"comment", "cmd", "fail # se", "", 9},
		{"mode's own", "go", "fmt.Pr|x", "mode:fmt.Pr", 0},
		{"command in go", "go", "/mo", "/mode", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_ = s.SetMode(tt.mode)
			before, after, _ := strings.Cut(tt.line, "|")
			list, start := s.Complete(before+after, len(before))
			var got []string
			for _, c := range list {
				got = append(got, c.Text)
			}
			if g := strings.Join(got, " "); g != tt.want || start != tt.start {
				t.Errorf("%q: %q from %d, want %q from %d", tt.line, g, start, tt.want, tt.start)
			}
		})
	}
}

// own is a raw command whose text has a grammar of its own: words that are
// joined by dots.
func own(c *repl.Config) {
	c.Commands = append(c.Commands, repl.Command{Name: "own", Group: "data", Summary: "take a text", Usage: "WORD.WORD", Raw: true, MinArgs: 1,
		Run: func(context.Context, *repl.Call) error { return errBroken },
		CompleteText: func(text string, pos int) ([]repl.Candidate, int) {
			return []repl.Candidate{{Text: "z:" + text[:pos] + "|" + text[pos:]}, {Text: "a"}}, strings.LastIndex(text[:pos], ".") + 1
		},
		HintText: func(text string) string { return "after " + text },
	}, repl.Command{Name: "ours", Group: "data", Summary: "take words", MaxArgs: repl.Any, Run: func(context.Context, *repl.Call) error { return nil },
		CompleteText: func(text string, pos int) ([]repl.Candidate, int) { return []repl.Candidate{{Text: text}}, pos },
	})
}

func TestCompleteText(t *testing.T) {
	s := newShell(t, chatModes, own)
	for line, want := range map[string]string{
		"/own x.y| z": "[z:x.y| z a] from 7", // in its own order
		"/own   |":    "[z:| a] from 7",
		"/ow a; b.|":  "[z:a; b.| a] from 9", // found by prefix
		"/fail;own .": "[z:.| a] from 11",
		"/own|":       "[/own] from 0",
		"/ours 'a b":  "['a b] from 10",
	} {
		before, after, _ := strings.Cut(line, "|")
		list, start := s.Complete(before+after, len(before))
		var texts []string
		for _, c := range list {
			texts = append(texts, c.Text)
		}
		if got := fmt.Sprintf("%v from %d", texts, start); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
	for line, want := range map[string]string{"/own": " WORD.WORD", "/own ": "WORD.WORD", "/own x": "after x", "/own  x y": "after x y", "/own x\ny": ""} {
		if got := s.Hint(line); got != want {
			t.Errorf("hint after %q: %q, want %q", line, got, want)
		}
	}
}

// TestCompleteFiles: what is proposed for a name that is typed in part is read
// back as that file.
func TestCompleteFiles(t *testing.T) {
	files := []repl.Candidate{{Text: "a.cmd"}, {Text: "it's.cmd"}, {Text: "my dir/", Part: true}, {Text: "my own file"}, {Text: "#1"}}
	s := newShell(t, func(c *repl.Config) {
		c.Files = func(prefix string) (some []repl.Candidate) {
			for _, f := range files {
				if strings.HasPrefix(f.Text, prefix) {
					some = append(some, f)
				}
			}
			return some
		}
		c.Commands[3].File = func(args []string) bool { return len(args) == 1 }
	})
	for _, tt := range []struct{ line, want string }{
		{"execute ", `\#1 a.cmd it\'s.cmd my\ dir/ my\ own\ file`},
		{"execute my", `my\ dir/ my\ own\ file`},
		{`execute my\`, `my\ dir/ my\ own\ file`},
		{`execute my\ o`, `my\ own\ file`},
		{"execute 'my", `'my dir/ 'my own file'`},
		{`execute "my`, `"my dir/ "my own file"`},
		{"execute 'i", `'it'\''s.cmd'`},
		{"execute a.cmd ", ""},
		{"echo a", ""},
		{"set ", `cold\ cut colour height`},
		{"set colour a", "a.cmd"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			list, start := s.Complete(tt.line, len(tt.line))
			var got []string
			for _, c := range list {
				got = append(got, c.Text)
				if strings.HasSuffix(c.Text, "/") != c.Part {
					t.Errorf("%q: part of a word: %v", c.Text, c.Part)
				}
				if _, err := execute(s, tt.line[:start]+c.Text); !c.Part && errors.Is(err, repl.ErrSyntax) {
					t.Errorf("%s: %v", tt.line[:start]+c.Text, err)
				}
			}
			if g := strings.Join(got, " "); g != tt.want {
				t.Errorf("%s, want %s", g, tt.want)
			}
		})
	}
}

func TestCompleteTellsSummaries(t *testing.T) {
	list, _ := newShell(t).Complete("/members", 8)
	if len(list) != 1 || list[0].Help != "who is there" {
		t.Errorf("%v", list)
	}
}
