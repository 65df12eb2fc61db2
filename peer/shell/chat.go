package shell

import (
	"context"
	"fmt"
	"strings"
	"time"

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
		{
			Name: "chatstop", Group: "chat",
			Summary: "close the chat without a word to the others",
			Help:    "They find out after some seconds, or never, if chatstart opens it before. To\nsay goodbye, use chatleave.",
			Run: func(ctx context.Context, c *repl.Call) error {
				if err := p.Node.SilenceExtension(ctx, "chat"); err != nil {
					return err
				}
				fmt.Fprintln(c.Out, "the chat is closed")
				return nil
			},
		},
		{
			Name: "chatping", Group: "chat", Usage: "NAME", MinArgs: 1, MaxArgs: 1,
			Summary:  "reach a member over the membership's packets",
			Help:     "Prints the time until the answer came. chatmemberping uses the chat's stream.\n\n\tchatping bob",
			Complete: p.completeMember,
			Run:      p.chatPing,
		},
	}
}

func (p *peer) chatPing(_ context.Context, c *repl.Call) error {
	g, err := p.Node.Membership()
	if err != nil {
		return err
	}
	name := c.Args[0]
	if name == p.Node.Name() {
		return fmt.Errorf("%s is this peer: name another member", name)
	}
	members := g.Members()
	var names []string
	for _, m := range members {
		if m.Name != name {
			names = append(names, m.Name)
			continue
		}
		took, err := g.Ping(m)
		if err != nil {
			return fmt.Errorf("no answer from %s: %w: members tells how it stands", name, err)
		}
		fmt.Fprintf(c.Out, "%s answered in %v\n", repl.Neutral(name), took.Round(time.Microsecond))
		return nil
	}
	if len(names) == 0 {
		return fmt.Errorf("%s is not in the group: nobody else is", name)
	}
	return fmt.Errorf("%s is not in the group: %s", name, strings.Join(names, ", "))
}

// completeMember proposes the members.
func (p *peer) completeMember(args []string) []repl.Candidate {
	g, err := p.Node.Membership()
	if err != nil || len(args) > 0 {
		return nil
	}
	var all []repl.Candidate
	for _, m := range g.Members() {
		all = append(all, repl.Candidate{Text: m.Name, Help: m.Addr.String()})
	}
	return all
}
