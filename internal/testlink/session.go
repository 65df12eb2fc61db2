package testlink

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// DefaultQueue is how many messages may wait to be sent.
const DefaultQueue = 16384

// flushTime bounds the end of a link: what is queued is sent, and the other
// side hangs up, or the connection is cut.
const flushTime = time.Second

// session is what both ends have in common: a bounded queue with one writer,
// and a reader. The queue takes from any goroutine without blocking.
type session struct {
	ws    *websocket.Conn
	limit int
	wake  chan struct{} // holds one: the queue has changed
	over  chan struct{} // closed when the session ends: nothing more is queued or handled

	mu     sync.Mutex
	queue  []frame
	status *Status // the latest; a frame in the queue holds its place
	events uint64  // that were queued
	ended  bool    // over is closed
	cause  error   // why it ended; nil for an end in order by this side
	theirs *uint64 // events of the other side, as it said when it ended the session in order
}

func newSession(ws *websocket.Conn, limit int) *session {
	if limit <= 0 {
		limit = DefaultQueue
	}
	ws.SetReadLimit(maxFrame)
	return &session{ws: ws, limit: limit, wake: make(chan struct{}, 1), over: make(chan struct{})}
}

// send queues a message. After the session has ended it does nothing.
func (s *session) send(f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue(f)
}

// sendStatus queues a status, or replaces the one that still waits.
func (s *session) sendStatus(st Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.status != nil
	s.status = &st
	if !waiting {
		s.enqueue(frame{Type: typeStatus})
	}
}

func (s *session) enqueue(f frame) {
	switch {
	case s.ended:
		return
	case len(s.queue) >= s.limit:
		s.queue = nil
		s.finish(fmt.Errorf("%w: %d messages; the other side reads too slowly, or too much is recorded", ErrOverflow, s.limit))
		return
	}
	switch f.Type {
	case typeEvent:
		s.events++
	case typeFenced:
		f.Events = s.events
	}
	s.queue = append(s.queue, f)
	s.signal()
}

// end ends the session in order: what is queued is sent, then the reason.
func (s *session) end(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.stop(reason, nil)
	}
}

// fail ends the session, and tells the other side why if it can be told.
func (s *session) fail(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(cause)
}

// closedBy notes that the other side has ended the session in order.
func (s *session) closedBy(f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.theirs = &f.Events
	s.finish(fmt.Errorf("%w: %s", ErrClosed, f.Error))
}

// said is how many events the other side has sent in all, if it said so.
func (s *session) said() *uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.theirs
}

func (s *session) finish(cause error) {
	if !s.ended {
		s.stop(cause.Error(), cause)
	}
}

func (s *session) stop(reason string, cause error) {
	last := frame{Type: typeClose, Error: reason, Events: s.events}
	if cause != nil {
		last.Type = typeFail
	}
	s.queue = append(s.queue, last)
	s.ended, s.cause = true, cause
	close(s.over)
	s.signal()
}

func (s *session) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *session) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// failed tells whether the session has ended otherwise than in order by this
// side.
func (s *session) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause != nil
}

// take returns what is to be sent now.
func (s *session) take() []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.queue
	s.queue = nil
	for i := range batch {
		if batch[i].Type == typeStatus {
			batch[i].Status, s.status = s.status, nil
		}
	}
	return batch
}

// run reads and writes until the session is over and the other side has hung
// up, or has had time to, and returns the cause. handle is called from one
// goroutine, in order; its error ends the session.
func (s *session) run(handle func(frame) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.write(ctx) })
	wg.Go(func() { s.expire(ctx, cancel) })
	s.read(ctx, handle)
	cancel()
	wg.Wait()
	s.ws.CloseNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// expire cuts the connection when the end takes too long.
func (s *session) expire(ctx context.Context, cut func()) {
	select {
	case <-s.over:
	case <-ctx.Done():
		return
	}
	t := time.NewTimer(flushTime)
	defer t.Stop()
	select {
	case <-t.C:
		cut()
	case <-ctx.Done():
	}
}

// read handles what arrives until the connection ends. After the session is
// over it only looks for the other side's last word.
func (s *session) read(ctx context.Context, handle func(frame) error) {
	for {
		kind, data, err := s.ws.Read(ctx)
		if err != nil {
			s.fail(lost(err))
			return
		}
		f, err := decode(data)
		switch {
		case kind != websocket.MessageText:
			err = fmt.Errorf("%w: not text", ErrProtocol)
		case err == nil && f.Type == typeClose:
			s.closedBy(f)
			return
		case err == nil && f.Type == typeFail:
			s.fail(fmt.Errorf("%w: %s", ErrFailed, f.Error))
			return
		case err == nil && !s.isOver():
			err = handle(f)
		}
		if err != nil {
			s.fail(err)
		}
	}
}

// write sends what is queued. It stops when sending fails, and leaves it to
// the reader to find out: what has arrived already must still be read.
func (s *session) write(ctx context.Context) {
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		for _, f := range s.take() {
			if f.Type != typeFail && s.failed() {
				continue // only the reason is still of interest
			}
			data, err := f.encode()
			if err == nil && len(data) > maxFrame {
				err = fmt.Errorf("a message of %d bytes, at most %d are allowed", len(data), maxFrame)
			}
			if err != nil {
				s.fail(fmt.Errorf("%w: %s: %v", ErrProtocol, f.Type, err))
				continue
			}
			if s.ws.Write(ctx, websocket.MessageText, data) != nil {
				return
			}
		}
	}
}

// lost describes the end of a connection in words of the link.
func lost(err error) error {
	if websocket.CloseStatus(err) == websocket.StatusMessageTooBig {
		return fmt.Errorf("%w: the other side takes at most %d bytes a message", ErrLost, maxFrame)
	}
	return fmt.Errorf("%w: %v", ErrLost, err)
}
