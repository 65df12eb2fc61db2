package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
)

// keepSources remembers how the types of a unit are declared, with their
// methods, so that a method may be added later.
func (u *Unit) keepSources() {
	types := map[string]*Binding{}
	for _, b := range u.New {
		if b.Kind == Type {
			types[b.Name] = b
		}
	}
	for _, d := range u.File.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok && types[t.Name.Name] != nil && !t.Assign.IsValid() {
					b := types[t.Name.Name]
					b.source = append(b.source, u.source("type ", s))
				}
			}
		case *ast.FuncDecl:
			if name := receiver(d); types[name] != nil {
				types[name].source = append(types[name].source, u.source("", d))
			}
		}
	}
}

// source is the text of a node, with a keyword before it.
func (u *Unit) source(keyword string, n ast.Node) chunk {
	from, to := u.offset(n.Pos()), u.offset(n.End())
	p := u.Fset.Position(n.Pos())
	input := u.Input
	_, _ = fmt.Sscanf(p.Filename, "‹%d›", &input) // it stays what it is otherwise
	return chunk{text: keyword + u.Text[from:to], input: input, line: p.Line, col: max(1, p.Column-len(keyword))}
}

// offset is the place of a position in Text.
func (u *Unit) offset(p token.Pos) int { return u.Fset.File(p).Offset(p) }

// receiver returns the name of the type that a method belongs to; empty for a
// function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// method is the method that an item declares; nil for other items.
func (it item) method() *ast.FuncDecl {
	if it.file == nil || len(it.file.Decls) == 0 {
		return nil
	}
	if fn, ok := it.file.Decls[0].(*ast.FuncDecl); ok && fn.Recv != nil {
		return fn
	}
	return nil
}

// pull completes the items of an input: a method on a type of an earlier line
// brings the type along, with all methods that it has. Go cannot add one.
func (s *Session) pull(in *Input, items []item) {
	items = together(items)
	own, methods := map[string]bool{}, map[string]map[string]bool{}
	for _, it := range items {
		if it.file == nil {
			continue
		}
		maps.Copy(own, declared(it.file))
		if fn := it.method(); fn != nil {
			name := receiver(fn)
			if methods[name] == nil {
				methods[name] = map[string]bool{}
			}
			methods[name][fn.Name.Name] = true
		}
	}
	for _, it := range items {
		if fn := it.method(); fn != nil && !own[receiver(fn)] {
			name := receiver(fn)
			own[name] = true
			in.items = append(in.items, s.older(in, name, methods[name])...)
		}
		in.items = append(in.items, it)
	}
}

// together puts methods behind the declaration of their type, if statements
// stand between: they form one package with it. A method that names what these
// statements declare stays where it is, and is an error later.
func together(items []item) []item {
	var all []item
	for _, it := range items {
		at := len(all)
		if fn := it.method(); fn != nil {
			at = home(all, fn, it.text)
		}
		all = slices.Insert(all, at, it)
	}
	return all
}

// home is where a method belongs: behind the declarations that its type is
// among.
func home(items []item, fn *ast.FuncDecl, text string) int {
	at := -1
	for i, it := range items {
		if it.file != nil && declared(it.file)[receiver(fn)] {
			at = i
		}
	}
	if at < 0 {
		return len(items)
	}
	for at < len(items) && items[at].kind == itemDecl {
		at++
	}
	words, _ := scan(text)
	for _, it := range items[at:] {
		for _, name := range declares(it) {
			if slices.ContainsFunc(words, func(w word) bool { return w.lit == name }) {
				return len(items)
			}
		}
	}
	return at
}

// declares returns the names that a statement declares, or a declaration.
func declares(it item) []string {
	if it.file != nil {
		return slices.Collect(maps.Keys(declared(it.file)))
	}
	f, err := parse("package p\nfunc _() {\n", it.text, "\n}")
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range f.Decls[0].(*ast.FuncDecl).Body.List {
		for _, id := range Declares(s) {
			names = append(names, id.Name)
		}
	}
	return names
}

// strangers finds methods whose type this unit does not declare: go/types must
// not see them.
func (c *checker) strangers(u *Unit) error {
	own := declared(u.File)
	for _, d := range u.File.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil {
			continue
		}
		name := receiver(fn)
		b := c.names[name]
		if own[name] || b == nil || b.Object == nil {
			continue
		}
		text := name + " is not a type"
		switch {
		case b.Kind == Type && b.Input == u.Input && b.Path == "":
			text = "this method of " + name + " uses what the same input declares between them: type it as an input of its own"
		case b.Kind == Type:
			text = name + " is another name of a type, or one of another package: Go allows it no methods here"
		}
		return &Error{Where: u.Fset.Position(fn.Recv.List[0].Type.Pos()).String(), Text: text}
	}
	return nil
}

// older returns the declaration of a type of the session and those of its
// methods that are not given anew.
func (s *Session) older(in *Input, name string, anew map[string]bool) []item {
	b := s.names[name]
	if b == nil || len(b.source) == 0 {
		return nil
	}
	var all []item
	for _, c := range b.source {
		it := item{chunk: c, kind: itemDecl}
		it.file, _ = parse("package p\n", c.text, "\n") // it was parsed before
		if fn := it.method(); fn == nil || !anew[fn.Name.Name] {
			all = append(all, it)
		}
	}
	in.Notes = append(in.Notes, note(b))
	return all
}

// note says what declaring a type again means.
func note(b *Binding) string {
	text := fmt.Sprintf("note: %s is a new type from here on (Go cannot add a method to an existing one); older variables and functions keep the old %s", b.Name, b.Name)
	if refersTo(b.Object.Type(), b.Object, map[types.Type]bool{}) {
		return text + ", which cannot be converted, since it refers to itself"
	}
	return text + fmt.Sprintf(", convert them with %s(v)", b.Name)
}

// refersTo tells whether the declaration of a type mentions it.
func refersTo(t types.Type, obj types.Object, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	again := func(t types.Type) bool {
		n, ok := types.Unalias(t).(*types.Named)
		return ok && n.Obj() == obj || refersTo(t, obj, seen)
	}
	switch t := t.Underlying().(type) {
	case *types.Pointer:
		return again(t.Elem())
	case *types.Slice:
		return again(t.Elem())
	case *types.Array:
		return again(t.Elem())
	case *types.Chan:
		return again(t.Elem())
	case *types.Map:
		return again(t.Key()) || again(t.Elem())
	case *types.Struct:
		return slices.ContainsFunc(slices.Collect(t.Fields()), func(f *types.Var) bool { return again(f.Type()) })
	case *types.Signature:
		return slices.ContainsFunc(slices.Concat(slices.Collect(t.Params().Variables()), slices.Collect(t.Results().Variables())),
			func(v *types.Var) bool { return again(v.Type()) })
	}
	return false
}
