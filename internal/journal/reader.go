package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
)

// maxLine bounds a journal line, in bytes: output of a command is part of it.
const maxLine = 4 << 20

// Read yields the events of a journal in order. It stops after the first
// error: ErrVersion, ErrCorrupt (both with the line number), or one of r. A
// last line without its newline is the tail of a writer that was killed; it
// is left out without a word.
func Read(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			line, err := readLine(br)
			if errors.Is(err, io.EOF) {
				return
			}
			var e Event
			if err == nil {
				err = e.UnmarshalJSON(line)
			}
			if err != nil {
				yield(Event{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// readLine returns one whole line without its newline, io.EOF after the last
// whole one.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: longer than %d bytes", ErrCorrupt, maxLine)
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// Gaps checks that the events of each (peer, boot) are numbered without a gap
// and in order, and names the first fault of each. Events of several peers
// may be mixed.
type Gaps struct {
	next  map[string]uint64
	found map[string]error
}

// Add looks at the next event of a journal.
func (g *Gaps) Add(e Event) {
	if g.next == nil {
		g.next, g.found = map[string]uint64{}, map[string]error{}
	}
	who := fmt.Sprintf("%s#%d", e.Peer, e.Boot)
	want := g.next[who] + 1
	g.next[who] = e.Seq
	if e.Seq != want && g.found[who] == nil {
		g.found[who] = fmt.Errorf("journal of %s: event %d follows where %d was due", who, e.Seq, want)
	}
}

// Err returns nil, or the faults found, joined in the order of the peers.
func (g *Gaps) Err() error {
	var all []error
	for _, who := range slices.Sorted(maps.Keys(g.found)) {
		all = append(all, g.found[who])
	}
	return errors.Join(all...)
}
