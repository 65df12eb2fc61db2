package explore

import (
	"strings"
	"sync"
	"testing"
)

// paper is a writer for several goroutines.
type paper struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *paper) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *paper) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func put(t *testing.T, h *host, text string) {
	t.Helper()
	if _, err := h.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// TestOutputOfEachLine has two lines write through os.Stdout and past it: each
// gets its own output, in order, and what comes late goes where late output
// goes.
func TestOutputOfEachLine(t *testing.T) {
	var first, second, late paper
	s := &Session{config: Config{Late: &late}}
	one := &host{session: s, out: &first}
	put(t, one, "a")
	if _, err := s.openPipe(one).WriteString("b"); err != nil {
		t.Fatal(err)
	}
	put(t, one, "c")
	one.end()
	two := &host{session: s, out: &second}
	put(t, two, "d")
	put(t, one, "late")
	if _, err := s.openPipe(one).WriteString("e"); err != nil { // a goroutine of the line before: the stream is that of now
		t.Fatal(err)
	}
	put(t, two, "f")
	two.end()
	if first.String() != "abc" || second.String() != "def" || late.String() != "late" {
		t.Errorf("first %q, second %q, late %q", &first, &second, &late)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestClosedStdout has a line close its os.Stdout: what it printed before
// arrives, and later lines have another.
func TestClosedStdout(t *testing.T) {
	var out paper
	s := &Session{}
	h := &host{session: s, out: &out}
	f := s.openPipe(h)
	if _, err := f.WriteString("before "); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.flush()
	put(t, h, "after ")
	h.end()
	h = &host{session: s, out: &out}
	if _, err := s.openPipe(h).WriteString("again"); err != nil {
		t.Fatal(err)
	}
	h.end()
	if got := out.String(); got != "before after again" {
		t.Errorf("got %q", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error("twice:", err)
	}
}
