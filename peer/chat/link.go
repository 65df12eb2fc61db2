package chat

import (
	"bytes"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

// link is one stream to another peer. Two goroutines serve it: a reader as
// long as it is open, and a writer while there is something to write.
type link struct {
	s      *session
	stream extension.Stream
	member extension.Member // whom we dialled; zero for an accepted stream

	// Owned by the session.
	peer    *peer     // whose current link it is, or was; nil before that
	hello   *frame    // of an accepted stream that is not decided about yet
	early   string    // the stamp that came before the handshake was complete
	past    []byte    // the last stamp that came
	gone    bool      // dropped; what still comes from it does not count
	since   time.Time // when it became the current link
	lastIn  time.Time // when something came last
	asked   time.Time // since when the answer to our own ping is due; zero if none is
	welcome bool      // the handshake is complete

	unconfirmed bool // the other side has not shown that it has our welcome
	dirty       bool // in the session's list of links to be flushed

	mu      sync.Mutex
	out     []byte // encoded frames to be written
	ack     uint64 // to be written, or 0
	writing bool   // a writer runs
	sent    int    // bytes written since the other side was heard
	last    bool   // the writer closes the stream when out is empty
	stamp   []byte // the last one written; the writer's
}

// dialled tells who opened the stream.
func (l *link) dialled() bool { return l.member.ID != "" }

// push appends encoded frames to what is to be written.
func (l *link) push(encoded []byte) { l.write(func() { l.out = append(l.out, encoded...) }) }

// say encodes and pushes one frame.
func (l *link) say(f frame) { l.push(f.append(nil)) }

// acknowledge notes the highest number shown; writers send the last one only.
func (l *link) acknowledge(seq uint64) { l.write(func() { l.ack = seq }) }

// sayLast pushes a frame after which the writer closes the stream, within a
// time even if nobody reads it.
func (l *link) sayLast(f frame, within time.Duration) {
	l.stream.SetDeadline(time.Now().Add(within))
	l.write(func() { l.out, l.last = f.append(l.out), true })
}

// write changes what is to be written; the session's next flush sees to it
// that a writer runs.
func (l *link) write(change func()) {
	l.mu.Lock()
	change()
	l.mu.Unlock()
	if !l.dirty {
		l.dirty = true
		l.s.dirty = append(l.s.dirty, l)
	}
}

// unheard is how many bytes a stream certainly takes without its reader: they
// fit into the buffers on the way. So many may be written since the other side
// was heard last without a thought of waiting.
const unheard = 512

// flush sees to it that what waits is written. A few bytes to somebody who
// answers are written at once, which cannot block; the rest is a writer's
// work, and acknowledgements are, too, because they are in no hurry.
func (l *link) flush() {
	l.dirty = false
	l.mu.Lock()
	start := !l.writing
	l.writing = true
	now := len(l.out) > 0 && len(l.out) < unheard && l.sent == 0 && !l.last
	l.mu.Unlock()
	switch {
	case start && now:
		l.drain()
	case start:
		l.s.spawn(l.drain)
	}
}

// drain writes until nothing is left, everything that waits in one write.
// Acknowledgements give way to messages that can be written or shown now.
func (l *link) drain() {
	if l.onlyAck() {
		runtime.Gosched()
	}
	for {
		batch, ok := l.take()
		if !ok {
			return
		}
		batch = l.stamped(batch)
		l.wrote(len(batch.bytes))
		if _, err := l.stream.Write(batch.bytes); err != nil {
			l.stream.Close() // the reader tells the session
		}
		l.s.buffers.Put(batch)
	}
}

// wrote counts what is on its way, heard that the other side reads.
func (l *link) wrote(n int) {
	l.mu.Lock()
	l.sent += n
	l.mu.Unlock()
}

func (l *link) heard() {
	l.mu.Lock()
	l.sent = 0
	l.mu.Unlock()
}

func (l *link) onlyAck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.out) == 0
}

// batch is what one write carries.
type batch struct {
	bytes []byte
}

// take empties the buffer, or ends the writer.
func (l *link) take() (*batch, bool) {
	b := l.s.buffer()
	l.mu.Lock()
	if len(l.out) == 0 && l.ack == 0 {
		l.writing = false
		last := l.last
		l.mu.Unlock()
		if last {
			l.stream.Close()
		}
		l.s.buffers.Put(b)
		return nil, false
	}
	ack := l.ack
	l.ack = 0
	b.bytes, l.out = l.out, b.bytes[:0]
	l.mu.Unlock()
	if ack > 0 {
		b.bytes = (&frame{kind: kindAck, num: ack}).append(b.bytes)
	}
	return b, true
}

// stamped puts the logical time before a batch if it has changed, unless the
// batch begins with it.
func (l *link) stamped(b *batch) *batch {
	stamp := l.s.svc.Stamp()
	if len(stamp) == 0 || bytes.Equal(stamp, l.stamp) {
		return b
	}
	l.stamp = append(l.stamp[:0], stamp...)
	with := l.s.buffer()
	with.bytes = appendStamp(with.bytes[:0], stamp)
	if bytes.HasPrefix(b.bytes, with.bytes) {
		l.s.buffers.Put(with)
		return b
	}
	with.bytes = append(with.bytes, b.bytes...)
	l.s.buffers.Put(b)
	return with
}

// read hands what arrives to the session until the stream ends. Once the
// session has closed, it goes on reading until the other side closes the
// stream, since it has read our leave then, or leaves as well.
func (l *link) read() {
	defer l.stream.Close()
	r := frameReader{r: l.stream}
	for {
		frames := l.s.noFrames()
		err := r.next(frames)
		if len(frames.list) > 0 && !l.s.post(func() { l.s.received(l, frames) }) && leaves(frames.list) {
			return
		}
		if err != nil {
			l.s.post(func() { l.s.drop(l) })
			return
		}
	}
}

func leaves(frames []frame) bool {
	return slices.ContainsFunc(frames, func(f frame) bool { return f.kind == kindLeave })
}
