package shell

import (
	"context"
	"errors"
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
		{
			Name: "bootstrapleave", Group: "bootstrap",
			Summary: "take this peer off the service's list",
			Help:    "It stays a member; who starts later is not sent to it. bootstrapjoin puts it\nback.",
			Run:     p.bootstrapLeave,
		},
		{
			Name: "bootstraplistlocal", Group: "bootstrap", Query: true,
			Summary: "this peer's own copy of the list, without asking",
			Help:    "It is what a new service would be given if the present one died.\n\n\tbootstraplistlocal --json",
			Run:     p.bootstrapListLocal,
		},
		{
			Name: "bootstrapconfig", Group: "bootstrap", Query: true, MaxArgs: 2,
			Usage:   "[MAX MIN]",
			Summary: "read or set how many peers the service lists",
			Help:    "MAX peers are listed, and MIN more are kept on standby. It holds for the\ngroup, and lasts as long as the service.\n\n\tbootstrapconfig 10 3",
			Run:     p.bootstrapConfig,
		},
		{
			Name: "bootstraprefill", Group: "bootstrap",
			Summary: "ask for a place on the list, from standby",
			Help:    "The longest-joined peers are listed, whatever the order in which they ask.",
			Run:     p.bootstrapRefill,
		},
		{
			Name: "bootstrapswitch", Group: "bootstrap", Usage: "local|URL", MinArgs: 1, MaxArgs: 1,
			Summary:  "use another bootstrap service from now on",
			Help:     "local is the rendezvous of the peers of this machine. The peer is listed at\nthe new service, and its record at the old one removed, if that answers. If\nthe new one does not answer, nothing changes.\n\n\tbootstrapswitch http://127.0.0.1:8080",
			Complete: func(args []string) []repl.Candidate { return firstOf(args, "local") },
			Run:      p.bootstrapSwitch,
		},
		p.development(repl.Command{
			Name: "bootstrapreset", Group: "bootstrap",
			Summary: "make the service forget all peers of the group",
			Help:    "Those that live come back as they renew their records, within half a minute.",
			Run:     p.bootstrapReset,
		}),
	}
}

// firstOf proposes words for the first argument.
func firstOf(args []string, words ...string) []repl.Candidate {
	if len(args) > 0 {
		return nil
	}
	return candidates(words...)
}

func (p *peer) bootstrapLeave(ctx context.Context, c *repl.Call) error {
	if !p.Node.Discovery().Listed() {
		fmt.Fprintln(c.Out, "this peer is not listed")
		return nil
	}
	if err := p.Node.Discovery().Leave(ctx); err != nil {
		return fmt.Errorf("%w; the record goes with its lease, which is not renewed any more", err)
	}
	fmt.Fprintln(c.Out, "not listed any more")
	return nil
}

func (p *peer) bootstrapListLocal(_ context.Context, c *repl.Call) error {
	g, ok := p.Node.Discovery().Last()
	if c.JSON {
		return printJSON(c.Out, append([]bootstrap.Peer{}, g.Peers...))
	}
	if !ok {
		fmt.Fprintln(c.Out, "the service has given no list yet: bootstrappeers asks for one")
		return nil
	}
	return printPeers(c, g)
}

func (p *peer) bootstrapConfig(ctx context.Context, c *repl.Call) (err error) {
	var config bootstrap.Config
	switch len(c.Args) {
	case 0:
		config, err = p.Node.Discovery().Config(ctx)
	case 2:
		if config, err = parseConfig(c.Args); err == nil {
			config, err = p.Node.Discovery().Configure(ctx, config)
		}
	default:
		return repl.Usagef("MIN is missing")
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, config)
	}
	fmt.Fprintf(c.Out, "maxpeers             %d\nminrefillcandidates  %d\n", config.MaxPeers, config.MinRefillCandidates)
	return nil
}

func parseConfig(args []string) (bootstrap.Config, error) {
	var n [2]int
	for i, a := range args {
		v, err := strconv.Atoi(a)
		if err != nil || v < 0 || v > bootstrap.MaxPeers {
			return bootstrap.Config{}, repl.Usagef("%q is no number of peers from 0 to %d", a, bootstrap.MaxPeers)
		}
		n[i] = v
	}
	return bootstrap.Config{MaxPeers: n[0], MinRefillCandidates: n[1]}, nil
}

func (p *peer) bootstrapRefill(ctx context.Context, c *repl.Call) error {
	place, err := p.Node.Discovery().Refill(ctx)
	switch {
	case err != nil:
		return err
	case place.Admitted:
		fmt.Fprintln(c.Out, "listed")
	case place.Standby:
		fmt.Fprintf(c.Out, "on standby: the list has its %d peers, all of them joined before\n", place.Group.Config.MaxPeers)
	default:
		return errors.New("there is no room, not even on standby: bootstrapconfig MAX MIN makes some")
	}
	return nil
}

func (p *peer) bootstrapSwitch(ctx context.Context, c *repl.Call) error {
	url := c.Args[0]
	if url == "local" {
		url = ""
	}
	s, err := p.Node.Discovery().Switch(ctx, url)
	if err != nil {
		return err
	}
	old := s.Old
	if old == "" {
		old = "(none)"
	}
	fmt.Fprintf(c.Out, "%s -> %s\n", repl.Neutral(old), repl.Neutral(s.New))
	if s.Left != nil {
		fmt.Fprintf(c.Out, "the old service has not removed this peer's record, which goes with its lease: %s\n", repl.Neutral(s.Left.Error()))
	}
	return nil
}

func (p *peer) bootstrapReset(ctx context.Context, c *repl.Call) error {
	if _, err := p.Node.Discovery().Reset(ctx); err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "the service has forgotten all peers; they come back as they renew their records")
	return nil
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
