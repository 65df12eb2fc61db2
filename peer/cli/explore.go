package cli

import (
	"context"
	"io"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/repl"
)

// newBench makes what the peer has of Go. It opens nothing yet.
func (r *run) newBench() *workbench.Workbench {
	cfg := workbench.Config{
		Node: r.node, Late: late{&r.screen},
		Command: func(ctx context.Context, line string, out io.Writer) error { return r.shell.Execute(ctx, line, out) },
	}
	for _, e := range r.setup.cfg.Extensions {
		if room, ok := e.(*chat.Room); ok {
			cfg.Room = room
		}
	}
	return workbench.New(cfg)
}

// prepareGo gets ready in the background what the first line of Go would wait
// for, and says so.
func (r *run) prepareGo(ctx context.Context) {
	err := r.bench.Prepare(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.screen.print("Go: " + repl.Neutral(err.Error()) + "\n")
	default:
		r.screen.print("Go is ready: /go len(members()), or /mode go\n")
	}
}

// late prints what comes when its line has ended.
type late struct{ screen *screen }

func (l late) Write(b []byte) (int, error) {
	l.screen.print(string(b))
	return len(b), nil
}
