// Package vclock is logical time: vector clocks, and what they tell of the
// order of events.
//
// A process counts its events from 1. The clock of an event says, for each
// process, how many of that process's events have happened before it, or are
// the event itself. A message carries the clock of its sending; whoever gets
// it merges that clock into its own. Then one event has happened before
// another one exactly if its clock is smaller.
//
// # Clocks that were cut
//
// A clock may be too long to be carried, so Truncate drops entries. What is
// left is a Cut: each entry that it has is exact, of the others nothing is
// known but that they are not negative. What can be told of two cuts?
//
// For a process p, call "a exceeds b at p" certain if both entries are known
// and a's is greater; a clock that was not cut knows all its entries, those
// that it does not list are 0. Call it possible if a's entry may be greater:
// one of the two is not known, and b's is not known to be the greater or the
// same. Then the whole clocks a and b are
//
//   - concurrent, if each exceeds the other somewhere for certain: the two
//     witnesses are entries of the whole clocks;
//   - equal, if neither exceeds the other anywhere, possibly;
//   - before, if b exceeds a somewhere for certain, and a does not exceed b
//     anywhere, possibly; after is the mirror of it;
//   - unknown otherwise. Rightly so: the entries in question can be filled in
//     such a way that one answer is true, and in another way that it is not.
//
// A possible excess can be seen only at a process that one of the two lists,
// if at most one was cut: a whole clock's other entries are 0, and a cut may
// exceed 0 at a process that nobody has named. So a cut is never known to be
// before a whole clock, or the same as one; a whole clock may be known to be
// before a cut; and of two cuts the most that is ever known is that they are
// concurrent.
//
// Events know more than clocks, since one entry decides: see Relate.
//
// The package imports the standard library only. It knows neither peers nor
// journals.
package vclock

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Clock is a vector clock. It is sorted by process, each at most once; a
// process that it does not list has the count 0. The zero value is the time
// before all events.
type Clock []Tick

// Tick is one entry of a Clock.
type Tick struct {
	Process string
	Count   uint64
}

// New returns the clock of these counts.
func New(counts map[string]uint64) Clock {
	c := make(Clock, 0, len(counts))
	for p, n := range counts {
		c = append(c, Tick{p, n})
	}
	slices.SortFunc(c, func(a, b Tick) int { return strings.Compare(a.Process, b.Process) })
	return c
}

// Copy returns a clock that shares nothing with c; nil stays nil.
func (c Clock) Copy() Clock { return slices.Clone(c) }

// Count returns the entry of a process, 0 if there is none.
func (c Clock) Count(process string) uint64 {
	if i, ok := c.find(process); ok {
		return c[i].Count
	}
	return 0
}

// Tick counts one more event of a process, in place, and returns its number.
func (c *Clock) Tick(process string) uint64 {
	n := c.Count(process) + 1
	c.Raise(process, n)
	return n
}

// Raise sets the entry of a process to at least count, in place.
func (c *Clock) Raise(process string, count uint64) {
	i, ok := c.find(process)
	if !ok {
		*c = slices.Insert(*c, i, Tick{Process: process})
	}
	(*c)[i].Count = max((*c)[i].Count, count)
}

// Merge raises the entries of c, in place, to those of d: the result is the
// smallest clock that is not before either. d is left as it is.
func (c *Clock) Merge(d Clock) {
	for _, t := range d {
		c.Raise(t.Process, t.Count)
	}
}

func (c Clock) find(process string) (int, bool) {
	return slices.BinarySearchFunc(c, process, func(t Tick, p string) int {
		return strings.Compare(t.Process, p)
	})
}

// MarshalJSON writes an object of counts by process, sorted. The error is
// always nil.
func (c Clock) MarshalJSON() ([]byte, error) { return c.AppendJSON(nil), nil }

// AppendJSON appends what MarshalJSON writes.
func (c Clock) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, t := range c {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendName(b, t.Process), ':')
		b = strconv.AppendUint(b, t.Count, 10)
	}
	return append(b, '}')
}

// appendName appends a JSON string. Plain names are copied, and none has its
// "<" escaped.
func appendName(b []byte, s string) []byte {
	plain := func(c rune) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }
	if !strings.ContainsFunc(s, func(c rune) bool { return !plain(c) }) {
		return append(append(append(b, '"'), s...), '"')
	}
	out := bytes.NewBuffer(b)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
}

// UnmarshalJSON reads an object of counts by process, in any order.
func (c *Clock) UnmarshalJSON(data []byte) error {
	var m map[string]uint64
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*c = New(m)
	return nil
}
