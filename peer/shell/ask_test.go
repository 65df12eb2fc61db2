package shell_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// explorer says what it is asked.
type explorer struct{ shell.Explorer }

func (explorer) Eval(_ context.Context, src string, out io.Writer, assert bool) error {
	if strings.HasPrefix(src, "vars") || strings.HasPrefix(src, "nothing") {
		name, _, _ := strings.Cut(src, "+")
		return errors.New("‹1›:1:1: undefined: " + name)
	}
	switch src {
	case "x.wrsit":
		return errors.New("‹1›:1:3: x.wrsit undefined (type T has no field or method wrsit)")
	case "U{hots: 1}":
		return errors.New("‹1›:1:3: unknown field hots in struct literal of type U (and 1 more)")
	case "mode chat", "moth chat":
		return errors.New("‹1›:1:6: expected ';', found chat")
	case "x.WRIST":
		return errors.New("‹1›:1:3: x.WRIST undefined (type T has no field or method WRIST, but does have method wrist)")
	}
	if i := strings.Index(src, "wrong"); i >= 0 {
		line := strings.Count(src[:i], "\n")
		return fmt.Errorf("‹1›:%d:%d: undefined: wrong", line+1, i-strings.LastIndexByte(src[:i], '\n'))
	}
	_, err := fmt.Fprintf(out, "eval %q %v\n", src, assert)
	return err
}

func (explorer) Import(_ context.Context, spec string, out io.Writer) error {
	_, err := fmt.Fprintf(out, "import %s\n", spec)
	return err
}

func (explorer) Type(_ context.Context, expr string, out io.Writer) error {
	_, err := fmt.Fprintf(out, "type %s\n", expr)
	return err
}

func (explorer) Doc(_ context.Context, query string, out io.Writer) error {
	_, _ = fmt.Fprint(out, "doc "+query+strings.Repeat("\n", 30)) // to memory
	if query == "sourceless" {
		return errors.New("no sources")
	}
	return nil
}

func (explorer) Unfinished(src string) bool { return strings.HasSuffix(src, "{") }

func proposed(what string) func(string, int) ([]repl.Candidate, int) {
	return func(text string, pos int) ([]repl.Candidate, int) {
		return []repl.Candidate{{Text: what + " " + text[:pos]}}, 0
	}
}

func (explorer) Complete(text string, pos int) ([]repl.Candidate, int) {
	if pos == len("f {\n\tüx := ") || text == "x." || text == "U{" {
		return []repl.Candidate{{Text: "writing("}, {Text: "wrung()"}, {Text: "wrist."}, {Text: "host: "}}, pos
	}
	return proposed("go")(text, pos)
}
func (explorer) CompleteName(text string, pos int) ([]repl.Candidate, int) {
	return proposed("name")(text, pos)
}
func (explorer) CompletePath(text string, pos int) ([]repl.Candidate, int) {
	return proposed("path")(text, pos)
}
func (explorer) Hint(text string) string { return "after " + text }

// typist types lines and remembers what is shown.
type typist struct {
	lines []string
	shown strings.Builder
}

func (y *typist) ReadLine(context.Context) (string, error) {
	if len(y.lines) == 0 {
		return "", io.EOF
	}
	line := y.lines[0]
	y.lines = y.lines[1:]
	return line, nil
}
func (y *typist) Print(s string)                                         { y.shown.WriteString(s) }
func (y *typist) SetPrompt(string)                                       {}
func (y *typist) SetCompleter(func(string, int) ([]repl.Candidate, int)) {}
func (y *typist) SetHint(func(string) string)                            {}
func (y *typist) AddHistory(string)                                      {}
func (y *typist) Recall(string)                                          {}
func (y *typist) Suspend(f func() error) error                           { return f() }
func (y *typist) Close() error                                           { return nil }

func withGo(c *shell.Config) { c.Dev, c.Go = true, explorer{} }

func TestGoAtAPrompt(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"code", "1 + 1", "eval \"1 + 1\" false\n"},
		{"import", `import "a.b/c"`, "import a.b/c\n"},
		{"import without quotes", "  import a.b/c@v1.2.3 ", "import a.b/c@v1.2.3\n"},
		{"import in half a quote", `import "a.b/c`, "eval \"import \\\"a.b/c\" false\n"},
		{"import under a name", `import x "a.b/c"`, "eval \"import x \\\"a.b/c\\\"\" false\n"},
		{"import and more", `import "a"; a.B()`, "eval \"import \\\"a\\\"; a.B()\" false\n"},
		{"a command", "vars", "error: ‹1›:1:1: undefined: vars (the command is /vars)"},
		{"a command with arguments", "mode chat", "error: ‹1›:1:6: expected ';', found chat (the command is /mode)\n"},
		{"what only begins like one", "moth chat", "error: ‹1›:1:6: expected ';', found chat\n"},
		{"the place in one line", "x := wrong", "error: ‹1›:1:6: undefined: wrong"},
		{"wide letters before the place", "f {\n\"世界e\u0301\" := wrong", "error: ‹1›:2:16: undefined: wrong\n  \"世界e\u0301\" := wrong\n             ^"},
		{"the place in several", "f {\n\tüx := wrong", "error: ‹1›:2:9: undefined: wrong: did you mean wrung?\n   üx := wrong\n         ^"},
		{"a member that is not there", "x.wrsit", "method wrsit): did you mean wrist?"},
		{"a field that is not there", "U{hots: 1}", "type U (and 1 more): did you mean host?"},
		{"one that is in other letters", "x.WRIST", "but does have method wrist)"},
		{"no command", "nothing+1", "error: ‹1›:1:1: undefined: nothing"},
		{"behind a slash", "/go import a.b/c", "import a.b/c\n"},
		{"type", "/type  x", "type x\n"},
		{"little", "/doc -all x", "doc x\n"},
		{"much", "/doc x", "(10 more rows: /doc -all x)\n"},
		{"something, and an error", "/doc sourceless", "(10 more rows: /doc -all sourceless)\nerror: no sources"},
		{"help", "/help", "Go:   /mode go is"},
		{"no name", "/doc -all ", "error: usage: doc [-all] NAME (the name is missing)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRoom(t).peer("alice", withGo)
				y := &typist{lines: []string{"/mode go", tt.line}}
				if err := p.Interact(t.Context(), y); !errors.Is(err, repl.ErrQuit) {
					t.Fatal(err)
				}
				if got := y.shown.String() + "\n"; !strings.Contains(got, tt.want) {
					t.Errorf("%s\nshows %q, want %q", tt.line, got, tt.want)
				}
			})
		})
	}
}

func TestGoIsCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", withGo)
		for _, tt := range []struct{ mode, line, want, hint string }{
			{"chat", "/go a; b.", "go a; b.", "after a; b."},
			{"chat", "/type a.", "go a.", "after a."},
			{"cmd", "doc a.", "name a.", ""},
			{"cmd", "import a/", "path a/", ""},
			{"go", "a.b(", "go a.b(", "after a.b("},
			{"go", "/go a.", "go a.", "after a."},
			{"chat", "a.b(", "", ""},
		} {
			if err := p.SetMode(tt.mode); err != nil {
				t.Fatal(err)
			}
			list, _ := p.Complete(tt.line, len(tt.line))
			got := ""
			if len(list) > 0 {
				got = list[0].Text
			}
			if hint := p.Hint(tt.line); got != tt.want || hint != tt.hint {
				t.Errorf("mode %s, %s: %q and %q, want %q and %q", tt.mode, tt.line, got, hint, tt.want, tt.hint)
			}
		}
	})
}

// TestNoGo: where there is none the commands say so, and complete nothing.
func TestNoGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", func(c *shell.Config) { c.Dev = true })
		for _, line := range []string{"type x", "doc x", "go x", "import x"} {
			if _, err := p.run(line); err == nil || !strings.Contains(err.Error(), "no Go") {
				t.Errorf("%s: %v", line, err)
			}
			if list, _ := p.Complete("/"+line, len(line)+1); len(list) > 0 {
				t.Errorf("%s is completed: %v", line, list)
			}
		}
	})
}
