package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// survey is all that is looked at in one run: the packages and their mutants.
type survey struct {
	packages []*pkg
	mutants  []*mutant // by number, from 1: mutants[0] has number 1
	except   []*exception
	overlay  string // file for the go command
}

// pkg is one package that is mutated.
type pkg struct {
	path, dir, name string
	files           []*file
	funcs           *regexp.Regexp
	imports         types.Importer
	fset            *token.FileSet
	info            *types.Info
	types           *types.Package
}

// file is one source file and what is changed in it.
type file struct {
	path string // absolute
	show string // as people see it
	src  []byte
	ast  *ast.File
	edits
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath, Dir, Name, Export string
	GoFiles                       []string
	DepOnly, Standard             bool
}

// list asks the go command for a package and all that it imports, and for
// what the switches import.
func list(ctx context.Context, path string) ([]listed, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-export",
		"-json=ImportPath,Dir,Name,Export,GoFiles,DepOnly,Standard", path, "cmp", "os", "strconv", "sync")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", path, err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list %s: %w", path, err)
		}
		all = append(all, p)
	}
}

// load reads the packages of a target and finds their mutants.
func (s *survey) load(ctx context.Context, target string) error {
	path, funcs, _ := strings.Cut(target, ":")
	match, err := regexp.Compile(funcs)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	all, err := list(ctx, path)
	if err != nil {
		return err
	}
	exports := map[string]string{}
	for _, l := range all {
		exports[l.ImportPath] = l.Export
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, l := range all {
		if l.DepOnly || l.Standard {
			continue
		}
		p := &pkg{path: l.ImportPath, dir: l.Dir, name: l.Name, funcs: match, fset: fset, imports: imports}
		if err := p.read(l); err != nil {
			return err
		}
		s.packages = append(s.packages, p)
		if err := s.mutate(p); err != nil {
			return err
		}
	}
	return nil
}

// read parses and checks the package.
func (p *pkg) read(l listed) error {
	for _, name := range l.GoFiles {
		f := &file{path: filepath.Join(l.Dir, name)}
		f.show = shortened(f.path)
		var err error
		if f.src, err = os.ReadFile(f.path); err != nil {
			return err
		}
		if f.ast, err = parser.ParseFile(p.fset, f.path, f.src, parser.SkipObjectResolution); err != nil {
			return err
		}
		p.files = append(p.files, f)
	}
	p.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	var asts []*ast.File
	for _, f := range p.files {
		asts = append(asts, f.ast)
	}
	var err error
	p.types, err = (&types.Config{Importer: p.imports}).Check(p.path, p.fset, asts, p.info)
	return err
}

// shortened is a path as people type it.
func shortened(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}
