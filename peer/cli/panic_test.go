package cli_test

import (
	"context"
	"os"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/repl"
)

// bombs are extensions of the test binary that panic when they are told to.
func bombs() []extension.Extension {
	if os.Getenv("TEST_BOMB") == "" {
		return nil
	}
	return []extension.Extension{&bomb{fuse: make(chan string)}}
}

type bomb struct{ fuse chan string }

func (b *bomb) Name() string              { return "bomb" }
func (b *bomb) Changed(extension.Change)  {}
func (b *bomb) Accept(s extension.Stream) { s.Close() }

// Commands are boom, which panics in a goroutine of the extension, and hang,
// which does so too and waits for ever for what that goroutine owes it.
func (b *bomb) Commands() []repl.Command {
	command := func(name string, f func()) repl.Command {
		return repl.Command{Name: name, Summary: "explode", Group: "bomb", Run: func(context.Context, *repl.Call) error {
			f()
			return nil
		}}
	}
	return []repl.Command{
		command("boom", func() { b.fuse <- "boom" }),
		command("hang", func() { b.fuse <- "hang"; select {} }),
	}
}

func (b *bomb) Run(ctx context.Context, _ extension.Services, ready func()) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer guard.Catch(ctx)
		select {
		case what := <-b.fuse:
			time.Sleep(50 * time.Millisecond) // the prompt is shown again
			panic(what)
		case <-ctx.Done():
		}
	}()
	ready()
	<-ctx.Done()
	<-ended
	return nil
}
