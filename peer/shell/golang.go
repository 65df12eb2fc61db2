package shell

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/peerlab/peerlab/repl"
)

// Explorer evaluates Go in this peer. *workbench.Workbench is one.
type Explorer interface {
	Asker
	Keeper
	Editor
	Accountant
	// Eval evaluates an input and prints what it shows to out. With assert
	// one that shows nothing but false is an error. When ctx ends it is
	// stopped.
	Eval(ctx context.Context, src string, out io.Writer, assert bool) error
	// Unfinished tells that more lines must follow before src can run.
	Unfinished(src string) bool
	// Import makes a package known, "PATH" or "PATH@VERSION".
	Import(ctx context.Context, spec string, out io.Writer) error
	// Vars prints what the names stand for.
	Vars(ctx context.Context, out io.Writer) error
	// Doctor prints what keeps Go from being compiled.
	Doctor(ctx context.Context, out io.Writer) error
}

// golang are the commands that type Go into the peer.
func (p *peer) golang() []repl.Command {
	return p.completed(append([]repl.Command{
		p.development(repl.Command{
			Name: "go", Group: "go", Usage: "CODE", MinArgs: 1, MaxArgs: repl.Any, Raw: true,
			Summary: "run Go inside this peer, and show the values",
			Help: "Names stay: what one line declares the next may use. The peer is there as\npeer, members(), room (its chat), ml (the live memberlist) and ctx, which ends\n" +
				"when the line is stopped. In mode go every line at the prompt is Go.\n\nIn a script, with -c and in a scenario a line that shows nothing but false\nfails.\n\n\tgo len(members()) == 3",
			Run: p.goCode,
		}),
		p.development(repl.Command{
			Name: "import", Group: "go", Usage: "PATH[@VERSION]|DIR", MinArgs: 1, MaxArgs: 1, Raw: true,
			Summary: "have a package in Go, fetched if it is not there",
			Help: "Without a version it is the newest release that is on this machine, or else\nthe newest of all; @latest asks for that. Modules that this program is built\nwith keep their versions: a package that needs others is refused, or an older\n" +
				"release of it is taken. ./DIR is a library that you work on. What a peer has\nimported it keeps as it is until it ends.\n\n\timport github.com/tidwall/btree\n\timport ./mylib",
			Run: p.goImport,
		}),
		p.development(repl.Command{
			Name: "vars", Group: "go", Usage: "[-mem]", MaxArgs: 1,
			Summary: "the names of Go here, and their types",
			Help:    "What lines have declared, and the objects of the peer. With -mem it tells what\ncompiled lines have cost: they stay until the peer ends.\n\n\tvars",
			Run:     p.vars,
		}),
		p.development(repl.Command{
			Name: "doctor", Group: "go",
			Summary: "what keeps Go from being compiled for this peer",
			Help:    "It looks for the Go that the peer was built with, a C compiler, the source of\nthe peer, and room on the disk; and says what to do about each. Where\nnothing is missing it compiles what every line needs, to be sure.",
			Run: func(ctx context.Context, c *repl.Call) error {
				return p.withGo(c.Out, func(e Explorer, out io.Writer) error { return e.Doctor(ctx, out) })
			},
		}),
	}, p.asking()...))
}

var errNoGo = errors.New("this peer runs no Go: a peer in a process of its own does, started with --dev")

// withGo gives f the peer's Go, and an output from which nothing can steer the
// terminal.
func (p *peer) withGo(to io.Writer, f func(Explorer, io.Writer) error) error {
	if p.Go == nil {
		return errNoGo
	}
	out := &lines{out: to, turn: new(sync.Mutex)}
	defer out.end()
	return f(p.Go, out)
}

func (p *peer) goCode(ctx context.Context, c *repl.Call) error {
	return p.evaluate(ctx, c.Text, c.Out, !c.Interactive)
}

func (p *peer) goImport(ctx context.Context, c *repl.Call) error {
	spec := strings.Trim(strings.TrimSpace(c.Text), "\"`")
	return p.withGo(c.Out, func(e Explorer, out io.Writer) error { return e.Import(ctx, spec, out) })
}

// goMode is the mode in which bare lines are Go. A peer that runs none, or may
// not, refuses it.
func (p *peer) goMode(prompt func() string) repl.Mode {
	switch {
	case !p.Dev:
		return repl.Mode{Name: "go", Refused: notDev("mode go")}
	case p.Go == nil:
		return repl.Mode{Name: "go", Refused: errNoGo}
	}
	return repl.Mode{
		Name: "go", Prompt: prompt, Verbatim: true, Unfinished: p.Go.Unfinished, Complete: p.Go.Complete, Hint: p.Go.Hint,
		Run: func(ctx context.Context, text string, out io.Writer) error {
			return placed(text, p.record(ctx, "go "+text, out, func(ctx context.Context, out io.Writer) error {
				return p.remedy(text, p.evaluate(ctx, text, out, false))
			}))
		},
	}
}
