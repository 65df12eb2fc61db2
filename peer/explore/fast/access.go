package fast

import (
	"go/ast"
	"go/types"
	"reflect"
)

// selector prepares a field, or an object of a package. A method without a
// call is not simple.
func (c *compiler) selector(x *ast.SelectorExpr) (node, bool) {
	sel, ok := c.info.Selections[x]
	if !ok {
		return c.name(x.Sel)
	}
	if sel.Kind() != types.FieldVal {
		return node{}, false
	}
	n, ok := c.expr(x.X)
	for _, i := range sel.Index() {
		if !ok {
			return node{}, false
		}
		n, ok = c.field(n, i)
	}
	return n, ok
}

// field prepares the i-th field of a struct, or of what a pointer points to.
func (c *compiler) field(n node, i int) (node, bool) {
	static := types.Unalias(n.static).Underlying()
	if p, ok := static.(*types.Pointer); ok {
		if n, ok = c.deref(n, p.Elem()); !ok {
			return node{}, false
		}
		static = p.Elem().Underlying()
	}
	s, ok := static.(*types.Struct)
	if !ok || n.live.Kind() != reflect.Struct || n.live.NumField() != s.NumFields() {
		return node{}, false
	}
	f := n.live.Field(i)
	if f.Name != memberName(s.Field(i)) || !f.IsExported() && !f.Anonymous {
		return node{}, false
	}
	c.e.learn(s.Field(i).Type(), f.Type)
	part := inSteps(f.Type, n.place, func() func() reflect.Value {
		reach := n.opened()
		return func() reflect.Value { return reach().Field(i) }
	})
	part.static = s.Field(i).Type()
	return part, true
}

// deref prepares what a pointer points to.
func (c *compiler) deref(n node, elem types.Type) (node, bool) {
	if n.live == nil || n.live.Kind() != reflect.Pointer {
		return node{}, false
	}
	c.e.learn(elem, n.live.Elem())
	target := inSteps(n.live.Elem(), true, func() func() reflect.Value {
		p := still(n.get())
		return func() reflect.Value {
			if p.IsNil() {
				nilDereference()
			}
			return p.Elem()
		}
	})
	target.static = elem
	return target, true
}

func (c *compiler) star(x *ast.StarExpr) (node, bool) {
	n, ok := c.expr(x.X)
	p, isPointer := types.Unalias(c.info.TypeOf(x.X)).Underlying().(*types.Pointer)
	if !ok || !isPointer {
		return node{}, false
	}
	return c.deref(n, p.Elem())
}

// index prepares an element of a slice, array, string or map.
func (c *compiler) index(x *ast.IndexExpr) (node, bool) {
	n, ok := c.expr(x.X)
	if !ok || n.live == nil {
		return node{}, false
	}
	i, ok := c.expr(x.Index)
	if !ok {
		return node{}, false
	}
	kind := n.live.Kind()
	switch {
	case kind == reflect.Map:
		return mapElement(n, i)
	case !integer(i.live):
		return node{}, false
	case kind == reflect.String:
		return node{live: reflect.TypeFor[uint8](), get: func() reflect.Value {
			v := still(n.get())
			return v.Index(inRange(i.get(), v.Len()))
		}}, true
	case kind != reflect.Slice && kind != reflect.Array:
		return node{}, false
	}
	return inSteps(n.live.Elem(), kind == reflect.Slice || n.place, func() func() reflect.Value {
		reach := n.elements()
		at := still(i.get())
		return func() reflect.Value {
			v := reach()
			return v.Index(inRange(at, v.Len()))
		}
	}), true
}

// elements is the first step to what a slice or an array is made of: of a slice
// which one it is, of an array only how to get there.
func (n node) elements() (reach func() reflect.Value) {
	if n.live.Kind() == reflect.Array {
		return n.opened()
	}
	s := still(n.get())
	return func() reflect.Value { return s }
}

func mapElement(m, key node) (node, bool) {
	k, ok := key.as(m.live.Key())
	if !ok {
		return node{}, false
	}
	zero := reflect.Zero(m.live.Elem())
	return node{live: m.live.Elem(), get: func() reflect.Value {
		v := m.get()
		if found := v.MapIndex(k()); found.IsValid() {
			return found
		}
		return zero
	}}, true
}

// slice prepares s[low:high] of a slice or a string.
func (c *compiler) slice(x *ast.SliceExpr) (node, bool) {
	n, ok := c.expr(x.X)
	if !ok || n.live == nil || x.Slice3 || n.live.Kind() != reflect.Slice && n.live.Kind() != reflect.String {
		return node{}, false
	}
	low, okLow := c.bound(x.Low)
	high, okHigh := c.bound(x.High)
	if !okLow || !okHigh {
		return node{}, false
	}
	return node{live: n.live, get: func() reflect.Value {
		v := still(n.get())
		from, to := reflect.ValueOf(0), reflect.ValueOf(v.Len())
		if low != nil {
			from = still(low())
		}
		if high != nil {
			to = high()
		}
		return v.Slice(bounds(v, from, to))
	}}, true
}

// bound prepares one bound of a slice; a missing one is nil.
func (c *compiler) bound(x ast.Expr) (func() reflect.Value, bool) {
	if x == nil {
		return nil, true
	}
	n, ok := c.expr(x)
	return n.get, ok && integer(n.live)
}

// literal prepares a composite literal of a known type, and with elements of
// any simple kind.
func (c *compiler) literal(x *ast.CompositeLit) (node, bool) {
	static := c.info.TypeOf(x)
	live, ok := c.e.live(static)
	if !ok {
		return node{}, false
	}
	var fill func(reflect.Value)
	switch live.Kind() {
	case reflect.Struct:
		fill, ok = c.structLiteral(x, static, live)
	case reflect.Slice:
		fill, ok = c.sliceLiteral(x, live)
	case reflect.Map:
		fill, ok = c.mapLiteral(x, live)
	default:
		return node{}, false
	}
	if !ok {
		return node{}, false
	}
	return node{live: live, get: func() reflect.Value {
		v := reflect.New(live).Elem()
		fill(v)
		return v
	}}, true
}

// element prepares one element for its place.
func (c *compiler) element(x ast.Expr, to reflect.Type) (func() reflect.Value, bool) {
	if inner, ok := x.(*ast.CompositeLit); ok && inner.Type == nil && to.Kind() == reflect.Pointer {
		return nil, false
	}
	n, ok := c.expr(x)
	if !ok {
		return nil, false
	}
	return n.as(to)
}

func (c *compiler) structLiteral(x *ast.CompositeLit, static types.Type, live reflect.Type) (func(reflect.Value), bool) {
	s, ok := static.Underlying().(*types.Struct)
	if !ok || s.NumFields() != live.NumField() {
		return nil, false
	}
	at, values := make([]int, len(x.Elts)), make([]func() reflect.Value, len(x.Elts))
	for i, elt := range x.Elts {
		at[i] = i
		if kv, keyed := elt.(*ast.KeyValueExpr); keyed {
			key, ok := kv.Key.(*ast.Ident)
			if !ok {
				return nil, false
			}
			at[i], elt = fieldNamed(s, key.Name), kv.Value
		}
		if at[i] < 0 || live.Field(at[i]).Name != memberName(s.Field(at[i])) || !live.Field(at[i]).IsExported() {
			return nil, false
		}
		if values[i], ok = c.element(elt, live.Field(at[i]).Type); !ok {
			return nil, false
		}
	}
	return func(v reflect.Value) {
		for i, value := range values {
			v.Field(at[i]).Set(value())
		}
	}, true
}

func fieldNamed(s *types.Struct, name string) int {
	for i := range s.NumFields() {
		if s.Field(i).Name() == name {
			return i
		}
	}
	return -1
}

func (c *compiler) sliceLiteral(x *ast.CompositeLit, live reflect.Type) (func(reflect.Value), bool) {
	values := make([]func() reflect.Value, len(x.Elts))
	for i, elt := range x.Elts {
		var ok bool
		if _, keyed := elt.(*ast.KeyValueExpr); keyed {
			return nil, false
		}
		if values[i], ok = c.element(elt, live.Elem()); !ok {
			return nil, false
		}
	}
	return func(v reflect.Value) {
		v.Set(reflect.MakeSlice(live, len(values), len(values)))
		for i, value := range values {
			v.Index(i).Set(value())
		}
	}, true
}

func (c *compiler) mapLiteral(x *ast.CompositeLit, live reflect.Type) (func(reflect.Value), bool) {
	keys, values := make([]func() reflect.Value, len(x.Elts)), make([]func() reflect.Value, len(x.Elts))
	for i, elt := range x.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			return nil, false
		}
		if keys[i], ok = c.element(kv.Key, live.Key()); !ok {
			return nil, false
		}
		if values[i], ok = c.element(kv.Value, live.Elem()); !ok {
			return nil, false
		}
	}
	return func(v reflect.Value) {
		v.Set(reflect.MakeMapWithSize(live, len(keys)))
		for i, key := range keys {
			k := key()
			v.SetMapIndex(k, values[i]())
		}
	}, true
}
