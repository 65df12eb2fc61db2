package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/suite"
)

// scenarios is where scenarios lie by convention.
const scenarios = "scripts/scenario"

func listCommand(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "list [FILE|DIR ...]",
		Short: "List scenarios",
		Long:  "List names the scenarios in and below the folders, by default in " + scenarios + " or here,\nwith what they say of themselves first.",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{scenarios}
				if _, err := os.Stat(scenarios); err != nil {
					args = []string{"."}
				}
			}
			found, err := suite.Find(args)
			if err != nil {
				return err
			}
			return list(p, found.Scenarios)
		},
	}
}

func list(p Process, files []string) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tPEERS\tLINES\tASSERTIONS\tFILE\tABOUT")
	var errs []error
	for _, f := range files {
		s, err := suite.Parse(f)
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
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\n", s.Name, len(s.Peers), lines, assertions, f, suite.About(s))
	}
	_ = w.Flush() // into memory
	columns := 0
	if report.IsTerminal(p.Stdout) {
		columns, _ = sizeOf(p.Stdout)()
	}
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(p.Stdout, cut(strings.TrimRight(line, " \n"), columns))
	}
	return errors.Join(errs...)
}

// cut keeps a line in the columns of a terminal; 0 for no terminal.
func cut(line string, columns int) string {
	if letters := []rune(line); columns > 0 && len(letters) > columns {
		return string(letters[:columns-1]) + "…"
	}
	return line
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
			found, err := suite.Find(args)
			if err != nil {
				return err
			}
			return lint(p, found.Scenarios)
		},
	}
}

// lint prints each warning once, though scenarios may share files.
func lint(p Process, files []string) error {
	var errs []error
	warned := map[string]bool{}
	for _, f := range files {
		s, err := suite.Read(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, w := range language.Lint(s.Script) {
			if !warned[w.Error()] {
				fmt.Fprintf(p.Stdout, "%v\n", w)
			}
			warned[w.Error()] = true
		}
	}
	if len(errs) == 0 && len(warned) > 0 {
		return errStatus(1)
	}
	return errors.Join(errs...)
}
