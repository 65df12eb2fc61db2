package repl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/repl"
)

func TestScript(t *testing.T) {
	files := scripts{
		"hello":   "echo hello\n",
		"bad":     "# comment\n\necho a\nfail\necho b\n",
		"outer":   "echo 1\nexecute bad\n",
		"self":    "execute self\n",
		"ping":    "execute pong\n",
		"pong":    "execute ping\n",
		"leave":   "echo x\nquit\necho y\n",
		"usage":   "set a\n",
		"endless": "execute endless2\n",
	}
	deepest := 0
	deep := func(name string) (io.ReadCloser, error) {
		if strings.HasPrefix(name, "deep") {
			deepest = len(name) - len("deep")
			return io.NopCloser(strings.NewReader("execute " + name + "x\n")), nil
		}
		return files.open(name)
	}
	s := newShell(t, func(c *repl.Config) { c.Open = deep })
	for _, tt := range []struct{ name, text, out, problem string }{
		{"last line without an end", "echo a\necho b", "a\nb\n", ""},
		{"carriage returns", "echo a\r\nset a b\r\n", "a\nset[\"a\" \"b\"] json=false\n", ""},
		{"byte order mark", "\ufeffecho a\n", "a\n", ""},
		{"slashes and comments", "/echo a # b\n  # c\n/set a b # c\n", "a # b\nset[\"a\" \"b\"] json=false\n", ""},
		{"stops at the first failure", "echo a\nfail\necho b\n", "a\n", "main:2: it is broken: mend it"},
		{"nested", "execute hello\n\nexecute outer\n", "hello\n1\na\n", "main:3: outer:2: bad:4: it is broken: mend it"},
		{"usage is of the command that failed", "execute usage", "", "main:1: usage:1: usage: set KEY TEXT ("},
		{"missing file", "execute nosuch", "", "main:1: execute: open nosuch: file does not exist"},
		{"itself", "execute self", "", "scripts execute each other without end: main -> self -> self"},
		{"each other", "execute ping", "", "main -> ping -> pong -> ping"},
		{"too deep", "execute deep", "", "more than 16 deep"},
		{"quit", "execute leave\necho z", "x\n", "quit"},
		{"syntax", "echo a\nset 'b\n", "a\n", "main:2: syntax error in column 5"},
		{"long line", "echo a\nset " + strings.Repeat("x", repl.MaxLine) + "\n", "a\n", "main:2: syntax error: the line is longer"},
		{"NUL", "echo a\n\x00\x01\x02\n", "a\n", "main:2: syntax error: NUL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := s.Script(context.Background(), "main", strings.NewReader(tt.text), &out)
			if out.String() != tt.out {
				t.Errorf("output %q, want %q", out.String(), tt.out)
			}
			if (err == nil) != (tt.problem == "") || !strings.Contains(fmt.Sprint(err), tt.problem) && err != nil {
				t.Errorf("error %v, want %q", err, tt.problem)
			}
		})
	}
	if deepest > 16 {
		t.Errorf("scripts were %d deep", deepest)
	}
}

func TestScriptErrorNamesFileAndLine(t *testing.T) {
	s := newShell(t)
	err := s.Script(context.Background(), "x.cmd", strings.NewReader("\n\nfail\n"), io.Discard)
	var se *repl.ScriptError
	if !errors.As(err, &se) || se.Name != "x.cmd" || se.Line != 3 || !errors.Is(err, errBroken) {
		t.Errorf("%#v", err)
	}
}

func TestLongestLine(t *testing.T) {
	s := newShell(t)
	text := strings.Repeat("x", repl.MaxLine-len("echo "))
	var out strings.Builder
	if err := s.Script(context.Background(), "main", strings.NewReader("echo "+text+"\r\n"), &out); err != nil || out.String() != text+"\n" {
		t.Errorf("%d bytes of output, %v", out.Len(), err)
	}
}

func TestExecuteWithoutFiles(t *testing.T) {
	if _, err := execute(newShell(t), "execute x"); err == nil {
		t.Error("no error")
	}
}

func TestPipe(t *testing.T) {
	s := newShell(t)
	for _, tt := range []struct {
		name, in, out, errOut string
		failed                int
		err                   error
	}{
		{"nothing", "", "", "", 0, nil},
		{"no failure", "echo a\necho b", "a\nb\n", "", 0, nil},
		{"goes on", "fail\necho a\nnosuch\necho b\n", "a\nb\n", "error: it is broken: mend it\nerror: unknown command \"nosuch\": /help lists them\n", 2, nil},
		{"goes on within a line", "set a; set b c; fail", "set[\"b\" \"c\"] json=false\n", "error: usage: set KEY TEXT (1 of 2 arguments are missing)\nerror: it is broken: mend it\n", 2, nil},
		{"quit", "fail\nquit\necho a\n", "", "error: it is broken: mend it\n", 1, repl.ErrQuit},
		{"exit within a line", "fail; exit; fail\n", "", "error: it is broken: mend it\n", 1, repl.ErrExit},
		{"long line", strings.Repeat("x", 3*repl.MaxLine) + "\necho a\n", "a\n", "error: syntax error: the line is longer than 1048576 bytes\n", 1, nil},
		{"binary", "\x00\xff\necho a\n", "a\n", "error: syntax error: NUL in column 1: this is no text\n", 1, nil},
		{"tabs are blanks", "set\ta\tb\n", "set[\"a\" \"b\"] json=false\n", "", 0, nil},
		{"error text is harmless", "set 'a\x1b[31m' 'b' 'c'; \x1b[31m\n", "", "error: usage: set KEY TEXT (1 too many arguments)\nerror: unknown command \"\\x1b[31m\": /help lists them\n", 2, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errOut strings.Builder
			failed, err := s.Pipe(context.Background(), strings.NewReader(tt.in), &out, &errOut)
			if failed != tt.failed || err != tt.err {
				t.Errorf("%d failed, %v; want %d, %v", failed, err, tt.failed, tt.err)
			}
			if out.String() != tt.out || errOut.String() != tt.errOut {
				t.Errorf("output %q and %q, want %q and %q", out.String(), errOut.String(), tt.out, tt.errOut)
			}
		})
	}
}

func TestPipeEndsWithItsContext(t *testing.T) {
	s := newShell(t)
	synctest.Test(t, func(t *testing.T) {
		in, w := io.Pipe()
		defer w.Close()
		for _, command := range []string{"", "sleep 100\n"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			go io.WriteString(w, command)
			failed, err := s.Pipe(ctx, in, io.Discard, io.Discard)
			cancel()
			if failed != 0 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %q: %d, %v", command, failed, err)
			}
			w.Close()
			in, w = io.Pipe()
		}
	})
}

func TestPipeReturnsReadErrors(t *testing.T) {
	in, w := io.Pipe()
	w.CloseWithError(errBroken)
	if _, err := newShell(t).Pipe(context.Background(), in, io.Discard, io.Discard); err != errBroken {
		t.Errorf("%v", err)
	}
}
