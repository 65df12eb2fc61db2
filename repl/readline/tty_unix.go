//go:build unix

package readline

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// tty is the terminal's state: as it was found, as a reader wants it, or lent.
type tty struct {
	in, out int
	found   unix.Termios // as it was found

	mu   sync.Mutex
	want unix.Termios // as it should be while it is not lent
	lent int          // how many have it as it was found
	over bool         // it was given back for good
}

func openTTY(in, out *os.File) (*tty, error) {
	t := &tty{in: int(in.Fd()), out: int(out.Fd())}
	state, err := unix.IoctlGetTermios(t.in, getTermios)
	if err != nil {
		return nil, fmt.Errorf("input is no terminal: %w", err)
	}
	t.found, t.want = *state, *state
	return t, nil
}

// finish gives the terminal the state in which it was found, for good.
func (t *tty) finish() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return t.apply()
}

// quiet is the state between two lines: keys wait without an echo, ctrl-C is
// a signal.
func (t *tty) quiet() error {
	s := t.silent()
	s.Lflag |= unix.ISIG
	s.Cc[unix.VSUSP] = noChar
	return t.set(s)
}

// raw is the state while a line is read: every key is a byte. Output is
// processed as before, so that a line feed begins a row.
func (t *tty) raw() error { return t.set(t.silent()) }

func (t *tty) silent() unix.Termios {
	s := t.found
	s.Iflag &^= unix.BRKINT | unix.ICRNL | unix.IGNCR | unix.INLCR | unix.ISTRIP | unix.IXON | unix.PARMRK
	s.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.IEXTEN | unix.ISIG
	s.Cc[unix.VMIN], s.Cc[unix.VTIME] = 1, 0
	return s
}

func (t *tty) set(s unix.Termios) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.want = s
	return t.apply()
}

// apply gives the terminal the state that it should have. It is called with mu
// held, and does not wait for output.
func (t *tty) apply() error {
	s := t.want
	if t.over || t.lent > 0 {
		s = t.found
	}
	return unix.IoctlSetTermios(t.in, setTermios, &s)
}

// lend gives the terminal the state in which it was found for as long as f
// runs.
func (t *tty) lend(f func() error) error {
	if err := t.shift(+1); err != nil {
		_ = t.shift(-1)
		return fmt.Errorf("lend the terminal: %w", err)
	}
	err := f()
	return errors.Join(err, t.shift(-1))
}

func (t *tty) shift(by int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lent += by
	return t.apply()
}

// again sets the state that somebody else has changed. Of a terminal that is
// lent it is theirs.
func (t *tty) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lent == 0 {
		_ = t.apply()
	}
}

// resumeOutput lets output go on that was stopped. One that a key has stopped,
// ctrl-S, goes on when the key loses its meaning.
func resumeOutput(fd int) {
	startOutput(fd)
	state, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil || state.Iflag&unix.IXON == 0 {
		return
	}
	free := *state
	free.Iflag &^= unix.IXON
	_ = unix.IoctlSetTermios(fd, setTermios, &free)
	_ = unix.IoctlSetTermios(fd, setTermios, state)
}

// size is the terminal's width and height; 80 and 24 if it does not tell.
func (t *tty) size() (columns, rows int) {
	w, h, err := term.GetSize(t.out)
	if err != nil || w <= 0 || h <= 0 {
		return 80, 24
	}
	return w, h
}
