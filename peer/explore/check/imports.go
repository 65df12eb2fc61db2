package check

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// spec is one import: name is empty unless it was given.
type spec struct{ name, path string }

// importSpecs returns what an import declaration imports.
func importSpecs(text string) []spec {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text+"\n", parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var all []spec
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		one := spec{path: p}
		if i.Name != nil {
			one.name = i.Name.Name
		}
		all = append(all, one)
	}
	return all
}

// imported takes an import declaration into the names of the line.
func (c *checker) imported(it item) error {
	for _, i := range importSpecs(it.text) {
		if err := c.importOne(it, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) importOne(it item, i spec) error {
	at := where(it.input, it.line, it.col)
	if i.path == "C" {
		return &Error{Where: at, Text: "cgo is not available in a session: put the C code in a package of your own and import that", Err: ErrRefused}
	}
	pkg, err := c.session.Package(i.path)
	if err != nil {
		return &Error{Where: at, Text: importText(i.path, err), Err: err}
	}
	b := &Binding{Name: i.name, Kind: Import, Path: i.path, Input: it.input}
	switch i.name {
	case "_":
		c.blank = append(c.blank, i.path)
		return nil
	case ".":
		for _, name := range pkg.Scope().Names() {
			if token.IsExported(name) {
				b := &Binding{Name: name, Kind: kindOf(pkg.Scope().Lookup(name)), Object: pkg.Scope().Lookup(name), Path: i.path, Input: it.input}
				c.imports = append(c.imports, b)
				c.names[name] = b
			}
		}
		return nil
	case "":
		b.Name = pkg.Name()
	}
	c.imports = append(c.imports, b)
	c.names[b.Name] = b
	return nil
}

// importText says what to do about an import that failed.
func importText(path string, err error) string {
	if errors.Is(err, ErrNotLoaded) || strings.Contains(err.Error(), ErrNotLoaded.Error()) {
		return fmt.Sprintf("package %s is not loaded: import it first", path)
	}
	return err.Error()
}

func kindOf(obj types.Object) Kind {
	switch obj.(type) {
	case *types.Const:
		return Const
	case *types.TypeName:
		return Type
	case *types.Func:
		return Func
	}
	return Var
}
