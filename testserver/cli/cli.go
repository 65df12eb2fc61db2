// Package cli is the program testserver without its process: flags become
// configurations, and the status to exit with comes back.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	peercli "github.com/peerlab/peerlab/peer/cli"
	"github.com/peerlab/peerlab/testserver/local"
	"github.com/peerlab/peerlab/testserver/report"
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
	err := root.ExecuteContext(ctx)
	var status errStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(p.Stderr, "testserver: %v\n", err)
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

Exit status: 0 passed, 1 failed, 2 unknown (nothing was asserted, or not all
was reached), 3 the harness itself failed, 130 interrupted.`,
		Example: `  testserver run scripts/scenario/default.cmd
  testserver run --repeat 20 --until-fail scripts/scenario
  testserver report runs/latest`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnv(cmd.Flags(), p.env)
		},
	}
	root.AddCommand(runCommand(p), serveCommand(p), listCommand(p), reportCommand(p), lintCommand(p),
		peerCommand(p), watchdogCommand(p))
	return root
}

// fromEnv sets the flags that were not given from PEERLAB_NAME.
func fromEnv(s *pflag.FlagSet, env func(string) string) error {
	var errs []error
	s.VisitAll(func(f *pflag.Flag) {
		name := "PEERLAB_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := env(name); v != "" && !f.Changed && f.Name != "help" && f.Name != "version" {
			if err := s.Set(f.Name, v); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	return errors.Join(errs...)
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

func reportCommand(p Process) *cobra.Command {
	var verbose, asJSON bool
	c := &cobra.Command{
		Use:   "report RUNDIR",
		Short: "Print the report of a run again",
		Long: `Report prints the report of a run again, from its directory; runs/latest is
the last one. The exit status is that of the run.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := report.Load(args[0])
			if err != nil {
				return err
			}
			list := report.Some
			if verbose {
				list = report.All
			}
			if err := printResult(p, r, list, asJSON); err != nil {
				return err
			}
			return ended(r.ExitStatus)
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show every row")
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return c
}

// version is that of the module, as the build knows it.
func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(devel)"
}
