package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

// maxLine bounds a line of a journal, as package journal does.
const maxLine = 4 << 20

// readEvents is journal.Read for those who need no clocks, which are most of
// a journal: events come without them, and several times as fast.
func readEvents(r io.Reader) iter.Seq2[journal.Event, error] {
	return func(yield func(journal.Event, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 256<<10), maxLine+1)
		s.Split(wholeLines)
		n := 0
		for s.Scan() {
			n++
			e, ok := quick(s.Bytes())
			if !ok {
				if err := e.UnmarshalJSON(s.Bytes()); err != nil {
					yield(journal.Event{}, fmt.Errorf("line %d: %w", n, err))
					return
				}
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := s.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("%w: longer than %d bytes", journal.ErrCorrupt, maxLine)
			}
			yield(journal.Event{}, fmt.Errorf("line %d: %w", n+1, err))
		}
	}
}

// wholeLines splits like bufio.ScanLines, and leaves out a last line without
// its end: its writer was killed.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

// quick reads a line that looks exactly as a journal.Writer writes it. What
// looks otherwise is left to the journal's own, slower reader, which knows
// what is wrong.
func quick(line []byte) (journal.Event, bool) {
	if !json.Valid(line) {
		return journal.Event{}, false
	}
	l := lineReader{rest: line}
	e := journal.Event{V: journal.Version}
	l.word(`{"v":` + strconv.Itoa(journal.Version) + `,"time":`)
	at, err := time.Parse(time.RFC3339Nano, l.text())
	e.Time = at
	l.word(`,"peer":`)
	e.Peer = l.text()
	l.word(`,"boot":`)
	e.Boot = int(l.number())
	l.word(`,"seq":`)
	e.Seq = l.number()
	l.word(`,"lamport":`)
	e.Lamport = l.number()
	if bytes.HasPrefix(l.rest, []byte(`,"clock":{`)) {
		l.word(`,"clock":{`)
		l.skipObject()
	}
	l.word(`,"type":`)
	e.Type = l.text()
	l.word(`,"text":`)
	e.Text = l.text()
	if len(l.rest) > 1 && l.rest[0] == ',' {
		fields := append([]byte{'{'}, l.rest[1:]...)
		l.failed = l.failed || json.Unmarshal(fields, &e.Fields) != nil
		l.rest = []byte("}")
	}
	l.word("}")
	ok := !l.failed && err == nil && len(l.rest) == 0 && e.Peer != "" && e.Type != "" && e.Boot > 0 && e.Seq > 0
	return e, ok
}

// lineReader takes a line of valid JSON apart from its beginning. The first
// failure sticks.
type lineReader struct {
	rest   []byte
	failed bool
}

func (l *lineReader) take(n int) []byte {
	taken := l.rest[:n]
	l.rest = l.rest[n:]
	return taken
}

func (l *lineReader) fail() { l.failed, l.rest = true, nil }

func (l *lineReader) word(w string) {
	if !bytes.HasPrefix(l.rest, []byte(w)) {
		l.fail()
		return
	}
	l.take(len(w))
}

func (l *lineReader) number() uint64 {
	n := 0
	for n < len(l.rest) && l.rest[n] >= '0' && l.rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseUint(string(l.take(n)), 10, 62)
	if err != nil {
		l.fail()
	}
	return v
}

// stringEnd is the length of the JSON string at the beginning of b, its
// quotes included, or 0; simple tells that nothing in it is escaped.
func stringEnd(b []byte) (n int, simple bool) {
	if len(b) == 0 || b[0] != '"' {
		return 0, false
	}
	simple = true
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1, simple
		case '\\':
			simple = false
			i++
		}
	}
	return 0, false
}

func (l *lineReader) text() string {
	n, simple := stringEnd(l.rest)
	if n == 0 {
		l.fail()
		return ""
	}
	raw := l.take(n)
	if simple {
		return string(raw[1 : n-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		l.fail()
	}
	return s
}

// skipObject skips the rest of an object of numbers, after its opening brace.
func (l *lineReader) skipObject() {
	for i := 0; i < len(l.rest); i++ {
		switch l.rest[i] {
		case '"':
			n, _ := stringEnd(l.rest[i:])
			i += max(0, n-1)
		case '}':
			l.take(i + 1)
			return
		}
	}
	l.fail()
}
