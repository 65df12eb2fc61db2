// Package cli is the program peer without its process: flags become one
// Config, the parts of a peer are wired together, and the status to exit with
// comes back. The program testserver starts its peers through it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/program"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/logbook"
)

// Process is what a program has from the operating system.
type Process struct {
	Env            func(name string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Interrupts has an element for each ctrl-C that comes as a signal. Nil
	// leaves interrupts to the context.
	Interrupts <-chan os.Signal
	// Replace runs the program with other arguments, and more in its
	// environment, in the place of this process. It returns only if it cannot.
	// Nil cannot.
	Replace func(args []string, environ ...string) error
	// Extensions are run beside those that every peer has, and after them.
	Extensions []extension.Extension

	reborn *string // the peer that goes on in a new process; empty for none
}

// The statuses of the program.
const (
	statusOK          = 0
	statusFailed      = 1   // a command failed, or the peer could not start
	statusUsage       = 2   // the flags are wrong
	statusInterrupted = 130 // by ctrl-C
	statusUnread      = 141 // whoever read its output has gone
)

// Main runs the program peer with the given arguments, without its name, and
// returns the status to exit with. When ctx ends the peer leaves in order.
func Main(ctx context.Context, args []string, p Process) int {
	status := statusOK
	p.reborn = new(string)
	root := newCommand(p, &status)
	root.SetArgs(args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	program.Complete(root, args)
	err := root.ExecuteContext(ctx)
	if err == nil && *p.reborn != "" && ctx.Err() == nil {
		err = p.Replace(args, rebootName+"="+*p.reborn)
	}
	if err == nil {
		return status
	}
	fmt.Fprintf(p.Stderr, "peer: %s\n", program.Line(err))
	switch {
	case errors.Is(err, program.ErrUsage):
		return statusUsage
	case status == statusOK:
		return statusFailed
	}
	return status
}

// newCommand is the program with its flags. status is what to exit with; a
// run that begins sets it.
func newCommand(p Process, status *int) *cobra.Command {
	var f flags
	root := &cobra.Command{
		Use:   "peer [NAME]",
		Short: "An interactive peer: it finds others, chats, and can be looked into",
		Long: `Peer starts a peer of a group and gives you its shell.

Peers of one user on one machine find each other without any flags: start
"peer alice" in one terminal and "peer bob" in another. Beyond one machine,
name a bootstrap service with --bootstrap, or a member with --join.

Without a terminal every line of standard input is a command, and at its end the
peer leaves in order.

Each flag can also be given in the environment: --group as PEERLAB_GROUP. A flag
wins over the environment.

Exit status: 0 it left in order, 1 a command failed or the peer could not start,
2 the flags are wrong, 130 interrupted, 141 whoever read its output has gone.`,
		Example: `  peer alice                    a peer with a shell
  peer demo                     three peers in one terminal
  peer bob -c members           start, run a command, leave
  echo 'msg hi' | peer carol    commands from a pipe`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		Version:           program.Version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.name = args[0]
			}
			return runPeer(cmd.Context(), p, f, status)
		},
	}
	f.register(root.Flags())
	_ = root.RegisterFlagCompletionFunc("log-level", // the flag exists
		cobra.FixedCompletions(logbook.Levels(), cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(demoCommand(p, status))
	program.Prepare(root, p.Env)
	return root
}

// flags are the flags of the program, before they become configurations.
type flags struct {
	name      string
	group     string
	bootstrap string
	tokenFile string
	bind      string
	advertise string
	join      []string
	data      string
	bare      bool
	script    string
	commands  []string
	headless  bool
	plain     bool
	test      string
	dev       bool
	reborn    bool // the process before has declared what is to be declared again
	log       string
	logLevel  string
}

func (f *flags) register(s *pflag.FlagSet) {
	s.SortFlags = false
	s.StringVar(&f.group, "group", bootstrap.DefaultGroup, "`NAME` of the group to be in")
	s.StringVar(&f.bootstrap, "bootstrap", "", "`URL` of the bootstrap service (default: the one of this machine)")
	s.StringVar(&f.tokenFile, "token-file", "", "`FILE` with the token that the bootstrap service at --bootstrap asks for")
	s.StringVar(&f.bind, "bind", "127.0.0.1:0", "the one address to listen on, `HOST:PORT`")
	s.StringVar(&f.advertise, "advertise", "", "what others are told, `HOST:PORT` (default: the bound address)")
	s.StringSliceVar(&f.join, "join", nil, "members to join, `HOST:PORT,...`, beside the bootstrap service or without one")
	s.StringVar(&f.data, "data", "", "`DIR` for key, journal and the rest (default: the user's state directory)")
	s.BoolVar(&f.bare, "bare", false, "start nothing: configure, create and join step by step")
	s.StringVar(&f.script, "script", "", "run the commands of `FILE` first, up to the first that fails")
	s.StringArrayVarP(&f.commands, "command", "c", nil, "run `CMD` and leave; can be given more than once")
	s.BoolVar(&f.headless, "headless", false, "stay when the input ends, until a signal comes")
	s.BoolVar(&f.plain, "plain", false, "no colours, no redrawing")
	s.StringVar(&f.test, "test", "", "attach to the test server at `URL`; its token is read from PEERLAB_TOKEN")
	s.BoolVar(&f.dev, "dev", false, "commands for development; whoever drives this peer can then run code")
	s.StringVar(&f.log, "log", "", "log to `FILE` (default: peer.log in the data directory)")
	s.StringVar(&f.logLevel, "log-level", "info", "`LEVEL` of the log: debug, info, warn, error or disabled")
}
