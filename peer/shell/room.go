package shell

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/peerlab/peerlab/peer/explore/lab"
)

var errNoRoom = errors.New("this peer shows its commands no chat")

// noRoom is the chat of a peer that has none to show.
type noRoom struct{}

func (noRoom) Send(context.Context, string) (lab.Delivery, error) { return lab.Delivery{}, errNoRoom }

func (noRoom) Ping(context.Context, string) (time.Duration, error) { return 0, errNoRoom }

func (noRoom) Members() ([]string, error) { return nil, errNoRoom }

// execute runs a line of commands for one of them.
func (p *peer) execute(ctx context.Context, line string, out io.Writer) error {
	return p.shell.Execute(ctx, line, out)
}
