package repl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("it is broken: mend it")

// commands are a small table with each kind of command.
func commands() []repl.Command {
	show := func(_ context.Context, c *repl.Call) error {
		_, err := fmt.Fprintf(c.Out, "%s%q json=%v\n", c.Name, c.Args, c.JSON)
		return err
	}
	return []repl.Command{
		{Name: "msg", Group: "chat", Usage: "TEXT", Raw: true, MinArgs: 1, Summary: "say it to everyone", Run: func(_ context.Context, c *repl.Call) error {
			_, err := fmt.Fprintf(c.Out, "msg<%s>%q\n", c.Text, c.Args)
			return err
		}},
		{Name: "members", Aliases: []string{"memberlist"}, Group: "chat", Query: true, Summary: "who is there", Run: show},
		{Name: "memberjoin", Group: "chat", Usage: "[HOST:PORT ...]", MaxArgs: repl.Any, Summary: "join", Run: show},
		{Name: "set", Group: "data", Usage: "KEY TEXT", MinArgs: 2, MaxArgs: 2, Summary: "set a key", Help: "The key lives on all members.\n\nset colour blue",
			Run: show, Complete: func(args []string) []repl.Candidate {
				if len(args) == 0 {
					return []repl.Candidate{{Text: "colour", Help: "a key"}, {Text: "cold cut"}, {Text: "height"}}
				}
				return nil
			}},
		{Name: "fail", Group: "data", Summary: "fail", MaxArgs: repl.Any, Run: func(context.Context, *repl.Call) error { return errBroken }},
		{Name: "count", Group: "data", Summary: "check a number", Usage: "N", MinArgs: 1, MaxArgs: 1, Run: func(_ context.Context, c *repl.Call) error {
			return repl.Usagef("%q is no number", c.Args[0])
		}},
		{Name: "boom", Group: "data", Summary: "panic", Run: func(context.Context, *repl.Call) error { panic("a nil map") }},
	}
}

// scripts is an Open over a map.
type scripts map[string]string

func (s scripts) open(name string) (io.ReadCloser, error) {
	text, ok := s[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func newShell(t testing.TB, change ...func(*repl.Config)) *repl.Shell {
	t.Helper()
	cfg := repl.Config{Commands: commands()}
	for _, f := range change {
		f(&cfg)
	}
	s, err := repl.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func execute(s *repl.Shell, line string) (string, error) {
	var out strings.Builder
	err := s.Execute(context.Background(), line, &out)
	return out.String(), err
}
