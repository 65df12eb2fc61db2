package readline

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// maxQueue is how many bytes of messages wait for the terminal before
	// Print waits too.
	maxQueue = 256 << 10
	// maxPiece is how much of them is written at once, so that the row that is
	// being edited stays in sight.
	maxPiece = 32 << 10
	// pace is the least time between two writes of messages: a flood is
	// written in large pieces.
	pace = 33 * time.Millisecond

	clearRow = "\r\x1b[J" // to the row's begin; erase it and all below
)

// screen is the only writer to the terminal. It remembers the row that is
// being edited and puts messages above it.
//
// It is the library's output too, and takes from it only when it draws: what
// it draws is rendered here, from the line that Paint was given.
type screen struct {
	out io.Writer

	queueMu sync.Mutex
	room    *sync.Cond // on queueMu: the queue was taken, or is closed
	queue   []byte     // whole lines
	piece   []byte     // the buffer of what was taken last
	held    bool       // the terminal is lent: nothing is taken, and Print does not wait
	skipped int        // lines that did not fit while it was lent
	closed  bool
	kick    chan struct{} // one token: the queue is no longer empty

	// mu makes one write after the other: it is held while writing. It comes
	// before queueMu.
	mu      sync.Mutex
	columns int
	line    line
	shown   bool   // row is on the terminal
	row     string // what of line is on the terminal
	cursor  int    // the column in which the cursor is
	extra   string // what the library wrote after row: a search
	redraw  bool   // the library is about to draw
	mute    bool   // leave out the mark of an interrupt
}

func newScreen(out io.Writer, columns int) *screen {
	s := &screen{out: out, columns: columns, kick: make(chan struct{}, 1)}
	s.room = sync.NewCond(&s.queueMu)
	return s
}

// print queues whole lines.
func (s *screen) print(text string) {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	for len(s.queue) >= maxQueue && !s.held && !s.closed {
		s.room.Wait()
	}
	switch {
	case s.closed:
		return
	case len(s.queue) >= maxQueue:
		s.skipped++
		return
	}
	s.queue = append(s.queue, text...)
	if !strings.HasSuffix(text, "\n") {
		s.queue = append(s.queue, '\n')
	}
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// take removes a piece of whole lines from the queue, and tells whether that
// was all. The piece is valid until the next call. It is called with mu held.
func (s *screen) take() (piece []byte, all bool) {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	if s.held || len(s.queue) == 0 {
		return nil, true
	}
	n := len(s.queue)
	if i := bytes.LastIndexByte(s.queue[:min(n, maxPiece)], '\n'); n > maxPiece && i >= 0 {
		n = i + 1
	}
	s.piece = append(s.piece[:0], s.queue[:n]...)
	s.queue = append(s.queue[:0], s.queue[n:]...)
	if len(s.queue) == 0 && s.skipped > 0 {
		s.piece = fmt.Appendf(s.piece, "(%d more were not kept)\n", s.skipped)
		s.skipped = 0
	}
	s.room.Broadcast()
	return s.piece, len(s.queue) == 0
}

// run writes messages as they come until done is closed.
func (s *screen) run(done <-chan struct{}) {
	for {
		select {
		case <-s.kick:
		case <-done:
			return
		}
		s.flush()
		timer := time.NewTimer(pace)
		select {
		case <-timer.C:
		case <-done:
			timer.Stop()
			return
		}
	}
}

// flush writes the messages that wait. The terminal is free between two
// pieces, for what is typed.
func (s *screen) flush() {
	for !s.flushPiece() {
	}
}

func (s *screen) flushPiece() (all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, all := s.take()
	switch {
	case len(q) == 0:
	case s.shown:
		s.write(clearRow + string(q) + s.row + s.extra)
	default:
		s.write(string(q))
	}
	return all
}

func (s *screen) write(text string) { _, _ = io.WriteString(s.out, text) }

// show puts row on the terminal. What was printed before a line begins or is
// entered is above it; what comes while it is typed need not hurry, and a key
// costs no more than itself. It is called with mu held.
func (s *screen) show(row string, cursor int) {
	entered := strings.HasSuffix(row, "\n")
	if !s.shown || entered {
		s.drain()
	}
	switch {
	case s.shown && s.extra == "" && strings.HasPrefix(row, s.row):
		s.write(row[len(s.row):])
	case s.shown:
		s.write(clearRow + row)
	default:
		s.write(row)
	}
	s.row, s.cursor, s.extra = row, cursor, ""
	s.shown = !entered
}

// drain writes what is in the queue now, in the place of the row. Messages
// that come meanwhile could keep it busy for ever: they wait. It is called
// with mu held.
func (s *screen) drain() {
	s.queueMu.Lock()
	left := len(s.queue)
	s.queueMu.Unlock()
	for left > 0 {
		q, all := s.take()
		if len(q) > 0 && s.shown {
			s.write(clearRow)
			s.shown = false
		}
		s.write(string(q))
		left -= len(q)
		if all {
			return
		}
	}
}

// Write is the library's output. It announces a drawing by erasing the row;
// what follows that is drawn from line. Anything else is a search, which it
// draws after the row.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case bytes.Equal(p, []byte("\a")):
		s.write("\a")
	case bytes.Contains(p, []byte("\x1b[2K")):
		s.redraw = true
	case s.redraw:
		s.redraw = false
		row, cursor := render(s.line, s.columns)
		s.show(row, cursor)
	case s.shown:
		s.extra += string(p)
		s.write(string(p))
	}
	return len(p), nil
}

// Paint is called by the library before it draws, with the line as it is. It
// implements the library's Painter.
func (s *screen) Paint(text []rune, pos int) []rune {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.text = append(s.line.text[:0], text...)
	s.line.pos = min(pos, len(text))
	if kept, ok := strings.CutSuffix(string(text), "^C\n"); ok && s.mute {
		s.line.text = []rune(kept + "\n")
	}
	return nil
}

// begin prepares for a line with that prompt, and returns its width.
func (s *screen) begin(prompt string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = line{prompt: prompt}
	s.mute = false
	_, room := fit(prompt, s.columns)
	return s.columns - 1 - room
}

// muteInterrupt makes an interrupt leave no mark on the line.
func (s *screen) muteInterrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = true
}

// empty tells that nothing is on the line.
func (s *screen) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.line.text) == 0
}

// width is the number of columns.
func (s *screen) width() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.columns
}

// resize draws the row anew for another number of columns. Terminals that
// became narrower have broken the row into several, and the cursor is in the
// last of them.
func (s *screen) resize(columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := s.cursor / columns
	changed := columns != s.columns
	s.columns = columns
	if !s.shown || !changed {
		return
	}
	s.row, s.cursor = render(s.line, columns)
	climb := ""
	if up > 0 {
		climb = fmt.Sprintf("\x1b[%dA", up)
	}
	s.write(climb + clearRow + s.row + s.extra)
}

// repaint draws the row on a terminal that somebody else has written to.
func (s *screen) repaint() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		s.write(clearRow + s.row + s.extra)
	}
}

// hold keeps messages in the queue while the terminal is lent, and writes them
// afterwards.
func (s *screen) hold(on bool) {
	if on {
		s.flush()
	}
	s.queueMu.Lock()
	s.held = on
	s.queueMu.Unlock()
	if !on {
		s.flush()
	}
}

// close writes what waits, and leaves the row that is being edited.
func (s *screen) close() {
	s.queueMu.Lock()
	s.closed, s.held = true, false
	s.room.Broadcast()
	s.queueMu.Unlock()
	s.flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		s.write("\x1b[J\n")
		s.shown = false
	}
}
