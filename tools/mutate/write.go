package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// switchFile is what the file with the switches is called.
const switchFile = "zz_mutants.go"

// drop drops mutants until the rest compiles: where the checker finds an
// error, all mutants of that line.
func (p *pkg) drop(mutants []*mutant) error {
	for {
		wrong, err := p.check()
		if err != nil || len(wrong) == 0 {
			return err
		}
		dropped := 0
		for _, m := range mutants {
			if !m.dropped && wrong[m.file.path][m.line] {
				m.dropped = true
				dropped++
			}
		}
		if dropped == 0 {
			return fmt.Errorf("%s: the mutants do not compile, at lines without any: %v", p.path, wrong)
		}
	}
}

// check checks the package with its mutants. It returns the lines with
// errors, by file.
func (p *pkg) check() (map[string]map[int]bool, error) {
	fset := token.NewFileSet()
	wrong := map[string]map[int]bool{}
	add := func(at token.Position) {
		if wrong[at.Filename] == nil {
			wrong[at.Filename] = map[int]bool{}
		}
		wrong[at.Filename][at.Line] = true
	}
	var asts []*ast.File
	for _, f := range p.files {
		a, err := parser.ParseFile(fset, f.path, f.render(), parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("a mutant is no Go: %w", err)
		}
		asts = append(asts, a)
	}
	a, err := parser.ParseFile(fset, switchFile, switches(p.name), parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	conf := types.Config{Importer: p.imports, Error: func(err error) {
		var te types.Error
		if errors.As(err, &te) && !te.Soft {
			add(te.Fset.Position(te.Pos))
		}
	}}
	_, _ = conf.Check(p.path, fset, append(asts, a), nil) // Error has them all
	return wrong, nil
}

// thin keeps every n-th mutant that compiles.
func (s *survey) thin(n int) {
	i := 0
	for _, m := range s.mutants {
		if m.dropped {
			continue
		}
		m.dropped = i%n != 0
		i++
	}
}

// write writes the changed sources and the overlay that names them.
func (s *survey) write(dir string) error {
	replace := map[string]string{}
	put := func(of string, data []byte) error {
		name := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		replace[of] = name
		return os.WriteFile(name, data, 0o600)
	}
	for _, p := range s.packages {
		for _, f := range p.files {
			if err := put(f.path, f.render()); err != nil {
				return err
			}
		}
		if err := put(filepath.Join(p.dir, switchFile), switches(p.name)); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	s.overlay = filepath.Join(dir, "overlay.json")
	return os.WriteFile(s.overlay, data, 0o600)
}
