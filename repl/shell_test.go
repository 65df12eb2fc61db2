package repl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/repl"
)

func TestExecute(t *testing.T) {
	s := newShell(t)
	for _, tt := range []struct {
		name, line, out string
		is              error  // what the error matches
		problem         string // what it says
	}{
		{"nothing", "", "", nil, ""},
		{"arguments", "set a 'b c'", "set[\"a\" \"b c\"] json=false\n", nil, ""},
		{"slash", "/set a b", "set[\"a\" \"b\"] json=false\n", nil, ""},
		{"carriage return", "set a b\r", "set[\"a\" \"b\"] json=false\n", nil, ""},
		{"alias keeps the command's name", "memberlist", "members[] json=false\n", nil, ""},
		{"json", "members --json", "members[] json=true\n", nil, ""},
		{"quoted json is an argument", "memberjoin '--json'", "memberjoin[\"--json\"] json=false\n", nil, ""},
		{"json for no query", "set a b --json", "", repl.ErrUsage, "usage: set KEY TEXT (set prints no JSON)"},
		{"raw takes json", "msg --json", "msg<--json>[\"--json\"]\n", nil, ""},
		{"raw", `msg a; b # c "x`, "msg<a; b # c \"x>[\"a; b # c \\\"x\"]\n", nil, ""},
		{"raw without its text", "msg  ", "", repl.ErrUsage, "usage: msg TEXT (the text is missing)"},
		{"echo of nothing", "echo", "\n", nil, ""},
		{"too few", "set a", "", repl.ErrUsage, "usage: set KEY TEXT (1 of 2 arguments are missing)"},
		{"none", "set", "", repl.ErrUsage, "arguments are missing"},
		{"too many", "set a b c", "", repl.ErrUsage, "1 too many"},
		{"no arguments wanted", "quit now", "", repl.ErrUsage, "usage: quit (it takes no arguments)"},
		{"usage error of a command", "count x", "", repl.ErrUsage, `usage: count N ("x" is no number)`},
		{"unknown", "zzzzzz a b", "", repl.ErrUnknown, `unknown command "zzzzzz": /help lists them`},
		{"no prefixes", "ech x", "", repl.ErrUnknown, "did you mean echo?"},
		{"no prefixes of aliases", "memberlis", "", repl.ErrUnknown, ""},
		{"syntax", "echo a; set 'b", "a; set 'b\n", nil, ""},
		{"syntax before anything runs", "set a b; set 'b", "", repl.ErrSyntax, "column 14"},
		{"the first failure ends the line", "set a b; fail; set c d", "set[\"a\" \"b\"] json=false\n", errBroken, "it is broken: mend it"},
		{"quit", "quit; echo x", "", repl.ErrQuit, ""},
		{"exit", "exit; echo x", "", repl.ErrExit, ""},
		{"panic", "boom", "", nil, "boom failed inside (a nil map)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := execute(s, tt.line)
			if out != tt.out {
				t.Errorf("output %q, want %q", out, tt.out)
			}
			if tt.is == nil && tt.problem == "" && err != nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want one that matches %v", err, tt.is)
			}
			if !strings.Contains(fmt.Sprint(err), tt.problem) && tt.problem != "" {
				t.Errorf("error %v, want %q", err, tt.problem)
			}
		})
	}
}

func TestPanicGoesToTheLogAndTheShellLives(t *testing.T) {
	var log bytes.Buffer
	s := newShell(t, func(c *repl.Config) { c.Log = &log })
	if _, err := execute(s, "boom"); err == nil || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "panic in command boom: a nil map") || !strings.Contains(log.String(), "fixture_test.go") {
		t.Errorf("log %q", log.String())
	}
	if out, err := execute(s, "echo still here"); err != nil || out != "still here\n" {
		t.Errorf("afterwards: %q, %v", out, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]repl.Config{
		"bad command":        {Commands: []repl.Command{{Name: "x"}}},
		"alias of a builtin": {Commands: []repl.Command{{Name: "x", Aliases: []string{"help"}, Group: "g", Summary: "s", Run: nothing}}},
		"nameless mode":      {Modes: []repl.Mode{{}}},
		"mode twice":         {Modes: []repl.Mode{{Name: "a"}, {Name: "a"}}},
		"first mode refused": {Modes: []repl.Mode{{Name: "a", Refused: errBroken}, {Name: "b"}}},
	} {
		if _, err := repl.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestOwnCommandReplacesBuiltin(t *testing.T) {
	mine := errors.New("my exit")
	s := newShell(t, func(c *repl.Config) {
		c.Commands = append(c.Commands, repl.Command{Name: "exit", Group: "cli", Summary: "mine", Run: func(context.Context, *repl.Call) error { return mine }})
	})
	if _, err := execute(s, "exit"); err != mine {
		t.Errorf("exit: %v", err)
	}
}

func TestAroundSeesEveryCommand(t *testing.T) {
	var log []string
	s := newShell(t, func(c *repl.Config) {
		c.Around = func(ctx context.Context, line string, out io.Writer, run func(context.Context, io.Writer) error) error {
			var copied strings.Builder
			err := run(ctx, io.MultiWriter(out, &copied))
			log = append(log, fmt.Sprintf("%s|%s|%v", line, strings.TrimSpace(copied.String()), err))
			return err
		}
	})
	for _, line := range []string{"/echo a;  b", "  set  a ; fail", "set a  'b c' ; fail # x", "nosuch x", "set 'x"} {
		_, _ = execute(s, line)
	}
	want := []string{
		"echo a;  b|a;  b|<nil>",
		"set  a||usage: set KEY TEXT (1 of 2 arguments are missing)",
		`set a  'b c'|set["a" "b c"] json=false|<nil>`,
		"fail||it is broken: mend it",
		`nosuch x||unknown command "nosuch": /help lists them`,
		"set 'x||syntax error in column 5: the quote ' is not closed",
	}
	if got := strings.Join(log, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("recorded\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestAroundSeesFullNames: what a person abbreviated can be run as a script.
func TestAroundSeesFullNames(t *testing.T) {
	var log []string
	s := newShell(t, func(c *repl.Config) {
		c.Around = func(ctx context.Context, line string, out io.Writer, run func(context.Context, io.Writer) error) error {
			log = append(log, line)
			return run(ctx, out)
		}
	})
	_ = s.Interact(context.Background(), &replay{lines: []string{"/se a b; /memberl", "ec  x"}, then: repl.ErrExit})
	if got := strings.Join(log, "|"); got != "set a b|members|echo  x" {
		t.Errorf("recorded %q", got)
	}
}

func TestExecuteFromManyGoroutines(t *testing.T) {
	s := newShell(t, func(c *repl.Config) {
		c.Modes = []repl.Mode{{Name: "a"}, {Name: "b"}}
		c.Open = scripts{"f": "echo x\nmode b\n"}.open
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if out, err := execute(s, "execute f; mode a"); out != "x\n" || err != nil {
					t.Errorf("%q, %v", out, err)
				}
				s.Complete("/he", 3)
				s.Interrupt()
			}
		})
	}
	wg.Wait()
}

func TestMode(t *testing.T) {
	s := newShell(t, func(c *repl.Config) {
		c.Modes = []repl.Mode{{Name: "chat"}, {Name: "cmd"}, {Name: "locked", Refused: errBroken}}
	})
	if out, err := execute(s, "mode; mode cmd; mode"); out != "chat\ncmd\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if s.Mode().Name != "cmd" {
		t.Errorf("mode %q", s.Mode().Name)
	}
	if _, err := execute(s, "mode go"); err == nil || !strings.HasSuffix(err.Error(), "one of chat, cmd") {
		t.Errorf("mode go: %v", err)
	}
	if _, err := execute(s, "mode locked"); !errors.Is(err, errBroken) || s.Mode().Name != "cmd" {
		t.Errorf("mode locked: %v, and it is %s", err, s.Mode().Name)
	}
}

func TestSleep(t *testing.T) {
	s := newShell(t)
	synctest.Test(t, func(t *testing.T) {
		for line, want := range map[string]time.Duration{
			"sleep 0": 0, "sleep 1.5": 1500 * time.Millisecond, "sleep 300ms": 300 * time.Millisecond, "sleep 1m30s": 90 * time.Second, "sleep 24h": 24 * time.Hour,
		} {
			start := time.Now()
			if _, err := execute(s, line); err != nil || time.Since(start) != want {
				t.Errorf("%s: %v after %v", line, err, time.Since(start))
			}
		}
		for _, line := range []string{"sleep -1", "sleep nan", "sleep inf", "sleep 1e300", "sleep -2s", "sleep 25h", "sleep x", "sleep"} {
			if _, err := execute(s, line); !errors.Is(err, repl.ErrUsage) {
				t.Errorf("%s: %v", line, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := s.Execute(ctx, "sleep 60; echo x", io.Discard); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("cancelled: %v after %v", err, time.Since(start))
		}
	})
}
