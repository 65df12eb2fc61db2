package readline_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
)

// A program chooses the reader that its terminal can do with.
func Example() {
	shell, err := repl.New(repl.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	reader := readline.NewPlain(readline.Config{})
	if readline.Interactive(os.Stdin, os.Stdout, os.Getenv("TERM")) {
		if reader, err = readline.New(readline.Config{}); err != nil {
			fmt.Println(err)
			return
		}
	}
	defer reader.Close()
	if err := shell.Interact(context.Background(), reader); !errors.Is(err, repl.ErrQuit) {
		fmt.Println(err)
	}
}
