package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/trace"
	"github.com/peerlab/peerlab/testserver/report"
)

func traceCommand(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "trace RUNDIR [FILE]",
		Short: "Write what happened in a run as a log for ShiViz",
		Long: `Trace writes the journals of all peers of a run as one log for ShiViz, which
draws who knew of what when: to FILE, or to its output. runs/latest is the last
run.`,
		Example: `  testserver trace runs/latest run.log`,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				_, err := writeTrace(p.Stdout, args[0])
				return err
			}
			return saveTrace(p, args[0], args[1])
		},
	}
}

// saveTrace replaces the file when the whole log is there.
func saveTrace(p Process, dir, name string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // err says what is wrong
		}
	}()
	n, err := writeTrace(f, dir)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "wrote %d events to %s\n", n, name)
	return err
}

func writeTrace(w io.Writer, dir string) (int, error) {
	f, err := os.Open(filepath.Join(dir, report.JournalFile))
	if err != nil {
		return 0, fmt.Errorf("%s is no directory of a run: %w", dir, err)
	}
	defer f.Close()
	n, err := trace.ShiViz(w, journal.Read(f))
	if err != nil {
		return n, fmt.Errorf("trace of %s: %w", dir, err)
	}
	return n, nil
}
