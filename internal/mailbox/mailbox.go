// Package mailbox hands values from goroutines that must not wait to one that
// takes them: a queue without a bound. It knows nothing of what it carries.
//
//	for {
//		select {
//		case <-box.Ready():
//			for _, v := range box.Take() { ... }
//		case <-ctx.Done():
//			return
//		}
//	}
package mailbox

import "sync"

// Box is a queue of values. Put and Close may be called from several
// goroutines; one goroutine takes.
type Box[T any] struct {
	ready chan struct{} // holds one: there is something to take

	mu     sync.Mutex
	values []T
	closed bool
}

// New returns an empty box.
func New[T any]() *Box[T] { return &Box[T]{ready: make(chan struct{}, 1)} }

// Put adds a value and never blocks. A closed box takes none, and says so.
func (b *Box[T]) Put(v T) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.values = append(b.values, v)
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

// Ready has an element when something was put since the last one was taken.
func (b *Box[T]) Ready() <-chan struct{} { return b.ready }

// Take returns what is there, in the order in which it was put.
func (b *Box[T]) Take() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	values := b.values
	b.values = nil
	return values
}

// Close has the box take no more, and returns what is left. It may be called
// twice.
func (b *Box[T]) Close() []T {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.Take()
}
