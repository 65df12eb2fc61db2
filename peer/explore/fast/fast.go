// Package fast evaluates simple expressions on live values by reflection, in
// microseconds and without a compiler: calls and methods, fields, indices,
// slices, constants, operators, comparisons, conversions, literals of simple
// types.
//
// An expression is prepared as a whole before any of it runs. What cannot be
// done exactly as compiled Go would do it is "not mine", and then nothing has
// run: the caller compiles it instead. Panics are those of Go itself.
//
// Types come from the values themselves: a bound object is walked beside its
// checked type, so that the types of its fields, parameters and results are
// known. Functions and types of packages come from a generated table. The
// package needs no tools, no files and no plugins.
package fast

import (
	"go/types"
	"reflect"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/mirror"
)

//go:generate go test -run TestTable -update .

// Env holds what a session's names stand for. It is asked before anything runs.
type Env interface {
	// Lookup returns the variable or function of an object that is no part of
	// a package of the table: a bound object, or what a line declared. A
	// variable is addressable.
	Lookup(obj types.Object) (value reflect.Value, ok bool)
	// Type returns a type that a line declared.
	Type(obj *types.TypeName) (t reflect.Type, ok bool)
	// Fixed tells an object of the program: what it stands for does not
	// change, and it cannot change variables of the session.
	Fixed(obj types.Object) bool
}

// Evaluator prepares expressions. It remembers the types that it has seen. It
// is not safe for concurrent use.
type Evaluator struct {
	env    Env
	known  map[*types.TypeName]reflect.Type
	basics map[types.BasicKind]reflect.Type
	common map[string]reflect.Type   // unnamed types that are surely linked, by their text
	tables map[string]map[string]any // used ones, by import path
}

// New makes an evaluator over an environment.
func New(env Env) *Evaluator {
	return &Evaluator{env: env, known: map[*types.TypeName]reflect.Type{}, basics: mirror.Basics(), common: commonTypes(),
		tables: map[string]map[string]any{}}
}

// Program is a list of expressions that can be evaluated.
type Program struct {
	parts []func() []reflect.Value

	// Certain is false if Go leaves it open in which order things happen, or how
	// often a number is rounded, and the values may depend on that: then a
	// compiler may find others.
	Certain bool
}

// Prepare prepares checked expressions. ok is false if one is not simple.
// Nothing runs.
func (e *Evaluator) Prepare(all ...check.Expr) (p Program, ok bool) {
	for _, x := range all {
		c := &compiler{e: e, info: x.Info}
		run, ok := c.top(x.Node)
		if !ok {
			return Program{}, false
		}
		p.parts = append(p.parts, run)
	}
	p.Certain = e.ordered(all)
	return p, true
}

// Run evaluates the expressions and returns their values: one of each, those
// of a call with several results, or none. Each has exactly the type that the
// checker gave it (an untyped constant its default type). Panics are the
// caller's. It runs on the caller's goroutine, and ends when what it calls ends.
func (p Program) Run() (values []reflect.Value) {
	for _, part := range p.parts {
		values = append(values, part()...)
	}
	return values
}
