package explore

import (
	"context"
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"runtime"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/live"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// quick evaluates a line that needs no compiler. done is false if it needs one:
// then nothing has happened.
func (s *Session) quick(ctx context.Context, line *check.Line, h *host) (done bool, err error) {
	run, ok := s.simple(line, h)
	if !ok {
		return false, nil
	}
	s.check.Commit(line.Units...)
	return true, native.Run(ctx, s.lineName(), h, func(*live.Line) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = s.panicked(v, line)
			}
		}()
		run()
		return nil
	})
}

// simple prepares a line of nothing but simple expressions.
func (s *Session) simple(line *check.Line, h *host) (run func(), ok bool) {
	exprs := line.Exprs()
	if s.config.Compile || len(exprs) == 0 || len(line.Units[0].Blank) > 0 {
		return nil, false
	}
	p, ok := s.fast.Prepare(exprs...)
	if !ok || !p.Ordered && s.engine != nil {
		return nil, false
	}
	unit := line.Units[0]
	if s.engine != nil && where(unit.Fset, exprs[0].Node.Pos()) != where(unit.Fset, exprs[len(exprs)-1].Node.End()) {
		return nil, false // where a panic was, only compiled code knows
	}
	return func() {
		values := p.Run()
		if unit.Bare {
			return
		}
		args := make([]any, len(values))
		for i, v := range values {
			args[i] = v.Interface()
		}
		h.Show(args)
	}, true
}

// panicked is the error for a panic of a quick line, with the places that a
// compiled one would name. It must be called by the deferred function that
// recovered it.
func (s *Session) panicked(v any, line *check.Line) error {
	if _, ok := v.(live.Stop); ok {
		return native.ErrStopped
	}
	p := native.NewPanic(v)
	deep := runtime.Callers(2, make([]uintptr, native.MaxFrames)) == native.MaxFrames
	unit := line.Units[0]
	at := where(unit.Fset, unit.Show.Args[0].Pos())
	if n := len(p.Trace); !deep && n < native.MaxTrace && (n == 0 || p.Trace[n-1] != at) {
		p.Trace = append(p.Trace, at)
	}
	return p
}

// names are what a session's names stand for, for package fast.
type names struct{ *Session }

// Lookup implements fast.Env.
func (n names) Lookup(obj types.Object) (reflect.Value, bool) {
	b := n.check.Owner(obj)
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
	b := n.check.Owner(obj)
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
	b := n.check.Owner(obj)
	return b != nil && b.Kind == check.Bound
}

// kept returns what a name of the session was registered with.
func (s *Session) kept(b *check.Binding) (reflect.Value, bool) {
	if b.Home == "" {
		return reflect.Value{}, false
	}
	if pkg := live.Take(b.Home); pkg != nil { // it came along with another package
		s.keep(b.Home, pkg)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[place{b.Home, b.Name}]
	return v, ok
}

// where says on which line something was typed: "‹20›:2".
func where(fset *token.FileSet, p token.Pos) string {
	at := fset.Position(p)
	return fmt.Sprintf("%s:%d", at.Filename, at.Line)
}
