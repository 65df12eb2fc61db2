package repl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl"
)

func nothing(context.Context, *repl.Call) error { return nil }

func TestNewTableRefuses(t *testing.T) {
	good := repl.Command{Name: "a", Group: "g", Summary: "does a", Run: nothing}
	for name, change := range map[string]func(*repl.Command){
		"no name":             func(c *repl.Command) { c.Name = "" },
		"two words":           func(c *repl.Command) { c.Name = "a b" },
		"upper case":          func(c *repl.Command) { c.Name = "Ab" },
		"slash":               func(c *repl.Command) { c.Name = "/a" },
		"semicolon":           func(c *repl.Command) { c.Name = "a;" },
		"control character":   func(c *repl.Command) { c.Name = "a\x1b" },
		"no group":            func(c *repl.Command) { c.Group = "" },
		"no summary":          func(c *repl.Command) { c.Summary = "  " },
		"long summary":        func(c *repl.Command) { c.Summary = strings.Repeat("x", 61) },
		"two-line summary":    func(c *repl.Command) { c.Summary = "a\nb" },
		"no Run":              func(c *repl.Command) { c.Run = nil },
		"negative minimum":    func(c *repl.Command) { c.MinArgs = -1 },
		"maximum below Any":   func(c *repl.Command) { c.MaxArgs = -2 },
		"maximum too small":   func(c *repl.Command) { c.MinArgs, c.MaxArgs = 2, 1 },
		"raw with two":        func(c *repl.Command) { c.Raw, c.MinArgs = true, 2 },
		"raw query":           func(c *repl.Command) { c.Raw, c.Query = true, true },
		"alias is own name":   func(c *repl.Command) { c.Aliases = []string{"a"} },
		"alias of other":      func(c *repl.Command) { c.Aliases = []string{"b"} },
		"bad alias":           func(c *repl.Command) { c.Aliases = []string{"x y"} },
		"name taken by alias": func(c *repl.Command) { c.Name = "bb" },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			b := repl.Command{Name: "b", Aliases: []string{"bb"}, Group: "g", Summary: "does b", Run: nothing}
			if _, err := repl.NewTable(b, c); err == nil {
				t.Error("no error")
			}
			if _, err := repl.NewTable(b, good); err != nil {
				t.Errorf("the unchanged one is refused: %v", err)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	table := newShell(t).Table()
	for _, tt := range []struct{ word, want, problem string }{
		{"msg", "msg", ""},
		{"ms", "msg", ""},
		{"memberl", "members", ""},
		{"mem", "", "it could be memberjoin, memberlist, members"},
		{"member", "", "it could be"},
		{"", "", "help"},
		{"membrs", "", "did you mean members?"},
		{"mebmers", "", "did you mean members?"},
		{"zzzzzz", "", "/help lists them"},
		{"?", "help", ""},
	} {
		c, err := table.Match(tt.word)
		switch {
		case tt.problem == "" && (err != nil || c.Name != tt.want):
			t.Errorf("%q: %v, %v; want %s", tt.word, c, err, tt.want)
		case tt.problem != "" && (!errors.Is(err, repl.ErrUnknown) || !strings.Contains(err.Error(), tt.problem)):
			t.Errorf("%q: error %v, want %q", tt.word, err, tt.problem)
		}
	}
	if _, ok := table.Lookup("ms"); ok {
		t.Error("Lookup takes a prefix")
	}
}

func TestPrefixOfOneCommandsTwoNames(t *testing.T) {
	table, err := repl.NewTable(repl.Command{Name: "memberlist", Aliases: []string{"members"}, Group: "g", Summary: "s", Run: nothing})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := table.Match("mem"); err != nil || c.Name != "memberlist" {
		t.Errorf("mem: %v, %v", c, err)
	}
}

func TestNearest(t *testing.T) {
	table := newShell(t).Table()
	for word, want := range map[string]string{
		"msgs": "msg", "mgs": "msg", "Members": "members", "memb": "memberjoin", "exitt": "exit",
		"qiut": "quit", "x": "", "hello": "", "": "", "slepe": "sleep",
	} {
		if got := table.Nearest(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestGroupsInOrderOfAppearance(t *testing.T) {
	var got []string
	for _, g := range newShell(t).Table().Groups() {
		names := ""
		for _, c := range g.Commands {
			names += " " + c.Name
		}
		got = append(got, g.Name+":"+names)
	}
	want := "cli: help mode quit exit|chat: msg members memberjoin|data: set fail count boom|script: echo sleep execute"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("groups\n %s, want\n %s", s, want)
	}
}
