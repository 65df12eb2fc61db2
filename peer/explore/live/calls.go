package live

import (
	"io"
	"runtime"
	"time"
	"unsafe"
)

// A goroutine of a stopped line is ended by runtime.Goexit, never by a panic: it
// may be one that a library has started to call the user's function, where
// nobody recovers. Deferred functions run, and cannot stop it.

// Poll stands at the head of every loop, and ends the goroutine if its line is
// stopped. It costs one atomic load otherwise.
func Poll() {
	if shared.stopping.Load() != nil {
		halt()
	}
}

// Enter stands at the head of every function: Poll, and an end to endless
// recursion.
func Enter() {
	if stackUsed() > MaxStack {
		panic(StackError{})
	}
	if shared.stopping.Load() != nil {
		halt()
	}
}

// Halt ends the goroutine of a stopped line; it returns for any other.
func Halt() { halt() }

func halt() {
	lines := shared.stopping.Load()
	if lines == nil {
		return
	}
	name := labelled()
	for _, l := range *lines {
		if l.name == name {
			runtime.Goexit()
		}
	}
}

// Done is closed when the line of the calling goroutine is stopped; nil if it
// belongs to none.
func Done() <-chan struct{} {
	if l := current(); l != nil {
		return l.done
	}
	return nil
}

// Go runs f in a goroutine of the line. Its panic ends the goroutine alone.
func Go(f func()) {
	l := current()
	if l == nil || !l.add() {
		go f()
		return
	}
	go func() {
		defer l.End()
		guarded(l.host, f)
	}()
}

// Guard is f for a goroutine that somebody else starts. Its panic ends that
// goroutine alone.
func Guard(f func()) func() {
	h := host()
	return func() { guarded(h, f) }
}

func guarded(h Host, f func()) {
	defer func() {
		if v := recover(); v != nil {
			h.Panicked(v)
		}
	}()
	h.Begin()
	f()
}

// Recv is <-c.
func Recv[T any](c <-chan T) (v T) {
	select {
	case v = <-c:
		return v
	default:
	}
	select {
	case v = <-c:
	case <-Done():
		runtime.Goexit()
	}
	return v
}

// Recv2 is <-c with two results.
func Recv2[T any](c <-chan T) (v T, ok bool) {
	select {
	case v, ok = <-c:
	case <-Done():
		runtime.Goexit()
	}
	return v, ok
}

// SendTo(c)(v) is c <- v. It is curried, so that the element type comes from
// the channel alone.
func SendTo[T any](c chan<- T) func(T) {
	return func(v T) {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case c <- v:
		case <-Done():
			runtime.Goexit()
		}
	}
}

// Chan is what a loop over c ranges over.
func Chan[T any](c <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for {
			v, ok := Recv2(c)
			if !ok || !yield(v) {
				return
			}
		}
	}
}

// Sleep is time.Sleep.
func Sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-Done():
		runtime.Goexit()
	}
}

// Any is v as an empty interface, which holds the type of v itself.
func Any(v any) any { return v }

// As is v as a T, and the zero value if it is none.
func As[T any](v any) T {
	t, _ := v.(T)
	return t
}

// Bound returns the object that the host has bound to a name, and the zero
// value if it has none of that type.
func Bound[T any](name string) T {
	v, _ := host().Bound(name).(T)
	return v
}

// Heap returns where the host keeps a variable, for which it has an
// unsafe.Pointer. The host has made it with this very type; its type of a
// pointer to it may be another one than the plugin's.
func Heap[T any](name string) *T { return (*T)(host().Bound(name).(unsafe.Pointer)) }

// Show takes the values of the line's last expression.
func Show(args ...any) { host().Show(args) }

// Print is the predeclared print.
func Print(args ...any) { host().Print(false, args) }

// Println is the predeclared println.
func Println(args ...any) { host().Print(true, args) }

// Out writes to the output of the calling goroutine's line.
type Out struct{}

// Write implements io.Writer.
func (Out) Write(p []byte) (int, error) { return host().Write(p) }

// Printer makes fmt.Print of fmt.Fprint, and fmt.Println of fmt.Fprintln.
func Printer(f func(io.Writer, ...any) (int, error)) func(...any) (int, error) {
	return func(args ...any) (int, error) { return f(Out{}, args...) }
}

// Formatter makes fmt.Printf of fmt.Fprintf.
func Formatter(f func(io.Writer, string, ...any) (int, error)) func(string, ...any) (int, error) {
	return func(format string, args ...any) (int, error) { return f(Out{}, format, args...) }
}
