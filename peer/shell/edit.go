package shell

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/peerlab/peerlab/repl"
)

// Editor runs files of Go while they are edited.
type Editor interface {
	// Snippet finds the file of that name, and begins it if there is none; an
	// empty name means the last one. path is where an editor finds it.
	Snippet(name string) (found, path string, err error)
	// Watch runs the file whenever it is saved, until Unwatch, instead of one
	// that was watched before. out is written to meanwhile.
	Watch(name string, out io.Writer) error
	// Watched is the name of the file that is watched; empty for none.
	Watched() string
	// Unwatch ends that and waits until nothing of it runs. A file that was
	// just saved is run before; what runs is stopped when ctx ends, at once if
	// it has ended.
	Unwatch(ctx context.Context)
}

// edit is the command that edits Go.
func (p *peer) edit() repl.Command {
	return p.development(repl.Command{
		Name: "edit", Group: "go", Usage: "[-c | NAME]", MaxArgs: 1,
		Summary: "edit a file of Go that runs here whenever it is saved",
		Help: "At a prompt it opens $VISUAL or $EDITOR; when that ends, so does the watching,\nafter a last run. Elsewhere it prints the path, for an editor of your own, and\n" +
			"watches the file until the next edit without a name. What runs is stopped\nbefore it runs anew. -c goes on with the last file. keep NAME makes a command\nof it.\n\n\tedit lottery",
		Run: p.editGo,
	})
}

func (p *peer) editGo(ctx context.Context, c *repl.Call) error {
	if p.Go == nil {
		return errNoGo
	}
	name := ""
	if len(c.Args) == 1 && c.Args[0] != "-c" {
		name = c.Args[0]
	}
	if before := p.Go.Watched(); before != "" && len(c.Args) == 0 {
		p.Go.Unwatch(stopped(ctx))
		fmt.Fprintf(c.Out, "%s.go is not watched any more\n", before)
		return nil
	}
	name, path, err := p.Go.Snippet(name)
	if err != nil {
		return err
	}
	if !c.Interactive || p.Config.Editor == nil {
		if err := p.Go.Watch(name, &lines{out: p.late(), turn: new(sync.Mutex)}); err != nil {
			return err
		}
		fmt.Fprintf(c.Out, "%s runs whenever it is saved; edit without a name ends that\n", repl.Neutral(path))
		return nil
	}
	out := &lines{out: c.Out, turn: new(sync.Mutex)}
	defer out.end()
	if err := p.Go.Watch(name, out); err != nil {
		return err
	}
	err = p.Config.Editor(ctx, path)
	if err != nil {
		ctx = stopped(ctx)
	}
	p.Go.Unwatch(ctx)
	return err
}

// stopped is a context that has ended.
func stopped(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// late is where output goes whose command has ended.
func (p *peer) late() io.Writer {
	if p.Late == nil {
		return io.Discard
	}
	return p.Late
}
