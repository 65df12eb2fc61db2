package shell

import (
	"context"
	"fmt"
	"strconv"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/repl"
)

// bootstrap are the commands of the bootstrap layer.
func (p *peer) bootstrap() []repl.Command {
	return []repl.Command{
		{
			Name: "bootstrap", Group: "bootstrap", Query: true,
			Summary: "the bootstrap service: where it is, what it knows",
			Run:     p.bootstrapService,
		},
		{
			Name: "bootstrappeers", Group: "bootstrap", Query: true,
			Summary: "the peers that the service lists, longest-joined first",
			Run:     p.bootstrapPeers,
		},
		{
			Name: "bootstrapjoin", Group: "bootstrap",
			Summary: "put this peer on the service's list",
			Help:    "It needs an address: memberlistcreate comes first. init does both.",
			Run:     p.bootstrapJoin,
		},
	}
}

func (p *peer) bootstrapService(ctx context.Context, c *repl.Call) error {
	g, err := p.Node.Discovery().Group(ctx)
	if err != nil {
		return err
	}
	url, hosted := p.Node.Discovery().Service()
	if c.JSON {
		return printJSON(c.Out, struct {
			URL    string `json:"url"`
			Hosted bool   `json:"hosted"`
			bootstrap.Group
		}{url, hosted, g})
	}
	host := ""
	if hosted {
		host = " (hosted by this peer)"
	}
	fmt.Fprintf(c.Out, "service  %s%s\ngroup    %s, revision %d\nlimits   maxpeers %d, minrefillcandidates %d\npeers    %d listed, %d on standby\n",
		repl.Neutral(url), host, p.Node.Group(), g.Revision, g.Config.MaxPeers, g.Config.MinRefillCandidates, len(g.Peers), g.Standby)
	return nil
}

func (p *peer) bootstrapPeers(ctx context.Context, c *repl.Call) error {
	g, err := p.Node.Discovery().Group(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, append([]bootstrap.Peer{}, g.Peers...))
	}
	return printPeers(c, g)
}

func printPeers(c *repl.Call, g bootstrap.Group) error {
	if len(g.Peers) == 0 {
		fmt.Fprintln(c.Out, "no peer is listed yet")
		return nil
	}
	var rows [][]string
	for _, b := range g.Peers {
		rows = append(rows, []string{b.Name, b.Addr, strconv.Itoa(b.Boot), round(time.Until(b.Expires)).String()})
	}
	return printTable(c.Out, []string{"NAME", "ADDRESS", "BOOT", "LEASE"}, rows)
}

func (p *peer) bootstrapJoin(ctx context.Context, c *repl.Call) error {
	g, err := p.Node.BootstrapJoin(ctx)
	if err != nil {
		return err
	}
	return printPeers(c, g)
}
