package vclock_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/vclock"
)

func clock(counts map[string]uint64) vclock.Clock { return vclock.New(counts) }

type m = map[string]uint64

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b m
		want vclock.Order
	}{
		{"nothing", m{}, m{}, vclock.Equal},
		{"the same", m{"A": 1, "B": 2}, m{"A": 1, "B": 2}, vclock.Equal},
		{"an entry of 0 is none", m{"A": 1, "B": 0}, m{"A": 1}, vclock.Equal},
		{"one more", m{"A": 1}, m{"A": 2}, vclock.Before},
		{"one process more", m{"A": 1}, m{"A": 1, "B": 1}, vclock.Before},
		{"crossed", m{"A": 1, "B": 2}, m{"A": 2, "B": 1}, vclock.Concurrent},
		{"strangers", m{"A": 1}, m{"B": 1}, vclock.Concurrent},
		{"longer, and yet not after", m{"A": 1, "B": 1, "C": 1}, m{"A": 2}, vclock.Concurrent},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := clock(c.a), clock(c.b)
			if got := a.Compare(b); got != c.want {
				t.Errorf("%v and %v are %v, want %v", a, b, got, c.want)
			}
			if got := b.Compare(a); got != c.want.Reverse() {
				t.Errorf("%v and %v are %v, want %v", b, a, got, c.want.Reverse())
			}
		})
	}
}

func TestTickAndMergeLeaveOthersAlone(t *testing.T) {
	a := clock(m{"A": 1})
	b := a.Copy()
	if n := b.Tick("A"); n != 2 {
		t.Errorf("the second event is number %d", n)
	}
	b.Tick("B")
	c := b.Copy()
	c.Merge(clock(m{"A": 1, "B": 7, "C": 3}))
	if got := fmt.Sprint(a, b, c); got != "[{A 1}] [{A 2} {B 1}] [{A 2} {B 7} {C 3}]" {
		t.Errorf("got %s", got)
	}
}

// event is one of a random execution; past is all that has happened before
// it, found by walking the graph of programs' order and messages.
type event struct {
	process string
	count   uint64
	lamport uint64
	clock   vclock.Clock
	parents []*event
	past    map[*event]bool
}

// execution lets processes take steps and exchange messages, which may be
// lost, doubled and late.
func execution(rng *rand.Rand, processes, steps int) []*event {
	type message struct{ from *event }
	last := make([]*event, processes)
	var all []*event
	var mail []message
	for range steps {
		i := rng.IntN(processes)
		e := &event{process: fmt.Sprintf("p%d", i)}
		if last[i] != nil {
			e.parents = append(e.parents, last[i])
			e.clock, e.lamport = last[i].clock.Copy(), last[i].lamport
		}
		if len(mail) > 0 && rng.IntN(2) == 0 {
			from := mail[rng.IntN(len(mail))].from
			e.parents = append(e.parents, from)
			e.clock.Merge(from.clock)
			e.lamport = max(e.lamport, from.lamport)
		}
		e.lamport++
		e.count = e.clock.Tick(e.process)
		e.past = map[*event]bool{}
		reach(e, e.past)
		last[i] = e
		all = append(all, e)
		if rng.IntN(3) > 0 {
			mail = append(mail, message{e})
		}
	}
	return all
}

func reach(e *event, seen map[*event]bool) {
	for _, p := range e.parents {
		if !seen[p] {
			seen[p] = true
			reach(p, seen)
		}
	}
}

// truth is the definition.
func truth(a, b *event) vclock.Order {
	switch {
	case a == b:
		return vclock.Equal
	case b.past[a]:
		return vclock.Before
	case a.past[b]:
		return vclock.After
	}
	return vclock.Concurrent
}

func TestClocksTellWhatHappenedBefore(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		all := execution(rng, 2+rng.IntN(6), 80)
		for _, a := range all {
			for _, b := range all {
				if got, want := a.clock.Compare(b.clock), truth(a, b); got != want {
					t.Fatalf("%v and %v: %v, and the graph says %v", a.clock, b.clock, got, want)
				}
			}
		}
	}
}

// Where something is said of cut clocks and of events with them, it is true;
// and with a bound that cuts nothing all is said.
func TestCutClocksSayNothingUntrue(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	said := map[string]int{}
	for bound := range 8 {
		all := execution(rng, 7, 120)
		for _, a := range all {
			for _, b := range all {
				want := truth(a, b)
				x, y := a.clock.Truncate(bound, a.process), b.clock.Truncate(bound)
				got := x.Compare(y)
				if got != vclock.Unknown && got != want || got == vclock.Unknown && bound == 7 {
					t.Fatalf("bound %d: %v and %v, cut to %v and %v: %v, and it is %v", bound, a.clock, b.clock, x, y, got, want)
				}
				related := vclock.Relate(
					vclock.Event{Process: a.process, Count: a.count, Lamport: a.lamport, Clock: x},
					vclock.Event{Process: b.process, Count: b.count, Lamport: b.lamport, Clock: y})
				if related != vclock.Unknown && related != want || related == vclock.Unknown && bound == 7 {
					t.Fatalf("bound %d: events %v and %v, cut to %v and %v: %v, and it is %v", bound, a.clock, b.clock, x, y, related, want)
				}
				if bound == 4 {
					said[fmt.Sprint("clocks ", got != vclock.Unknown)]++
					said[fmt.Sprint("events ", related != vclock.Unknown)]++
				}
			}
		}
	}
	if said["events true"] <= said["clocks true"] || said["clocks true"] == 0 || said["events false"] == 0 {
		t.Errorf("of clocks cut to 4 entries was said: %v; events tell more, and neither all nor nothing", said)
	}
}

// Unknown is said only where it has to be: the entries that are missing are
// filled in, in all ways with small counts, and each answer that is not
// Unknown is the one of all of them, each Unknown stands for several.
func TestUnknownIsSaidOnlyWhereItHasToBe(t *testing.T) {
	processes := []string{"A", "B", "C", "D"} // D is for those that nobody lists
	rng := rand.New(rand.NewPCG(5, 6))
	random := func() vclock.Cut {
		var c vclock.Cut
		c.Dropped = uint64(rng.IntN(2))
		for _, p := range processes[:3] {
			if rng.IntN(3) > 0 {
				c.Clock.Raise(p, uint64(rng.IntN(3)))
			}
		}
		return c
	}
	for range 500 {
		a, b := random(), random()
		answers := map[vclock.Order]bool{}
		for x := range fillings(a, processes) {
			for y := range fillings(b, processes) {
				answers[x.Compare(y)] = true
			}
		}
		got := a.Compare(b)
		if got == vclock.Unknown && len(answers) == 1 || got != vclock.Unknown && (len(answers) > 1 || !answers[got]) {
			t.Fatalf("%v and %v: %v, and filled in they are %v", a, b, got, answers)
		}
	}
}

// fillings yields the clocks of which c may be left, with counts up to 3.
func fillings(c vclock.Cut, processes []string) func(func(vclock.Clock) bool) {
	return func(yield func(vclock.Clock) bool) {
		fill(c, processes, c.Clock.Copy(), yield)
	}
}

func fill(c vclock.Cut, rest []string, filled vclock.Clock, yield func(vclock.Clock) bool) bool {
	if len(rest) == 0 {
		return yield(filled)
	}
	most := uint64(3)
	for _, t := range c.Clock {
		if t.Process == rest[0] {
			most = 0
		}
	}
	if c.Dropped == 0 {
		most = 0
	}
	for n := range most + 1 {
		next := filled.Copy()
		if n > 0 {
			next.Raise(rest[0], n)
		}
		if !fill(c, rest[1:], next, yield) {
			return false
		}
	}
	return true
}

func TestMergedCutsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	all := execution(rng, 6, 100)
	for range 2000 {
		a, b := all[rng.IntN(len(all))].clock, all[rng.IntN(len(all))].clock
		x, y := a.Truncate(rng.IntN(7)), b.Truncate(rng.IntN(7))
		whole := a.Copy()
		whole.Merge(b)
		got := x.Merge(y)
		for _, e := range got.Clock {
			if whole.Count(e.Process) != e.Count {
				t.Fatalf("%v and %v merge to %v, and the whole clocks to %v", x, y, got, whole)
			}
		}
		if (got.Dropped == 0) != (x.Dropped == 0 && y.Dropped == 0) {
			t.Fatalf("%v and %v merge to %v", x, y, got)
		}
	}
}

func TestTruncateKeepsWhatMatters(t *testing.T) {
	c := clock(m{"A": 5, "B": 9, "C": 9, "me": 1})
	for bound, want := range []string{
		"{[] 4}", "{[{me 1}] 3}", "{[{B 9} {me 1}] 2}", "{[{B 9} {C 9} {me 1}] 1}", "{[{A 5} {B 9} {C 9} {me 1}] 0}", "{[{A 5} {B 9} {C 9} {me 1}] 0}",
	} {
		if got := fmt.Sprint(c.Truncate(bound, "me", "nobody")); got != want {
			t.Errorf("bound %d: %s, want %s", bound, got, want)
		}
	}
	if got := c.Truncate(-1); got.Dropped != 4 {
		t.Errorf("a negative bound keeps %v", got)
	}
	kept := c.Truncate(4)
	kept.Clock.Raise("A", 100)
	if c.Count("A") != 5 {
		t.Error("what was cut shares memory with the clock")
	}
}

// Where the one entry was dropped, a Lamport time may deny, and never affirm.
func TestLamportTimesDeny(t *testing.T) {
	none := vclock.Cut{Dropped: 1}
	e := vclock.Event{Process: "A", Count: 1, Lamport: 5, Clock: none}
	for _, c := range []struct {
		name string
		f    vclock.Event
		want vclock.Order
	}{
		{"the same time", vclock.Event{Process: "B", Count: 1, Lamport: 5, Clock: none}, vclock.Concurrent},
		{"a later time", vclock.Event{Process: "B", Count: 1, Lamport: 6, Clock: none}, vclock.Unknown},
		{"a later time, and e unknown to it", vclock.Event{Process: "B", Count: 1, Lamport: 6, Clock: vclock.Cut{}}, vclock.Concurrent},
		{"no time", vclock.Event{Process: "B", Count: 1, Clock: none}, vclock.Unknown},
		{"its own process, later", vclock.Event{Process: "A", Count: 2, Clock: none}, vclock.Before},
		{"itself", e, vclock.Equal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := vclock.Relate(e, c.f); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if got := vclock.Relate(c.f, e); got != c.want.Reverse() {
				t.Errorf("reversed: %v, want %v", got, c.want.Reverse())
			}
		})
	}
}

func golden(t testing.TB) (vclock.Cut, []byte) {
	raw, err := os.ReadFile("testdata/cut.v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return vclock.Cut{Clock: clock(m{"alice#1": 300, "bob#12": 1}), Dropped: 200}, b
}

func TestGoldenBytes(t *testing.T) {
	cut, want := golden(t)
	got, err := cut.MarshalBinary()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("written as %x, %v; want %x", got, err, want)
	}
	var read vclock.Cut
	if err := read.UnmarshalBinary(want); err != nil || !reflect.DeepEqual(read, cut) {
		t.Errorf("read as %v, %v", read, err)
	}
}

func TestMalformedBytes(t *testing.T) {
	cut, good := golden(t)
	cases := map[string][]byte{
		"another version":  append([]byte{2}, good[1:]...),
		"something behind": append(bytes.Clone(good), 0),
		"long name":        {1, 0, 1, 65},
		"too many entries": {1, 0, 0x81, 0x80, 0x04},
	}
	for i := range good {
		cases[fmt.Sprintf("cut at %d", i)] = good[:i]
	}
	for name, b := range cases {
		t.Run(name, func(t *testing.T) {
			read := cut
			if err := read.UnmarshalBinary(b); !errors.Is(err, vclock.ErrMalformed) || !reflect.DeepEqual(read, cut) {
				t.Errorf("%v, and read %v", err, read)
			}
		})
	}
}

func FuzzBytes(f *testing.F) {
	_, b := golden(f)
	f.Add(b)
	f.Add([]byte{1, 0, 3, 1, 'b', 1, 1, 'a', 2, 1, 'b', 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var c, again vclock.Cut
		if err := c.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, vclock.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		for i := 1; i < len(c.Clock); i++ {
			if c.Clock[i-1].Process >= c.Clock[i].Process {
				t.Fatalf("%v is not sorted", c)
			}
		}
		out, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalBinary(out); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%v became %v, %v", c, again, err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"b#1":2,"a#1":1}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c, again vclock.Clock
		if json.Unmarshal(b, &c) != nil {
			return
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &again); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%v became %s and %v, %v", c, out, again, err)
		}
	})
}

func BenchmarkClock(b *testing.B) {
	for _, n := range []int{3, 50} {
		var x, y vclock.Clock
		for i := range n {
			x.Raise(fmt.Sprintf("peer%d#1", i), uint64(1000+i))
			y.Raise(fmt.Sprintf("peer%d#1", i), uint64(1100-i))
		}
		raw, _ := vclock.Cut{Clock: x}.MarshalBinary()
		b.Run(fmt.Sprintf("compare/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = x.Compare(y)
			}
		})
		b.Run(fmt.Sprintf("merge/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Merge(y)
			}
		})
		b.Run(fmt.Sprintf("write/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = x.AppendEntries(buf[:0])
			}
			b.ReportMetric(float64(len(buf)), "bytes")
		})
		b.Run(fmt.Sprintf("read/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := vclock.Entries(raw[2:], n, func([]byte, uint64) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
