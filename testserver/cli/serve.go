package cli

import (
	"crypto/rand"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/remote"
	"github.com/peerlab/peerlab/testserver/report"
)

func serveCommand(p Process) *cobra.Command {
	o := options{repeat: 1}
	var listen string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "serve [flags] FILE",
		Short: "Run a scenario with peers that are started elsewhere",
		Long: `Serve prints a URL and a token, waits for the peers of the scenario to attach
(PEERLAB_TOKEN=TOKEN peer NAME --test URL), and runs it with them. The peers
see to their own bootstrap. They are not ended, but told that the run is over.`,
		Example: "  testserver serve scripts/scenario/default.cmd",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.seeded = cmd.Flags().Changed("seed")
			if err := o.check(); err != nil {
				return err
			}
			if wait <= 0 {
				return fmt.Errorf("--wait %s: it must be more than nothing", wait)
			}
			scripts, err := load(args, "")
			if err != nil {
				return err
			}
			if len(scripts) != 1 {
				return fmt.Errorf("%s has %d scenarios: name one file", args[0], len(scripts))
			}
			l, err := netx.Real{}.Listen(cmd.Context(), listen)
			if err != nil {
				return fmt.Errorf("--listen %q: %w: give HOST:PORT; port 0 is a free one", listen, err)
			}
			world := o.invite(p, l, scripts[0])
			r := o.runOne(cmd.Context(), p, scripts[0], "remote", o.pickSeed(), func(*report.Dir) coordinator.World { return world }, wait)
			_ = l.Close() // usually closed by the world
			return ended(o.wrapUp(p, []*report.Result{r}, []report.Verdict{r.Verdict}))
		},
	}
	o.register(c.Flags())
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "where peers attach, `HOST:PORT`; whoever has the token drives the peers")
	c.Flags().DurationVar(&wait, "wait", 2*time.Minute, "how long to wait for each peer")
	return c
}

// invite prints how to attach, and returns the world that waits for it.
func (o *options) invite(p Process, l net.Listener, s *language.Script) *remote.World {
	out := o.text(p)
	token := p.env("PEERLAB_TOKEN")
	if token == "" {
		token = rand.Text()
	}
	fmt.Fprintf(out, "url:   http://%s\ntoken: %s\nstart these, each in a terminal of its own:\n", l.Addr(), token)
	peers := append(slices.Clone(s.Peers), s.Spawns...)
	for _, name := range peers {
		fmt.Fprintf(out, "  PEERLAB_TOKEN=%s peer %s --test http://%s\n", token, name, l.Addr())
	}
	return remote.New(remote.Config{Listener: l, Token: token, Peers: peers, Attached: func(name string) {
		fmt.Fprintf(out, "%s has attached\n", name)
	}})
}
