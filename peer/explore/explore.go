// Package explore is a session of Go in a running program: inputs are checked,
// evaluated at once where that can be, compiled and run where not, and may use
// what earlier ones have declared and what the program has bound to names.
//
// Session puts the parts together: package check says what an input means,
// package native compiles and runs it, live is what compiled code calls. A
// Session knows nothing of shells and terminals. Code that runs in it is part
// of the program: it can do whatever the program can, so nobody may feed a
// session but who may run programs here.
package explore

import (
	"context"
	"errors"
	"fmt"
	gotypes "go/types"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/fast"
	"github.com/peerlab/peerlab/peer/explore/live"
	"github.com/peerlab/peerlab/peer/explore/mirror"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// ErrNoCompiler is matched by the error for an input that would have to be
// compiled in a session that cannot.
var ErrNoCompiler = errors.New("this needs a compiler")

// Config says what a session works with. Its zero value makes one that
// evaluates what needs no compiler.
type Config struct {
	Builder native.Builder          // compiles; nil leaves it to Await
	Open    func(file string) error // loads a plugin, as loader.Open; needed where lines are compiled

	// Await returns the Builder of a session that began without one, as soon
	// as an input needs it; it may take its time. Its error says why there is
	// none. Until then types are those that the program shows of itself. Nil:
	// there is none.
	Await func(ctx context.Context) (native.Builder, error)

	Imports map[string]string // packages known by name from the start; nil is Imports()
	Bound   map[string]any    // objects of the program, by name
	Compile bool              // compile what could do without, too
	Late    io.Writer         // output of goroutines whose line has ended; nil is that line's writer
}

// Session is a session of Go. One input is evaluated at a time.
type Session struct {
	config Config
	check  *check.Session
	engine *native.Engine // nil without a compiler
	fast   *fast.Evaluator
	world  *mirror.World // what types were, or are, without a Builder; nil if there always was one
	id     int64

	turn   sync.Mutex // held by the input that is being evaluated
	inputs int
	unit   *check.Unit                      // that is being prepared without a compiler, and
	cells  map[*check.Binding]reflect.Value // what it is going to declare
	shown  []any                            // by the last input

	mu     sync.Mutex // below it is what code of lines that have ended asks for, too
	values map[place]reflect.Value
	last   any // the last value
	stdout *pipe
}

// place is where a value is kept: package and name.
type place struct{ home, name string }

// New makes a session. It loads nothing; packages of bound objects must be
// loaded already.
func New(c Config) (*Session, error) {
	if c.Imports == nil {
		c.Imports = Imports()
	}
	bound := map[string]reflect.Type{}
	for name, v := range c.Bound {
		bound[name] = reflect.TypeOf(v)
	}
	s := &Session{config: c, id: live.NewSession(), values: map[place]reflect.Value{}}
	s.fast = fast.New(names{s})
	types := check.Config{Imports: c.Imports, Bound: bound, Open: func(file string) (io.ReadCloser, error) { return os.Open(file) }}
	if c.Builder != nil {
		s.engine = native.NewEngine(c.Builder)
		types.Packages = c.Builder
	} else {
		s.world = mirror.New(fast.Table)
		types.Source = source{s.world}
	}
	var err error
	s.check, err = check.New(types)
	return s, err
}

// Imports returns the packages that a session knows by name from the start.
func Imports() map[string]string {
	names := map[string]string{"json": "encoding/json", "rand": "math/rand/v2", "atomic": "sync/atomic", "utf8": "unicode/utf8"}
	for _, p := range []string{"bufio", "bytes", "cmp", "context", "errors", "fmt", "io", "iter", "maps", "math", "os", "reflect",
		"regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "time", "unicode"} {
		names[p] = p
	}
	return names
}

// Close frees what the session holds outside of memory. Goroutines of its
// lines may go on.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stdout == nil {
		return nil
	}
	return s.stdout.Close()
}

// Complete tells whether src is a whole input.
func (s *Session) Complete(src string) bool { return check.Complete(src) }

// Eval evaluates an input and writes what it prints, its notes and the values
// of its last expressions to out. It waits for its turn, however long; then,
// when ctx ends, the input is stopped. Errors match *check.Error for what is
// wrong with the input, *native.Panic, native.ErrStopped, native.ErrLeft,
// native.ErrGoexit, ErrNoCompiler; others tell of the build.
func (s *Session) Eval(ctx context.Context, src string, out io.Writer) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.eval(ctx, src, out)
}

// eval is Eval for a caller that has the turn.
func (s *Session) eval(ctx context.Context, src string, out io.Writer) error {
	if strings.TrimSpace(src) == "" {
		return nil
	}
	s.inputs++
	s.shown = nil
	if s.engine == nil {
		done, err := s.mirrored(ctx, src, out)
		if done {
			return err
		}
		if err := s.await(ctx, err); err != nil {
			return err
		}
	}
	line, err := s.front(ctx, src)
	if err != nil {
		return err
	}
	for _, note := range line.Notes {
		fmt.Fprintln(out, note)
	}
	h := &host{session: s, line: line, out: out}
	defer h.end()
	if known(line) {
		s.check.Commit(line.Units...)
		return h.known()
	}
	if done, err := s.quick(ctx, line, h); done {
		return err
	}
	return s.compiled(ctx, line, h)
}

// front parses and checks an input, and loads the packages that it names.
func (s *Session) front(ctx context.Context, src string) (*check.Line, error) {
	in, err := s.check.Parse(s.inputs, src)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, path := range s.check.Needs(in) {
		if s.engine == nil {
			break
		}
		if _, err := s.config.Builder.Export(path); errors.Is(err, check.ErrNotLoaded) {
			missing = append(missing, path)
		}
	}
	if len(missing) > 0 {
		if err := s.config.Builder.Load(ctx, missing...); err != nil {
			return nil, err
		}
	}
	return s.check.Check(in)
}

// known tells a line of nothing but types, and constants of which no code has to
// be asked what they are: those of a named type may have a String method, and
// their values are the program's.
func known(line *check.Line) bool {
	if line.Exprs() == nil {
		return false
	}
	for _, v := range line.Values {
		if !v.IsType && (v.Const == nil || named(v.Type)) {
			return false
		}
	}
	return len(line.Values) > 0
}

func named(t gotypes.Type) bool {
	_, ok := gotypes.Unalias(t).(*gotypes.Named)
	return ok
}

func (s *Session) lineName() string { return fmt.Sprintf("%d/%d", s.id, s.inputs) }

// compiled builds a line and runs it. Its names are known from the moment at
// which it begins to run, so what it declared before a panic stays.
func (s *Session) compiled(ctx context.Context, line *check.Line, h *host) error {
	program, err := s.engine.Build(ctx, line)
	switch {
	case err != nil && ctx.Err() != nil:
		return native.Stopped(ctx)
	case err != nil:
		return err
	}
	defer program.Discard()
	if ctx.Err() != nil {
		return native.Stopped(ctx)
	}
	return native.Run(ctx, s.lineName(), h, func(*live.Line) error {
		for _, part := range program.Parts {
			pkg, err := part.Open(s.config.Open)
			if err != nil {
				return err
			}
			s.check.Commit(part.Unit)
			if pkg == nil {
				continue
			}
			s.keep(part.Path, pkg)
			if pkg.Run != nil {
				pkg.Run()
			}
		}
		return nil
	})
}

// keep remembers where the variables and functions of a package are.
func (s *Session) keep(home string, pkg *live.Package) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, v := range pkg.Names {
		s.values[place{home, name}] = reflect.ValueOf(v)
	}
}

func (s *Session) bound(name string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == check.LastName {
		return s.last
	}
	if cell, ok := s.values[place{"", name}]; ok {
		return cell.UnsafePointer() // for live.Heap
	}
	return s.config.Bound[name]
}
