package main

import (
	"context"
	"fmt"

	"github.com/peerlab/peerlab/repl"
)

// name is what the program calls itself.
const name = "template"

// commands are the program's own; help, mode, quit, exit, echo, sleep and
// execute come with the shell.
func commands() []repl.Command {
	return []repl.Command{
		greetCommand(),
	}
}

// greetCommand is an example to replace.
func greetCommand() repl.Command {
	return repl.Command{
		Name: "greet", Group: "example", Usage: "NAME", MinArgs: 1, MaxArgs: 1,
		Summary: "greet somebody",
		Run: func(_ context.Context, c *repl.Call) error {
			_, err := fmt.Fprintf(c.Out, "Hello, %s!\n", c.Args[0])
			return err
		},
	}
}
