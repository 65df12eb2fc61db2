package repl_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/peerlab/peerlab/repl"
)

func TestHelpTopics(t *testing.T) {
	s := newShell(t)
	for _, tt := range []struct{ line, want string }{
		{"help", "  cli     help mode quit exit\n  chat    msg members memberjoin\n"},
		{"help groups", "cli              4\nchat             3\n"},
		{"help groups data", "data\n  set KEY TEXT      set a key\n  fail              fail\n"},
		{"help data", "data\n  set KEY TEXT      set a key\n"},
		{"help chat", "  memberjoin [HOST:PORT ...]\n                    join\n"},
		{"help commands", "  echo [TEXT]       print the text\n"},
		{"help set", "set KEY TEXT\n  set a key\n\n  The key lives on all members.\n\n  set colour blue\n"},
		{"help /set", "set KEY TEXT\n"},
		{"help memberlist", "members\n  who is there\n\n  --json prints JSON\n\n  also: memberlist\n"},
		{"help help", "help [groups [GROUP] | commands | COMMAND]\n"},
		{"?", "help COMMAND"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			out, err := execute(s, tt.line)
			if err != nil || !strings.Contains(out, tt.want) {
				t.Errorf("error %v, output\n%swant\n%s", err, out, tt.want)
			}
		})
	}
}

func TestHelpRefuses(t *testing.T) {
	s := newShell(t)
	for line, problem := range map[string]string{
		"help membrs":      "did you mean members?",
		"help xyzzy":       "unknown command",
		"help se":          "did you mean set?",
		"help groups dat":  "there are cli, chat, data, script",
		"help set x":       "usage: help",
		"help groups a bb": "usage: help",
	} {
		if _, err := execute(s, line); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, want %q", line, err, problem)
		}
	}
	if _, err := execute(s, "help membrs"); !errors.Is(err, repl.ErrUnknown) {
		t.Errorf("%v", err)
	}
}

// crowd are n groups of m commands with long names.
func crowd(n, m int) (all []repl.Command) {
	for g := range n {
		for c := range m {
			all = append(all, repl.Command{Name: fmt.Sprintf("longcommand%d-%d", g, c), Group: fmt.Sprintf("group%d", g), Summary: "s", Run: nothing})
		}
	}
	return all
}

func TestOverviewFitsOneScreen(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {9, 5}, {9, 12}, {11, 30}} {
		s := newShell(t, func(c *repl.Config) {
			c.Commands = crowd(size[0], size[1])
			c.Intro = []string{"This is a shell.", "Try: help help"}
		})
		out, err := execute(s, "help")
		if err != nil || !strings.HasPrefix(out, "This is a shell.\nTry: help help\n") {
			t.Errorf("%v, %q", err, out)
		}
		if n := strings.Count(out, "\n"); n > 23 {
			t.Errorf("%v: %d lines:\n%s", size, n, out)
		}
		for line := range strings.Lines(out) {
			if utf8.RuneCountInString(line) > 81 {
				t.Errorf("%v: %d columns: %q", size, utf8.RuneCountInString(line)-1, line)
			}
		}
	}
}

// TestOverviewAtTheLimit: blank lines go first, then words of the tallest group
// only, as few as must.
func TestOverviewAtTheLimit(t *testing.T) {
	for _, tt := range []struct {
		small  int // groups of one line beside one of several
		height int
		blanks bool
		cut    string
	}{
		{5, 18, true, ""},
		{10, 23, true, ""},
		{11, 22, false, ""},
		{12, 23, false, ""},
		{13, 23, false, " +4\n"},
		{14, 23, false, " +8\n"},
	} {
		s := newShell(t, func(c *repl.Config) {
			c.Commands = append(crowd(1, 28), crowd(tt.small+1, 1)[1:]...)
			c.Intro = []string{"This is a shell."}
		})
		out, err := execute(s, "help")
		if err != nil || strings.Count(out, "\n") != tt.height || strings.Contains(out, "\n\n") != tt.blanks ||
			strings.Contains(out, " +") != (tt.cut != "") || !strings.Contains(out, tt.cut) {
			t.Errorf("%d: %v, %d lines:\n%s", tt.small, err, strings.Count(out, "\n"), out)
		}
	}
}

func TestOverviewSaysHowCommandsBegin(t *testing.T) {
	for mode, want := range map[string]string{"chat": "/help COMMAND, /help groups", "cmd": "\nhelp COMMAND, help groups"} {
		s := newShell(t, chatModes)
		_ = s.SetMode(mode)
		r := &replay{lines: []string{"?"}, then: io.EOF}
		_ = s.Interact(t.Context(), r)
		if len(r.log) < 2 || !strings.Contains(r.log[1], want) {
			t.Errorf("mode %s: %q", mode, r.log)
		}
	}
}

// TestHelpNamesEverything: no command is missing from the help.
func TestHelpNamesEverything(t *testing.T) {
	s := newShell(t)
	overview, _ := execute(s, "help")
	all, _ := execute(s, "help commands")
	for _, c := range s.Table().Commands() {
		if !strings.Contains(overview, " "+c.Name) || !strings.Contains(all, "  "+c.Name) {
			t.Errorf("%s is missing", c.Name)
		}
		if out, err := execute(s, "help "+c.Name); err != nil || !strings.Contains(out, c.Summary) {
			t.Errorf("help %s: %q, %v", c.Name, out, err)
		}
	}
}
