// Package mirror shows the types of the running program to go/types, by
// reflection: so code can be checked against live objects where there is no
// compiler and no export data, and before they have been read.
//
// A type comes with its fields, its exported methods and all that can be
// reached from there by exported names. What reflection does not know is not
// there: names of parameters, generic functions, unexported methods. Types that
// only unexported fields mention have their name and no more, since no code
// can get there. uint8 in a slice is called byte, which it is mostly.
//
// Packages hold what a table has for them, and are never complete: that a name
// is missing says nothing. The package needs nothing but the standard library.
package mirror

import (
	"errors"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"reflect"
	"strings"
)

// ErrUnknown is matched by the error for a package that is not in the table.
var ErrUnknown = errors.New("package is not known without a compiler")

// Const is a constant of a package. Type is nil for an untyped one.
type Const struct {
	Type  reflect.Type
	Kind  types.BasicKind // of an untyped one
	Value constant.Value
}

// Table returns what is known of a package, by name: functions, pointers to
// variables, types as reflect.Type, and Const; nil for an unknown package.
type Table func(path string) map[string]any

// World is the program as go/types sees it. It implements types.Importer. It
// is not safe for concurrent use.
type World struct {
	table    Table
	packages map[string]*types.Package
	imported map[string]bool
	types    map[reflect.Type]types.Type
	live     map[*types.TypeName]reflect.Type
	hollow   map[reflect.Type]bool // named types that have only their name yet
	reached  map[reflect.Type]bool // types that code can get to
	queue    []reflect.Type        // named types that need their insides
}

// New makes a world of the packages of a table.
func New(table Table) *World {
	w := &World{table: table, packages: map[string]*types.Package{"unsafe": types.Unsafe}, imported: map[string]bool{"unsafe": true},
		types: map[reflect.Type]types.Type{}, live: map[*types.TypeName]reflect.Type{}, hollow: map[reflect.Type]bool{}, reached: map[reflect.Type]bool{}}
	for _, b := range types.Typ {
		if t, ok := Basics()[b.Kind()]; ok {
			w.types[t] = b
		}
	}
	w.types[reflect.TypeFor[error]()] = types.Universe.Lookup("error").Type()
	w.types[reflect.TypeFor[any]()] = types.Universe.Lookup("any").Type()
	return w
}

// Basics returns the types that are predeclared and have values.
func Basics() map[types.BasicKind]reflect.Type {
	return map[types.BasicKind]reflect.Type{
		types.Bool: reflect.TypeFor[bool](), types.String: reflect.TypeFor[string](),
		types.Int: reflect.TypeFor[int](), types.Int8: reflect.TypeFor[int8](), types.Int16: reflect.TypeFor[int16](),
		types.Int32: reflect.TypeFor[int32](), types.Int64: reflect.TypeFor[int64](),
		types.Uint: reflect.TypeFor[uint](), types.Uint8: reflect.TypeFor[uint8](), types.Uint16: reflect.TypeFor[uint16](),
		types.Uint32: reflect.TypeFor[uint32](), types.Uint64: reflect.TypeFor[uint64](), types.Uintptr: reflect.TypeFor[uintptr](),
		types.Float32: reflect.TypeFor[float32](), types.Float64: reflect.TypeFor[float64](),
		types.Complex64: reflect.TypeFor[complex64](), types.Complex128: reflect.TypeFor[complex128](),
	}
}

// Import implements types.Importer. The error matches ErrUnknown.
func (w *World) Import(path string) (*types.Package, error) {
	if w.imported[path] {
		return w.packages[path], nil
	}
	entries := w.table(path)
	if entries == nil {
		return nil, fmt.Errorf("%s: %w", path, ErrUnknown)
	}
	p := w.pkg(path)
	w.imported[path] = true
	for name, v := range entries {
		w.declare(p, name, v)
	}
	w.fill()
	return p, nil
}

// declare puts an object of the table into its package.
func (w *World) declare(p *types.Package, name string, v any) {
	switch v := v.(type) {
	case Const:
		typ := types.Type(types.Typ[v.Kind])
		if v.Type != nil {
			typ = w.typ(v.Type)
		}
		p.Scope().Insert(types.NewConst(token.NoPos, p, name, typ, v.Value))
	case reflect.Type:
		if named, ok := w.typ(v).(*types.Named); ok && named.Obj().Name() == name && named.Obj().Pkg() == p {
			p.Scope().Insert(named.Obj())
		} else {
			p.Scope().Insert(types.NewTypeName(token.NoPos, p, name, w.typ(v)))
		}
	default:
		t := reflect.TypeOf(v)
		if t.Kind() == reflect.Pointer {
			p.Scope().Insert(types.NewVar(token.NoPos, p, name, w.typ(t.Elem())))
			return
		}
		w.reach(t)
		p.Scope().Insert(types.NewFunc(token.NoPos, p, name, w.signature(t, nil, 0)))
	}
}

// pkg returns the package of a path, empty until it is imported.
func (w *World) pkg(importPath string) *types.Package {
	p := w.packages[importPath]
	if p == nil {
		p = types.NewPackage(importPath, packageName(importPath))
		p.MarkComplete()
		w.packages[importPath] = p
	}
	return p
}

// packageName is what a package is most likely called.
func packageName(importPath string) string {
	dir, name := path.Split(importPath)
	if v := strings.TrimPrefix(name, "v"); v != name && strings.Trim(v, "0123456789") == "" && dir != "" {
		name = path.Base(dir)
	}
	return strings.ReplaceAll(strings.TrimPrefix(name, "go-"), "-", "_")
}

// TypeOf returns the type of the program as go/types sees it. It is always the
// same for the same type.
func (w *World) TypeOf(t reflect.Type) types.Type {
	typ := w.typ(t)
	w.fill()
	return typ
}

// Live returns the program's type behind a name of this world.
func (w *World) Live(obj *types.TypeName) (reflect.Type, bool) {
	t, ok := w.live[obj]
	return t, ok
}
