package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/testserver/report"
)

// forms are the flags by which a report is asked for in another form.
type forms struct {
	verbose, json, html, gotest bool
}

func reportCommand(p Process) *cobra.Command {
	var f forms
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
			if err := f.print(p, r, report.Resolve(args[0])); err != nil {
				return err
			}
			return ended(r.ExitStatus)
		},
	}
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every row")
	c.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	c.Flags().BoolVar(&f.html, "html", false, "make report.html in the run's directory")
	c.Flags().BoolVar(&f.gotest, "go-json", false, "print what go test -json would")
	c.MarkFlagsMutuallyExclusive("json", "html", "go-json")
	return c
}

// print prints the report of the run in dir.
func (f forms) print(p Process, r *report.Result, dir string) error {
	look := report.Look{Colour: report.Colours(p.Stdout, p.env)}
	if f.verbose {
		look.Rows = report.All
	}
	switch {
	case f.json:
		return json.NewEncoder(p.Stdout).Encode(r)
	case f.gotest:
		return report.Test2JSON(p.Stdout, r)
	case f.html:
		if err := report.WriteHTML(dir, r); err != nil {
			return err
		}
		fmt.Fprintln(p.Stdout, filepath.Join(dir, report.PageFile))
		return nil
	}
	return report.Print(p.Stdout, r, look)
}
