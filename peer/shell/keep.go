package shell

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/peerlab/peerlab/peer/explore/permanent"
	"github.com/peerlab/peerlab/repl"
)

// Keeper makes commands of functions of the session.
type Keeper interface {
	// Keep takes a function, func(ctx context.Context, args []string) error or
	// one without arguments, that a name of the session stands for. run may be
	// called from several goroutines.
	Keep(ctx context.Context, name string) (run func(ctx context.Context, args []string, out io.Writer) error, takesArgs bool, err error)
	// Permanent makes a file for this package out of what Keep took, and tells
	// what is different there. The error matches permanent.ErrCannot if there
	// can be none.
	Permanent(ctx context.Context, name, command, summary, example string) (text []byte, notes []string, err error)
}

// keptGroup is the group of commands that were made in a peer.
const keptGroup = "kept"

// wordsOfScenarios are words that have a meaning after a peer's name in a
// scenario: a command could not be reached there.
func wordsOfScenarios() []string { return []string{"await", "expect", "never", "stable"} }

// keeping remembers how kept commands were made.
type keeping struct {
	mu   sync.Mutex
	made map[string]making // by command
}

// making is how a command was made.
type making struct {
	function string // its name in the session
	takes    bool   // arguments
	example  string // the last line that worked; empty for none
}

func (k *keeping) worked(command, line string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m, ok := k.made[command]; ok {
		m.example = line
		k.made[command] = m
	}
}

// of tells how a command was made.
func (k *keeping) of(command string) making {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.made[command]
}

// make remembers how a command is made now. A line that worked before is one
// that works yet if both functions take arguments, or neither does.
func (k *keeping) make(command, function string, takes bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.made == nil {
		k.made = map[string]making{}
	}
	m := making{function: function, takes: takes}
	if before := k.made[command]; before.takes == takes {
		m.example = before.example
	}
	k.made[command] = m
}

func (k *keeping) forget(command string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.made, command)
}

// keepCommands are the commands that make commands.
func (p *peer) keepCommands() []repl.Command {
	keep := repl.Command{
		Name: "keep", Group: "go", Usage: "[-n | -o DIR] NAME [SUMMARY ...]", MinArgs: 1, MaxArgs: repl.Any,
		Summary: "make a command of a function of yours",
		Help: "The function is func(ctx context.Context, args []string) error, or it has no\nargs. It is a command of this peer at once, in scripts and scenarios too, with\n" +
			"help and completion. Keep it again after a change.\n\nThe file NAME_command.go, in DIR or the present directory, makes it one of\nevery peer: put it into peer/shell, and build. What the function needs of the\n" +
			"session is in it. The example in its help is the last call that worked, so\ntry the command, and keep it once more. -n writes no file.\n\n\tkeep greet say hello to those who are there",
		Run: p.keep,
	}
	unkeep := repl.Command{
		Name: "unkeep", Group: "go", Usage: "NAME", MinArgs: 1, MaxArgs: 1,
		Summary:  "take away a command that keep has made",
		Help:     "The function stays, and so does a file that was written.\n\n\tunkeep greet",
		Complete: p.completeKept,
		Run: func(_ context.Context, c *repl.Call) error {
			if err := p.shell.Remove(c.Args[0]); err != nil {
				return fmt.Errorf("%s is no command that was kept here", repl.Quote(c.Args[0]))
			}
			p.kept.forget(c.Args[0])
			fmt.Fprintf(c.Out, "%s is no command any more\n", c.Args[0])
			return nil
		},
	}
	if p.Go != nil && p.Dev {
		keep.CompleteText = p.Go.CompleteName
	}
	return []repl.Command{p.development(keep), p.development(unkeep)}
}

func (p *peer) completeKept(args []string) []repl.Candidate {
	var all []repl.Candidate
	for _, c := range p.shell.Added() {
		if len(args) == 0 {
			all = append(all, repl.Candidate{Text: c.Name, Help: c.Summary})
		}
	}
	return all
}

func (p *peer) keep(ctx context.Context, c *repl.Call) error {
	if p.Go == nil {
		return errNoGo
	}
	dir, args := "", c.Args
	file := p.Place != nil
	switch {
	case args[0] == "-n" && len(args) > 1:
		file, args = false, args[1:]
	case args[0] == "-o" && len(args) > 2:
		dir, args = args[1], args[2:]
	case args[0] == "-n", args[0] == "-o":
		return repl.Usagef("%s needs more after it", args[0])
	}
	name, summary := args[0], strings.Join(args[1:], " ")
	kept, err := p.keepAs(ctx, name, summary)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s is a command now: %s\n", kept.Name, strings.TrimSpace(kept.Name+" "+kept.Usage))
	if !file {
		return nil
	}
	text, notes, err := p.Go.Permanent(ctx, name, kept.Name, kept.Summary, cmp.Or(p.kept.of(kept.Name).example, kept.Name))
	if errors.Is(err, permanent.ErrCannot) {
		fmt.Fprintf(c.Out, "it has no file: %s\n", repl.Neutral(err.Error()))
		return nil
	}
	if err != nil {
		return err
	}
	return p.writeKept(c.Out, filepath.Join(dir, permanent.FileName(kept.Name)), text, notes)
}

// keepAs makes a command of a function, or makes it anew.
func (p *peer) keepAs(ctx context.Context, function, summary string) (repl.Command, error) {
	name := strings.ToLower(function)
	before, known := p.shell.Table().Lookup(name)
	switch {
	case known && (before.Name != name || !slices.ContainsFunc(p.shell.Added(), func(c repl.Command) bool { return c.Name == name })):
		return repl.Command{}, fmt.Errorf("there is a command %s already: give the function another name", name)
	case slices.Contains(wordsOfScenarios(), name):
		return repl.Command{}, fmt.Errorf("%s means something else in a scenario: give the function another name", name)
	case known && summary == "":
		summary = before.Summary
	case summary == "":
		summary = "a command made in this peer"
	}
	run, takes, err := p.Go.Keep(ctx, function)
	if err != nil {
		return repl.Command{}, err
	}
	c := repl.Command{
		Name: name, Group: keptGroup, Summary: summary, Run: p.runKept(run),
		Help: "Made in this peer by keep, until the peer ends.",
	}
	if takes {
		c.Usage, c.MaxArgs = "[...]", repl.Any
	}
	c = p.development(c)
	if err := p.shell.Add(c); err != nil {
		return repl.Command{}, err
	}
	p.kept.make(name, function, takes)
	return c, nil
}

func (p *peer) runKept(run func(context.Context, []string, io.Writer) error) func(context.Context, *repl.Call) error {
	return func(ctx context.Context, c *repl.Call) error {
		out := &lines{out: c.Out, turn: new(sync.Mutex)}
		defer out.end()
		if err := run(ctx, c.Args, out); err != nil {
			return err
		}
		words := []string{c.Name}
		for _, a := range c.Args {
			words = append(words, repl.Quote(a))
		}
		p.kept.worked(c.Name, strings.Join(words, " "))
		return nil
	}
}

// sealed begins a file that keep has written. What follows the line has the
// sum that it tells, as long as nobody changes it.
const sealed = "// Written by keep, which writes it anew as long as this is its sum: "

func seal(text []byte) []byte {
	return append(fmt.Appendf(nil, "%s%x\n\n", sealed, sha256.Sum256(text)), text...)
}

// unchanged tells a file that keep has written and nobody has changed since.
func unchanged(file []byte) bool {
	head, text, found := strings.Cut(string(file), "\n\n")
	return found && strings.HasPrefix(head, sealed) && string(seal([]byte(text))) == string(file)
}

// writeKept writes the file of a command, over no other than one of its own.
func (p *peer) writeKept(out io.Writer, name string, text []byte, notes []string) error {
	dir, base, err := p.Place(name)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	switch old, err := dir.ReadFile(base); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("keep: %w", err)
	case !unchanged(old):
		return fmt.Errorf("%s is not as keep has written it, and stays: move it, or choose another directory with -o", repl.Neutral(dir.Path(base)))
	}
	if err := dir.WriteFile(base, seal(text), 0o644); err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	fmt.Fprintf(out, "%s makes it one of every peer: put it into peer/shell, and build\n", repl.Neutral(dir.Path(base)))
	for _, n := range notes {
		fmt.Fprintf(out, "note: %s\n", repl.Neutral(n))
	}
	return nil
}
