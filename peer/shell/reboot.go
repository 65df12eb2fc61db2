package shell

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/peerlab/peerlab/repl"
)

// Accountant tells what Go has cost.
type Accountant interface {
	// Memory prints the account.
	Memory(ctx context.Context, out io.Writer) error
}

// vars prints the names of Go, or what it has cost.
func (p *peer) vars(ctx context.Context, c *repl.Call) error {
	return p.withGo(c.Out, func(e Explorer, out io.Writer) error {
		switch {
		case len(c.Args) == 0:
			return e.Vars(ctx, out)
		case c.Args[0] == "-mem":
			return e.Memory(ctx, out)
		}
		return repl.Usagef("%q is no option", c.Args[0])
	})
}

// reboot is the command that gives back what Go has cost.
func (p *peer) reboot() repl.Command {
	return p.development(repl.Command{
		Name: "reboot", Group: "go",
		Summary: "start this peer anew, with the Go that was declared",
		Help: "It leaves in order, and a new process takes its place: the same peer, a boot\nlater, with the same flags. Imports, types, constants and functions are there\n" +
			"again, and so are commands that were kept. Variables begin as they were\ndeclared, which may ask or do something once more; other statements are not\nrepeated. What that costs, vars -mem tells.",
		Run: func(ctx context.Context, c *repl.Call) error {
			if p.Reboot == nil {
				return errors.New("this peer cannot start itself anew: quit, and start it again")
			}
			if err := p.Reboot(ctx, p.keepAgain(), c.Out); err != nil {
				return err
			}
			fmt.Fprintln(c.Out, "leaving, to be back at once")
			return repl.ErrQuit
		},
	})
}

// keepAgain are lines that make the commands that were kept.
func (p *peer) keepAgain() []string {
	var all []string
	for _, c := range p.shell.Added() {
		if f := p.kept.of(c.Name).function; f != "" {
			all = append(all, "keep -n "+f+" "+repl.Quote(c.Summary))
		}
	}
	return all
}
