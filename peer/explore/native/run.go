package native

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/live"
)

// Errors that callers branch on.
var (
	// ErrStopped is returned for a line that was stopped, and has ended.
	ErrStopped = errors.New("stopped")
	// ErrLeft is returned for a line that was stopped and goes on all the same.
	ErrLeft = errors.New("asked to stop, but it is blocked inside a library call; left running in the background")
	// ErrGoexit is returned for a line that ended its goroutine.
	ErrGoexit = errors.New("goroutine exited (runtime.Goexit)")
)

// Grace is how long a stopped line may take to end before it is left alone.
const Grace = time.Second

// Panic is the error of a line that panicked.
type Panic struct {
	Value any
	Trace []string // where, the innermost first: "‹20›:2"
}

func (p *Panic) Error() string {
	text := "panic: " + strings.ReplaceAll(fmt.Sprint(p.Value), check.Mark, "")
	if len(p.Trace) > 0 {
		text += " at " + strings.Join(p.Trace, " at ")
	}
	return text
}

// NewPanic describes a panic. It must be called by the deferred function that
// recovered it.
func NewPanic(value any) *Panic { return &Panic{Value: value, Trace: trace()} }

const (
	// MaxTrace is how many places of the user's code a panic names.
	MaxTrace = 4
	// MaxFrames is how deep it looks for them.
	MaxFrames = 128
)

// trace returns the places of the session's own code on the stack.
func trace() []string {
	pcs := make([]uintptr, MaxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var places []string
	for {
		f, more := frames.Next()
		if i := strings.LastIndex(f.File, "‹"); i >= 0 && len(places) < MaxTrace {
			place := fmt.Sprintf("%s:%d", f.File[i:], f.Line)
			if len(places) == 0 || places[len(places)-1] != place {
				places = append(places, place)
			}
		}
		if !more {
			return places
		}
	}
}

// Stopped is the error of what ended because ctx did. It matches ErrStopped and
// the cause of ctx, so whoever has cancelled it can tell.
func Stopped(ctx context.Context) error { return &stoppedError{context.Cause(ctx)} }

type stoppedError struct{ cause error }

func (*stoppedError) Error() string     { return ErrStopped.Error() }
func (e *stoppedError) Unwrap() []error { return []error{ErrStopped, e.cause} }

// Run runs f in a goroutine of a new line and waits for its end. When ctx ends
// it stops the line, and leaves it after Grace. name must be new in this
// process. Errors are that of f, *Panic, Stopped(ctx), ErrLeft and ErrGoexit.
func Run(ctx context.Context, name string, host live.Host, f func(*live.Line) error) error {
	line := live.Begin(name, host)
	ended := make(chan error, 1)
	go pprof.Do(context.Background(), pprof.Labels(live.LabelKey, name), func(context.Context) {
		result := ErrGoexit
		defer func() {
			line.End()
			ended <- result
		}()
		defer func() {
			if v := recover(); v != nil {
				result = NewPanic(v)
			} else if errors.Is(result, ErrGoexit) && line.Stopped() {
				result = ErrStopped
			}
		}()
		debug.SetPanicOnFault(true)
		result = f(line)
	})
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	line.Stop()
	select {
	case err := <-ended:
		if errors.Is(err, ErrStopped) {
			return Stopped(ctx)
		}
		return err
	case <-time.After(Grace):
		return ErrLeft
	}
}
