package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/live"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// ErrNoFunction is matched by the error for a name that stands for nothing that
// can be called from outside of the session.
var ErrNoFunction = errors.New("no function that could be called")

// Function is a function of a session that is called from outside of it, also
// while an input runs, and several times at once.
type Function struct {
	Name    string
	Takes   bool           // arguments; otherwise it has its context only
	Binding *check.Binding // of its name when it was taken: a later one does not change it

	session *Session
	run     func(ctx context.Context, args []string) error
	place   *placer // of a function of a file; nil for others
}

// Function takes the function that a name stands for now. It must be a
// func(ctx context.Context, args []string) error, or one without the arguments;
// a variable that holds one will do. The error for anything else matches
// ErrNoFunction.
func (s *Session) Function(ctx context.Context, name string) (*Function, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.function(ctx, name)
}

// function is Function for a caller that has the turn.
func (s *Session) function(ctx context.Context, name string) (*Function, error) {
	b := s.check.Lookup(name)
	if b == nil || b.Kind != check.Func && b.Kind != check.Var {
		return nil, fmt.Errorf("%w: %s is no function of this session: declare func %s(ctx context.Context, args []string) error", ErrNoFunction, name, name)
	}
	v, err := s.take(ctx, name)
	if err != nil {
		return nil, err
	}
	f := &Function{Name: name, Binding: b, session: s}
	switch run := v.(type) {
	case func(context.Context, []string) error:
		f.Takes, f.run = true, run
	case func(context.Context) error:
		f.run = func(ctx context.Context, _ []string) error { return run(ctx) }
	case func(context.Context, ...string) error:
		return nil, fmt.Errorf("%w: %s takes args ...string: declare it with args []string", ErrNoFunction, name)
	default:
		return nil, fmt.Errorf("%w: %s is a %s: it must be a func(ctx context.Context, args []string) error", ErrNoFunction, name, check.Plain(b.Object.Type()))
	}
	return f, nil
}

// take returns the value of a name. What "_" stands for stays.
func (s *Session) take(ctx context.Context, name string) (any, error) {
	last, before := s.bound(check.LastName), s.check.Lookup(check.LastName)
	err := s.eval(ctx, name, io.Discard)
	if s.setLast(last); before != nil {
		s.check.BindType(check.LastName, before.Object.Type())
	}
	switch {
	case err != nil:
		return nil, err
	case len(s.shown) != 1:
		return nil, fmt.Errorf("%w: %s is no single value", ErrNoFunction, name)
	}
	return s.shown[0], nil
}

// Call calls the function as a line of its own: what it prints goes to out, when
// ctx ends it is stopped, and its panics are errors, as with Session.Eval. bound
// has objects that it finds under their names instead of those of the session.
func (f *Function) Call(ctx context.Context, args []string, bound map[string]any, out io.Writer) error {
	if f.place == nil {
		return f.call(ctx, args, bound, out)
	}
	return f.place.error(f.call(ctx, args, bound, f.place.writer(out)))
}

func (f *Function) call(ctx context.Context, args []string, bound map[string]any, out io.Writer) error {
	h := &caller{host: &host{session: f.session, line: &check.Line{}, out: out}, name: f.Name, bound: bound}
	defer h.end()
	name := fmt.Sprint(callPrefix, live.NewSession()) // a number that is new
	return native.Run(ctx, name, h, func(*live.Line) error { return f.run(ctx, args) })
}

// callPrefix begins the names of calls, as those of lines.
const callPrefix = "call/"

// caller is the host of one call.
type caller struct {
	*host
	name  string
	bound map[string]any

	mu     sync.Mutex
	pipe   *pipe // what it has for os.Stdout; nil until it asks
	closed bool  // it has ended
}

// Write implements live.Host.
func (h *caller) Write(b []byte) (int, error) {
	h.mu.Lock()
	p := h.pipe
	h.mu.Unlock()
	if p != nil {
		return p.Write(b)
	}
	return h.write(b)
}

// Print implements live.Host.
func (h *caller) Print(newline bool, args []any) {
	text := fmt.Sprint(args...)
	if newline {
		text = fmt.Sprintln(args...)
	}
	_, _ = io.WriteString(h, text) // whoever reads has gone
}

// Panicked implements live.Host.
func (h *caller) Panicked(v any) {
	_, _ = fmt.Fprintf(h, "goroutine of %s: %v\n", h.name, native.NewPanic(v))
}

// Show implements live.Host.
func (*caller) Show([]any) {}

// Bound implements live.Host.
func (h *caller) Bound(name string) any {
	if v, ok := h.bound[name]; ok {
		return v
	}
	if name == "os.Stdout" {
		return h.stdout()
	}
	return h.session.bound(name)
}

func (h *caller) stdout() *os.File {
	if p := h.own(); p != nil {
		return p.w
	}
	return h.session.openPipe(h.host) // as code of lines has
}

// own is the pipe of this call; nil if it has ended without one, or there can
// be none.
func (h *caller) own() *pipe {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pipe == nil && !h.closed {
		p, err := newPipe()
		if err != nil {
			return nil
		}
		p.direct(h.host)
		h.pipe = p
	}
	return h.pipe
}

// end passes on what was printed. Goroutines that go on have no os.Stdout any
// more.
func (h *caller) end() {
	h.mu.Lock()
	p := h.pipe
	h.closed = true
	h.mu.Unlock()
	if p != nil {
		p.flush()
		_ = p.Close() // it is in memory
	}
	h.host.end()
}
