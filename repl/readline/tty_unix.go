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

// tty is the terminal's state.
type tty struct {
	in, out int
	found   unix.Termios // as it was found

	mu  sync.Mutex
	now unix.Termios // as it should be
}

func openTTY(in, out *os.File) (*tty, error) {
	t := &tty{in: int(in.Fd()), out: int(out.Fd())}
	state, err := unix.IoctlGetTermios(t.in, getTermios)
	if err != nil {
		return nil, fmt.Errorf("input is no terminal: %w", err)
	}
	t.found, t.now = *state, *state
	return t, nil
}

// restore gives the terminal the state in which it was found.
func (t *tty) restore() error { return t.set(t.found) }

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
	t.now = s
	return unix.IoctlSetTermios(t.in, setTermios, &t.now)
}

// lend restores the terminal's state for as long as f runs.
func (t *tty) lend(f func() error) error {
	t.mu.Lock()
	now := t.now
	t.mu.Unlock()
	if err := t.restore(); err != nil {
		return fmt.Errorf("lend the terminal: %w", err)
	}
	err := f()
	return errors.Join(err, t.set(now))
}

// again sets the state that somebody else has changed.
func (t *tty) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = unix.IoctlSetTermios(t.in, setTermios, &t.now)
}

// columns is the terminal's width; 80 if it does not tell.
func (t *tty) columns() int {
	w, _, err := term.GetSize(t.out)
	if err != nil || w <= 0 {
		return 80
	}
	return w
}
