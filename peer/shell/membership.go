package shell

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// membership are the commands that look into a live member, and those that
// end it. The latter may be called at any time, in any order.
func (p *peer) membership() []repl.Command {
	const again = "init, or memberlistcreate and the steps after it, make a new boot of it."
	return []repl.Command{
		{
			Name: "showmemberlist", Group: "memberlist", Query: true,
			Summary: "the members as memberlist itself knows them",
			Help:    "With the name of each boot, such as alice~3.9f2c41, and old boots that are not\ngiven up yet: ghosts.",
			Run:     p.showMemberlist,
		},
		{
			Name: "memberlisthealthscore", Group: "memberlist", Query: true,
			Summary: "how healthy this member believes itself to be",
			Help:    "0 is healthy. It rises when probes and answers come late.",
			Run:     p.healthScore,
		},
		{
			Name: "memberlistupdate", Group: "memberlist", Usage: "[SECONDS]", MaxArgs: 1,
			Summary: "announce this member's metadata once more",
			Help:    "It returns when the announcement is on its way, for at most SECONDS (5).\n\n\tmemberlistupdate 2",
			Run:     p.update,
		},
		{
			Name: "memberlistleave", Group: "memberlist", Usage: "[SECONDS]", MaxArgs: 1,
			Summary: "leave the group in order; the process stays",
			Help:    "Takes this peer off the bootstrap list, closes the chat, and gives the word\nSECONDS (2) to get out.\n" + again + "\n\n\tmemberlistleave 3",
			Run:     p.leave,
		},
		{
			Name: "memberlistshutdown", Group: "memberlist",
			Summary: "end the member without leaving; others see <lost>",
			Help:    again,
			Run:     p.ending((*node.Node).Shutdown, "shut down, without a word"),
		},
		{
			Name: "memberlistshutdowntransport", Group: "memberlist",
			Summary: "take the network away from the member",
			Help:    "It goes on and loses the others, as they lose it.\n" + again,
			Run:     p.ending((*node.Node).ShutdownTransport, "the transport is down"),
		},
		{
			Name: "memberlistdelete", Group: "memberlist",
			Summary: "shut the member down, if it is not, and forget it",
			Help:    "Its address is free again; its configuration stays.\n" + again,
			Run:     p.ending((*node.Node).Delete, "there is no member"),
		},
	}
}

func (p *peer) showMemberlist(_ context.Context, c *repl.Call) error {
	g, err := p.Node.Membership()
	if err != nil {
		return err
	}
	nodes, err := g.Nodes()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, nodes)
	}
	var rows [][]string
	for _, n := range nodes {
		rows = append(rows, []string{n.Node, n.State, markOf(n), n.Addr.String()})
	}
	return printTable(c.Out, []string{"NODE", "STATE", "", "ADDRESS"}, rows)
}

func markOf(n membership.Node) string {
	switch {
	case n.Self:
		return "you"
	case n.Ghost:
		return "ghost"
	case n.Peer == "":
		return "foreign"
	}
	return ""
}

func (p *peer) healthScore(_ context.Context, c *repl.Call) error {
	g, err := p.Node.Membership()
	if err != nil {
		return err
	}
	score, err := g.Health()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, struct {
			Score int `json:"score"`
		}{score})
	}
	meaning := "healthy"
	if score > 0 {
		meaning = "probes and answers come late"
	}
	fmt.Fprintf(c.Out, "score %d: %s\n", score, meaning)
	return nil
}

// seconds reads the optional time of a command.
func seconds(args []string, otherwise time.Duration) (time.Duration, error) {
	if len(args) == 0 {
		return otherwise, nil
	}
	v, err := strconv.ParseFloat(args[0], 64)
	most := membership.MaxWait.Seconds()
	if err != nil || math.IsNaN(v) || v < 0.001 || v > most {
		return 0, repl.Usagef("%q is no time from 0.001 to %g seconds", args[0], most)
	}
	return time.Duration(v * float64(time.Second)), nil
}

func (p *peer) update(ctx context.Context, c *repl.Call) error {
	wait, err := seconds(c.Args, 5*time.Second)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := p.Node.Reannounce(ctx, wait); err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "announced within", round(time.Since(start)))
	return nil
}

func (p *peer) leave(ctx context.Context, c *repl.Call) error {
	wait, err := seconds(c.Args, 2*time.Second)
	if err != nil {
		return err
	}
	if err := p.Node.LeaveGroup(ctx, wait); err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "left the group")
	return nil
}

// ending is a command that ends a part of the membership.
func (p *peer) ending(end func(*node.Node, context.Context) error, done string) func(context.Context, *repl.Call) error {
	return func(ctx context.Context, c *repl.Call) error {
		if err := end(p.Node, ctx); err != nil {
			return err
		}
		fmt.Fprintln(c.Out, done)
		return nil
	}
}
