package check

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// TypeWriter writes types as Go source. Name and Field decide how names look;
// so it writes for people and for the compiler alike.
type TypeWriter struct {
	// Name writes the name of a declared type. Its error ends the writing.
	Name func(*types.TypeName) (string, error)
	// Field writes the name of a field or method. Nil leaves it as it is.
	Field func(name string, pkg *types.Package) string
	// Tag writes the tag of a field, with the space before it. Nil drops all.
	Tag func(f *types.Var, tag string) string
	// Embedded writes the name of a predeclared type that is embedded in a
	// struct. Nil leaves it as it is.
	Embedded func(name string) string
}

// Write returns the source of a type. The error is that of Name.
func (w TypeWriter) Write(t types.Type) (string, error) {
	var p typePrinter
	p.w = w
	p.typ(t)
	return p.b.String(), p.err
}

type typePrinter struct {
	w   TypeWriter
	b   strings.Builder
	err error
}

func (p *typePrinter) put(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *typePrinter) typ(t types.Type) {
	switch t := t.(type) {
	case *types.Basic:
		p.put(t.String())
	case *types.Alias:
		p.named(t.Obj(), t.TypeArgs())
	case *types.Named:
		p.named(t.Obj(), t.TypeArgs())
	case *types.TypeParam:
		p.put(t.Obj().Name())
	case *types.Pointer:
		p.put("*")
		p.typ(t.Elem())
	case *types.Slice:
		p.put("[]")
		p.typ(t.Elem())
	case *types.Array:
		p.put("[", strconv.FormatInt(t.Len(), 10), "]")
		p.typ(t.Elem())
	case *types.Map:
		p.put("map[")
		p.typ(t.Key())
		p.put("]")
		p.typ(t.Elem())
	case *types.Chan:
		p.channel(t)
	case *types.Signature:
		p.put("func")
		p.signature(t)
	case *types.Struct:
		p.structure(t)
	case *types.Interface:
		p.iface(t)
	case *types.Union:
		p.union(t)
	case *types.Tuple:
		p.tuple(t, false)
	default:
		p.err = fmt.Errorf("type %v: %w", t, ErrUnnamed)
	}
}

func (p *typePrinter) named(obj *types.TypeName, args *types.TypeList) {
	name, err := p.w.Name(obj)
	p.err = errors.Join(p.err, err)
	p.put(name)
	if args.Len() == 0 {
		return
	}
	p.put("[")
	for i := range args.Len() {
		if i > 0 {
			p.put(", ")
		}
		p.typ(args.At(i))
	}
	p.put("]")
}

func (p *typePrinter) channel(t *types.Chan) {
	p.put(map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()])
	if inner, ok := t.Elem().(*types.Chan); ok && inner.Dir() == types.RecvOnly {
		p.put("(")
		defer p.put(")")
	}
	p.typ(t.Elem())
}

func (p *typePrinter) signature(t *types.Signature) {
	p.tuple(t.Params(), t.Variadic())
	switch n := t.Results().Len(); {
	case n == 1 && t.Results().At(0).Name() == "":
		p.put(" ")
		p.typ(t.Results().At(0).Type())
	case n > 0:
		p.put(" ")
		p.tuple(t.Results(), false)
	}
}

// tuple leaves names out in generated code, where Tag is set: they mean nothing.
func (p *typePrinter) tuple(t *types.Tuple, variadic bool) {
	p.put("(")
	for i := range t.Len() {
		v := t.At(i)
		if i > 0 {
			p.put(", ")
		}
		if v.Name() != "" && p.w.Tag == nil {
			p.put(v.Name(), " ")
		}
		if s, ok := v.Type().(*types.Slice); ok && variadic && i == t.Len()-1 {
			p.put("...")
			p.typ(s.Elem())
			continue
		}
		p.typ(v.Type())
	}
	p.put(")")
}

func (p *typePrinter) field(name string, pkg *types.Package) string {
	if p.w.Field == nil {
		return name
	}
	return p.w.Field(name, pkg)
}

func (p *typePrinter) structure(t *types.Struct) {
	p.put("struct{")
	for i := range t.NumFields() {
		f := t.Field(i)
		if i > 0 {
			p.put("; ")
		}
		if !f.Embedded() {
			p.put(p.field(f.Name(), f.Pkg()), " ")
		}
		p.foreign(f.Name(), f.Pkg())
		p.fieldType(f)
		if p.w.Tag != nil {
			p.put(p.w.Tag(f, t.Tag(i)))
		}
	}
	p.put("}")
}

func (p *typePrinter) fieldType(f *types.Var) {
	t := f.Type()
	if !f.Embedded() || p.w.Embedded == nil || types.Universe.Lookup(f.Name()) == nil {
		p.typ(t)
		return
	}
	if ptr, ok := t.(*types.Pointer); ok {
		p.put("*")
		t = ptr.Elem()
	}
	if text := Plain(t); types.Universe.Lookup(text) != nil && text == f.Name() {
		p.put(p.w.Embedded(text))
		return
	}
	p.typ(t)
}

// foreign finds lower-case names of other packages, which generated code
// cannot write.
func (p *typePrinter) foreign(name string, pkg *types.Package) {
	if p.w.Tag != nil && !token.IsExported(name) && pkg != nil && pkg.Path() != Path {
		p.err = errors.Join(p.err, fmt.Errorf("%s of package %s: %w", name, pkg.Path(), ErrUnnamed))
	}
}

func (p *typePrinter) iface(t *types.Interface) {
	if t.NumExplicitMethods()+t.NumEmbeddeds() == 0 {
		p.put("interface{}")
		return
	}
	p.put("interface{")
	sep := ""
	for m := range t.ExplicitMethods() {
		p.put(sep, p.field(m.Name(), m.Pkg()))
		p.foreign(m.Name(), m.Pkg())
		p.signature(m.Signature())
		sep = "; "
	}
	for e := range t.EmbeddedTypes() {
		p.put(sep)
		p.typ(e)
		sep = "; "
	}
	p.put("}")
}

func (p *typePrinter) union(t *types.Union) {
	for i := range t.Len() {
		if i > 0 {
			p.put(" | ")
		}
		if t.Term(i).Tilde() {
			p.put("~")
		}
		p.typ(t.Term(i).Type())
	}
}

// Plain writes a type for a person: names of the session as they were typed,
// others with their package.
func Plain(t types.Type) string {
	text, err := TypeWriter{Name: func(n *types.TypeName) (string, error) {
		if n.Pkg() == nil || n.Pkg().Path() == Path {
			return n.Name(), nil
		}
		return n.Pkg().Name() + "." + n.Name(), nil
	}}.Write(t)
	if err != nil {
		return t.String()
	}
	return text
}

// Writable tells whether another package can write down a type of this unit.
func (u *Unit) Writable(t types.Type) bool {
	_, err := TypeWriter{
		Tag:  func(*types.Var, string) string { return "" },
		Name: func(n *types.TypeName) (string, error) { return n.Name(), u.CanName(n) },
	}.Write(t)
	return err == nil
}

// CanName returns ErrUnnamed for a type that generated code cannot name:
// one that is local to a function, or lower-case in a foreign package.
func (u *Unit) CanName(n *types.TypeName) error {
	switch {
	case n.Pkg() == nil, n.Pkg().Path() == "unsafe":
		return nil
	case n.Pkg().Path() == Path && u.isOwn(n):
		return nil
	case n.Pkg().Path() != Path && n.Exported() && n.Parent() == n.Pkg().Scope() && !internal(n.Pkg().Path()):
		return nil
	}
	return fmt.Errorf("type %s: %w", n.Name(), ErrUnnamed)
}

// isOwn tells a type declared at the top level of a line.
func (u *Unit) isOwn(n *types.TypeName) bool {
	return u.Owner(n) != nil || n.Pkg() == u.Pkg && n.Parent() == u.Pkg.Scope()
}

// internal tells a package that a session may not import.
func internal(path string) bool {
	return strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "vendor/") ||
		strings.Contains("/"+path+"/", "/internal/") && !strings.Contains(path, ".")
}
