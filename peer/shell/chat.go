package shell

import (
	"context"
	"fmt"

	"github.com/peerlab/peerlab/repl"
)

// chat are the commands that open and close the chat; what is done in it are
// commands of the extension.
func (p *peer) chat() []repl.Command {
	return []repl.Command{
		{
			Name: "chatstart", Group: "chat",
			Summary: "open the chat",
			Help:    "It returns when the members have answered. On an open chat it does nothing.",
			Run: func(ctx context.Context, c *repl.Call) error {
				if err := p.Node.StartExtension(ctx, "chat"); err != nil {
					return err
				}
				fmt.Fprintln(c.Out, "the chat is open")
				return nil
			},
		},
		{
			Name: "chatleave", Group: "chat",
			Summary: "leave the chat; the others see <left>",
			Help:    "The peer stays a member. chatstart opens the chat again.",
			Run: func(ctx context.Context, c *repl.Call) error {
				if err := p.Node.StopExtension(ctx, "chat"); err != nil {
					return err
				}
				fmt.Fprintln(c.Out, "the chat is closed")
				return nil
			},
		},
	}
}
