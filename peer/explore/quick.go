package explore

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"runtime"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/fast"
	"github.com/peerlab/peerlab/peer/explore/live"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// quick is a line that needs no compiler.
type quick struct {
	session *Session
	host    *host
	unit    *check.Unit
	steps   []step
	at      int // of the step that runs
}

// step is one statement.
type step struct {
	where string // "‹20›:2"
	run   func()
}

// quick runs a line that needs no compiler. done is false if it needs one: then
// nothing has happened.
func (s *Session) quick(ctx context.Context, line *check.Line, h *host) (done bool, err error) {
	q, ok := s.simple(line, h)
	if !ok {
		return false, nil
	}
	s.check.Commit(line.Units...)
	return true, native.Run(ctx, s.lineName(), h, func(*live.Line) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = q.panicked(v)
			}
		}()
		for i, step := range q.steps {
			q.at = i
			step.run()
		}
		return nil
	})
}

// simple prepares a line of nothing but simple statements.
func (s *Session) simple(line *check.Line, h *host) (q *quick, ok bool) {
	all, ok := line.Statements()
	if s.config.Compile || !ok {
		return nil, false
	}
	q = &quick{session: s, host: h, unit: line.Units[0]}
	s.unit, s.cells = q.unit, map[*check.Binding]reflect.Value{}
	defer func() { s.unit, s.cells = nil, nil }()
	for _, stmt := range all {
		if !q.prepare(stmt) {
			return nil, false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for b, cell := range s.cells {
		s.values[place{"", native.HeapKey(b)}] = cell
	}
	return q, true
}

// prepare prepares a statement. One that compiled code would tell more about,
// or might do otherwise, is left to that, where there can be any.
func (q *quick) prepare(stmt ast.Stmt) bool {
	s := q.session
	from, to := stmt.Pos(), stmt.End()
	shown, isShow := stmt.(*ast.ExprStmt)
	isShow = isShow && shown.X == q.unit.Show
	if isShow {
		from, to = q.unit.Show.Args[0].Pos(), q.unit.Show.Args[len(q.unit.Show.Args)-1].End()
	}
	at := where(q.unit.Fset, from)
	if s.compiles() && at != where(q.unit.Fset, to) {
		return false // where a panic was, only compiled code knows
	}
	var p fast.Program
	var ok bool
	if isShow {
		p, ok = s.fast.Prepare(q.shown()...)
	} else {
		p, ok = s.fast.Statement(q.unit.Info, stmt, q.declare)
	}
	if !ok || !p.Certain && s.compiles() {
		return false
	}
	run := func() { p.Run() }
	if isShow && !q.unit.Bare {
		run = func() { q.show(p.Run()) }
	}
	q.steps = append(q.steps, step{at, run})
	return true
}

func (q *quick) shown() []check.Expr {
	all := make([]check.Expr, len(q.unit.Show.Args))
	for i, x := range q.unit.Show.Args {
		all[i] = check.Expr{Node: x, Info: q.unit.Info, Pkg: q.unit.Pkg}
	}
	return all
}

func (q *quick) show(values []reflect.Value) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v.Interface()
	}
	q.host.Show(args)
}

// declare makes a variable outside of compiled code: the host keeps it. Lines
// that are compiled later find it by its name, and have to write its type.
func (q *quick) declare(id *ast.Ident, t reflect.Type) (reflect.Value, bool) {
	b := q.unit.Owner(q.unit.Info.Defs[id])
	if b == nil || q.session.compiles() && !q.writable(b.Object.Type(), t) {
		return reflect.Value{}, false
	}
	cell := reflect.New(t)
	q.session.cells[b] = cell
	return cell.Elem(), true
}

// writable tells whether other packages can write a type. What a mirrored type
// is in the source is not known, but for a plain exported name.
func (q *quick) writable(t types.Type, live reflect.Type) bool {
	if q.session.engine != nil {
		return q.unit.Writable(t)
	}
	if doubtful(t) {
		return false
	}
	for k := live.Kind(); live.Name() == "" && (k == reflect.Pointer || k == reflect.Slice || k == reflect.Array || k == reflect.Chan); k = live.Kind() {
		live = live.Elem()
	}
	if live.PkgPath() == "" {
		return live.Name() != ""
	}
	return token.IsExported(live.Name()) && !strings.Contains(live.Name(), "[") && !strings.Contains("/"+live.PkgPath()+"/", "/internal/")
}

// compiles tells whether there is a compiler, or may be one.
func (s *Session) compiles() bool {
	return s.engine != nil || s.config.Await != nil && s.config.Open != nil
}

// panicked is the error for a panic of a quick line, with the places that a
// compiled one would name. It must be called by the deferred function that
// recovered it.
func (q *quick) panicked(v any) error {
	p := native.NewPanic(v)
	deep := runtime.Callers(2, make([]uintptr, native.MaxFrames)) == native.MaxFrames
	at := q.steps[q.at].where
	if n := len(p.Trace); !deep && n < native.MaxTrace && (n == 0 || p.Trace[n-1] != at) {
		p.Trace = append(p.Trace, at)
	}
	return p
}

// names are what a session's names stand for, for package fast.
type names struct{ *Session }

// owner is the binding of an object of the line at hand, or of one before.
func (n names) owner(obj types.Object) *check.Binding {
	if n.unit != nil {
		return n.unit.Owner(obj)
	}
	return n.check.Owner(obj)
}

// Lookup implements fast.Env.
func (n names) Lookup(obj types.Object) (reflect.Value, bool) {
	b := n.owner(obj)
	switch {
	case b == nil:
		return reflect.Value{}, false
	case b.Kind == check.Bound:
		v := n.bound(b.Name)
		return reflect.ValueOf(v), v != nil
	}
	v, ok := n.kept(b)
	if ok && b.Kind == check.Var {
		return v.Elem(), true
	}
	return v, ok && b.Kind == check.Func
}

// Type implements fast.Env.
func (n names) Type(obj *types.TypeName) (reflect.Type, bool) {
	b := n.owner(obj)
	if b == nil && n.world != nil {
		return n.world.Live(obj)
	}
	if b == nil || b.Kind != check.Type {
		return nil, false
	}
	v, ok := n.kept(b)
	if !ok || v.Kind() != reflect.Pointer {
		return nil, false
	}
	return v.Type().Elem(), true
}

// Fixed implements fast.Env.
func (n names) Fixed(obj types.Object) bool {
	b := n.owner(obj)
	return b != nil && b.Kind == check.Bound
}

// kept returns what a name of the session was registered with.
func (s *Session) kept(b *check.Binding) (reflect.Value, bool) {
	if cell, ok := s.cells[b]; ok {
		return cell, true
	}
	home, name := b.Home, b.Name
	if home == "" {
		name = native.HeapKey(b)
	} else if pkg := live.Take(b.Home); pkg != nil { // it came along with another package
		s.keep(home, pkg)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[place{home, name}]
	return v, ok
}

// where says on which line something was typed: "‹20›:2".
func where(fset *token.FileSet, p token.Pos) string {
	at := fset.Position(p)
	return fmt.Sprintf("%s:%d", at.Filename, at.Line)
}
