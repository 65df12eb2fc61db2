package fast

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Go orders the calls of an expression, and leaves open when the variables in
// between are read: compiled code reads them after all calls, evaluation from
// left to right before those that stand further right. Here it is found out
// whether that can make a difference.

// reads are what an expression has read and not yet given to a call.
type reads int

const (
	variables reads = 1 << iota // of the session
	memory                      // elements, what pointers point to; may panic
)

// effects are what the calls in an expression can change.
type effects int

const (
	nothing effects = 1 << iota // but they may panic
	outside                     // anything but variables of the session
	anything
)

// touches tells whether such effects can be seen in what was read.
func (e effects) touches(r reads) bool {
	return e&anything != 0 && r != 0 || e != 0 && r&memory != 0
}

// order looks at the expressions of one evaluation.
type order struct {
	e    *Evaluator
	info *types.Info
	free bool // the order is left open, and it matters
}

// ordered tells whether expressions have the same values in any order that Go
// allows.
func (e *Evaluator) ordered(all []check.Expr) bool {
	var o order
	var parts []func() (reads, effects)
	for _, x := range all {
		parts = append(parts, func() (reads, effects) {
			o.e, o.info = e, x.Info
			return o.expr(x.Node)
		})
	}
	o.inTurn(parts...)
	return !o.free
}

// inTurn joins parts that are evaluated one after another.
func (o *order) inTurn(parts ...func() (reads, effects)) (r reads, e effects) {
	for _, part := range parts {
		nextReads, nextEffects := part()
		o.free = o.free || nextEffects.touches(r)
		r, e = r|nextReads, e|nextEffects
	}
	return r, e
}

func (o *order) list(all ...ast.Expr) (reads, effects) {
	var parts []func() (reads, effects)
	for _, x := range all {
		if x != nil {
			parts = append(parts, func() (reads, effects) { return o.expr(x) })
		}
	}
	return o.inTurn(parts...)
}

func (o *order) expr(x ast.Expr) (r reads, e effects) {
	if tv, ok := o.info.Types[x]; ok && (tv.Value != nil || tv.IsType() || tv.IsNil()) {
		return 0, 0
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return o.expr(x.X)
	case *ast.Ident:
		return o.ident(x), 0
	case *ast.SelectorExpr:
		return o.selector(x)
	case *ast.CallExpr:
		return o.call(x)
	case *ast.StarExpr:
		r, e = o.expr(x.X)
		return r | memory, e
	case *ast.UnaryExpr:
		if r, e = o.expr(x.X); x.Op == token.ARROW {
			return 0, e | anything
		}
		return r, e
	case *ast.BinaryExpr:
		return o.binary(x)
	case *ast.IndexExpr:
		r, e = o.list(x.X, x.Index)
		return r | memory, e
	case *ast.SliceExpr:
		r, e = o.list(x.X, x.Low, x.High, x.Max)
		return r | memory, e
	case *ast.CompositeLit:
		return o.list(x.Elts...)
	case *ast.KeyValueExpr:
		if _, isField := x.Key.(*ast.Ident); isField && o.info.Types[x.Key].Type == nil {
			return o.expr(x.Value)
		}
		return o.list(x.Key, x.Value)
	}
	return memory, anything
}

func (o *order) ident(x *ast.Ident) reads {
	v, ok := o.info.Uses[x].(*types.Var)
	if !ok || o.e.env.Fixed(v) {
		return 0
	}
	return variables
}

func (o *order) selector(x *ast.SelectorExpr) (reads, effects) {
	s, ok := o.info.Selections[x]
	if !ok {
		return o.ident(x.Sel), 0 // of a package
	}
	r, e := o.expr(x.X)
	if s.Indirect() || s.Kind() == types.MethodVal {
		r |= memory
	}
	return r, e
}

func (o *order) binary(x *ast.BinaryExpr) (reads, effects) {
	if x.Op == token.LAND || x.Op == token.LOR {
		_, left := o.expr(x.X)
		_, right := o.expr(x.Y)
		return 0, left | right // the left is done with before the right begins
	}
	r, e := o.list(x.X, x.Y)
	o.free = o.free || o.fuses(x.Op, x.X, x.Y)
	switch x.Op {
	case token.QUO, token.REM, token.SHL, token.SHR:
		r |= memory
	case token.EQL, token.NEQ:
		if types.IsInterface(o.info.TypeOf(x.X)) || types.IsInterface(o.info.TypeOf(x.Y)) {
			r |= memory
		}
	}
	return r, e
}

// fuses tells a sum of which a side is a product: a processor may round both
// once, together.
func (o *order) fuses(op token.Token, x, y ast.Expr) bool {
	return (op == token.ADD || op == token.SUB) && (o.isProduct(x) || o.isProduct(y))
}

// isProduct tells a product of floats, maybe with a sign.
func (o *order) isProduct(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.UnaryExpr:
		return o.isProduct(x.X)
	case *ast.BinaryExpr:
		b, ok := o.info.TypeOf(x).Underlying().(*types.Basic)
		return ok && b.Info()&types.IsFloat != 0 && x.Op == token.MUL && o.info.Types[x].Value == nil
	}
	return false
}

// call is where what was read before is used. Conversions and builtins are no
// calls in that sense.
func (o *order) call(x *ast.CallExpr) (reads, effects) {
	tv := o.info.Types[ast.Unparen(x.Fun)]
	if tv.IsType() || tv.IsBuiltin() { // a builtin without a value is a whole expression
		return o.list(x.Args...)
	}
	parts := []func() (reads, effects){func() (reads, effects) { return o.callee(ast.Unparen(x.Fun)) }}
	parts = append(parts, func() (reads, effects) { return o.list(x.Args...) })
	_, inner := o.inTurn(parts...)
	return 0, inner | o.effects(x)
}

// callee is what has to be read to know what is called.
func (o *order) callee(x ast.Expr) (reads, effects) {
	sel, ok := x.(*ast.SelectorExpr)
	if !ok {
		return o.expr(x)
	}
	if s, ok := o.info.Selections[sel]; ok && s.Kind() == types.MethodVal {
		return o.expr(sel.X)
	}
	return o.expr(x)
}

// effects are those of the called function itself.
func (o *order) effects(x *ast.CallExpr) effects {
	for _, arg := range x.Args {
		if !o.harmless(arg) {
			return anything
		}
	}
	switch f := ast.Unparen(x.Fun).(type) {
	case *ast.Ident:
		if o.e.env.Fixed(o.info.Uses[f]) {
			return outside
		}
	case *ast.SelectorExpr:
		if _, ok := o.info.Selections[f]; !ok {
			if fn, ok := o.info.Uses[f.Sel].(*types.Func); ok && o.e.bound(fn) != nil {
				return nothing
			}
		} else if o.rooted(f.X) {
			return outside
		}
	}
	return anything
}

// rooted tells what is reached from an object of the program.
func (o *order) rooted(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		return o.e.env.Fixed(o.info.Uses[x])
	case *ast.SelectorExpr:
		return o.rooted(x.X)
	case *ast.IndexExpr:
		return o.rooted(x.X)
	case *ast.CallExpr:
		return o.rooted(x.Fun)
	}
	return false
}

// harmless tells an argument through which a function can reach no variable.
func (o *order) harmless(x ast.Expr) bool {
	tv := o.info.Types[x]
	if tv.Value != nil || tv.IsNil() || tv.Type == nil {
		return true
	}
	if _, basic := tv.Type.Underlying().(*types.Basic); basic {
		return true
	}
	live, ok := o.e.live(tv.Type)
	return ok && live == reflect.TypeFor[[]byte]() || ok && live == reflect.TypeFor[[]string]() || o.rooted(x)
}
