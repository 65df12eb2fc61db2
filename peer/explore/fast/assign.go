package fast

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
)

// Declare makes the variable that an identifier declares, of a type; ok is
// false if there can be none. It is asked before anything runs.
type Declare func(id *ast.Ident, t reflect.Type) (variable reflect.Value, ok bool)

// Statement prepares an expression statement, an assignment, ++ or --, or a
// declaration of variables. The values of its Program are none.
func (e *Evaluator) Statement(info *types.Info, s ast.Stmt, declare Declare) (p Program, ok bool) {
	c := &compiler{e: e, info: info, declare: declare}
	o := &order{e: e, info: info}
	var run func()
	switch s := s.(type) {
	case *ast.ExprStmt:
		var top func() []reflect.Value
		if top, ok = c.top(s.X); ok {
			run = func() { top() }
			o.list(s.X)
		}
	case *ast.IncDecStmt:
		run, ok = c.step(s)
		o.list(s.X)
	case *ast.AssignStmt:
		run, ok = c.assignment(s)
		o.assignment(s)
	case *ast.DeclStmt:
		run, ok = c.variables(s.Decl.(*ast.GenDecl))
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				o.list(v.Values...)
			}
		}
	}
	if !ok {
		return Program{}, false
	}
	return Program{parts: []func() []reflect.Value{func() []reflect.Value { run(); return nil }}, Certain: !o.free}, true
}

// assignment looks at both sides: what the left reads must not be changed by
// calls on the right.
func (o *order) assignment(s *ast.AssignStmt) {
	var read []ast.Expr
	for _, x := range s.Lhs {
		if _, plain := ast.Unparen(x).(*ast.Ident); !plain || s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
			read = append(read, x)
		}
	}
	o.list(append(read, s.Rhs...)...)
	if s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
		o.free = o.free || o.fuses(operator(s.Tok), s.Lhs[0], s.Rhs[0])
	}
}

// still tells that an expression calls nothing, so that it may be evaluated
// twice.
func (c *compiler) still(x ast.Expr) bool {
	o := &order{e: c.e, info: c.info}
	_, effects := o.expr(x)
	return effects == 0
}

// store is a place for a value: at evaluates the operands of what leads there,
// and set, which is called after that, gets there and may panic.
type store struct {
	live reflect.Type // of what it takes; nil for anything
	at   func() (set func(reflect.Value))
}

// step prepares x++ and x--.
func (c *compiler) step(s *ast.IncDecStmt) (func(), bool) {
	n, ok := c.expr(s.X)
	if !ok || !c.still(s.X) || n.live == nil {
		return nil, false
	}
	one, ok := Constant(n.live, constant.MakeInt64(1))
	if !ok {
		return nil, false
	}
	op := map[token.Token]token.Token{token.INC: token.ADD, token.DEC: token.SUB}[s.Tok]
	return c.update(op, s.X, n, node{live: n.live, get: func() reflect.Value { return one }})
}

// update prepares x op= y.
func (c *compiler) update(op token.Token, x ast.Expr, l, r node) (func(), bool) {
	to, ok := c.target(x, false)
	if !ok {
		return nil, false
	}
	n, ok := operate(op, l.live, l, r)
	if !ok {
		return nil, false
	}
	return func() {
		v := n.get()
		to.at()(v)
	}, true
}

func (c *compiler) assignment(s *ast.AssignStmt) (func(), bool) {
	if s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
		l, okL := c.expr(s.Lhs[0])
		r, okR := c.expr(s.Rhs[0])
		if !okL || !okR || l.live == nil || !c.still(s.Lhs[0]) {
			return nil, false
		}
		return c.update(operator(s.Tok), s.Lhs[0], l, r)
	}
	return c.assign(s.Lhs, s.Rhs, s.Tok == token.DEFINE, nil)
}

// operator is the operator of an assignment: + of +=.
func operator(t token.Token) token.Token { return t - token.ADD_ASSIGN + token.ADD }

// assign prepares assignments and declarations. typ is the type that is
// declared, nil if it is that of the values.
func (c *compiler) assign(left, right []ast.Expr, define bool, typ reflect.Type) (func(), bool) {
	values, lives, ok := c.rights(right, len(left))
	if !ok {
		return nil, false
	}
	stores := make([]store, len(left))
	for i, x := range left {
		id, isName := x.(*ast.Ident)
		if define && isName && c.info.Defs[id] != nil {
			if typ != nil {
				lives[i] = typ
			}
			stores[i], ok = c.declared(id, lives[i])
		} else {
			stores[i], ok = c.target(x, true)
		}
		if !ok {
			return nil, false
		}
	}
	get, ok := values(stores)
	if !ok {
		return nil, false
	}
	return func() {
		sets := make([]func(reflect.Value), len(stores))
		for i, s := range stores {
			sets[i] = s.at()
		}
		for i, v := range get() {
			sets[i](v)
		}
	}, true
}

// rights prepares the values of n places, which know afterwards what they take.
func (c *compiler) rights(right []ast.Expr, n int) (values func([]store) (func() []reflect.Value, bool), lives []reflect.Type, ok bool) {
	if len(right) == n {
		nodes := make([]node, n)
		for i, x := range right {
			if nodes[i], ok = c.expr(x); !ok {
				return nil, nil, false
			}
			lives = append(lives, nodes[i].live)
		}
		return func(to []store) (func() []reflect.Value, bool) { return each(nodes, to) }, lives, true
	}
	run, lives, ok := c.several(ast.Unparen(right[0]))
	if !ok || len(lives) != n {
		return nil, nil, false
	}
	return func(to []store) (func() []reflect.Value, bool) { return results(run, lives, to) }, lives, true
}

// several prepares what has several values: a call, and what tells beside its
// value whether there is one.
func (c *compiler) several(x ast.Expr) (run func() []reflect.Value, lives []reflect.Type, ok bool) {
	switch x := x.(type) {
	case *ast.CallExpr:
		if !c.isCall(x) {
			return nil, nil, false
		}
		return c.call(x)
	case *ast.IndexExpr:
		return c.lookup(x)
	case *ast.TypeAssertExpr:
		return c.assertion(x)
	}
	return nil, nil, false
}

// found are the values of what may not be there.
func found(v reflect.Value, live reflect.Type, ok bool) []reflect.Value {
	if !ok {
		v = reflect.Zero(live)
	}
	return []reflect.Value{v, reflect.ValueOf(ok)}
}

func (c *compiler) lookup(x *ast.IndexExpr) (run func() []reflect.Value, lives []reflect.Type, ok bool) {
	m, okM := c.expr(x.X)
	key, okKey := c.expr(x.Index)
	if !okM || !okKey || m.live == nil || m.live.Kind() != reflect.Map {
		return nil, nil, false
	}
	k, ok := key.as(m.live.Key())
	elem := m.live.Elem()
	return func() []reflect.Value {
		v := m.get().MapIndex(k())
		return found(v, elem, v.IsValid())
	}, []reflect.Type{elem, reflect.TypeFor[bool]()}, ok
}

func (c *compiler) assertion(x *ast.TypeAssertExpr) (run func() []reflect.Value, lives []reflect.Type, ok bool) {
	n, okX := c.expr(x.X)
	to, okType := c.e.live(c.info.TypeOf(x.Type))
	if !okX || !okType || n.live == nil || n.live.Kind() != reflect.Interface {
		return nil, nil, false
	}
	return func() []reflect.Value {
		v := n.get().Elem()
		is := v.IsValid() && (v.Type() == to || to.Kind() == reflect.Interface && v.Type().Implements(to))
		if is {
			v = v.Convert(to)
		}
		return found(v, to, is)
	}, []reflect.Type{to, reflect.TypeFor[bool]()}, true
}

// each gives one value to each place.
func each(nodes []node, to []store) (func() []reflect.Value, bool) {
	gets := make([]func() reflect.Value, len(nodes))
	for i, n := range nodes {
		live := to[i].live
		if live == nil {
			live = n.live
		}
		if live == nil {
			return nil, false
		}
		var ok bool
		if gets[i], ok = n.as(live); !ok {
			return nil, false
		}
	}
	return func() []reflect.Value {
		all := make([]reflect.Value, len(gets))
		for i, get := range gets {
			all[i] = get()
		}
		return all
	}, true
}

// results gives the results of one call to places.
func results(run func() []reflect.Value, lives []reflect.Type, to []store) (func() []reflect.Value, bool) {
	for i, live := range lives {
		if to[i].live != nil && !live.AssignableTo(to[i].live) {
			return nil, false
		}
	}
	return func() []reflect.Value {
		all := run()
		for i, v := range all {
			if live := to[i].live; live != nil && live != v.Type() {
				all[i] = v.Convert(live)
			}
		}
		return all
	}, true
}

// declared is the place that an identifier declares.
func (c *compiler) declared(id *ast.Ident, live reflect.Type) (store, bool) {
	if id.Name == "_" {
		return nowhere(), true
	}
	if live == nil {
		return store{}, false
	}
	v, ok := c.declare(id, live)
	return store{live, func() func(reflect.Value) { return v.Set }}, ok
}

func nowhere() store { return store{at: func() func(reflect.Value) { return func(reflect.Value) {} }} }

// target is the place that an expression on the left stands for.
func (c *compiler) target(x ast.Expr, calls bool) (store, bool) {
	x = ast.Unparen(x)
	if id, ok := x.(*ast.Ident); ok && id.Name == "_" {
		return nowhere(), calls
	}
	if i, ok := x.(*ast.IndexExpr); ok {
		if m, ok := types.Unalias(c.info.TypeOf(i.X)).Underlying().(*types.Map); ok && m != nil {
			return c.entry(i)
		}
	}
	n, ok := c.expr(x)
	if !ok || !n.place {
		return store{}, false
	}
	return store{n.live, func() func(reflect.Value) {
		reach := n.opened()
		return func(v reflect.Value) { reach().Set(v) }
	}}, true
}

// entry is the place of a key in a map.
func (c *compiler) entry(x *ast.IndexExpr) (store, bool) {
	m, okM := c.expr(x.X)
	key, okKey := c.expr(x.Index)
	if !okM || !okKey || m.live == nil || m.live.Kind() != reflect.Map {
		return store{}, false
	}
	k, ok := key.as(m.live.Key())
	return store{m.live.Elem(), func() func(reflect.Value) {
		at, entry := still(m.get()), k()
		return func(v reflect.Value) { at.SetMapIndex(entry, v) }
	}}, ok
}

// variables prepares a declaration with var.
func (c *compiler) variables(d *ast.GenDecl) (func(), bool) {
	if d.Tok != token.VAR || len(d.Specs) != 1 {
		return nil, false
	}
	spec := d.Specs[0].(*ast.ValueSpec)
	var typ reflect.Type
	if spec.Type != nil {
		var ok bool
		if typ, ok = c.e.live(c.info.TypeOf(spec.Type)); !ok {
			return nil, false
		}
	}
	if len(spec.Values) == 0 {
		for _, id := range spec.Names {
			if _, ok := c.declared(id, typ); !ok {
				return nil, false
			}
		}
		return func() {}, true
	}
	left := make([]ast.Expr, len(spec.Names))
	for i, id := range spec.Names {
		left[i] = id
	}
	return c.assign(left, spec.Values, true, typ)
}
