package fast

import (
	"go/ast"
	"go/constant"
	"go/types"
	"math"
	"math/cmplx"
	"reflect"
)

// node is a prepared expression.
type node struct {
	static types.Type
	live   reflect.Type // of what get returns; nil for an untyped nil
	get    func() reflect.Value
	place  bool // get returns something addressable

	// open is get in two steps, for what Go assigns to in two: it evaluates the
	// operands, and what it returns gets there, which may panic. Nil for what
	// has no steps.
	open func() (reach func() reflect.Value)
}

// inSteps is a place, or a part of a value, that is got in two steps.
func inSteps(live reflect.Type, place bool, open func() (reach func() reflect.Value)) node {
	return node{live: live, place: place, open: open, get: func() reflect.Value { return open()() }}
}

// opened is the first step to a node's value.
func (n node) opened() (reach func() reflect.Value) {
	if n.open != nil {
		return n.open()
	}
	v := n.get()
	return func() reflect.Value { return v }
}

// compiler prepares one expression. Every method tells by its last result
// whether the expression is simple; none runs anything of it.
type compiler struct {
	e       *Evaluator
	info    *types.Info
	declare Declare // of a statement
}

// top prepares a whole expression, which may have several values or none.
func (c *compiler) top(x ast.Expr) (func() []reflect.Value, bool) {
	x = ast.Unparen(x)
	if tv, ok := c.info.Types[x]; !ok || tv.IsType() || tv.IsNil() {
		return nil, false
	}
	if call, ok := x.(*ast.CallExpr); ok && c.isCall(call) {
		run, _, ok := c.call(call)
		return run, ok
	}
	if call, ok := x.(*ast.CallExpr); ok && c.info.Types[x].IsVoid() {
		return c.statement(call)
	}
	n, ok := c.expr(x)
	if !ok {
		return nil, false
	}
	return func() []reflect.Value { return []reflect.Value{still(n.get())} }, true
}

// expr prepares an expression with one value.
func (c *compiler) expr(x ast.Expr) (node, bool) {
	x = ast.Unparen(x)
	tv, ok := c.info.Types[x]
	if !ok {
		return c.name(x)
	}
	switch {
	case tv.Value != nil:
		return c.constant(tv)
	case tv.IsNil():
		return node{static: tv.Type}, true
	case !tv.IsValue():
		return node{}, false
	}
	n, ok := c.operation(x)
	if !ok {
		return node{}, false
	}
	n.static = tv.Type
	c.e.learn(n.static, n.live)
	return n, true
}

func (c *compiler) operation(x ast.Expr) (node, bool) {
	switch x := x.(type) {
	case *ast.Ident:
		return c.name(x)
	case *ast.SelectorExpr:
		return c.selector(x)
	case *ast.CallExpr:
		return c.single(x)
	case *ast.IndexExpr:
		return c.index(x)
	case *ast.SliceExpr:
		return c.slice(x)
	case *ast.StarExpr:
		return c.star(x)
	case *ast.UnaryExpr:
		return c.unary(x)
	case *ast.BinaryExpr:
		return c.binary(x)
	case *ast.CompositeLit:
		return c.literal(x)
	}
	return node{}, false
}

// name prepares a variable or a function: of the session, or of the table.
func (c *compiler) name(x ast.Expr) (node, bool) {
	id, ok := x.(*ast.Ident)
	if !ok {
		return node{}, false
	}
	obj := c.info.Uses[id]
	if obj == nil || c.info.Instances[id].Type != nil {
		return node{}, false
	}
	switch obj.(type) {
	case *types.Var, *types.Func:
	default:
		return node{}, false
	}
	if bound := c.e.bound(obj); bound != nil {
		return c.fromTable(obj, bound)
	}
	v, ok := c.e.env.Lookup(obj)
	if !ok || !v.IsValid() {
		return node{}, false
	}
	if v, ok = c.asInterface(obj.Type(), v); !ok {
		return node{}, false
	}
	c.e.learn(obj.Type(), v.Type())
	return node{static: obj.Type(), live: v.Type(), get: func() reflect.Value { return v }, place: v.CanAddr()}, true
}

// asInterface gives a value that was kept without its interface that type again.
func (c *compiler) asInterface(static types.Type, v reflect.Value) (reflect.Value, bool) {
	if !types.IsInterface(static) || v.Kind() == reflect.Interface {
		return v, true
	}
	live, ok := c.e.live(static)
	if !ok || !v.CanConvert(live) {
		return reflect.Value{}, false
	}
	return v.Convert(live), true
}

func (c *compiler) fromTable(obj types.Object, bound any) (node, bool) {
	v := reflect.ValueOf(bound)
	if _, isType := bound.(reflect.Type); isType {
		return node{}, false
	}
	_, variable := obj.(*types.Var)
	if variable {
		v = v.Elem()
	}
	c.e.learn(obj.Type(), v.Type())
	return node{static: obj.Type(), live: v.Type(), get: func() reflect.Value { return v }, place: variable}, true
}

// constant prepares a constant of its type; one that no variable of that type
// can hold is not simple.
func (c *compiler) constant(tv types.TypeAndValue) (node, bool) {
	static := types.Default(tv.Type)
	live, ok := c.e.live(static)
	if !ok {
		return node{}, false
	}
	v, ok := Constant(live, tv.Value)
	if !ok {
		return node{}, false
	}
	return node{static: static, live: live, get: func() reflect.Value { return v }}, true
}

// Constant makes the value of type t that a constant is; ok is false if no
// variable of that type holds it.
func Constant(t reflect.Type, value constant.Value) (v reflect.Value, ok bool) {
	v = reflect.New(t).Elem()
	switch {
	case v.Kind() == reflect.Bool && value.Kind() == constant.Bool:
		v.SetBool(constant.BoolVal(value))
	case v.Kind() == reflect.String && value.Kind() == constant.String:
		v.SetString(constant.StringVal(value))
	case v.CanInt():
		n, exact := constant.Int64Val(constant.ToInt(value))
		if !exact || v.OverflowInt(n) {
			return v, false
		}
		v.SetInt(n)
	case v.CanUint():
		n, exact := constant.Uint64Val(constant.ToInt(value))
		if !exact || v.OverflowUint(n) {
			return v, false
		}
		v.SetUint(n)
	case v.CanFloat():
		f := float(t, value)
		v.SetFloat(f)
		return v, !math.IsInf(f, 0)
	case v.CanComplex():
		re, im := float(t, constant.Real(value)), float(t, constant.Imag(value))
		v.SetComplex(complex(re, im))
		return v, !cmplx.IsInf(complex(re, im))
	default:
		return v, false
	}
	return v, true
}

// float is a constant as a number of t, or as a part of one, has it; infinite
// if it is too large.
func float(t reflect.Type, value constant.Value) float64 {
	if t.Kind() == reflect.Float32 || t.Kind() == reflect.Complex64 {
		f, _ := constant.Float32Val(constant.ToFloat(value))
		return float64(f)
	}
	f, _ := constant.Float64Val(constant.ToFloat(value))
	return f
}

// as makes a value assignable to a type: interfaces are wrapped, nil becomes
// the type's zero. The checker has found the assignment legal.
func (n node) as(to reflect.Type) (func() reflect.Value, bool) {
	switch {
	case n.live == nil:
		zero := reflect.Zero(to)
		return func() reflect.Value { return zero }, true
	case n.live == to:
		get := n.get
		return func() reflect.Value { return still(get()) }, true
	case !n.live.AssignableTo(to):
		return nil, false
	}
	return func() reflect.Value { return n.get().Convert(to) }, true
}

// still is a copy of a variable's value: what happens to the variable later
// does not change it.
func still(v reflect.Value) reflect.Value {
	if !v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
