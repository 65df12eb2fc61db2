// Package guard makes a panic in a goroutine of a peer the end of that peer
// instead of the end of the process: so the terminal is given back, other peers
// of the process live on, and the stack is in the log.
//
// The peer puts its report into the context of all that it runs, and each
// goroutine defers Catch with that context. Where the context has none, as in a
// test of one layer, a panic is what it always was. What Catch cannot see are
// goroutines of libraries: only where they call into the peer is it deferred.
//
// The package knows nothing but the standard library.
package guard

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Panic is a panic that was caught. As an error it is one line.
type Panic struct {
	Value any
	Where string // the function and the line that panicked
	Stack []byte // of the goroutine, as a crash would print it
}

// Error says what happened and where.
func (p *Panic) Error() string {
	return fmt.Sprintf("a fault in the program: panic: %v, in %s", p.Value, p.Where)
}

type key struct{}

// With returns a context whose goroutines report their panics. report is called
// on the goroutine that panicked, whose deferred calls have run in part only:
// it must not block, nor wait for a lock of the program. It may be called
// several times.
func With(ctx context.Context, report func(*Panic)) context.Context {
	return context.WithValue(ctx, key{}, report)
}

// Catch must be deferred directly: defer guard.Catch(ctx). It ends a panic and
// reports it; without a report in ctx it lets it pass.
func Catch(ctx context.Context) {
	report, ok := ctx.Value(key{}).(func(*Panic))
	if !ok {
		return
	}
	if v := recover(); v != nil {
		report(&Panic{Value: v, Where: where(), Stack: debug.Stack()})
	}
}

// where is the innermost frame below the panic that is not the runtime's.
func where() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	panicked := false
	for {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
			return fmt.Sprintf("%s (%s:%d)", name, filepath.Base(f.File), f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
