package chat

import (
	"sync"

	"github.com/peerlab/peerlab/peer/extension"
)

// mailbox is where the owner of the room leaves changes and streams: never
// blocking, never losing one, in order. It takes them only while it is open.
type mailbox struct {
	signal chan struct{} // has a value while something may be there

	mu      sync.Mutex
	isOpen  bool
	changes []extension.Change
	streams []extension.Stream
}

func (m *mailbox) open() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.isOpen = true
}

// shut closes the mailbox and returns the streams that nobody took.
func (m *mailbox) shut() []extension.Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	streams := m.streams
	m.isOpen, m.changes, m.streams = false, nil, nil
	return streams
}

func (m *mailbox) change(c extension.Change) {
	m.put(func() { m.changes = append(m.changes, c) })
}

// stream tells whether the mailbox took the stream over.
func (m *mailbox) stream(s extension.Stream) bool {
	return m.put(func() { m.streams = append(m.streams, s) })
}

func (m *mailbox) put(add func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.isOpen {
		return false
	}
	add()
	select {
	case m.signal <- struct{}{}:
	default:
	}
	return true
}

// take empties the mailbox.
func (m *mailbox) take() ([]extension.Change, []extension.Stream) {
	m.mu.Lock()
	defer m.mu.Unlock()
	changes, streams := m.changes, m.streams
	m.changes, m.streams = nil, nil
	return changes, streams
}
