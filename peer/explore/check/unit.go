package check

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// assemble writes the source file of a unit.
func (c *checker) assemble(items []item, lead int, show bool) *Unit {
	var b strings.Builder
	fmt.Fprintf(&b, "package line%d\n", c.line.N)
	for _, it := range items[:lead] {
		b.WriteString(it.directive() + it.text + "\n")
	}
	b.WriteString("func " + run + "() {\n")
	for i, it := range items[lead:] {
		if show && lead+i == len(items)-1 {
			b.WriteString(showOpen + it.directive() + it.text + showClose + "\n")
			continue
		}
		b.WriteString(it.directive() + it.text + "\n")
	}
	b.WriteString("}\n")
	return &Unit{Text: b.String(), Input: c.line.N, session: c.session,
		Fset: c.session.fset, owners: map[types.Object]*Binding{}}
}

const (
	showOpen  = show + "("
	showClose = ",\n)"
)

// directive says where the chunk was typed. Columns do not count what stands
// before it on its line.
func (c chunk) directive() string {
	return fmt.Sprintf("/*line ‹%d›:%d:%d*/", c.input, c.line, c.col)
}

// parse parses a unit and puts the imports that it may need at its head.
func (c *checker) parse(u *Unit) error {
	f, err := parser.ParseFile(u.Fset, "", u.Text, parser.SkipObjectResolution)
	if err != nil {
		var list scanner.ErrorList
		if errors.As(err, &list) && len(list) > 0 {
			return &Error{Where: list[0].Pos.String(), Text: clean(list[0].Msg)}
		}
		return err
	}
	u.File = f
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == run {
			u.Run = fn
		}
	}
	u.Show = u.shown()
	c.head(u)
	return nil
}

// shown returns the call that gets the last expressions.
func (u *Unit) shown() *ast.CallExpr {
	list := u.Run.Body.List
	if len(list) == 0 {
		return nil
	}
	s, ok := list[len(list)-1].(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return nil
	}
	if id, ok := call.Fun.(*ast.Ident); ok && id.Name == show {
		return call
	}
	return nil
}

// head declares the imports whose names stand before a dot.
func (c *checker) head(u *Unit) {
	own := declared(u.File)
	decl := &ast.GenDecl{Tok: token.IMPORT}
	seen := map[string]bool{}
	ast.Inspect(u.File, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || seen[id.Name] || own[id.Name] {
			return true
		}
		seen[id.Name] = true
		if b := c.names[id.Name]; b != nil && b.Kind == Import {
			decl.Specs = append(decl.Specs, &ast.ImportSpec{Name: ast.NewIdent(b.Name),
				Path: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(b.Path)}})
		}
		return true
	})
	if len(decl.Specs) > 0 {
		u.File.Decls = slices.Insert(u.File.Decls, 0, ast.Decl(decl))
	}
}

// declared returns the names that a file declares at package level.
func declared(f *ast.File) map[string]bool {
	own := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				own[d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					own[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						own[n.Name] = true
					}
				}
			}
		}
	}
	return own
}

// maxPasses bounds how often a unit is mended and checked again. Every pass
// mends something, so a few are enough.
const maxPasses = 8

// check runs the type checker until nothing is left to mend.
func (c *checker) check(u *Unit) error {
	for range maxPasses {
		errs := c.pass(u)
		switch mended, left := c.mend(u, errs); {
		case mended:
			continue
		case len(left) > 0:
			if c.constants(u, left) {
				return c.finish(u)
			}
			return c.report(u, left)
		}
		return c.finish(u)
	}
	return &Error{Text: "the checker does not come to an end with this input: split it"}
}

// pass checks a unit once and returns all errors.
func (c *checker) pass(u *Unit) []types.Error {
	u.Pkg = types.NewPackage(Path, "line"+strconv.Itoa(u.Input))
	u.Info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
		Implicits: map[ast.Node]types.Object{}, Scopes: map[ast.Node]*types.Scope{},
	}
	own := declared(u.File)
	any := types.NewSlice(types.Universe.Lookup("any").Type())
	u.Pkg.Scope().Insert(types.NewFunc(token.NoPos, u.Pkg, show, types.NewSignatureType(nil, nil, nil,
		types.NewTuple(types.NewParam(token.NoPos, nil, "", any)), nil, true)))
	ast.Inspect(u.File, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !own[id.Name] {
			if b := c.names[id.Name]; b != nil && b.Object != nil {
				own[id.Name] = true
				u.insert(b)
			}
		}
		return true
	})
	var errs []types.Error
	conf := types.Config{Importer: c.session.importer, DisableUnusedImportCheck: true, Error: func(err error) {
		var e types.Error
		if errors.As(err, &e) {
			errs = append(errs, e)
		}
	}}
	_ = types.NewChecker(&conf, u.Fset, u.Pkg, u.Info).Files([]*ast.File{u.File}) // errs has it
	return errs
}

// insert makes an older object visible under its session name.
func (u *Unit) insert(b *Binding) { u.Pkg.Scope().Insert(b.Object) }

// finish gathers what a checked unit gives to the session.
func (c *checker) finish(u *Unit) error {
	if err := u.refuse(); err != nil {
		return err
	}
	u.gather()
	if u.Show != nil {
		if len(u.Show.Args) == 1 && prints(u.Info, u.Show.Args[0]) {
			u.Bare = true
		}
		if !u.Bare && c.line.Values == nil {
			c.line.Values = u.values()
		}
	}
	return nil
}

// values returns what is known of the last expressions.
func (u *Unit) values() []Value {
	var all []Value
	for _, e := range u.Show.Args {
		tv := u.Info.Types[e]
		if t, ok := tv.Type.(*types.Tuple); ok {
			for v := range t.Variables() {
				all = append(all, Value{Type: v.Type()})
			}
			continue
		}
		all = append(all, Value{Type: tv.Type, Const: tv.Value, IsType: tv.IsType()})
	}
	return all
}

// prints tells a call whose results nobody wants to see.
func prints(info *types.Info, e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := info.Uses[sel.Sel].(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() == "fmt" && (strings.HasPrefix(f.Name(), "Print") || strings.HasPrefix(f.Name(), "Fprint"))
}

// gather finds the names that a unit declares for the session.
func (u *Unit) gather() {
	for _, name := range u.Pkg.Scope().Names() {
		obj := u.Pkg.Scope().Lookup(name)
		if obj.Pkg() == u.Pkg && name != run && name != show {
			u.give(obj, obj)
		}
	}
	for _, s := range u.Run.Body.List {
		for _, id := range Declares(s) {
			local, ok := u.Info.Defs[id].(*types.Var)
			if ok && id.Name != "_" {
				u.give(local, types.NewVar(id.Pos(), u.Pkg, id.Name, local.Type()))
			}
		}
	}
	u.keepSources()
}

// give binds what is local in this unit to obj in those that follow.
func (u *Unit) give(local, obj types.Object) {
	b := &Binding{Name: obj.Name(), Kind: kindOf(obj), Object: obj, Input: u.Input, unit: u}
	u.owners[local] = b
	u.owners[obj] = b
	u.New = append(u.New, b)
}

// Declares returns the names that a statement at the top level may declare.
func Declares(s ast.Stmt) []*ast.Ident {
	for {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			break
		}
		s = l.Stmt
	}
	var all []*ast.Ident
	switch s := s.(type) {
	case *ast.AssignStmt:
		for _, e := range s.Lhs {
			if id, ok := e.(*ast.Ident); ok && s.Tok == token.DEFINE {
				all = append(all, id)
			}
		}
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				all = append(all, v.Names...)
			}
		}
	}
	return all
}

// unwritable returns the index of the first statement of Run after the first
// one that declares a variable whose type cannot be written down; -1 if there
// is none.
func (u *Unit) unwritable() int {
	for i, s := range u.Run.Body.List {
		if i > 0 && slices.ContainsFunc(Declares(s), func(id *ast.Ident) bool {
			obj := u.Info.Defs[id]
			return obj != nil && id.Name != "_" && !u.Writable(obj.Type())
		}) {
			return i
		}
	}
	return -1
}
