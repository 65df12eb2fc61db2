// Package live is what compiled snippets import: the small runtime that lets a
// host stop them, hear them and hand them its objects.
//
// A snippet runs in goroutines that carry a profiler label with the name of
// their line; goroutines inherit it from the one that starts them. By it a
// call of Poll in a loop finds the line that the goroutine belongs to, however
// old the function is that polls. So stopping one line leaves the goroutines of
// others alone.
//
// Its exported functions are a contract with generated code; people do not call
// them. Every plugin carries a copy of what this package imports, so it imports
// next to nothing: no fmt, no runtime/pprof. What needs more is the Host's.
package live

import (
	"io"
	"sync"
	"sync/atomic"
)

// LabelKey is the key of the profiler label that names a goroutine's line.
const LabelKey = "peerlab.line"

// MaxStack is how much stack, in bytes, a snippet's goroutine may use. Go's own
// limit ends the whole process.
const MaxStack = 64 << 20

// Host is what a line talks to. Its methods may be called from any goroutine
// of the line, also after the line has ended.
type Host interface {
	io.Writer // output of the line

	// Print formats the arguments of the predeclared print and println.
	Print(newline bool, args []any)
	// Show takes the values of the line's last expression.
	Show(args []any)
	// Bound returns the object bound to a name, nil if there is none.
	Bound(name string) any
	// Begin is called first in every goroutine that Go starts or Guard is for.
	Begin()
	// Panicked reports a panic that ended such a goroutine. It is called by a
	// deferred function, so the stack is still that of the panic.
	Panicked(value any)
}

// StackError is the value of the panic that ends an endless recursion.
type StackError struct{}

func (StackError) Error() string { return "stack overflow: more than 64 MB, endless recursion?" }

// table is the one place where plugins and host meet.
type table struct {
	mu       sync.Mutex
	lines    map[string]*Line
	packages map[string]*Package
	latest   *Line

	// stopping are the lines that are stopped and have goroutines yet; nil for
	// none. Whoever holds mu replaces it. A line that was left stays in it for
	// long, so a loop of another line must not pay much for it.
	stopping atomic.Pointer[[]*Line]
	sessions atomic.Int64
}

// shared is package state on purpose: a plugin has no other way to its host
// than the package that both import.
var shared = table{lines: map[string]*Line{}, packages: map[string]*Package{}}

// Package is what a compiled package has registered when it was opened.
type Package struct {
	Run   func()         // its statements; may be nil
	Names map[string]any // by name: a variable's address, a function, a nil pointer to a type
}

// Register is called by the init function of a compiled package. names holds
// names and what they stand for, in turn.
func Register(path string, run func(), names ...any) {
	p := &Package{Run: run, Names: make(map[string]any, len(names)/2)}
	for i := 0; i+1 < len(names); i += 2 {
		p.Names[names[i].(string)] = names[i+1]
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.packages[path] = p
}

// Take returns what the package at path has registered, and forgets it; nil if
// it has not.
func Take(path string) *Package {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	p := shared.packages[path]
	delete(shared.packages, path)
	return p
}

// NewSession returns a number that no other session of this process has.
func NewSession() int64 { return shared.sessions.Add(1) }

// Line is one run of one line.
type Line struct {
	name string
	host Host
	done chan struct{}

	stopped atomic.Bool
	idle    chan struct{} // closed when no goroutine of the line is left

	mu      sync.Mutex
	running int // goroutines: the line's own, and those started by Go
}

// Begin makes a line under a name that no other has. The caller labels its
// goroutine with the name, runs the line, and calls End.
func Begin(name string, host Host) *Line {
	l := &Line{name: name, host: host, done: make(chan struct{}), idle: make(chan struct{}), running: 1}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.lines[name] = l
	shared.latest = l
	return l
}

// Stop asks all goroutines of the line to end. It may be called twice.
func (l *Line) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped.Swap(true) {
		return
	}
	if l.running > 0 {
		shared.mu.Lock()
		shared.setStopping(append(shared.getStopping(), l))
		shared.mu.Unlock()
	}
	close(l.done) // now whoever wakes up by it is ended by Halt
}

// getStopping returns a copy. The caller holds mu.
func (t *table) getStopping() []*Line {
	if p := t.stopping.Load(); p != nil {
		return append([]*Line(nil), *p...)
	}
	return nil
}

func (t *table) setStopping(lines []*Line) {
	if len(lines) == 0 {
		t.stopping.Store(nil)
		return
	}
	t.stopping.Store(&lines)
}

// Stopped tells whether Stop was called.
func (l *Line) Stopped() bool { return l.stopped.Load() }

// End says that the line's own goroutine has ended.
func (l *Line) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running--; l.running > 0 {
		return
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	delete(shared.lines, l.name)
	var rest []*Line
	for _, other := range shared.getStopping() {
		if other != l {
			rest = append(rest, other)
		}
	}
	shared.setStopping(rest)
	close(l.idle)
}

// add counts a goroutine more; false if the line has none left.
func (l *Line) add() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running == 0 {
		return false
	}
	l.running++
	return true
}

// current returns the line of the calling goroutine; nil if it has none, as
// goroutines of libraries that were there before.
func current() *Line {
	name := labelled()
	if name == "" {
		return nil
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	return shared.lines[name]
}

// Current returns the name of the line that the calling goroutine belongs to;
// empty if it belongs to none, or to one that has ended.
func Current() string {
	if l := current(); l != nil {
		return l.name
	}
	return ""
}

// host returns the host of the calling goroutine, or that of the latest line.
func host() Host {
	if l := current(); l != nil {
		return l.host
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	return shared.latest.host
}
