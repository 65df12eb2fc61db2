package fast

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
)

// unary prepares -x, +x, ^x, !x, <-x, and &x of a named type.
func (c *compiler) unary(x *ast.UnaryExpr) (node, bool) {
	n, ok := c.expr(x.X)
	if !ok || n.live == nil {
		return node{}, false
	}
	switch x.Op {
	case token.AND:
		return address(x.X, n)
	case token.ARROW:
		return receive(n)
	}
	v, get := reflect.Zero(n.live), n.get
	var apply func(from, to reflect.Value)
	switch {
	case x.Op == token.NOT && v.Kind() == reflect.Bool:
		apply = func(from, to reflect.Value) { to.SetBool(!from.Bool()) }
	case x.Op == token.SUB && v.CanInt():
		apply = func(from, to reflect.Value) { to.SetInt(-from.Int()) }
	case x.Op == token.SUB && v.CanUint():
		apply = func(from, to reflect.Value) { to.SetUint(-from.Uint()) }
	case x.Op == token.SUB && v.CanFloat():
		apply = func(from, to reflect.Value) { to.SetFloat(-from.Float()) }
	case x.Op == token.XOR && v.CanInt():
		apply = func(from, to reflect.Value) { to.SetInt(^from.Int()) }
	case x.Op == token.XOR && v.CanUint():
		apply = func(from, to reflect.Value) { to.SetUint(^from.Uint()) }
	case x.Op == token.ADD && (v.CanInt() || v.CanUint() || v.CanFloat()):
		apply = func(from, to reflect.Value) { to.Set(from) }
	default:
		return node{}, false
	}
	return node{live: n.live, get: func() reflect.Value {
		to := reflect.New(n.live).Elem()
		apply(get(), to)
		return to
	}}, true
}

// address prepares a pointer to a variable, or to a new literal. Its type is
// there if what it points to has a name.
func address(x ast.Expr, n node) (node, bool) {
	_, literal := ast.Unparen(x).(*ast.CompositeLit)
	if n.live.Name() == "" || !literal && !n.place {
		return node{}, false
	}
	return node{live: reflect.PointerTo(n.live), get: func() reflect.Value { return n.get().Addr() }}, true
}

// binary prepares an operator with two operands.
func (c *compiler) binary(x *ast.BinaryExpr) (node, bool) {
	l, okL := c.expr(x.X)
	r, okR := c.expr(x.Y)
	live, okT := c.e.live(c.info.TypeOf(x))
	if !okL || !okR || !okT {
		return node{}, false
	}
	return operate(x.Op, live, l, r)
}

// operate prepares an operator whose value is of type live.
func operate(op token.Token, live reflect.Type, l, r node) (node, bool) {
	switch op {
	case token.LAND, token.LOR:
		return logical(op, live, l, r)
	case token.EQL, token.NEQ:
		return equality(op, live, l, r)
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		return ordering(op, live, l, r)
	case token.SHL, token.SHR:
		return shift(op, live, l, r)
	}
	if l.live == nil || l.live != r.live || l.live != live {
		return node{}, false
	}
	apply := arithmetic(op, reflect.Zero(live))
	if apply == nil {
		return node{}, false
	}
	return both(live, l, r, apply), true
}

// both evaluates two operands, left before right, for a new value.
func both(live reflect.Type, l, r node, apply func(l, r, to reflect.Value)) node {
	return node{live: live, get: func() reflect.Value {
		left := still(l.get())
		right := r.get()
		to := reflect.New(live).Elem()
		apply(left, right, to)
		return to
	}}
}

func logical(op token.Token, live reflect.Type, l, r node) (node, bool) {
	return node{live: live, get: func() reflect.Value {
		to := reflect.New(live).Elem()
		b := l.get().Bool()
		if b == (op == token.LAND) {
			b = r.get().Bool()
		}
		to.SetBool(b)
		return to
	}}, true
}

// equality compares as Go does: what can be compared is wrapped, and compared
// by the runtime; the rest can be compared with nil only.
func equality(op token.Token, live reflect.Type, l, r node) (node, bool) {
	var equal func(l, r reflect.Value) bool
	switch {
	case l.live == nil && r.live == nil:
		return node{}, false
	case r.live == nil:
		equal = func(l, _ reflect.Value) bool { return l.IsNil() }
	case l.live == nil:
		l, r = r, l
		equal = func(l, _ reflect.Value) bool { return l.IsNil() }
	case l.live.Kind() == reflect.Interface && r.live.Kind() != reflect.Interface:
		equal = func(l, r reflect.Value) bool { return l.Interface() == r.Interface() }
	case l.live != r.live && l.live.Kind() != reflect.Interface && r.live.Kind() != reflect.Interface:
		return node{}, false // a channel and one of its directions
	default:
		equal = func(l, r reflect.Value) bool { return l.Interface() == r.Interface() }
	}
	if r.live == nil {
		r = node{live: l.live, get: func() reflect.Value { return reflect.Value{} }}
	}
	return both(live, l, r, func(l, r, to reflect.Value) { to.SetBool(equal(l, r) == (op == token.EQL)) }), true
}

func ordering(op token.Token, live reflect.Type, l, r node) (node, bool) {
	if l.live == nil || l.live != r.live {
		return node{}, false
	}
	zero := reflect.Zero(l.live)
	var less, equal func(l, r reflect.Value) bool
	switch {
	case zero.CanInt():
		less = func(l, r reflect.Value) bool { return l.Int() < r.Int() }
		equal = func(l, r reflect.Value) bool { return l.Int() == r.Int() }
	case zero.CanUint():
		less = func(l, r reflect.Value) bool { return l.Uint() < r.Uint() }
		equal = func(l, r reflect.Value) bool { return l.Uint() == r.Uint() }
	case zero.CanFloat():
		less = func(l, r reflect.Value) bool { return l.Float() < r.Float() }
		equal = func(l, r reflect.Value) bool { return l.Float() == r.Float() }
	case zero.Kind() == reflect.String:
		less = func(l, r reflect.Value) bool { return l.String() < r.String() }
		equal = func(l, r reflect.Value) bool { return l.String() == r.String() }
	default:
		return node{}, false
	}
	return both(live, l, r, func(l, r, to reflect.Value) {
		switch op {
		case token.LSS:
			to.SetBool(less(l, r))
		case token.GTR:
			to.SetBool(less(r, l))
		case token.LEQ:
			to.SetBool(less(l, r) || equal(l, r))
		default:
			to.SetBool(less(r, l) || equal(l, r))
		}
	}), true
}

// arithmetic returns an operator for values of a type, or nil. The operands
// are widened, and the result is cut to the type again: the same bits.
func arithmetic(op token.Token, zero reflect.Value) func(l, r, to reflect.Value) {
	switch {
	case zero.CanInt():
		if f := integers[int64](op); f != nil {
			return func(l, r, to reflect.Value) { to.SetInt(f(l.Int(), r.Int())) }
		}
	case zero.CanUint():
		if f := integers[uint64](op); f != nil {
			return func(l, r, to reflect.Value) { to.SetUint(f(l.Uint(), r.Uint())) }
		}
	case zero.CanFloat():
		if f := floats(op); f != nil {
			return func(l, r, to reflect.Value) { to.SetFloat(f(l.Float(), r.Float())) }
		}
	case zero.Kind() == reflect.String && op == token.ADD:
		return func(l, r, to reflect.Value) { to.SetString(l.String() + r.String()) }
	}
	return nil
}

func integers[T int64 | uint64](op token.Token) func(l, r T) T {
	switch op {
	case token.ADD:
		return func(l, r T) T { return l + r }
	case token.SUB:
		return func(l, r T) T { return l - r }
	case token.MUL:
		return func(l, r T) T { return l * r }
	case token.QUO:
		return func(l, r T) T { return l / r }
	case token.REM:
		return func(l, r T) T { return l % r }
	case token.AND:
		return func(l, r T) T { return l & r }
	case token.OR:
		return func(l, r T) T { return l | r }
	case token.XOR:
		return func(l, r T) T { return l ^ r }
	case token.AND_NOT:
		return func(l, r T) T { return l &^ r }
	}
	return nil
}

// floats computes with 64 bits. For 32 the result is rounded once more, which
// changes nothing: 53 bits are more than twice 24 and two.
func floats(op token.Token) func(l, r float64) float64 {
	switch op {
	case token.ADD:
		return func(l, r float64) float64 { return l + r }
	case token.SUB:
		return func(l, r float64) float64 { return l - r }
	case token.MUL:
		return func(l, r float64) float64 { return l * r }
	case token.QUO:
		return func(l, r float64) float64 { return l / r }
	}
	return nil
}

// shift prepares << and >>. A distance that is neither constant nor of a type,
// as the 1 << n of another shift is, is a uint for the compiler alone.
func shift(op token.Token, live reflect.Type, l, r node) (node, bool) {
	if l.live != live || !integer(l.live) || !integer(r.live) || untypedBasic(r.static) {
		return node{}, false
	}
	signed := reflect.Zero(live).CanInt()
	return both(live, l, r, func(l, r, to reflect.Value) {
		n := distance(r)
		switch {
		case signed && op == token.SHL:
			to.SetInt(l.Int() << n)
		case signed:
			to.SetInt(l.Int() >> n)
		case op == token.SHL:
			to.SetUint(l.Uint() << n)
		default:
			to.SetUint(l.Uint() >> n)
		}
	}), true
}

// least is min or max of two ordered values.
func least(name string, l, r reflect.Value) reflect.Value {
	var second bool // the right one is it
	switch {
	case l.CanInt():
		second = cmp.Less(r.Int(), l.Int())
	case l.CanUint():
		second = cmp.Less(r.Uint(), l.Uint())
	default:
		second = r.String() < l.String()
	}
	if second == (name == "min") {
		return r
	}
	return l
}

func untypedBasic(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&types.IsUntyped != 0
}

func integer(t reflect.Type) bool {
	return t != nil && (reflect.Zero(t).CanInt() || reflect.Zero(t).CanUint())
}

// ordered tells a type whose values min and max are done here: floats are not,
// for their NaNs and signed zeros.
func ordered(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsInteger|types.IsString) != 0
}
