package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxClock is the largest number of entries a vector clock may have. A process
// that knows more carries the Lamport time alone from then on, and so does
// whoever hears of it: a clock with holes would call events concurrent that
// are not.
const MaxClock = 64

// Clock is a vector clock: how many events of each process have happened
// before, or at, an event. It is sorted by process and must not be modified.
type Clock []Tick

// Tick is one entry of a Clock.
type Tick struct {
	Process string // "NAME#BOOT"
	Count   uint64 // from 1
}

// Count returns the entry of a process, 0 if there is none.
func (c Clock) Count(process string) uint64 {
	if i, ok := c.find(process); ok {
		return c[i].Count
	}
	return 0
}

func (c Clock) find(process string) (int, bool) {
	return slices.BinarySearchFunc(c, process, func(t Tick, p string) int {
		return strings.Compare(t.Process, p)
	})
}

// raise sets the entry of process to at least count, in place.
func (c *Clock) raise(process string, count uint64) {
	i, ok := c.find(process)
	if !ok {
		*c = slices.Insert(*c, i, Tick{Process: process})
	}
	(*c)[i].Count = max((*c)[i].Count, count)
}

func (c Clock) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, t := range c {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, t.Process)
		b = append(b, ':')
		b = strconv.AppendUint(b, t.Count, 10)
	}
	return append(b, '}')
}

// MarshalJSON writes an object of counts by process.
func (c Clock) MarshalJSON() ([]byte, error) {
	return c.appendJSON(nil), nil
}

// UnmarshalJSON reads an object of counts by process.
func (c *Clock) UnmarshalJSON(data []byte) error {
	var m map[string]uint64
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*c = make(Clock, 0, len(m))
	for p, n := range m {
		*c = append(*c, Tick{p, n})
	}
	slices.SortFunc(*c, func(a, b Tick) int { return strings.Compare(a.Process, b.Process) })
	return nil
}

// A stamp is what travels with a message: the version, the Lamport time, the
// number of clock entries, and for each its process and count; all numbers
// are unsigned varints. A stamp with a Lamport time and no entries comes from
// a process that knows more than MaxClock others.
const stampVersion = 1

// maxTime bounds the logical times that are believed: one more event must not
// overflow.
const maxTime = 1 << 62

var errStamp = errors.New("malformed stamp")

func appendStamp(b []byte, lamport uint64, c Clock) []byte {
	b = append(b, stampVersion)
	b = binary.AppendUvarint(b, lamport)
	b = binary.AppendUvarint(b, uint64(len(c)))
	for _, t := range c {
		b = binary.AppendUvarint(b, uint64(len(t.Process)))
		b = append(b, t.Process...)
		b = binary.AppendUvarint(b, t.Count)
	}
	return b
}

// parseStamp checks the whole stamp before it returns anything of it, so that
// a malformed one changes nothing.
func parseStamp(b []byte) (lamport uint64, c Clock, err error) {
	if len(b) == 0 || b[0] != stampVersion {
		return 0, nil, fmt.Errorf("%w: version %d expected", errStamp, stampVersion)
	}
	r := stampReader{rest: b[1:]}
	lamport = r.uvarint()
	n := r.uvarint()
	if n > MaxClock {
		return 0, nil, fmt.Errorf("%w: %d entries, at most %d", errStamp, n, MaxClock)
	}
	c = make(Clock, 0, n)
	for range n {
		process := r.text()
		c.raise(process, r.uvarint())
	}
	if r.failed || len(r.rest) > 0 || lamport > maxTime {
		return 0, nil, errStamp
	}
	return lamport, c, nil
}

// stampReader reads the parts of a stamp; the first failure sticks.
type stampReader struct {
	rest   []byte
	failed bool
}

func (r *stampReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.failed, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

const maxProcess = 64 // bytes of a process name in a stamp

func (r *stampReader) text() string {
	n := r.uvarint()
	if n > maxProcess || n > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
