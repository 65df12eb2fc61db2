package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/testserver/report"
)

func reportCommand(p Process) *cobra.Command {
	var f forms
	var html bool
	c := &cobra.Command{
		Use:   "report RUNDIR",
		Short: "Print the report of a run again",
		Long: `Report prints the report of a run again, from its directory; runs/latest is
the last one. The exit status is that of the run.

With --html it makes the run's page anew, report.html in its directory, and
prints where it is: one file, to be opened with a browser, that shows what is
wrong and everything that happened.`,
		Example: `  testserver report runs/latest
  testserver report --html runs/latest`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := report.Load(args[0])
			if err != nil {
				return err
			}
			if html {
				err = writeHTML(p, r, report.Resolve(args[0]))
			} else {
				rows := report.Some
				if f.verbose {
					rows = report.All
				}
				err = f.console(p).print(r, rows)
			}
			if err != nil {
				return err
			}
			return ended(r.ExitStatus)
		},
	}
	c.Flags().SortFlags = false
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every row")
	f.register(c.Flags())
	c.Flags().BoolVar(&html, "html", false, "make report.html in the run's directory")
	c.MarkFlagsMutuallyExclusive("json", "result-json", "html")
	return c
}

func writeHTML(p Process, r *report.Result, dir string) error {
	if err := report.WriteHTML(dir, r); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.Stdout, filepath.Join(dir, report.PageFile))
	return err
}
