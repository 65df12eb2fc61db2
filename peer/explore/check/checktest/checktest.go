// Package checktest finds the compiler's export data for tests of packages that
// check Go code, in one way: what the go command says is right, and where it
// says nothing, the test fails. Only where there is no go command it is skipped.
//
// It does not import check, so that check's own tests can use it.
package checktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is for packages that have never been compiled on this machine.
const patience = 5 * time.Minute

// Exports is for a package variable of a test: what it returns finds the export
// data of the packages, and of all that they import, when it is first called in
// a process, and keeps it. The test is skipped where there is no go command,
// and fails where that fails. Missing is wrapped by Files.Export.
func Exports(missing error, paths ...string) func(testing.TB) Files {
	found := sync.OnceValues(func() (map[string]string, error) { return list(paths) })
	return func(tb testing.TB) Files {
		tb.Helper()
		files, err := found()
		if errors.Is(err, exec.ErrNotFound) {
			tb.Skip("needs the go command: install Go, and have it in PATH")
		}
		if err != nil {
			tb.Fatal(err)
		}
		return Files{files: files, missing: missing}
	}
}

// list asks the go command, by import path. Unsafe is not in it: it has no
// export data.
func list(paths []string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "--"}, paths...)...)
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export: %w: %s", err, wrong.Bytes())
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, file, _ := strings.Cut(strings.TrimSpace(line), "="); file != "" {
			files[path] = file
		}
	}
	return files, nil
}

// Files is the export data of packages. It is read only, and tests may share it.
type Files struct {
	files   map[string]string // by import path
	missing error
}

// Export is the file of a package; its error wraps the one that Exports got.
func (f Files) Export(path string) (string, error) {
	if file := f.files[path]; file != "" {
		return file, nil
	}
	return "", fmt.Errorf("%s: %w", path, f.missing)
}

// Open opens a file that Export has named.
func (Files) Open(file string) (io.ReadCloser, error) { return os.Open(file) }

// Importer is a new one, with packages and positions of its own.
func (f Files) Importer() types.Importer {
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		file, err := f.Export(path)
		if err != nil {
			return nil, err
		}
		return f.Open(file)
	})
}

// Config is what the compiler's -importcfg reads: a line for each package.
func (f Files) Config() string {
	var b strings.Builder
	for path, file := range f.files {
		fmt.Fprintf(&b, "packagefile %s=%s\n", path, file)
	}
	return b.String()
}
