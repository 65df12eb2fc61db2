package fast

import (
	"go/ast"
	"go/constant"
	"go/types"
	"reflect"

	"github.com/peerlab/peerlab/peer/explore/live"
)

// builtin prepares a builtin that has a value.
func (c *compiler) builtin(x *ast.CallExpr) (node, bool) {
	id, ok := ast.Unparen(x.Fun).(*ast.Ident)
	if !ok {
		return node{}, false
	}
	switch id.Name {
	case "new", "make":
		return c.fresh(id.Name, x)
	case "append":
		return c.appended(x)
	}
	args := make([]node, len(x.Args))
	for i, arg := range x.Args {
		if args[i], ok = c.expr(arg); !ok || args[i].live == nil {
			return node{}, false
		}
	}
	switch id.Name {
	case "len", "cap":
		return size(id.Name, args[0])
	case "min", "max":
		return c.extreme(id.Name, x, args)
	}
	return node{}, false
}

func size(name string, of node) (node, bool) {
	kind := of.live.Kind()
	if kind != reflect.Slice && kind != reflect.Chan && kind != reflect.Array && (name == "cap" || kind != reflect.String && kind != reflect.Map) {
		return node{}, false
	}
	return node{live: reflect.TypeFor[int](), get: func() reflect.Value {
		if name == "cap" {
			return reflect.ValueOf(of.get().Cap())
		}
		return reflect.ValueOf(of.get().Len())
	}}, true
}

func (c *compiler) extreme(name string, x *ast.CallExpr, args []node) (node, bool) {
	if !ordered(c.info.TypeOf(x)) {
		return node{}, false
	}
	for _, arg := range args {
		if arg.live != args[0].live {
			return node{}, false
		}
	}
	return node{live: args[0].live, get: func() reflect.Value {
		best := still(args[0].get())
		for _, arg := range args[1:] {
			best = least(name, best, still(arg.get()))
		}
		return best
	}}, true
}

// fresh prepares new(T), and make(T) with sizes that are small constants: for
// others the words of the panic are the compiler's.
func (c *compiler) fresh(name string, x *ast.CallExpr) (node, bool) {
	live, ok := c.e.live(c.info.TypeOf(x.Args[0]))
	if !ok || !c.info.Types[x.Args[0]].IsType() {
		return node{}, false
	}
	if name == "new" {
		return node{live: reflect.PointerTo(live), get: func() reflect.Value { return reflect.New(live) }}, live.Name() != ""
	}
	sizes := []int{0, 0}
	for i, arg := range x.Args[1:] {
		v := c.info.Types[arg].Value
		if v == nil {
			return node{}, false
		}
		n, exact := constant.Int64Val(constant.ToInt(v))
		if !exact || n < 0 || n > 1<<20 {
			return node{}, false
		}
		sizes[i] = int(n)
	}
	return made(live, sizes[0], max(sizes[0], sizes[1]))
}

func made(live reflect.Type, size, room int) (node, bool) {
	n := node{live: live}
	switch live.Kind() {
	case reflect.Map:
		n.get = func() reflect.Value { return reflect.MakeMapWithSize(live, size) }
	case reflect.Slice:
		n.get = func() reflect.Value { return reflect.MakeSlice(live, size, room) }
	case reflect.Chan:
		n.get = func() reflect.Value { return reflect.MakeChan(live, size) }
	}
	return n, n.get != nil
}

// appended prepares append. It grows as compiled code does.
func (c *compiler) appended(x *ast.CallExpr) (node, bool) {
	n, ok := c.expr(x.Args[0])
	if !ok || n.live == nil || n.live.Kind() != reflect.Slice {
		return node{}, false
	}
	args := make([]func() reflect.Value, len(x.Args)-1)
	for i, arg := range x.Args[1:] {
		v, ok := c.expr(arg)
		to := n.live.Elem()
		if x.Ellipsis.IsValid() {
			to = n.live
			ok = ok && v.live != nil && v.live.Kind() == reflect.Slice && v.live.Elem() == n.live.Elem()
		}
		if !ok {
			return node{}, false
		}
		if args[i], ok = v.as(to); !ok {
			return node{}, false
		}
	}
	return node{live: n.live, get: func() reflect.Value {
		s, values := still(n.get()), make([]reflect.Value, len(args))
		for i, arg := range args {
			values[i] = arg()
		}
		if x.Ellipsis.IsValid() {
			return reflect.AppendSlice(s, values[0])
		}
		return reflect.Append(s, values...)
	}}, true
}

// statement prepares a call of a builtin that has no value.
func (c *compiler) statement(x *ast.CallExpr) (func() []reflect.Value, bool) {
	id, ok := ast.Unparen(x.Fun).(*ast.Ident)
	if !ok {
		return nil, false
	}
	builtin, ok := c.info.Uses[id].(*types.Builtin)
	if !ok {
		return nil, false
	}
	args, ok := c.given(builtin.Name(), x.Args)
	if !ok {
		return nil, false
	}
	do := map[string]func(args []reflect.Value){
		"print":   func(args []reflect.Value) { live.Print(plain(args)...) },
		"println": func(args []reflect.Value) { live.Println(plain(args)...) },
		"panic":   func(args []reflect.Value) { panic(args[0].Interface()) },
		"close":   func(args []reflect.Value) { args[0].Close() },
		"clear":   func(args []reflect.Value) { args[0].Clear() },
		"delete":  func(args []reflect.Value) { args[0].SetMapIndex(args[1], reflect.Value{}) },
	}[builtin.Name()]
	return func() []reflect.Value {
		values := make([]reflect.Value, len(args))
		for i, arg := range args {
			values[i] = arg()
		}
		do(values)
		return nil
	}, do != nil
}

func plain(values []reflect.Value) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v.Interface()
	}
	return all
}

// given prepares the arguments of a builtin: those that it prints or panics
// with become interfaces, a key is one of its map.
func (c *compiler) given(name string, list []ast.Expr) ([]func() reflect.Value, bool) {
	args := make([]func() reflect.Value, len(list))
	nodes := make([]node, len(list))
	for i, x := range list {
		var ok bool
		if nodes[i], ok = c.expr(x); !ok {
			return nil, false
		}
		to := nodes[i].live
		switch {
		case name == "print" || name == "println" || name == "panic":
			to = reflect.TypeFor[any]()
		case name == "delete" && i == 1:
			to = nodes[0].live.Key()
		}
		if to == nil {
			return nil, false
		}
		if args[i], ok = nodes[i].as(to); !ok {
			return nil, false
		}
	}
	return args, true
}
