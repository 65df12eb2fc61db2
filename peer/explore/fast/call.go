package fast

import (
	"go/ast"
	"go/types"
	"reflect"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// isCall tells a call from a conversion and a builtin.
func (c *compiler) isCall(x *ast.CallExpr) bool {
	tv := c.info.Types[ast.Unparen(x.Fun)]
	return !tv.IsType() && !tv.IsBuiltin()
}

// single prepares a call, a conversion or a builtin with one value.
func (c *compiler) single(x *ast.CallExpr) (node, bool) {
	tv := c.info.Types[ast.Unparen(x.Fun)]
	switch {
	case tv.IsType():
		return c.convert(x)
	case tv.IsBuiltin():
		return c.builtin(x)
	}
	run, results, ok := c.call(x)
	if !ok || len(results) != 1 {
		return node{}, false
	}
	return node{live: results[0], get: func() reflect.Value { return run()[0] }}, true
}

// callee is a function that is going to be called: what it is, and how to get
// it when that time comes.
type callee struct {
	live reflect.Type
	get  func() reflect.Value
}

// call prepares a call of a function or a method, and tells the types of its
// results.
func (c *compiler) call(x *ast.CallExpr) (run func() []reflect.Value, results []reflect.Type, ok bool) {
	f, ok := c.callee(ast.Unparen(x.Fun))
	if !ok || check.Starts(c.info, x) != nil {
		return nil, nil, false // compiled code recovers what panics there
	}
	args, ok := c.arguments(x, f.live)
	if !ok {
		return nil, nil, false
	}
	for i := range f.live.NumOut() {
		results = append(results, f.live.Out(i))
	}
	return func() []reflect.Value {
		fn := f.get()
		in := make([]reflect.Value, len(args))
		for i, arg := range args {
			in[i] = arg()
		}
		if fn.IsNil() {
			nilDereference()
		}
		if f.live.IsVariadic() && len(in) < f.live.NumIn() {
			in = append(in, reflect.Zero(f.live.In(len(in)))) // nil, as Go has it
			return fn.CallSlice(in)
		}
		if x.Ellipsis.IsValid() {
			return fn.CallSlice(in)
		}
		return fn.Call(in)
	}, results, true
}

func (c *compiler) callee(x ast.Expr) (callee, bool) {
	if sel, ok := x.(*ast.SelectorExpr); ok {
		if s, ok := c.info.Selections[sel]; ok && s.Kind() == types.MethodVal {
			return c.method(sel, s)
		}
	}
	n, ok := c.expr(x)
	if !ok || n.live == nil || n.live.Kind() != reflect.Func {
		return callee{}, false
	}
	c.e.learn(n.static, n.live)
	return callee{n.live, func() reflect.Value { return still(n.get()) }}, true
}

// method prepares a method of a value, of what it points to, or of the
// variable that it is. Promoted ones are methods of the outer type too.
func (c *compiler) method(x *ast.SelectorExpr, s *types.Selection) (callee, bool) {
	n, ok := c.expr(x.X)
	name := memberName(s.Obj())
	if !ok || n.live == nil || !visible(name) {
		return callee{}, false
	}
	if n.live.Kind() != reflect.Interface {
		if n, ok = c.receiver(n, s, name); !ok {
			return callee{}, false
		}
	}
	m, ok := n.live.MethodByName(name)
	if !ok {
		return callee{}, false
	}
	skip := 1
	if n.live.Kind() == reflect.Interface {
		skip = 0
	}
	if sig, ok := s.Obj().Type().(*types.Signature); ok {
		c.e.learnSignature(sig, m.Type, skip)
	}
	return callee{withoutReceiver(n.live, m, skip), func() reflect.Value {
		v := still(n.get())
		if v.Kind() == reflect.Interface && v.IsNil() {
			nilDereference()
		}
		return v.MethodByName(name)
	}}, true
}

// receiver is what the method is found on: the value itself, or its address.
func (c *compiler) receiver(n node, s *types.Selection, name string) (node, bool) {
	if n.live.Kind() == reflect.Pointer {
		if len(s.Index()) == 1 && !pointerReceiver(s) {
			p, ok := types.Unalias(n.static).Underlying().(*types.Pointer)
			if !ok {
				return node{}, false
			}
			return c.deref(n, p.Elem()) // a nil pointer panics here, as in compiled code
		}
		return n, len(s.Index()) == 1 || n.live.Elem().Kind() == reflect.Struct
	}
	if _, ok := n.live.MethodByName(name); ok {
		return n, true
	}
	if !n.place || n.live.Name() == "" {
		return node{}, false
	}
	get := n.get
	return node{live: reflect.PointerTo(n.live), get: func() reflect.Value { return get().Addr() }}, true
}

func pointerReceiver(s *types.Selection) bool {
	sig, ok := s.Obj().Type().(*types.Signature)
	if !ok || sig.Recv() == nil {
		return false
	}
	_, pointer := types.Unalias(sig.Recv().Type()).(*types.Pointer)
	return pointer
}

// withoutReceiver is the type of a method once its receiver is bound.
func withoutReceiver(receiver reflect.Type, m reflect.Method, skip int) reflect.Type {
	if skip == 0 {
		return m.Type
	}
	return reflect.Zero(receiver).Method(m.Index).Type()
}

// arguments prepares what a function is called with. What a call of several
// results gives another call is not simple.
func (c *compiler) arguments(x *ast.CallExpr, f reflect.Type) ([]func() reflect.Value, bool) {
	fixed := f.NumIn()
	if f.IsVariadic() {
		fixed--
	}
	if spread := x.Ellipsis.IsValid(); len(x.Args) < fixed || !f.IsVariadic() && len(x.Args) != fixed || spread && len(x.Args) != fixed+1 {
		return nil, false
	}
	args := make([]func() reflect.Value, len(x.Args))
	for i, arg := range x.Args {
		if tuple, ok := c.info.TypeOf(arg).(*types.Tuple); ok && tuple.Len() != 1 {
			return nil, false
		}
		to := f.In(min(i, f.NumIn()-1))
		if i >= fixed && !x.Ellipsis.IsValid() {
			to = to.Elem()
		}
		n, ok := c.expr(arg)
		if !ok {
			return nil, false
		}
		if args[i], ok = n.as(to); !ok {
			return nil, false
		}
	}
	return args, true
}

// convert prepares a conversion to a known type. Those that depend on the
// machine, or may panic, are not simple.
func (c *compiler) convert(x *ast.CallExpr) (node, bool) {
	n, okFrom := c.expr(x.Args[0])
	to, okTo := c.e.live(c.info.TypeOf(x.Fun))
	if !okTo || !okFrom {
		return node{}, false
	}
	if n.live == nil {
		get, ok := n.as(to)
		return node{live: to, get: get}, ok
	}
	from := n.live
	if !from.ConvertibleTo(to) || from.Kind() == reflect.Slice && (to.Kind() == reflect.Array || to.Kind() == reflect.Pointer) {
		return node{}, false
	}
	if reflect.Zero(from).CanFloat() && integer(to) && to.Kind() != reflect.Int && to.Kind() != reflect.Int64 {
		return node{}, false
	}
	literal := c.info.Types[x.Args[0]].Value != nil
	return node{live: to, get: func() reflect.Value {
		v := still(n.get())
		if to.Kind() == reflect.Float32 {
			v = rounded(v)
		}
		v = v.Convert(to)
		if literal && to.Kind() == reflect.Slice {
			v = v.Slice3(0, v.Len(), v.Len()) // the compiler knows how long it is
		}
		return v
	}}, true
}

// rounded is an integer as the nearest float32: reflection rounds it twice, to
// 64 bits before.
func rounded(v reflect.Value) reflect.Value {
	switch {
	case v.CanInt():
		return reflect.ValueOf(float32(v.Int()))
	case v.CanUint():
		return reflect.ValueOf(float32(v.Uint()))
	}
	return v
}
