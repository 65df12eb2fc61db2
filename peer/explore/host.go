package explore

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/live"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// host is what one line talks to.
type host struct {
	session *Session
	line    *check.Line

	mu    sync.Mutex
	out   io.Writer
	ended bool
}

// Within tells that the calling goroutine runs an input of a session, which
// nobody may wait for from there. A call of a Function is none.
func Within() bool {
	name := live.Current()
	return name != "" && !strings.HasPrefix(name, callPrefix)
}

// end says that what comes now is late.
func (h *host) end() {
	h.session.flush()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
}

// Write writes output of the line, in one stream with what goes through the
// line's os.Stdout.
func (h *host) Write(p []byte) (int, error) {
	if pipe := h.session.pipe(); pipe != nil && !h.over() {
		pipe.direct(h)
		if n, err := pipe.Write(p); err == nil {
			return n, nil
		}
	}
	return h.write(p)
}

// over tells that the line has ended.
func (h *host) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// write writes to where the line's output goes. Names lose the mark that they
// have in compiled code.
func (h *host) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.out
	if h.ended && h.session.config.Late != nil {
		out = h.session.config.Late
	}
	if _, err := io.WriteString(out, unmark(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unmark takes the session's own words out of what a line prints: the mark of
// names, and the tags of lower-case fields where the text of a type has them.
func unmark(s string) string {
	s = strings.ReplaceAll(s, check.Mark, "")
	if strings.Contains(s, `"json:\"-\" xml:`) {
		s = partTag.ReplaceAllString(wholeTag.ReplaceAllString(s, "$1"), `$1"`)
	}
	return s
}

// Tags as the text of a type shows them: native.Hidden, alone or before the
// user's own. No comma stands before them there.
var (
	wholeTag = regexp.MustCompile(`([^,\s]) ` + regexp.QuoteMeta(strconv.Quote(native.Hidden)))
	partTag  = regexp.MustCompile(`([^,\s] )"` + regexp.QuoteMeta(strings.TrimSuffix(strconv.Quote(native.Hidden), `"`)[1:]) + ` `)
)

// Print implements live.Host.
func (h *host) Print(newline bool, args []any) {
	text := fmt.Sprint(args...)
	if newline {
		text = fmt.Sprintln(args...)
	}
	_, _ = h.Write([]byte(text)) // whoever reads has gone
}

// Begin implements live.Host.
func (h *host) Begin() { debug.SetPanicOnFault(true) }

// Panicked implements live.Host.
func (h *host) Panicked(v any) {
	_, _ = fmt.Fprintf(h, "goroutine of ‹%d›: %v\n", h.line.N, native.NewPanic(v))
}

// Bound implements live.Host.
func (h *host) Bound(name string) any {
	if name == "os.Stdout" {
		return h.session.openPipe(h)
	}
	return h.session.bound(name)
}

// Show implements live.Host.
func (h *host) Show(args []any) {
	var texts, names []string
	for i, v := range args {
		if i >= len(h.line.Values) {
			break
		}
		known := h.line.Values[i]
		texts = append(texts, text(known, v))
		names = append(names, check.Plain(known.Type))
	}
	_, _ = fmt.Fprintf(h, "%s :: %s\n", strings.Join(texts, ", "), strings.Join(names, ", "))
	h.remember(args)
}

// remember keeps what a line has shown. One that was left, and goes on beside
// others, has no say in that any more.
func (h *host) remember(args []any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	h.session.shown = args
	if len(args) == 1 {
		h.session.remember(h.line.Values[0], args[0])
	}
}

// known shows values that need no evaluation.
func (h *host) known() error {
	args := make([]any, len(h.line.Values))
	for i, v := range h.line.Values {
		args[i] = constant(v)
	}
	h.Show(args)
	return nil
}

// remember keeps the last value.
func (s *Session) remember(v check.Value, value any) {
	if v.IsType || value == nil {
		return
	}
	if typ := defaultType(v); typ != nil {
		s.setLast(value)
		s.check.BindType(check.LastName, typ)
	}
}

func (s *Session) setLast(value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = value
}

// pipe is the one through which output goes, if there is one.
func (s *Session) pipe() *pipe {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stdout != nil && s.stdout.ended() {
		s.stdout = nil
	}
	return s.stdout
}

// openPipe returns what a line has for os.Stdout.
func (s *Session) openPipe(h *host) *os.File {
	p := s.pipe()
	if p == nil {
		made, err := newPipe()
		if err != nil {
			return os.Stdout
		}
		made.direct(h)
		s.mu.Lock()
		if s.stdout == nil || s.stdout.ended() {
			s.stdout = made
		}
		p = s.stdout
		s.mu.Unlock()
		if p != made {
			_ = made.Close() // another goroutine of the line was first
		}
	}
	if !h.over() {
		p.direct(h)
	}
	return p.w
}

// flush waits until all output has arrived.
func (s *Session) flush() {
	if p := s.pipe(); p != nil {
		p.flush()
	}
}
