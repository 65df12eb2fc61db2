package journal

import (
	"bytes"
	"sync"
)

// maxLate bounds what a Late keeps, in bytes.
const maxLate = 1 << 20

// Late is a Sink for a File that is opened later: it keeps the events of the
// time before, so that the file begins with the first one. The zero value is
// ready for use. What is more than maxLate is lost.
type Late struct {
	mu   sync.Mutex // guards the fields below; its writes are short appends
	kept []byte     // whole lines
	file *File
}

// Sink keeps the line of an event, or appends it to the file that is there.
func (l *Late) Sink(e Event, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Sink(e, line)
		return
	}
	if len(l.kept)+len(line) < maxLate {
		l.kept = append(append(l.kept, line...), '\n')
	}
}

// Open gives the file what was kept, and from now on every event. It is called
// once.
func (l *Late) Open(f *File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.kept) {
		f.Sink(Event{}, line[:len(line)-1])
	}
	l.kept, l.file = nil, f
}
