package readline

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/repl"
)

const (
	// pace is the least time between two writes of messages: a flood is
	// written in large pieces.
	pace = 33 * time.Millisecond

	clearRow    = "\r\x1b[J" // to the row's begin; erase it and all below
	clearScreen = "\x1b[H\x1b[2J"
)

// screen is the only writer to the terminal. It remembers the row that is
// being edited and puts messages above it.
//
// It is the library's output too, and takes from it only when it draws: what
// it draws is rendered here, from the line that Paint was given.
type screen struct {
	out   io.Writer
	queue *repl.Queue // messages

	// mu makes one write after the other: it is held while writing. It comes
	// before the queue's.
	mu      sync.Mutex
	columns int
	rows    int
	line    line
	hint    func(string) string
	shown   bool   // row is on the terminal
	row     string // what of line is on the terminal
	ghost   string // what follows it there: a hint
	cursor  int    // the column in which the cursor is
	search  string // what the library says of a search; empty without one
	redraw  bool   // the library is about to draw
	mute    bool   // leave out the mark of an interrupt
	marks   bool   // the terminal is to mark what is pasted
	marked  bool   // it does
	lent    int    // how many have the terminal as it was found
}

func newScreen(out io.Writer, columns, rows int) *screen {
	return &screen{out: out, queue: repl.NewQueue(), columns: columns, rows: rows}
}

// run writes messages as they come until done is closed.
func (s *screen) run(done <-chan struct{}) {
	for {
		select {
		case <-s.queue.Ready():
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
	q, all := s.queue.Take()
	switch {
	case len(q) == 0:
	case s.shown:
		s.write(clearRow + string(q) + s.frame())
	default:
		s.write(string(q))
	}
	return all
}

func (s *screen) write(text string) { _, _ = io.WriteString(s.out, text) }

// show puts row on the terminal. What was printed before a line begins or is
// entered is above it; what comes while it is typed need not hurry, and a key
// costs no more than itself. It is called with mu held.
func (s *screen) show(row, ghost string, cursor int) {
	entered := strings.HasSuffix(row, "\n")
	if !s.shown || entered {
		s.drain()
	}
	switch {
	case s.shown && s.search == "" && row == s.row && ghost == s.ghost:
	case s.shown && s.search == "" && strings.HasPrefix(row, s.row):
		erase := ""
		if s.ghost != "" {
			erase = "\x1b[K"
		}
		s.write(erase + row[len(s.row):] + ghost)
	case s.shown:
		s.write(clearRow + row + ghost)
	default:
		s.write(row + ghost)
	}
	s.row, s.ghost, s.cursor, s.search = row, ghost, cursor, ""
	s.shown = !entered
}

// frame is all that is drawn for the line. It is called with mu held.
func (s *screen) frame() string { return s.row + s.ghost + s.below() }

// drain writes what is in the queue now, in the place of the row. Messages
// that come meanwhile could keep it busy for ever: they wait. It is called
// with mu held.
func (s *screen) drain() {
	left := s.queue.Waiting()
	for left > 0 {
		q, all := s.queue.Take()
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
// what follows that is drawn from line. Of the rest only a bell, the wish for
// an empty screen, and the state of a search mean something.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	search, searching := searchIn(string(p))
	switch {
	case bytes.Equal(p, []byte("\a")):
		s.write("\a")
	case bytes.Equal(p, []byte("\x1b[H")):
		s.write(clearScreen)
		s.shown = false
	case bytes.Contains(p, []byte("\x1b[2K")):
		s.redraw = true
	case s.redraw:
		s.redraw = false
		s.show(render(s.line, s.columns))
	case s.shown && searching:
		s.search = search
		s.write(s.below())
	}
	return len(p), nil
}

// searchIn finds what the library says of a search, "bck-i-search: word".
func searchIn(output string) (search string, ok bool) {
	_, search, _ = strings.Cut(output, "\x1b[J")
	search, _, ok = strings.Cut(search, "\x1b[4m")
	return search, ok && strings.Contains(search, "-i-search: ")
}

// below is what stands below the row, and the way back to the cursor.
func (s *screen) below() string {
	if s.search == "" {
		return ""
	}
	text := join(cutRight(cells([]rune(s.search)), s.columns-2))
	return fmt.Sprintf("\n\x1b[J%s\x1b[4m \x1b[0m\r\x1b[A\x1b[%dG", text, s.cursor+1)
}

// Paint is called by the library before it draws, with the line as it is. It
// implements the library's Painter.
func (s *screen) Paint(text []rune, pos int) []rune {
	hint := s.hintFor(text, pos)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.text = append(s.line.text[:0], text...)
	s.line.pos = min(pos, len(text))
	s.line.hint = hint
	if kept, ok := strings.CutSuffix(string(text), "^C\n"); ok && s.mute {
		s.line.text = []rune(kept + "\n")
	}
	return nil
}

// hintFor is the hint for a line with the cursor at its end. An entered line
// has none.
func (s *screen) hintFor(text []rune, pos int) string {
	s.mu.Lock()
	hint := s.hint
	s.mu.Unlock()
	if hint == nil || pos < len(text) || len(text) == 0 || text[len(text)-1] == '\n' {
		return ""
	}
	return hint(strings.ReplaceAll(string(text), string(newline), "\n"))
}

func (s *screen) setHint(f func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hint = f
}

// begin prepares for a line with that prompt, and returns its width.
func (s *screen) begin(prompt string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = line{prompt: prompt}
	s.mute, s.marks = false, true
	s.mark()
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

// size is the number of columns and rows.
func (s *screen) size() (columns, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.columns, s.rows
}

// mark tells the terminal whether to mark what is pasted. It is called with mu
// held.
func (s *screen) mark() {
	on := s.marks && s.lent == 0
	switch {
	case on == s.marked:
		return
	case on:
		s.write(pasteOn)
	default:
		s.write(pasteOff)
	}
	s.marked = on
}

// lend makes the terminal as it was found, by +1, or takes it back, by -1.
func (s *screen) lend(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent += by
	s.mark()
}

// resize draws the row anew for another number of columns. Terminals that
// became narrower have broken the row into several, and the cursor is in the
// last of them.
func (s *screen) resize(columns, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := s.cursor / columns
	changed := columns != s.columns
	s.columns, s.rows = columns, rows
	if !s.shown || !changed {
		return
	}
	s.row, s.ghost, s.cursor = render(s.line, columns)
	climb := ""
	if up > 0 {
		climb = fmt.Sprintf("\x1b[%dA", up)
	}
	s.write(climb + clearRow + s.frame())
}

// repaint draws the row on a terminal that somebody else has written to.
func (s *screen) repaint() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marked {
		s.write(pasteOn)
	}
	if s.shown {
		s.write(clearRow + s.frame())
	}
}

// clear empties the row, before somebody else writes to the terminal and after.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(clearRow)
	s.shown = false
}

// hold keeps messages in the queue while the terminal is lent, and writes them
// afterwards.
func (s *screen) hold(on bool) {
	if on {
		s.flush()
	}
	s.queue.Hold(on)
	if !on {
		s.flush()
	}
}

// close writes what waits, and leaves the row that is being edited.
func (s *screen) close() {
	s.queue.Close()
	s.flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		s.write("\x1b[J\n")
		s.shown = false
	}
	s.marks = false
	s.mark()
}
