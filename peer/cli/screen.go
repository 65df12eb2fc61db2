package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/repl"
)

// screen is where a person sees lines: above the prompt of a line reader, or
// on plain standard output.
type screen struct {
	colour bool
	reader repl.LineReader // nil without a prompt

	gone func() // called when nobody reads any more; nil calls nobody

	mu     sync.Mutex // guards the fields below: whole lines, one after another
	out    io.Writer
	failed error // the first failure of out
}

// show prints a line of the chat.
func (s *screen) show(l extension.Line) {
	text := "<" + l.Label + "> " + l.Text
	if code := colourOf(l.Kind); s.colour && code != "" {
		text = "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	s.print(text + "\n")
}

func colourOf(k extension.LineKind) string {
	switch k {
	case extension.Good:
		return "32"
	case extension.Caution:
		return "33"
	case extension.Bad:
		return "31"
	}
	return ""
}

// print shows whole lines.
func (s *screen) print(text string) {
	if s.reader != nil {
		s.reader.Print(text)
		return
	}
	_, _ = s.Write([]byte(text)) // a reader that went away is not told
}

// Write makes a screen the output of commands.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.out.Write(b)
	s.heed(err)
	return n, err
}

// heed remembers the first failure of an output, and ends the peer if nobody
// reads that any more. s.mu is held.
func (s *screen) heed(err error) {
	if err == nil || s.failed != nil {
		return
	}
	s.failed = err
	if errors.Is(err, syscall.EPIPE) && s.gone != nil {
		s.gone()
	}
}

// wrongs is where errors of commands are written. That they cannot be, on a
// full disk for instance, is no failure of a command; that their reader has
// gone away is the end, as it is for the other output.
type wrongs struct {
	screen *screen
	to     io.Writer
}

func (w wrongs) Write(b []byte) (int, error) {
	w.screen.mu.Lock()
	defer w.screen.mu.Unlock()
	n, err := w.to.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		w.screen.heed(err)
	}
	return n, err
}

// verdict is how a run ended that would have ended with err and status: what
// could not be printed has failed. That nobody wants to read on is told by the
// status alone, as is the custom.
func (s *screen) verdict(err error, status *int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, repl.ErrUnread):
		err = nil // what else went wrong is no news for who has gone
	case s.failed == nil:
		return err
	case !errors.Is(s.failed, syscall.EPIPE):
		return errors.Join(err, fmt.Errorf("standard output: %w", s.failed))
	case errors.Is(err, context.Canceled):
		err = nil // that is how it was told
	}
	*status = statusUnread
	return err
}
