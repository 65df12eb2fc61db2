package buildenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Package is a package as the binary has it, or would have it.
type Package struct {
	ImportPath string
	Name       string
	Dir        string   // of its source
	GoFiles    []string // of this target, names in Dir
	CgoFiles   []string
	Export     string // file with its archive and export data; empty for unsafe
	Standard   bool
	Module     *Module // nil in the standard library

	Error *struct{ Err string } // why it cannot be used
}

// Module is one that a package comes from.
type Module struct {
	Path, Version string
	Main          bool
	Dir           string
}

// Load makes packages, and all that they import, usable: for Export, and for
// imports of what is compiled. What is loaded already costs nothing; the rest
// one run of go list, and whatever that has to compile: the first time on a
// machine, with the whole standard library, that takes minutes, and
// WithProgress tells of it. A package that the
// binary would need another version of is refused with ErrConflict. Where
// nothing can be compiled the error matches ErrUnavailable.
func (e *Env) Load(ctx context.Context, importPaths ...string) error {
	missing := e.missing(importPaths)
	if len(missing) == 0 {
		return ctx.Err()
	}
	release, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := e.prepare(ctx); err != nil {
		return err
	}
	return e.loadNow(ctx, missing)
}

// loadNow loads packages that are not there yet. The caller has the turn, and
// the workspace is written.
func (e *Env) loadNow(ctx context.Context, missing []string) error {
	if len(missing) == 0 {
		return ctx.Err()
	}
	found, err := e.list(ctx, missing)
	if err != nil {
		return err
	}
	if err := errors.Join(noPrograms(found, missing), e.agree(found)); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range found {
		e.packages[p.ImportPath] = p
		e.hold(p.Module, missing[0])
	}
	return nil
}

// hold keeps a module at its version from now on: it may be loaded into the
// binary at any time, and then only once. e.mu is held.
func (e *Env) hold(m *Module, by string) {
	if m == nil || m.Main {
		return
	}
	if _, ok := e.held[m.Path]; !ok {
		e.held[m.Path], e.reasons[m.Path] = m.Version, by
	}
}

// missing are the import paths that are not loaded yet, or not any more.
func (e *Env) missing(importPaths []string) []string {
	return slices.DeleteFunc(slices.Clone(importPaths), func(path string) bool {
		_, err := e.Export(path)
		return err == nil || path == "unsafe"
	})
}

// there tells whether the cache of Go still has the archive of a package: it
// forgets what was not used for days, and people empty it.
func (p Package) there() bool {
	if p.Export == "" {
		return true // unsafe has none
	}
	_, err := os.Stat(p.Export)
	return err == nil
}

// again loads what was loaded, and is not there any more. The caller has the
// turn.
func (e *Env) again(ctx context.Context) error {
	var gone []string
	for _, path := range e.Loaded() {
		if p, _ := e.Package(path); !p.there() {
			gone = append(gone, path)
		}
	}
	return e.loadNow(ctx, gone)
}

// list has go compile packages and all that they import, and tells what they
// are. The caller has the turn.
func (e *Env) list(ctx context.Context, importPaths []string) ([]Package, error) {
	t, err := e.findTools(ctx)
	if err != nil {
		return nil, err
	}
	args := append([]string{"list", "-e", "-export", "-deps", "-buildmode=plugin", "-buildvcs=false",
		"-json=ImportPath,Name,Dir,GoFiles,CgoFiles,Export,Standard,Module,Error"}, e.host.flags...)
	args = append(args, "-v", "--", "runtime/cgo") // the linker looks for it
	cmd := e.command(ctx, e.scratchDir(), t.goCommand, append(args, importPaths...)...)
	out, err := e.run(ctx, cmd)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, explain(strings.Join(importPaths, ", "), words(err))
	}
	return decode(out)
}

// decode reads what go list printed; a package that cannot be used is the
// error.
func decode(out []byte) ([]Package, error) {
	all, err := decodeAny(out)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Export == "" && p.ImportPath != "unsafe" {
			return nil, fmt.Errorf("import %s: %w: it does not compile", p.ImportPath, ErrBuild)
		}
	}
	return all, nil
}

// decodeAny is decode for a list for which nothing was compiled.
func decodeAny(out []byte) ([]Package, error) {
	var all []Package
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Error != nil {
			return nil, explain(p.ImportPath, p.Error.Err)
		}
		all = append(all, p)
	}
}

// agree tells the first package that comes from another version of a module
// than the one that is held.
func (e *Env) agree(found []Package) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range found {
		if p.Module == nil {
			continue
		}
		held, ok := e.held[p.Module.Path]
		if !ok || held == p.Module.Version {
			continue
		}
		who, other := e.holder(p.Module.Path), p.Module.Version
		if p.Module.Main {
			other = "the one in " + p.Module.Dir
		}
		return fmt.Errorf("%s: %w: %s runs with %s %s, and %s cannot be beside it: %s", p.ImportPath, ErrConflict, who, p.Module.Path, held, other, remedy(who))
	}
	return nil
}

// noPrograms refuses a package main that is to be imported.
func noPrograms(found []Package, asked []string) error {
	for _, p := range found {
		if p.Name == "main" && slices.Contains(asked, p.ImportPath) {
			return fmt.Errorf("import %s: %w: it is a program, not a package to import", p.ImportPath, ErrBuild)
		}
	}
	return nil
}

// holder is who needs a module at its version. e.mu is held.
func (e *Env) holder(module string) string {
	if by, ok := e.reasons[module]; ok {
		return by + ", which is loaded,"
	}
	return thisProgram
}

// thisProgram is what messages call the binary.
const thisProgram = "this program"

// Export returns the file with the export data of a package, as the binary
// has it. ErrNotLoaded means that Load must come first: for the first time, or
// since somebody has emptied Go's cache.
func (e *Env) Export(importPath string) (string, error) {
	e.mu.Lock()
	file, built := e.built[importPath]
	p := e.packages[importPath]
	e.mu.Unlock()
	if built {
		return file, nil
	}
	if p.Export != "" && p.there() {
		return p.Export, nil
	}
	return "", fmt.Errorf("%s: %w", importPath, ErrNotLoaded)
}

// Package returns what is known of a loaded package.
func (e *Env) Package(importPath string) (Package, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p, ok := e.packages[importPath]
	return p, ok
}

// Source returns the directory of a loaded package, and the names of its files
// that are part of the binary.
func (e *Env) Source(importPath string) (dir fs.FS, files []string, err error) {
	p, ok := e.Package(importPath)
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", importPath, ErrNotLoaded)
	}
	return os.DirFS(p.Dir), slices.Concat(p.GoFiles, p.CgoFiles), nil
}

// Loaded returns the import paths of all loaded packages, sorted.
func (e *Env) Loaded() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.packages))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
