package vclock

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMalformed is matched by the error for bytes that are no clock.
var ErrMalformed = errors.New("malformed clock")

// The bounds of what is read.
const (
	MaxName    = 64      // bytes of a process's name
	MaxEntries = 1 << 16 // entries of a Cut
)

// bytesVersion is the first byte of a Cut: the version of the format. Then
// follow how many entries were dropped, and the entries as AppendEntries
// writes them. All numbers are unsigned varints.
const bytesVersion = 1

// sortByWorth puts first what Truncate keeps.
func sortByWorth(c Clock, keep []string) {
	rank := func(t Tick) int {
		if slices.Contains(keep, t.Process) {
			return 0
		}
		return 1
	}
	slices.SortFunc(c, func(a, b Tick) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Count, a.Count), strings.Compare(a.Process, b.Process))
	})
}

// MarshalBinary writes the cut in few bytes. The error is always nil.
func (a Cut) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint([]byte{bytesVersion}, a.Dropped)
	return a.Clock.AppendEntries(b), nil
}

// UnmarshalBinary reads what MarshalBinary wrote. The error matches
// ErrMalformed and changes nothing.
func (a *Cut) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != bytesVersion {
		return fmt.Errorf("%w: version %d expected", ErrMalformed, bytesVersion)
	}
	dropped, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return ErrMalformed
	}
	var c Clock
	rest, err := Entries(b[1+n:], MaxEntries, func(process []byte, count uint64) {
		c.Raise(string(process), count)
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes behind it", ErrMalformed, len(rest))
	}
	*a = Cut{Clock: c, Dropped: dropped}
	return nil
}

// AppendEntries appends how many entries c has, and for each the length of
// the process's name, the name, and the count: the part that formats of other
// packages share.
func (c Clock) AppendEntries(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(c)))
	for _, t := range c {
		b = binary.AppendUvarint(b, uint64(len(t.Process)))
		b = append(b, t.Process...)
		b = binary.AppendUvarint(b, t.Count)
	}
	return b
}

// Entries reads what AppendEntries wrote, at most most entries, calls yield
// with each, in any order and perhaps twice for the same process, and returns
// the bytes behind them. It makes no garbage: process is part of b. An error
// matches ErrMalformed; yield may have been called before it. A nil yield
// only checks.
func Entries(b []byte, most int, yield func(process []byte, count uint64)) (rest []byte, err error) {
	n, b, ok := uvarint(b)
	if !ok {
		return nil, ErrMalformed
	}
	if n > uint64(most) {
		return nil, fmt.Errorf("%w: %d entries, at most %d", ErrMalformed, n, most)
	}
	for range n {
		var size, count uint64
		size, b, ok = uvarint(b)
		if !ok || size > MaxName || size > uint64(len(b)) {
			return nil, ErrMalformed
		}
		name := b[:size]
		if count, b, ok = uvarint(b[size:]); !ok {
			return nil, ErrMalformed
		}
		if yield != nil {
			yield(name, count)
		}
	}
	return b, nil
}

func uvarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}
