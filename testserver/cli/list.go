package cli

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/testserver/scenario"
)

// scenarios is where scenarios lie by convention.
const scenarios = "scripts/scenario"

func listCommand(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "list [FILE|DIR ...]",
		Short: "List scenarios",
		Long:  "List names the scenarios in and below the folders, by default in " + scenarios + " or here.",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{scenarios}
				if _, err := os.Stat(scenarios); err != nil {
					args = []string{"."}
				}
			}
			files, err := find(args)
			if err != nil {
				return err
			}
			return list(p, files)
		},
	}
}

func list(p Process, files []string) error {
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tPEERS\tLINES\tFILTERS\tFILE")
	var errs []error
	for _, f := range files {
		s, err := parse(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		lines, filters := 0, 0
		for _, st := range s.Statements {
			if !st.Inserted {
				lines++
			}
			if st.IsFilter() {
				filters++
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", s.Name, len(s.Peers), lines, filters, f)
	}
	return errors.Join(append(errs, w.Flush())...)
}

func lintCommand(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE|DIR ...",
		Short: "Look for mistakes in scenarios without running them",
		Long:  "Lint names what is wrong in scenarios (status 3) and what is probably not meant\n(status 1). It starts nothing.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := find(args)
			if err != nil {
				return err
			}
			var errs []error
			warnings := 0
			for _, f := range files {
				s, err := parse(f)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				for _, w := range scenario.Lint(s) {
					fmt.Fprintf(p.Stdout, "%v\n", w)
					warnings++
				}
			}
			if len(errs) == 0 && warnings > 0 {
				return errStatus(1)
			}
			return errors.Join(errs...)
		},
	}
}
