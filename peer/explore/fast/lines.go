package fast

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"

	"github.com/peerlab/peerlab/peer/explore/live"
)

// Table returns what expressions may use of a package, by name: functions,
// pointers to variables, types, and constants as mirror.Const; nil for other
// packages. For functions that write to the terminal, or cannot be stopped, it
// has what compiled lines have.
func Table(path string) map[string]any {
	all := table(path)
	switch path {
	case "time":
		all["Sleep"] = live.Sleep
	case "fmt":
		all["Print"], all["Println"], all["Printf"] = live.Printer(fmt.Fprint), live.Printer(fmt.Fprintln), live.Formatter(fmt.Fprintf)
	}
	return all
}

// receive prepares <-c, which ends with its line.
func receive(n node) (node, bool) {
	if n.live.Kind() != reflect.Chan {
		return node{}, false
	}
	return node{live: n.live.Elem(), get: func() reflect.Value {
		c := still(n.get())
		if v, _ := c.TryRecv(); v.IsValid() {
			return v
		}
		which, v, _ := reflect.Select([]reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(live.Done())}, {Dir: reflect.SelectRecv, Chan: c},
		})
		if which == 0 {
			panic(live.Stop{})
		}
		return v
	}}, true
}

// statement prepares a call of a builtin that has no value: print, println and
// panic.
func (c *compiler) statement(x *ast.CallExpr) (func() []reflect.Value, bool) {
	id, ok := ast.Unparen(x.Fun).(*ast.Ident)
	if !ok {
		return nil, false
	}
	builtin, ok := c.info.Uses[id].(*types.Builtin)
	if !ok {
		return nil, false
	}
	var do func(args ...any)
	switch builtin.Name() {
	case "print":
		do = live.Print
	case "println":
		do = live.Println
	case "panic":
		do = func(args ...any) { panic(args[0]) }
	default:
		return nil, false
	}
	args := make([]func() reflect.Value, len(x.Args))
	for i, arg := range x.Args {
		n, ok := c.expr(arg)
		if !ok {
			return nil, false
		}
		if args[i], ok = n.as(reflect.TypeFor[any]()); !ok {
			return nil, false
		}
	}
	return func() []reflect.Value {
		values := make([]any, len(args))
		for i, arg := range args {
			values[i] = arg().Interface()
		}
		do(values...)
		return nil
	}, true
}
