package repl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/repl"
)

// greet is a command that prints a text.
func greet(name, text string) repl.Command {
	return repl.Command{Name: name, Group: "added", Summary: "says " + text, Run: func(_ context.Context, c *repl.Call) error {
		_, err := fmt.Fprintln(c.Out, text)
		return err
	}}
}

// What is added while the shell runs is a command like all others: it runs,
// help shows it, Tab completes it, and prefixes find it.
func TestAdd(t *testing.T) {
	s := newShell(t)
	if _, err := execute(s, "greeting"); !errors.Is(err, repl.ErrUnknown) {
		t.Fatalf("before: %v", err)
	}
	if err := s.Add(greet("greeting", "hello")); err != nil {
		t.Fatal(err)
	}
	if out, err := execute(s, "greeting; greeting"); out != "hello\nhello\n" || err != nil {
		t.Errorf("it prints %q, %v", out, err)
	}
	for line, want := range map[string]string{"help greeting": "says hello", "help commands": "greeting", "help groups": "added"} {
		if out, err := execute(s, line); !strings.Contains(out, want) || err != nil {
			t.Errorf("%s: %q, %v", line, out, err)
		}
	}
	if all, _ := s.Complete("/gree", 5); len(all) != 1 || all[0].Text != "/greeting" {
		t.Errorf("Tab proposes %v", all)
	}
	if c, err := s.Table().Match("greet"); err != nil || c.Name != "greeting" {
		t.Errorf("a prefix finds %v, %v", c, err)
	}
	if err := s.Add(greet("greeting", "good day")); err != nil {
		t.Fatal(err)
	}
	if out, _ := execute(s, "greeting"); out != "good day\n" || len(s.Added()) != 1 {
		t.Errorf("replaced, it prints %q; added are %d", out, len(s.Added()))
	}
	if err := s.Remove("greeting"); err != nil {
		t.Fatal(err)
	}
	if _, err := execute(s, "greeting"); !errors.Is(err, repl.ErrUnknown) {
		t.Errorf("removed: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	s := newShell(t)
	for name, c := range map[string]repl.Command{
		"name of a command":  greet("msg", "x"),
		"name of a built-in": greet("help", "x"),
		"no plain word":      greet("a b", "x"),
		"no summary":         {Name: "good", Group: "g", Run: nothing},
	} {
		if err := s.Add(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.Remove("msg"); !errors.Is(err, repl.ErrUnknown) {
		t.Errorf("removing what was not added: %v", err)
	}
	if len(s.Added()) != 0 {
		t.Errorf("added are %v", s.Added())
	}
	if out, err := execute(s, "help help"); err != nil || out == "" {
		t.Errorf("the shell is not as it was: %q, %v", out, err)
	}
}

// A command may add and remove commands, also the one that comes next on its
// line.
func TestAddOnTheLine(t *testing.T) {
	s := newShell(t)
	change := func(name string, raw bool) repl.Command {
		return repl.Command{Name: name, Group: "g", Summary: "changes", Run: func(context.Context, *repl.Call) error {
			c := greet("later", "here")
			c.Raw = raw
			return s.Add(c)
		}}
	}
	for _, c := range []repl.Command{change("plain", false), change("rawly", true)} {
		if err := s.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := execute(s, "plain; later"); out != "here\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := execute(s, "rawly; later a # b"); err == nil || !strings.Contains(err.Error(), "give it again") {
		t.Errorf("the rest of the line was taken apart already: %v", err)
	}
}

// The table is changed while others use it.
func TestAddWhileInUse(t *testing.T) {
	s := newShell(t)
	var all sync.WaitGroup
	for n := range 4 {
		name := fmt.Sprintf("own%d", n)
		all.Go(func() {
			for range 50 {
				if err := s.Add(greet(name, name)); err != nil {
					t.Error(err)
				}
				if out, err := execute(s, name); out != name+"\n" || err != nil {
					t.Errorf("%s: %q, %v", name, out, err)
				}
				if err := s.Remove(name); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 50 {
				_ = s.Execute(t.Context(), "help commands", io.Discard)
				_, _ = s.Complete("/o", 2)
				_ = s.Hint("/echo ")
				_ = s.Table().Nearest("own")
			}
		})
	}
	all.Wait()
}
