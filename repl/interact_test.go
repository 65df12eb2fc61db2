package repl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/repl"
)

// replay is a LineReader that returns prepared lines and writes down what
// happens: "prompt|line" for a read, "=text" for Print, "+line" for history.
// The line "^C" is an interrupt on an empty line, "x^C" one on a line with x.
type replay struct {
	mu    sync.Mutex
	lines []string
	then  error    // after the last line
	again []string // what can be recalled
	log   []string
	now   string // the prompt
}

func (r *replay) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

func (r *replay) ReadLine(ctx context.Context) (string, error) {
	if len(r.lines) == 0 {
		return "", r.then
	}
	line := r.lines[0]
	r.lines = r.lines[1:]
	r.note("%s|%s", r.now, line)
	if l, ok := strings.CutSuffix(line, "^C"); ok {
		return l, repl.ErrInterrupt
	}
	return line, ctx.Err()
}

func (r *replay) Print(s string)                                         { r.note("=%s", strings.TrimSuffix(s, "\n")) }
func (r *replay) SetPrompt(p string)                                     { r.now = strings.TrimSpace(p) }
func (r *replay) SetCompleter(func(string, int) ([]repl.Candidate, int)) {}
func (r *replay) SetHint(func(string) string)                            {}
func (r *replay) AddHistory(line string)                                 { r.note("+%s", line) }
func (r *replay) Recall(line string)                                     { r.again = append(r.again, line) }
func (r *replay) Suspend(f func() error) error                           { return f() }
func (r *replay) Close() error                                           { return nil }

func chatModes(c *repl.Config) {
	run := func(kind string) func(context.Context, string, io.Writer) error {
		return func(_ context.Context, line string, out io.Writer) error {
			switch line {
			case "bad":
				return errors.New("two\nlines\x1b[31m")
			case "panic":
				panic("oops")
			}
			_, err := fmt.Fprintf(out, "%s<%s>", kind, line)
			return err
		}
	}
	c.Modes = []repl.Mode{{
		Name: "chat", Prompt: func() string { return "chat> " }, Run: run("chat"),
		Hold: func(line string) string {
			if strings.HasPrefix(line, "members") {
				return "send it?"
			}
			return ""
		},
	}, {
		Name: "cmd", Prompt: func() string { return "cmd> " },
	}, {
		Name: "go", Run: run("go"), Verbatim: true,
		Unfinished: func(text string) bool { return strings.Count(text, "{") > strings.Count(text, "}") },
	}}
	c.Open = scripts{"f": "echo 1\nfail\n"}.open
}

func TestInteract(t *testing.T) {
	for _, tt := range []struct {
		name, mode string
		lines      []string
		want       []string
		err        error
	}{
		{"bare text", "chat", []string{"hello #1; 'x"}, []string{"chat>|hello #1; 'x", "=chat<hello #1; 'x>", "+hello #1; 'x"}, repl.ErrQuit},
		{"blank lines are nothing", "chat", []string{"", "  "}, []string{"chat>|", "chat>|  "}, repl.ErrQuit},
		{"command", "chat", []string{"/echo x"}, []string{"chat>|/echo x", "=x", "+/echo x"}, repl.ErrQuit},
		{"command after blanks", "chat", []string{" /echo x"}, []string{"chat>| /echo x", "=x", "+ /echo x"}, repl.ErrQuit},
		{"prefix", "chat", []string{"/ec x"}, []string{"chat>|/ec x", "=x", "+/ec x"}, repl.ErrQuit},
		{"raw prefix keeps the rest", "chat", []string{`/ms "a; b`}, []string{`chat>|/ms "a; b`, `=msg<"a; b>["\"a; b"]`, `+/ms "a; b`}, repl.ErrQuit},
		{"ambiguous", "chat", []string{"/mem"}, []string{"chat>|/mem", `=error: unknown command "mem": it could be memberjoin, memberlist, members`}, repl.ErrQuit},
		{"nearest", "chat", []string{"/memebrs"}, []string{"chat>|/memebrs", `=error: unknown command "memebrs": did you mean members?`}, repl.ErrQuit},
		{"path", "chat", []string{"/usr/bin is"}, []string{"chat>|/usr/bin is", `=error: unknown command "usr/bin": /help lists them (text that begins with a slash is typed with two)`}, repl.ErrQuit},
		{"two slashes", "chat", []string{"//x y"}, []string{"chat>|//x y", "=chat</x y>", "+//x y"}, repl.ErrQuit},
		{"slash and no letter", "chat", []string{"/1"}, []string{"chat>|/1", "=chat</1>", "+/1"}, repl.ErrQuit},
		{"several commands", "chat", []string{"/echo a", "/set a b; fail; set c d"}, []string{"chat>|/echo a", "=a", "+/echo a", "chat>|/set a b; fail; set c d", "=set[\"a\" \"b\"] json=false", "=error: it is broken: mend it"}, repl.ErrQuit},
		{"held", "chat", []string{"members", "hi"}, []string{"chat>|members", "=send it?", "chat>|hi", "=chat<hi>", "+hi"}, repl.ErrQuit},
		{"held and confirmed", "chat", []string{"members", "members"}, []string{"chat>|members", "=send it?", "chat>|members", "=chat<members>", "+members"}, repl.ErrQuit},
		{"held and another held", "chat", []string{"members", "members x"}, []string{"chat>|members", "=send it?", "chat>|members x", "=send it?"}, repl.ErrQuit},
		{"held and confirmed by Enter", "chat", []string{"members", "", ""}, []string{"chat>|members", "=send it?", "chat>|", "=chat<members>", "+members", "chat>|"}, repl.ErrQuit},
		{"held, not right away", "chat", []string{"members", "hi", "members"}, []string{"chat>|members", "=send it?", "chat>|hi", "=chat<hi>", "+hi", "chat>|members", "=send it?"}, repl.ErrQuit},
		{"held, not after ctrl-C", "chat", []string{"members", "^C", "members"}, []string{"chat>|members", "=send it?", "chat>|^C", "=to leave, type /quit or press ctrl-D", "chat>|members", "=send it?"}, repl.ErrQuit},
		{"confirmed once only", "chat", []string{"members", "members", "members"}, []string{"chat>|members", "=send it?", "chat>|members", "=chat<members>", "+members", "chat>|members", "=send it?"}, repl.ErrQuit},
		{"failure of several lines", "chat", []string{"bad"}, []string{"chat>|bad", `=error: two` + "\n" + `lines\x1b[31m`}, repl.ErrQuit},
		{"panic in a mode", "chat", []string{"panic", "hi"}, []string{"chat>|panic", "=error: mode chat failed inside (oops): this is a mistake in the program, and the shell goes on", "chat>|hi", "=chat<hi>", "+hi"}, repl.ErrQuit},
		{"ctrl-C on a line", "chat", []string{"x^C"}, []string{"chat>|x^C"}, repl.ErrQuit},
		{"cmd mode", "cmd", []string{"ec x", "/echo y", "members"}, []string{"cmd>|ec x", "=x", "+ec x", "cmd>|/echo y", "=y", "+/echo y", "cmd>|members", "=members[] json=false", "+members"}, repl.ErrQuit},
		{"mode changes the prompt", "cmd", []string{"mode chat", "hi"}, []string{"cmd>|mode chat", "+mode chat", "chat>|hi", "=chat<hi>", "+hi"}, repl.ErrQuit},
		{"script from the keyboard", "cmd", []string{"execute f"}, []string{"cmd>|execute f", "=1", "=error: f:2: it is broken: mend it"}, repl.ErrQuit},
		{"go comment", "go", []string{"// x", "/ y", "/echo z"}, []string{"go>|// x", "=go<// x>", "+// x", "go>|/ y", "=go</ y>", "+/ y", "go>|/echo z", "=z", "+/echo z"}, repl.ErrQuit},
		{"continuation", "go", []string{"f {", "/echo", "}"}, []string{"go>|f {", "...>|/echo", "...>|}", "=go<f {\n/echo", "=}>", "+f {\n/echo\n}"}, repl.ErrQuit},
		{"continuation cancelled", "go", []string{"f {", "x^C", "y"}, []string{"go>|f {", "...>|x^C", "go>|y", "=go<y>", "+y"}, repl.ErrQuit},
		{"pasted line with its end", "chat", []string{"hello\n"}, []string{"chat>|hello\n", "=chat<hello>", "+hello"}, repl.ErrQuit},
		{"pasted commands", "cmd", []string{"echo a\n\n/echo b\n"}, []string{"cmd>|echo a\n\n/echo b\n", "=a", "+echo a", "=b", "+/echo b"}, repl.ErrQuit},
		{"pasted commands, one fails", "cmd", []string{"echo a\nfail\necho b\n\necho c"}, []string{"cmd>|echo a\nfail\necho b\n\necho c", "=a", "+echo a", "=error: it is broken: mend it", "=(2 lines after it were not run)"}, repl.ErrQuit},
		{"pasted command of two lines", "cmd", []string{"set k 'a\nb'\necho b"}, []string{"cmd>|set k 'a\nb'\necho b", `=set["k" "a\nb"] json=false`, "+set k 'a\nb'", "=b", "+echo b"}, repl.ErrQuit},
		{"pasted raw command", "cmd", []string{"msg it's\necho b"}, []string{"cmd>|msg it's\necho b", `=msg<it's>["it's"]`, "+msg it's", "=b", "+echo b"}, repl.ErrQuit},
		{"pasted quote without an end", "cmd", []string{"echo a\nset 'b\nc"}, []string{"cmd>|echo a\nset 'b\nc", "=a", "+echo a", "=error: syntax error in column 5: the quote ' is not closed", "=(1 line after it was not run)"}, repl.ErrQuit},
		{"pasted commands in chat", "chat", []string{"/echo a\n?x\n/echo b"}, []string{"chat>|/echo a\n?x\n/echo b", "=send 1 line? press Enter again"}, repl.ErrQuit},
		{"pasted commands alone in chat", "chat", []string{"/echo a\n/echo b"}, []string{"chat>|/echo a\n/echo b", "=a", "+/echo a", "=b", "+/echo b"}, repl.ErrQuit},
		{"pasted messages", "chat", []string{"hi\n\n//x\n/echo a\nmembers", ""}, []string{"chat>|hi\n\n//x\n/echo a\nmembers", "=send 3 lines, one by one? press Enter again", "chat>|", "=chat<hi>", "+hi", "=chat</x>", "+//x", "=a", "+/echo a", "=chat<members>", "+members"}, repl.ErrQuit},
		{"pasted messages, not sent", "chat", []string{"a\nb", "c", ""}, []string{"chat>|a\nb", "=send 2 lines, one by one? press Enter again", "chat>|c", "=chat<c>", "+c", "chat>|"}, repl.ErrQuit},
		{"pasted messages, after ctrl-C", "chat", []string{"a\nb", "^C", ""}, []string{"chat>|a\nb", "=send 2 lines, one by one? press Enter again", "chat>|^C", "=to leave, type /quit or press ctrl-D", "chat>|"}, repl.ErrQuit},
		{"pasted change of mode", "chat", []string{"/mode cmd\necho a"}, []string{"chat>|/mode cmd\necho a", "=send 1 line? press Enter again"}, repl.ErrQuit},
		{"pasted code", "go", []string{"/echo a\nf {\n/echo b\n}\ng"}, []string{"go>|/echo a\nf {\n/echo b\n}\ng", "=a", "+/echo a", "=go<f {\n/echo b\n}", "=g>", "+f {\n/echo b\n}\ng"}, repl.ErrQuit},
		{"pasted quit", "cmd", []string{"/quit\necho a"}, []string{"cmd>|/quit\necho a", "+/quit"}, repl.ErrQuit},
		{"quit", "chat", []string{"/quit", "x"}, []string{"chat>|/quit", "+/quit"}, repl.ErrQuit},
		{"exit", "chat", []string{"/exit", "x"}, []string{"chat>|/exit", "+/exit"}, repl.ErrExit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShell(t, chatModes)
			if err := s.SetMode(tt.mode); err != nil {
				t.Fatal(err)
			}
			r := &replay{lines: tt.lines, then: io.EOF}
			err := s.Interact(context.Background(), r)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v", err)
			}
			if !slices.Equal(r.log, tt.want) {
				t.Errorf("happened\n%s\nwant\n%s", strings.Join(r.log, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// asking is a replay that asks, before each line, how to complete it and what
// could follow it.
type asking struct {
	*replay
	complete func(string, int) ([]repl.Candidate, int)
	hint     func(string) string
}

func (a *asking) SetCompleter(f func(string, int) ([]repl.Candidate, int)) { a.complete = f }
func (a *asking) SetHint(f func(string) string)                            { a.hint = f }

func (a *asking) ReadLine(ctx context.Context) (string, error) {
	line, err := a.replay.ReadLine(ctx)
	if err == nil {
		list, start := a.complete(line, len(line))
		a.note("Tab %v %d, %s", list, start, a.hint(line))
	}
	return line, err
}

// TestCompletionGoesOn: the lines of an unfinished text are completed as what
// they are a part of.
func TestCompletionGoesOn(t *testing.T) {
	s := newShell(t, chatModes, func(c *repl.Config) {
		c.Modes[2].Complete = func(text string, pos int) ([]repl.Candidate, int) {
			return []repl.Candidate{{Text: text[:pos]}}, strings.LastIndexAny(text, " \n") + 1
		}
		c.Modes[2].Hint = func(text string) string { return "go " + text }
	})
	if err := s.SetMode("go"); err != nil {
		t.Fatal(err)
	}
	a := &asking{replay: &replay{lines: []string{"f {", "a b", "}", "c d", "f {", "^C", "e"}, then: io.EOF}}
	if err := s.Interact(t.Context(), a); !errors.Is(err, repl.ErrQuit) {
		t.Fatal(err)
	}
	want := []string{"go>|f {", "Tab [{f {  false}] 2, go f {", "...>|a b", "Tab [{f {\na b  false}] 2, go f {\na b", "...>|}", "Tab [{f {\na b\n}  false}] 0, go f {\na b\n}", "=go<f {\na b", "=}>", "+f {\na b\n}",
		"go>|c d", "Tab [{c d  false}] 2, go c d", "=go<c d>", "+c d", "go>|f {", "Tab [{f {  false}] 2, go f {", "...>|^C", "go>|e", "Tab [{e  false}] 0, go e", "=go<e>", "+e"}
	if !slices.Equal(a.log, want) {
		t.Errorf("happened\n%q\nwant\n%q", a.log, want)
	}
}

// TestFailedLinesCanBeRecalled: also those of a mode, whole, and what was
// interrupted; but not what was dropped.
func TestFailedLinesCanBeRecalled(t *testing.T) {
	s := newShell(t, chatModes)
	if err := s.SetMode("go"); err != nil {
		t.Fatal(err)
	}
	r := &replay{lines: []string{"bad", "panic", "f {", "^C", "/fail", "/nosuch {", "fine"}, then: io.EOF}
	if err := s.Interact(t.Context(), r); !errors.Is(err, repl.ErrQuit) {
		t.Fatal(err)
	}
	if want := []string{"bad", "panic", "/fail", "/nosuch {"}; !slices.Equal(r.again, want) {
		t.Errorf("%q, want %q", r.again, want)
	}
}

func TestQuestionMarkIsHelpInEveryMode(t *testing.T) {
	for _, mode := range []string{"chat", "cmd", "go"} {
		for _, line := range []string{"?", "/?", "/help"} {
			s := newShell(t, chatModes)
			_ = s.SetMode(mode)
			r := &replay{lines: []string{line}, then: io.EOF}
			_ = s.Interact(context.Background(), r)
			if len(r.log) < 2 || !strings.Contains(r.log[1], "help COMMAND") {
				t.Errorf("%s in mode %s: %q", line, mode, r.log)
			}
		}
	}
}

func TestEndOfInputRunsQuit(t *testing.T) {
	asked := 0
	s := newShell(t, func(c *repl.Config) {
		c.Commands = append(c.Commands, repl.Command{Name: "quit", Group: "cli", Summary: "leave", Run: func(context.Context, *repl.Call) error {
			asked++
			return errors.New("cannot leave")
		}})
	})
	r := &replay{then: io.EOF}
	if err := s.Interact(context.Background(), r); err != repl.ErrQuit || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if !slices.Equal(r.log, []string{"=error: cannot leave"}) {
		t.Errorf("%q", r.log)
	}
}

func TestInteractReturnsTheReadersError(t *testing.T) {
	if err := newShell(t).Interact(context.Background(), &replay{then: errBroken}); err != errBroken {
		t.Errorf("%v", err)
	}
}

func TestInterruptCancelsWhatRuns(t *testing.T) {
	s := newShell(t, chatModes)
	synctest.Test(t, func(t *testing.T) {
		if s.Interrupt() {
			t.Error("there was nothing to interrupt")
		}
		r := &replay{lines: []string{"/sleep 100", "/echo next"}, then: io.EOF}
		go func() {
			time.Sleep(time.Second)
			if !s.Interrupt() {
				t.Error("the command was not interrupted")
			}
		}()
		start := time.Now()
		if err := s.Interact(t.Context(), r); err != repl.ErrQuit || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		want := []string{"chat>|/sleep 100", "=interrupted", "chat>|/echo next", "=next", "+/echo next"}
		if !slices.Equal(r.log, want) {
			t.Errorf("%q, want %q", r.log, want)
		}
	})
}

func TestInteractEndsWithItsContext(t *testing.T) {
	s := newShell(t, chatModes)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := &replay{lines: []string{"/sleep 100", "x"}, then: io.EOF}
		if err := s.Interact(ctx, r); !errors.Is(err, context.DeadlineExceeded) || slices.Contains(r.log, "=error: context deadline exceeded") {
			t.Errorf("%v, %q", err, r.log)
		}
	})
}
