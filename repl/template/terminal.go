package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
)

// terminal is where commands come from and output goes.
type terminal struct {
	in, out, err *os.File
	history      string // file; empty keeps none
}

func (t terminal) interactive(term string) bool { return readline.Interactive(t.in, t.out, term) }

// keyboard serves a person.
func (t terminal) keyboard(ctx context.Context, shell *repl.Shell) (err error) {
	h := history{file: t.history}
	reader, err := readline.New(readline.Config{
		In: t.in, Out: t.out, History: h.load(), Save: h.save, Editor: os.Getenv("EDITOR"),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	defer interrupts(shell)()
	reader.Print("help lists the commands, ctrl-D quits")
	return ended(shell.Interact(ctx, reader))
}

// interrupts gives ctrl-C to the command that runs, until stop is called.
func interrupts(shell *repl.Shell) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for range signals {
			shell.Interrupt()
		}
	})
	return func() { signal.Stop(signals); close(signals); watcher.Wait() }
}

// pipe runs what comes, a command a line. A failed one does not stop the
// others.
func (t terminal) pipe(ctx context.Context, shell *repl.Shell) error {
	failed, err := shell.Pipe(ctx, t.in, t.out, t.err)
	if err = ended(err); err == nil && failed > 0 {
		err = fmt.Errorf("%d of the commands failed", failed)
	}
	return err
}
