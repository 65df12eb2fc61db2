package cli_test

import (
	"context"
	"fmt"
	"os"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/repl"
)

// bombs are extensions of the test binary that panic when they are told to.
// TEST_BOMB is the named pipe that says when.
func bombs() []extension.Extension {
	pipe := os.Getenv("TEST_BOMB")
	if pipe == "" {
		return nil
	}
	return []extension.Extension{&bomb{fuse: make(chan string), pipe: pipe}}
}

type bomb struct {
	fuse chan string
	pipe string
}

func (b *bomb) Name() string              { return "bomb" }
func (b *bomb) Changed(extension.Change)  {}
func (b *bomb) Accept(s extension.Stream) { s.Close() }

// Commands are boom, which panics in a goroutine of the extension, and hang,
// which does so too and waits for ever for what that goroutine owes it.
func (b *bomb) Commands() []repl.Command {
	command := func(name string, f func()) repl.Command {
		return repl.Command{Name: name, Summary: "explode", Group: "bomb", Run: func(_ context.Context, c *repl.Call) error {
			fmt.Fprintln(c.Out, "it burns")
			f()
			return nil
		}}
	}
	return []repl.Command{
		command("boom", func() { b.fuse <- "boom" }),
		command("hang", func() { b.fuse <- "hang"; select {} }),
	}
}

// wait reads the pipe, until somebody writes.
func (b *bomb) wait() {
	f, err := os.Open(b.pipe)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.Read(make([]byte, 1)); err != nil {
		panic(err)
	}
}

func (b *bomb) Run(ctx context.Context, _ extension.Services, ready func()) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer guard.Catch(ctx)
		select {
		case what := <-b.fuse:
			b.wait()
			panic(what)
		case <-ctx.Done():
		}
	}()
	ready()
	<-ctx.Done()
	<-ended
	return nil
}
