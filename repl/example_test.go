package repl_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/peerlab/peerlab/repl"
)

// A command is a value; the shell runs it from a script, and helps.
func ExampleShell() {
	greet := repl.Command{
		Name: "greet", Group: "example", Usage: "NAME...", MinArgs: 1, MaxArgs: repl.Any,
		Summary: "greet somebody",
		Run: func(_ context.Context, c *repl.Call) error {
			_, err := fmt.Fprintf(c.Out, "Hello, %s!\n", strings.Join(c.Args, " and "))
			return err
		},
	}
	shell, err := repl.New(repl.Config{Commands: []repl.Command{greet}})
	if err != nil {
		fmt.Println(err)
		return
	}
	script := `
		greet alice 'bob the second'   # words, as in a shell
		/help greet
		greet
	`
	err = shell.Script(context.Background(), "hello.cmd", strings.NewReader(script), os.Stdout)
	fmt.Println(err)
	// Output:
	// Hello, alice and bob the second!
	// greet NAME...
	//   greet somebody
	// hello.cmd:4: usage: greet NAME... (arguments are missing)
}

func ExampleNeutral() {
	fmt.Println(repl.Neutral("harmless\x1b[2J\n"))
	// Output: harmless\x1b[2J\n
}
