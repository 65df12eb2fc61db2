package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/testserver/language"
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
	fmt.Fprintln(w, "SCENARIO\tPEERS\tLINES\tASSERTIONS\tFILE")
	var errs []error
	for _, f := range files {
		s, err := parse(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		lines, assertions := 0, 0
		count := func(st *language.Statement) bool {
			if !st.Inserted {
				lines++
			}
			if asserts(st) {
				assertions++
			}
			return true
		}
		language.Walk(s.Body, count)
		language.Walk(s.Cleanup, count)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", s.Name, len(s.Peers), lines, assertions, f)
	}
	return errors.Join(append(errs, w.Flush())...)
}

// asserts tells whether a statement can show something.
func asserts(st *language.Statement) bool {
	switch do := st.Do.(type) {
	case language.Command:
		return st.Outcome == language.MustFail || strings.HasPrefix(strings.TrimPrefix(do.Line, "/"), "testfilter ")
	case language.Converged:
		return !st.Inserted
	case language.Output, language.Expect, language.Never, language.Await, language.Stable, language.Check:
		return true
	}
	return false
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
				for _, w := range language.Lint(s) {
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
