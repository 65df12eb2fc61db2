package shell

import (
	"context"
	"fmt"

	"github.com/peerlab/peerlab/repl"
)

// play is the developer's scratch command: change its Run, start a peer with
// --dev, and type /play. What it shows now is what a command gets.
//
// To make a real command of what came out of it:
//
//  1. Copy this value into the list in the file of the group that it belongs
//     to (memberlist.go for the group memberlist), or, if it belongs to a
//     feature, into the Commands of that extension.
//  2. Give it a Name, a Group, a Summary of one line, Usage, and Help with an
//     example. MinArgs and MaxArgs are checked before Run is called, with the
//     usage line as the error. Query makes it take --json: then print JSON
//     when c.JSON is set.
//  3. What it does to the peer belongs into package node, as a method; Run
//     turns words into arguments, and the result into lines.
//  4. Return nil only when it has happened. An error is one line that says
//     what was wrong and what to do; repl.Usagef is for wrong arguments.
//  5. Print to c.Out only, and other people's words through repl.Neutral.
//  6. Add a line to a script in scripts/shell, which tests run, and put play
//     back to what it was.
func (p *peer) play() repl.Command {
	return repl.Command{
		Name: "play", Group: "development", Usage: "[...]", MaxArgs: repl.Any,
		Summary: "the developer's scratch command: see peer/shell/play.go",
		Help:    "It prints what a command gets.\n\n\tplay one 'two words'",
		Run: func(_ context.Context, c *repl.Call) error {
			fmt.Fprintf(c.Out, "%s has %s; keyboard: %t\n", c.Name, count(len(c.Args), "argument"), c.Interactive)
			for i, a := range c.Args {
				fmt.Fprintf(c.Out, "%d %q\n", i+1, a)
			}
			s := p.Node.Status()
			fmt.Fprintf(c.Out, "the peer is %s, boot %d, ready: %t\n", s.Self.Name, s.Self.Boot, s.Ready)
			return nil
		},
	}
}
