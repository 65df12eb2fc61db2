// Package fast evaluates simple expressions on live values by reflection, in
// microseconds and without a compiler: calls and methods, fields, indices,
// slices, constants, operators, comparisons, conversions, literals of simple
// types.
//
// An expression is prepared as a whole before any of it runs. What cannot be
// done exactly as compiled Go would do it is "not mine", and then nothing has
// run: the caller compiles it instead. Panics are those of Go itself, caught.
//
// Types come from the values themselves: a bound object is walked beside its
// checked type, so that the types of its fields, parameters and results are
// known. Functions and types of packages come from a generated table. The
// package needs no tools, no files and no plugins.
package fast

import (
	"fmt"
	"go/types"
	"reflect"
	"runtime/debug"

	"github.com/peerlab/peerlab/peer/explore/check"
)

//go:generate go test -run TestTable -update .

// Env holds what a session's names stand for.
type Env interface {
	// Lookup returns the variable or function of an object that is no part of
	// a package of the table: a bound object, or what a line declared. A
	// variable is addressable. It is asked before anything runs.
	Lookup(obj types.Object) (value reflect.Value, ok bool)
}

// Panic is what an expression, or something that it called, panicked with.
type Panic struct {
	Value any
	Stack []byte
}

// Error says it as Go does.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap is the value, if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Evaluator evaluates expressions. It remembers the types that it has seen. It
// is not safe for concurrent use.
type Evaluator struct {
	env    Env
	known  map[*types.TypeName]reflect.Type
	basics map[types.BasicKind]reflect.Type
	common map[string]reflect.Type   // unnamed types that are surely linked, by their text
	paired map[pair]bool             // learned already
	tables map[string]map[string]any // used ones, by import path
}

// New makes an evaluator over an environment.
func New(env Env) *Evaluator {
	return &Evaluator{env: env, known: map[*types.TypeName]reflect.Type{}, basics: basicTypes(), common: commonTypes(),
		paired: map[pair]bool{}, tables: map[string]map[string]any{}}
}

// Values evaluates a checked expression: its value, or those of a call with
// several results, or none. Each has exactly the type that the checker gave it
// (an untyped constant its default type). mine is false if the expression is
// not simple: then nothing has run. err is a *Panic.
//
// It runs on the caller's goroutine, and ends when what it calls ends.
func (e *Evaluator) Values(x check.Expr) (values []reflect.Value, mine bool, err error) {
	run, ok := e.prepare(x)
	if !ok {
		return nil, false, nil
	}
	defer func() {
		if r := recover(); r != nil {
			values, mine, err = nil, true, &Panic{Value: r, Stack: debug.Stack()}
		}
	}()
	return run(), true, nil
}

// Eval is Values for an expression with at most one value; v is not valid if it
// has none. Panics are the caller's, and err is always nil.
func (e *Evaluator) Eval(x check.Expr) (v reflect.Value, mine bool, err error) {
	if tuple, ok := x.Info.TypeOf(x.Node).(*types.Tuple); ok && tuple.Len() > 1 {
		return reflect.Value{}, false, nil
	}
	run, ok := e.prepare(x)
	if !ok {
		return reflect.Value{}, false, nil
	}
	if all := run(); len(all) > 0 {
		v = all[0]
	}
	return v, true, nil
}

func (e *Evaluator) prepare(x check.Expr) (run func() []reflect.Value, ok bool) {
	c := &compiler{e: e, info: x.Info}
	return c.top(x.Node)
}
