// Package cli is the program testserver without its process: flags become
// configurations, and the status to exit with comes back.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/program"
	peercli "github.com/peerlab/peerlab/peer/cli"
	"github.com/peerlab/peerlab/testserver/local"
)

// StatusBroken is the exit status for what is not the scenario's fault, wrong
// flags among it.
const StatusBroken = 3

// Process is what a program has from the operating system.
type Process struct {
	Self           string   // the program's own file, which peers are started from
	Environ        []string // as of os.Environ
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

func (p Process) env(name string) string {
	for _, v := range p.Environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// errStatus carries an exit status out of a command that has said all.
type errStatus int

func (e errStatus) Error() string { return fmt.Sprintf("status %d", int(e)) }

// Main runs the program testserver with the given arguments, without its
// name, and returns the status to exit with. When ctx ends a run is ended in
// order, its report is written, and the status is 130.
func Main(ctx context.Context, args []string, p Process) int {
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	program.Complete(root, args)
	err := root.ExecuteContext(ctx)
	var status errStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	for line := range strings.Lines(err.Error()) { // each file has its own
		fmt.Fprintf(p.Stderr, "testserver: %s\n", program.Line(errors.New(line)))
	}
	return StatusBroken
}

// Command is the program with its flags and subcommands, to be written down
// in a manual. It is not for running: see Main.
func Command() *cobra.Command {
	return newRoot(Process{Stdout: io.Discard, Stderr: io.Discard})
}

func newRoot(p Process) *cobra.Command {
	root := &cobra.Command{
		Use:   "testserver",
		Short: "Runs scenarios with many peers, and judges them",
		Long: `Testserver runs scenarios: files in which each line begins with the peer that
shall do the rest of it. It starts the peers, waits where waiting is due, and
judges what the peers saw.

Each flag can also be given in the environment: --out as PEERLAB_OUT. A flag wins
over the environment.

Exit status: 0 passed, 1 failed, 2 unknown (nothing was asserted, or not all
was reached), 3 the harness itself failed, 130 interrupted.`,
		Example: `  testserver run scripts/scenario/default.cmd
  testserver run --repeat 20 --until-fail scripts/scenario
  testserver report runs/latest`,
		Version:       program.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("no subcommand %q", args[0])
			}
			return errors.New("no subcommand: say what to do")
		},
		Run: func(*cobra.Command, []string) {}, // Args lets nothing through
	}
	root.AddCommand(runCommand(p), serveCommand(p), listCommand(p), reportCommand(p), traceCommand(p), lintCommand(p), fmtCommand(p),
		peerCommand(p), watchdogCommand(p))
	program.Prepare(root, p.env)
	return root
}

// peerCommand is how the peers of a run are started.
func peerCommand(p Process) *cobra.Command {
	return &cobra.Command{
		Use: "peer", Hidden: true, DisableFlagParsing: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil }, // its flags are its own
		RunE: func(cmd *cobra.Command, args []string) error {
			return ended(peercli.Main(cmd.Context(), args, peercli.Process{
				Env: p.env, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr,
			}))
		},
	}
}

// watchdogCommand is the process that ends the peers of a runner that was
// killed, where the kernel does not.
func watchdogCommand(p Process) *cobra.Command {
	return &cobra.Command{
		Use: "watchdog", Hidden: true, Args: cobra.NoArgs,
		Run: func(*cobra.Command, []string) { local.Watch(p.Stdin) },
	}
}

// ended is the error for an exit status.
func ended(status int) error {
	if status == 0 {
		return nil
	}
	return errStatus(status)
}
