package shell_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/explore/permanent"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// keeper is Go in which any name but "nothing" is a function that prints its
// arguments.
type keeper struct {
	shell.Explorer
	version int
	files   []string // what files were asked for
	cannot  bool
}

func (k *keeper) Keep(_ context.Context, name string) (func(context.Context, []string, io.Writer) error, bool, error) {
	if name == "nothing" {
		return nil, false, errors.New("nothing is no function")
	}
	version := k.version
	return func(_ context.Context, args []string, out io.Writer) error {
		if len(args) > 0 && args[0] == "fail" {
			return errors.New("told to")
		}
		_, err := fmt.Fprintf(out, "%s %d %q\n", name, version, args)
		return err
	}, name != "bare", nil
}

func (k *keeper) Permanent(_ context.Context, name, command, summary, example string) ([]byte, []string, error) {
	if k.cannot {
		return nil, nil, fmt.Errorf("%w: it uses x", permanent.ErrCannot)
	}
	k.files = append(k.files, strings.Join([]string{name, command, summary, example}, "|"))
	return []byte("package shell // " + example + "\n"), []string{"x is not as it was"}, nil
}

func (k *keeper) Complete(string, int) (c []repl.Candidate, start int)     { return nil, 0 }
func (k *keeper) CompleteName(string, int) (c []repl.Candidate, start int) { return nil, 0 }
func (k *keeper) CompletePath(string, int) (c []repl.Candidate, start int) { return nil, 0 }
func (k *keeper) Hint(string) string                                       { return "" }
func (k *keeper) Unfinished(string) bool                                   { return false }

func keeping(t *testing.T) (*peer, *keeper) {
	k := &keeper{version: 1}
	return newRoom(t).peer("alice", func(c *shell.Config) { c.Dev, c.Go = true, k }), k
}

func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k := keeping(t)
		p.steps([]step{
			{"keep Greet say hello", "greet is a command now: greet \\[...\\]\nmemory:/greet_command.go makes it one of every peer: put it into peer/shell, and build\nnote: x is not as it was\n", ""},
			{"greet bob 'a b'", "Greet 1 .\"bob\" \"a b\".\n", ""},
			{"greet fail", "", ".*told to.*"},
			{"keep bare", "bare is a command now: bare\nmemory:/bare_command.go makes it one of every peer: put it into peer/shell, and build\nnote: x is not as it was\n", ""},
			{"bare one", "", ".*no arguments.*"},
			{"keep nothing", "", ".*nothing is no function.*"},
			{"keep members", "", "there is a command members already.*"},
			{"keep await", "", "await means something else in a scenario.*"},
			{"keep -o there", "", ".*-o needs.*"},
			{"keep -n", "", ".*-n needs.*"},
			{"keep -n bare", "bare is a command now: bare\n", ""},
			{"keep -o there bare", "bare is a command now: bare\nmemory:/there/bare_command.go makes it one of every peer: put it into peer/shell, and build\nnote: x is not as it was\n", ""},
			{"unkeep members", "", ".*no command that was kept.*"},
		})
		if help := p.must("help greet"); !strings.Contains(help, "say hello") || !strings.Contains(help, "--dev") {
			t.Errorf("its help is %q", help)
		}
		k.version = 2
		p.must("keep Greet")
		if out := p.must("greet"); out != "Greet 2 []\n" {
			t.Errorf("kept again, it prints %q", out)
		}
		if got, want := k.files[len(k.files)-1], `Greet|greet|say hello|greet bob 'a b'`; got != want {
			t.Errorf("the file is of %q, want %q", got, want)
		}
		p.must("unkeep greet")
		if _, err := p.run("greet"); err == nil {
			t.Error("it is a command yet")
		}
	})
}

// The example in a file is a call that would work: of the function as it is now.
func TestKeepExample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k := keeping(t)
		for _, s := range []struct{ line, want string }{
			{"keep Bare", "bare"}, {"bare once", ""}, {"keep Bare", "bare once"}, {"keep bare", "bare"}, // which takes no arguments
			{"keep greet", "greet"}, {"greet twice", ""}, {"unkeep greet", ""}, {"keep greet", "greet"},
		} {
			p.must(s.line)
			if got := k.files[len(k.files)-1]; s.want != "" && !strings.HasSuffix(got, "|"+s.want) {
				t.Errorf("after %s the file is of %q, want the example %q", s.line, got, s.want)
			}
		}
	})
}

// A file is written over by keep only as long as nobody else has changed it.
func TestKeepWritesOverItsOwnOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k := keeping(t)
		const name = "greet_command.go"
		p.must("keep greet")
		p.must("greet once")
		p.must("keep greet")
		raw, err := p.files.ReadFile(name)
		if err != nil || !strings.Contains(string(raw), "// greet once\n") {
			t.Fatalf("the second file is %q, %v", raw, err)
		}
		for what, text := range map[string]string{"changed": string(raw) + "// mine\n", "another": "package mine\n", "empty": ""} {
			if err := p.files.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := p.run("keep greet"); err == nil || !strings.Contains(err.Error(), "-o") {
				t.Errorf("%s: %v", what, err)
			}
			if now, _ := p.files.ReadFile(name); string(now) != text {
				t.Errorf("%s: it was written over: %q", what, now)
			}
		}
		k.cannot = true
		if out := p.must("keep greet"); !strings.Contains(out, "it has no file: it cannot be made permanent: it uses x") {
			t.Errorf("without a file it prints %q", out)
		}
	})
}

func TestKeepIsForDevelopment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		p := r.peer("alice", nil)
		if _, err := p.run("keep x"); !errors.Is(err, shell.ErrNotDev) {
			t.Errorf("without --dev: %v", err)
		}
		q := r.peer("bob", forDevelopment)
		if _, err := q.run("keep x"); err == nil || !strings.Contains(err.Error(), "runs no Go") {
			t.Errorf("without Go: %v", err)
		}
	})
}
