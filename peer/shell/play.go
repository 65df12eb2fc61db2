package shell

import (
	"context"
	"fmt"
	"io"

	"github.com/peerlab/peerlab/repl"
)

// play is the way from a line of Go to a command of every peer. Without
// arguments it tells that way, as steps that can be typed as they stand; with
// arguments it shows what a command gets.
//
// What keep has written is a command as any other, in a file of its own. When
// it has grown up:
//
//  1. Move it into the list in the file of the group that it belongs to
//     (memberlist.go for the group memberlist), or, if it belongs to a feature,
//     into the Commands of that extension; p has what k had, and more.
//  2. Give it that Group, Usage, and Help with an example. MinArgs and MaxArgs
//     are checked before Run is called, with the usage line as the error. Query
//     makes it take --json: then print JSON when c.JSON is set.
//  3. What it does to the peer belongs into package node, as a method; Run
//     turns words into arguments, and the result into lines.
//  4. Return nil only when it has happened. An error is one line that says
//     what was wrong and what to do; repl.Usagef is for wrong arguments.
//  5. Print to c.Out only, and other people's words through repl.Neutral.
//  6. Add a line to a script in scripts/shell, which tests run.
func (p *peer) play() repl.Command {
	return repl.Command{
		Name: "play", Group: "development", Usage: "[...]", MaxArgs: repl.Any,
		Summary: "from a line of Go to a command of every peer",
		Help:    "Without arguments it tells the way, in steps to be typed. With arguments it\nshows what a command gets.\n\n\tplay one 'two words'",
		Run: func(_ context.Context, c *repl.Call) error {
			if len(c.Args) == 0 {
				_, err := io.WriteString(c.Out, lesson)
				return err
			}
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

// lesson is what play tells. A test types its indented lines, but for those that
// begin with "$": they are for the system's own shell.
const lesson = `Try something. What a line declares is there for the next one.

    go len(members())
    go func greeting(name string) string { return "hello " + name }
    go greeting(peer.Name())

A function of this form can be a command of this peer, at once.

    go func greet(ctx context.Context, args []string) error { for _, m := range members() { fmt.Println(greeting(m.Name), args) }; return nil }
    keep greet say hello to those who are there
    help greet
    greet good morning

Others find it useful: keep it again, and its help has the call that worked. The
file greet_command.go has all that it needs. Put it into peer/shell: it is a
command of every peer that you build, and nothing else has to be done.

    keep greet
    $ mv greet_command.go peer/shell && go test ./peer/shell && go run ./peer

What is longer is easier in an editor. The file runs in here whenever you save
it; keep makes a command of its function run, too.

    edit lottery

When you have tried much, look what it has cost, and begin anew with what you
have declared and kept.

    vars -mem
    reboot
`
