package cli

import (
	"io"
	"sync"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/repl"
)

// screen is where a person sees lines: above the prompt of a line reader, or
// on plain standard output.
type screen struct {
	colour bool
	reader repl.LineReader // nil without a prompt

	mu  sync.Mutex // guards out: whole lines, one after another
	out io.Writer
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
	return s.out.Write(b)
}
