package journal_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/peerlab/peerlab/internal/journal"
)

// count reads to the end.
func count(r io.Reader) (n int, err error) {
	for _, e := range journal.Read(r) {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}

func TestCutOffTail(t *testing.T) {
	two := whole + "\n" + whole + "\n"
	for cut := len(whole) + 1; cut < len(two); cut++ {
		if n, err := count(strings.NewReader(two[:cut])); n != 1 || err != nil {
			t.Fatalf("cut at %d: read %d events, %v; want one and no word", cut, n, err)
		}
	}
	if n, err := count(iotest.OneByteReader(strings.NewReader(two))); n != 2 || err != nil {
		t.Errorf("byte by byte: %d events, %v", n, err)
	}
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("disk on fire")
	n, err := count(io.MultiReader(strings.NewReader(whole+"\n"+whole[:9]), iotest.ErrReader(broken)))
	if n != 1 || !errors.Is(err, broken) {
		t.Errorf("read %d events, %v; want one and the reader's error", n, err)
	}
}

func TestLongLines(t *testing.T) {
	long := func(n int) string {
		return strings.Replace(whole, "<bob> hi", strings.Repeat("x", n), 1) + "\n"
	}
	if n, err := count(strings.NewReader(long(1 << 20))); n != 1 || err != nil {
		t.Errorf("a line of 1 MiB: %d events, %v", n, err)
	}
	if n, err := count(strings.NewReader(long(5 << 20))); n != 0 || !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("a line of 5 MiB: %d events, %v; want ErrCorrupt", n, err)
	}
}

func TestReadingMayStop(t *testing.T) {
	for range journal.Read(strings.NewReader(whole + "\n" + whole + "\n")) {
		break
	}
}

func TestGaps(t *testing.T) {
	type step struct {
		peer string
		boot int
		seq  uint64
	}
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"none":             {nil, ""},
		"two peers, mixed": {[]step{{"a", 1, 1}, {"b", 1, 1}, {"a", 1, 2}, {"b", 1, 2}}, ""},
		"a new boot":       {[]step{{"a", 1, 1}, {"a", 1, 2}, {"a", 2, 1}}, ""},
		"a late begin":     {[]step{{"a", 1, 2}}, "journal of a#1: event 2 follows where 1 was due"},
		"a gap":            {[]step{{"a", 1, 1}, {"a", 1, 3}, {"a", 1, 5}}, "journal of a#1: event 3 follows where 2 was due"},
		"twice":            {[]step{{"a", 1, 1}, {"a", 1, 1}}, "journal of a#1: event 1 follows where 2 was due"},
		"of two":           {[]step{{"b", 1, 2}, {"a", 1, 9}}, "journal of a#1: event 9 follows where 1 was due\njournal of b#1: event 2 follows where 1 was due"},
	} {
		t.Run(name, func(t *testing.T) {
			var g journal.Gaps
			for _, s := range c.steps {
				g.Add(journal.Event{Peer: s.peer, Boot: s.boot, Seq: s.seq})
			}
			got := ""
			if err := g.Err(); err != nil {
				got = fmt.Sprint(err)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
