package explore

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/peer/explore/check"
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

// TestLateStdout: code of a call that has ended may ask for its os.Stdout for
// the first time. It gets the session's, which ends with that.
func TestLateStdout(t *testing.T) {
	var out, late paper
	s := &Session{config: Config{Late: &late}}
	h := &caller{host: &host{session: s, out: &out}}
	h.end()
	if _, err := h.stdout().WriteString("late"); err != nil || h.pipe != nil {
		t.Errorf("%v, it has a pipe of its own: %v", err, h.pipe != nil)
	}
	s.flush()
	if err := s.Close(); err != nil || out.String() != "" || late.String() != "late" {
		t.Errorf("%v, out %q, late %q", err, &out, &late)
	}
}

// TestLastValueInUse has code of lines before read the last value while it
// changes.
func TestLastValueInUse(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for range 1000 {
			switch v := s.bound(check.LastName).(type) {
			case nil, int, string:
			default:
				t.Errorf("it is %v", v)
			}
		}
	})
	for range 100 {
		for _, src := range []string{"1", `"a"`} {
			if err := s.Eval(t.Context(), src, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
	}
	reader.Wait()
}

// TestNamesInMuchOutput: names lose their mark wherever the output is cut.
func TestNamesInMuchOutput(t *testing.T) {
	var out paper
	s := &Session{}
	h := &host{session: s, out: &out}
	if _, err := s.openPipe(h).WriteString(strings.Repeat("{"+check.Mark+"a:1}", 20000)); err != nil {
		t.Fatal(err)
	}
	h.end()
	if want := strings.Repeat("{a:1}", 20000); out.String() != want {
		t.Errorf("%d bytes, want %d: %.60q", len(out.String()), len(want), strings.ReplaceAll(out.String(), "{a:1}", ""))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
