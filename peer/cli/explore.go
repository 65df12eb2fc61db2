package cli

import (
	"cmp"
	"context"
	"io"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/loader"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// newBench makes what a peer has of Go. It opens nothing yet. data keeps files
// that are edited, nil none; execute runs the peer's commands.
func newBench(n *node.Node, exts []extension.Extension, scr *screen, data files.FS, execute func(ctx context.Context, line string, out io.Writer) error) *workbench.Workbench {
	cfg := workbench.Config{Node: n, Late: late{scr}, Command: execute, Open: loader.Open, Files: data}
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
	err := bench.Prepare(ctx, late{scr})
	slow.Stop()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		scr.print("Go: " + repl.Neutral(err.Error()) + "\n")
	default:
		scr.print("Go is ready: /go len(members()), or /mode go\n")
	}
}

// editor is how a file is edited at the terminal; nil where it is not.
func (s *screen) editor(p Process) func(ctx context.Context, file string) error {
	e, ok := s.reader.(interface {
		Edit(ctx context.Context, file string) error
	})
	if !ok || cmp.Or(p.Env("VISUAL"), p.Env("EDITOR")) == "" {
		return nil
	}
	return e.Edit
}

// late prints what comes when its line has ended.
type late struct{ screen *screen }

func (l late) Write(b []byte) (int, error) {
	l.screen.print(string(b))
	return len(b), nil
}
