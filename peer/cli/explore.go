package cli

import (
	"context"
	"io"
	"time"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/loader"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// newBench makes what a peer has of Go. It opens nothing yet. execute runs the
// peer's commands.
func newBench(n *node.Node, exts []extension.Extension, scr *screen, execute func(ctx context.Context, line string, out io.Writer) error) *workbench.Workbench {
	cfg := workbench.Config{Node: n, Late: late{scr}, Command: execute, Open: loader.Open}
	for _, e := range exts {
		if room, ok := e.(*chat.Room); ok {
			cfg.Room = room
		}
	}
	return workbench.New(cfg)
}

// usual is how long Go may take to get ready without a word.
const usual = 5 * time.Second

// prepareGo gets ready in the background what the first line of Go would wait
// for, and says so.
func prepareGo(ctx context.Context, bench *workbench.Workbench, scr *screen) {
	slow := time.AfterFunc(usual, func() {
		scr.print("Go is getting ready: the first time on a machine this takes a minute or more\n")
	})
	err := bench.Prepare(ctx)
	slow.Stop()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		scr.print("Go: " + repl.Neutral(err.Error()) + "\n")
	default:
		scr.print("Go is ready: /go len(members()), or /mode go\n")
	}
}

// late prints what comes when its line has ended.
type late struct{ screen *screen }

func (l late) Write(b []byte) (int, error) {
	l.screen.print(string(b))
	return len(b), nil
}
