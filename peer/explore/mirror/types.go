package mirror

import (
	"go/token"
	"go/types"
	"reflect"
	"regexp"
)

// typ returns a type that code can get to: its named parts will be whole.
func (w *World) typ(t reflect.Type) types.Type {
	w.reach(t)
	return w.shallow(t)
}

// reach queues the named types that code with a value of type t can get to.
func (w *World) reach(t reflect.Type) {
	if w.reached[t] {
		return
	}
	w.reached[t] = true
	if t.Name() != "" {
		if w.shallow(t); w.hollow[t] {
			w.queue = append(w.queue, t)
		}
		return
	}
	w.inside(t)
}

// inside reaches what a type is made of, as far as code can get there.
func (w *World) inside(t reflect.Type) {
	switch t.Kind() {
	case reflect.Map:
		w.reach(t.Key())
		w.reach(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		w.reach(t.Elem())
	case reflect.Func:
		for i := range t.NumIn() {
			w.reach(t.In(i))
		}
		for i := range t.NumOut() {
			w.reach(t.Out(i))
		}
	case reflect.Interface:
		for i := range t.NumMethod() {
			w.inside(t.Method(i).Type)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() || f.Anonymous {
				w.reach(f.Type)
			}
		}
	}
}

// shallow returns a type whose named parts may be hollow.
func (w *World) shallow(t reflect.Type) types.Type {
	if known, ok := w.types[t]; ok {
		return known
	}
	if t.Name() != "" {
		return w.named(t)
	}
	typ := w.composite(t)
	w.types[t] = typ
	return typ
}

// composite makes a type from what it is made of.
func (w *World) composite(t reflect.Type) types.Type {
	switch t.Kind() {
	case reflect.Pointer:
		return types.NewPointer(w.shallow(t.Elem()))
	case reflect.Slice:
		return types.NewSlice(w.element(t.Elem()))
	case reflect.Array:
		return types.NewArray(w.element(t.Elem()), int64(t.Len()))
	case reflect.Chan:
		dir := map[reflect.ChanDir]types.ChanDir{reflect.BothDir: types.SendRecv, reflect.SendDir: types.SendOnly, reflect.RecvDir: types.RecvOnly}
		return types.NewChan(dir[t.ChanDir()], w.shallow(t.Elem()))
	case reflect.Map:
		return types.NewMap(w.shallow(t.Key()), w.shallow(t.Elem()))
	case reflect.Func:
		return w.signature(t, nil, 0)
	case reflect.Interface:
		return w.iface(t)
	case reflect.Struct:
		return w.structure(t)
	}
	return types.Typ[types.UnsafePointer] // nothing else has no name
}

// element calls a uint8 in a slice a byte, which is the same type.
func (w *World) element(t reflect.Type) types.Type {
	if t == reflect.TypeFor[uint8]() {
		return types.Universe.Lookup("byte").Type()
	}
	return w.shallow(t)
}

// signature is a function's type without its first skip parameters.
func (w *World) signature(t reflect.Type, recv *types.Var, skip int) *types.Signature {
	in, out := make([]*types.Var, 0, t.NumIn()), make([]*types.Var, 0, t.NumOut())
	for i := skip; i < t.NumIn(); i++ {
		in = append(in, types.NewParam(token.NoPos, nil, "", w.shallow(t.In(i))))
	}
	for i := range t.NumOut() {
		out = append(out, types.NewParam(token.NoPos, nil, "", w.shallow(t.Out(i))))
	}
	return types.NewSignatureType(recv, nil, nil, types.NewTuple(in...), types.NewTuple(out...), t.IsVariadic())
}

func (w *World) iface(t reflect.Type) *types.Interface {
	methods := make([]*types.Func, t.NumMethod())
	for i := range methods {
		m := t.Method(i)
		var p *types.Package
		if path := m.PkgPath; path != "" {
			p = w.pkg(path)
		} else if t.PkgPath() != "" {
			p = w.pkg(t.PkgPath())
		}
		methods[i] = types.NewFunc(token.NoPos, p, m.Name, w.signature(m.Type, nil, 0))
	}
	return types.NewInterfaceType(methods, nil).Complete()
}

func (w *World) structure(t reflect.Type) *types.Struct {
	fields, tags := make([]*types.Var, t.NumField()), make([]string, t.NumField())
	for i := range fields {
		f := t.Field(i)
		var p *types.Package
		if f.PkgPath != "" {
			p = w.pkg(f.PkgPath)
		}
		fields[i], tags[i] = types.NewField(token.NoPos, p, f.Name, w.shallow(f.Type), f.Anonymous), string(f.Tag)
	}
	return types.NewStruct(fields, tags)
}

// inPath is the directories before the name of a package, in the arguments of
// a generic type's name.
var inPath = regexp.MustCompile(`[\w.~-]+/`)

// named makes a type that has its name, and insides of the right kind.
func (w *World) named(t reflect.Type) types.Type {
	if t.Kind() == reflect.UnsafePointer && t.PkgPath() == "unsafe" {
		return types.Typ[types.UnsafePointer]
	}
	obj := types.NewTypeName(token.NoPos, w.pkg(t.PkgPath()), inPath.ReplaceAllString(t.Name(), ""), nil)
	typ := types.NewNamed(obj, w.outside(t), nil)
	w.types[t], w.live[obj], w.hollow[t] = typ, t, true
	return typ
}

// outside is the underlying type of a hollow type: it compares as t does.
func (w *World) outside(t reflect.Type) types.Type {
	switch {
	case t.Kind() == reflect.Struct && t.Comparable():
		return types.NewStruct(nil, nil)
	case t.Kind() == reflect.Struct:
		f := types.NewField(token.NoPos, nil, "_", types.NewSignatureType(nil, nil, nil, nil, nil, false), false)
		return types.NewStruct([]*types.Var{f}, nil)
	case t.Kind() == reflect.Interface:
		return types.NewInterfaceType(nil, nil)
	}
	if basic, ok := w.types[basicOf(t)]; ok {
		return basic
	}
	return types.Typ[types.Uintptr]
}

// basicOf is the predeclared type of a kind; nil for others.
func basicOf(t reflect.Type) reflect.Type {
	for _, b := range Basics() {
		if b.Kind() == t.Kind() {
			return b
		}
	}
	return nil
}

// fill gives the types in the queue their insides, and those that these need.
func (w *World) fill() {
	for len(w.queue) > 0 {
		t := w.queue[0]
		w.queue = w.queue[1:]
		named := w.types[t].(*types.Named)
		delete(w.hollow, t)
		if basicOf(t) == nil {
			named.SetUnderlying(w.composite(t))
			w.inside(t)
		}
		if t.Kind() != reflect.Interface {
			w.methods(named, t)
		}
	}
}

// methods gives a type its methods. One that is promoted from an embedded
// field is a method of its own here: it does the same.
func (w *World) methods(named *types.Named, t reflect.Type) {
	p := reflect.PointerTo(t)
	for i := range p.NumMethod() {
		m := p.Method(i)
		var recv types.Type = types.NewPointer(named)
		if _, ok := t.MethodByName(m.Name); ok {
			recv = named
		}
		r := types.NewParam(token.NoPos, named.Obj().Pkg(), "", recv)
		w.inside(m.Type)
		named.AddMethod(types.NewFunc(token.NoPos, named.Obj().Pkg(), m.Name, w.signature(m.Type, r, 1)))
	}
}
