package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/suite"
)

func fmtCommand(p Process) *cobra.Command {
	var f formatting
	c := &cobra.Command{
		Use:   "fmt FILE|DIR ...",
		Short: "Lay scenarios out in the canonical way",
		Long: `Fmt prints scenarios in their canonical layout, or writes it back. Comments,
messages and attached files stay as they are. A file with errors is left alone.

Exit status: 0, with --check 1 if a file is laid out differently, 3 if a file has
errors.`,
		Example: `  testserver fmt -w scripts/scenario
  testserver fmt --check .`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			found, err := suite.Find(args)
			if err != nil {
				return err
			}
			return f.all(p, slices.Concat(found.Scenarios, found.Shared))
		},
	}
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write files that change, and print their names")
	c.Flags().BoolVar(&f.check, "check", false, "print the names of files that would change, nothing else")
	c.MarkFlagsMutuallyExclusive("write", "check")
	return c
}

// formatting is what to do with files that are laid out.
type formatting struct{ write, check bool }

// all lays files out; those with errors do not hinder the others.
func (f formatting) all(p Process, names []string) error {
	var errs []error
	changes := 0
	for _, name := range names {
		changed, err := f.one(p, name)
		if changed {
			changes++
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if f.check && changes > 0 {
		return errStatus(1)
	}
	return nil
}

// one lays a file out and tells whether that changes it.
func (f formatting) one(p Process, name string) (changed bool, err error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	if _, err := language.Parse(name, source); err != nil {
		return false, err // with the name of the file
	}
	out, err := language.Format(source)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	changed = !bytes.Equal(source, out)
	if !f.write && !f.check {
		_, err := p.Stdout.Write(out)
		return changed, err
	}
	if changed {
		fmt.Fprintln(p.Stdout, name)
	}
	if changed && f.write {
		return true, replace(name, out)
	}
	return changed, nil
}

// replace writes a file anew, at once: after a crash it is the old one or the
// new one. It keeps its mode.
func replace(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	dir, err := files.Dir(filepath.Dir(name))
	if err != nil {
		return err
	}
	return dir.WriteFile(filepath.Base(name), content, info.Mode()&fs.ModePerm)
}
