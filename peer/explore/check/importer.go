package check

import (
	"fmt"
	"go/importer"
	"go/types"
	"io"
	"reflect"
)

// Source knows packages and types without export data.
type Source interface {
	types.Importer // its error for a package that it does not know matches ErrNotLoaded
	TypeOf(t reflect.Type) types.Type
}

// Use has the session take packages and types from export data from now on,
// instead of a Source. live returns the program's type of what a name stands
// for, and nil for a name that is to keep the type that it has. The error is
// about a bound object; then all is as before.
func (s *Session) Use(packages Packages, live func(*Binding) reflect.Type) error {
	config, with := s.config, s.importer
	s.config.Packages, s.config.Source = packages, nil
	s.importer = s.newImporter()
	anew := map[*Binding]types.Object{}
	for _, b := range s.names {
		obj, err := s.again(b, live(b))
		if err != nil && b.Kind == Bound {
			s.config, s.importer = config, with
			return err
		}
		if err == nil && obj != nil {
			anew[b] = obj
		}
	}
	for b, obj := range anew {
		delete(s.objects, b.Object)
		b.Object = obj
		s.objects[obj] = b
	}
	return nil
}

// again returns the object that a name stands for among other types; nil if it
// keeps what it has.
func (s *Session) again(b *Binding, live reflect.Type) (types.Object, error) {
	switch {
	case b.Object == nil:
		return nil, nil
	case b.Path != "": // by an import with a dot
		p, err := s.Package(b.Path)
		if err != nil {
			return nil, err
		}
		return p.Scope().Lookup(b.Name), nil
	case live == nil:
		return nil, nil
	}
	typ, err := s.TypeOf(live)
	if err != nil {
		return nil, fmt.Errorf("bind %s: %w", b.Name, err)
	}
	return types.NewVar(b.Object.Pos(), b.Object.Pkg(), b.Name, typ), nil
}

// newImporter reads export data, each package once in the life of the session.
func (s *Session) newImporter() types.Importer {
	if s.config.Source != nil {
		return s.config.Source
	}
	return importer.ForCompiler(s.fset, "gc", func(path string) (io.ReadCloser, error) {
		file, err := s.config.Packages.Export(path)
		if err != nil {
			return nil, err
		}
		return s.config.Open(file)
	})
}

// Package returns a package as the checker knows it.
func (s *Session) Package(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return s.importer.Import(path)
}

// TypeOf returns the checker's type for one of the running program. Types that
// are declared in functions, and instances of generic types, have none.
func (s *Session) TypeOf(t reflect.Type) (types.Type, error) {
	if s.config.Source != nil {
		return s.config.Source.TypeOf(t), nil
	}
	if t.Name() != "" {
		return s.named(t)
	}
	switch t.Kind() {
	case reflect.Func:
		return s.signature(t)
	case reflect.Struct, reflect.Interface:
		return s.literal(t)
	}
	elem, err := s.TypeOf(t.Elem())
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case reflect.Pointer:
		return types.NewPointer(elem), nil
	case reflect.Slice:
		return types.NewSlice(elem), nil
	case reflect.Array:
		return types.NewArray(elem, int64(t.Len())), nil
	case reflect.Chan:
		dirs := map[reflect.ChanDir]types.ChanDir{reflect.BothDir: types.SendRecv, reflect.SendDir: types.SendOnly, reflect.RecvDir: types.RecvOnly}
		return types.NewChan(dirs[t.ChanDir()], elem), nil
	}
	key, err := s.TypeOf(t.Key()) // what is left is a map
	if err != nil {
		return nil, err
	}
	return types.NewMap(key, elem), nil
}

func (s *Session) named(t reflect.Type) (types.Type, error) {
	scope := types.Universe
	if t.PkgPath() != "" {
		p, err := s.Package(t.PkgPath())
		if err != nil {
			return nil, err
		}
		scope = p.Scope()
	} else if t.Kind() == reflect.UnsafePointer {
		return types.Typ[types.UnsafePointer], nil
	}
	obj, ok := scope.Lookup(t.Name()).(*types.TypeName)
	if !ok {
		return nil, fmt.Errorf("%s: %w", t, ErrUnnamed)
	}
	return obj.Type(), nil
}

func (s *Session) signature(t reflect.Type) (types.Type, error) {
	tuple := func(n int, at func(int) reflect.Type) (*types.Tuple, error) {
		vars := make([]*types.Var, n)
		for i := range n {
			typ, err := s.TypeOf(at(i))
			if err != nil {
				return nil, err
			}
			vars[i] = types.NewParam(0, nil, "", typ)
		}
		return types.NewTuple(vars...), nil
	}
	in, err := tuple(t.NumIn(), t.In)
	if err != nil {
		return nil, err
	}
	out, err := tuple(t.NumOut(), t.Out)
	if err != nil {
		return nil, err
	}
	return types.NewSignatureType(nil, nil, nil, in, out, t.IsVariadic()), nil
}

// literal is for the two literals of types that hosts bind: empty ones.
func (s *Session) literal(t reflect.Type) (types.Type, error) {
	switch {
	case t.Kind() == reflect.Struct && t.NumField() == 0:
		return types.NewStruct(nil, nil), nil
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		return types.NewInterfaceType(nil, nil), nil
	}
	return nil, fmt.Errorf("%s: %w", t, ErrUnnamed)
}
