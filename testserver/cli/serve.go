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
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			if wait <= 0 {
				return fmt.Errorf("--wait %s: it must be more than nothing", wait)
			}
			all, _, err := load(args, "")
			if err != nil {
				return err
			}
			if len(all) != 1 {
				return fmt.Errorf("%s has %d scenarios: name one file", args[0], len(all))
			}
			l, err := netx.Real{}.Listen(cmd.Context(), listen)
			if err != nil {
				return fmt.Errorf("--listen %q: %w: give HOST:PORT; port 0 is a free one", listen, err)
			}
			defer l.Close() // usually closed by the world
			if err := o.makeOut(); err != nil {
				return err
			}
			r := &runner{options: &o, process: p, scenarios: all, console: o.console(p)}
			world := r.invite(l, all[0].Script)
			result := r.one(cmd.Context(), r.console, job{
				Scenario: all[0], engine: "remote", seed: o.pickSeed(), start: wait,
				world: func(*report.Dir) coordinator.World { return world },
			})
			return ended(r.wrapUp([]*report.Result{result}))
		},
	}
	o.register(c.Flags())
	c.MarkFlagsMutuallyExclusive("json", "result-json")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "where peers attach, `HOST:PORT`; whoever has the token drives the peers")
	c.Flags().DurationVar(&wait, "wait", 2*time.Minute, "how long to wait for each peer")
	return c
}

// invite prints how to attach, and returns the world that waits for it.
func (r *runner) invite(l net.Listener, s *language.Script) *remote.World {
	out := r.console.words
	token := r.process.env("PEERLAB_TOKEN")
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
