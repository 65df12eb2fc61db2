package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/peerlab/peerlab/internal/vclock"
)

// MaxClock is the largest number of entries a vector clock may have. A process
// that knows more carries the Lamport time alone from then on, and so does
// whoever hears of it: a clock with holes would call events concurrent that
// are not.
const MaxClock = 64

// Clock is the vector clock of an event. Its processes are "NAME#BOOT". A
// clock that belongs to an event must not be modified.
type Clock = vclock.Clock

// Tick is one entry of a Clock.
type Tick = vclock.Tick

// A stamp is what travels with a message: the version, the Lamport time, and
// the entries of the clock; all numbers are unsigned varints. A stamp with a
// Lamport time and no entries comes from a process that knows more than
// MaxClock others.
const stampVersion = 1

// maxTime bounds the logical times that are believed: one more event must not
// overflow.
const maxTime = 1 << 62

var errStamp = errors.New("malformed stamp")

func appendStamp(b []byte, lamport uint64, c Clock) []byte {
	b = append(b, stampVersion)
	b = binary.AppendUvarint(b, lamport)
	return c.AppendEntries(b)
}

// stamp is one that was read. The entries have been checked.
type stamp struct {
	lamport uint64
	entries []byte
}

// readStamp checks the whole stamp before it returns anything of it, so that
// a malformed one changes nothing.
func readStamp(b []byte) (stamp, error) {
	if len(b) == 0 || b[0] != stampVersion {
		return stamp{}, fmt.Errorf("%w: version %d expected", errStamp, stampVersion)
	}
	lamport, n := binary.Uvarint(b[1:])
	if n <= 0 || lamport > maxTime {
		return stamp{}, errStamp
	}
	s := stamp{lamport, b[1+n:]}
	rest, err := vclock.Entries(s.entries, MaxClock, nil)
	if err != nil {
		return stamp{}, fmt.Errorf("%w: %w", errStamp, err)
	}
	if len(rest) > 0 {
		return stamp{}, errStamp
	}
	return s, nil
}

// each yields the entries, in any order, perhaps twice for the same process.
func (s stamp) each(yield func(process []byte, count uint64)) {
	_, _ = vclock.Entries(s.entries, MaxClock, yield) // readStamp has checked them
}

// wide tells that the sender knows more processes than a clock may have.
func (s stamp) wide() bool { return s.lamport > 0 && s.entries[0] == 0 }

// FieldBehind is the field in which an event of receiving keeps the clock of
// the sending: as an object, those entries in which that is behind the clock
// of the event itself. They are few, and the others need not be kept twice.
const FieldBehind = "behind"

// Sending is the vector clock of the sending of the message that e is about:
// of an event of receiving its own, but for the field "behind". False means
// that it is not known, because one of the two knew more than MaxClock
// processes, or the sender's program was an older one.
func (e Event) Sending() (Clock, bool) {
	if e.Type == TypeSent {
		return e.Clock, e.Clock != nil
	}
	behind, ok := e.Fields[FieldBehind].(map[string]any)
	if !ok || e.Clock == nil {
		return nil, false
	}
	c := make(Clock, 0, len(e.Clock))
	for _, t := range e.Clock {
		if n, ok := behind[t.Process].(float64); ok {
			t.Count = uint64(max(n, 0))
		}
		if t.Count > 0 {
			c = append(c, t)
		}
	}
	return c, true
}
