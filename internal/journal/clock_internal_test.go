package journal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/vclock"
)

func TestGoldenStamp(t *testing.T) {
	raw, err := os.ReadFile("testdata/stamp.v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
	if err != nil {
		t.Fatal(err)
	}
	clock := vclock.New(map[string]uint64{"alice#1": 300, "bob#12": 1})
	if got := appendStamp(nil, 512, clock); !bytes.Equal(got, want) {
		t.Errorf("the stamp is written as %x, want %x", got, want)
	}
	got, err := readStamp(want)
	if err != nil || got.lamport != 512 || fmt.Sprint(got.clock()) != fmt.Sprint(clock) {
		t.Errorf("the stamp is read as %v, %v", got, err)
	}
}

// clock makes a Clock of the entries.
func (s stamp) clock() Clock {
	c := Clock{}
	s.each(func(process []byte, count uint64) { c.Raise(string(process), count) })
	return c
}

func TestMalformedStamps(t *testing.T) {
	good := appendStamp(nil, 512, vclock.New(map[string]uint64{"alice#1": 300, "bob#12": 1}))
	var wide Clock
	for i := range MaxClock + 1 {
		wide.Raise(fmt.Sprintf("p%03d#1", i), 1)
	}
	cases := map[string][]byte{
		"empty":              {},
		"another version":    append([]byte{2}, good[1:]...),
		"something behind":   append(bytes.Clone(good), 0),
		"too many entries":   appendStamp(nil, 1, wide),
		"long name":          appendStamp(nil, 1, vclock.New(map[string]uint64{strings.Repeat("x", vclock.MaxName+1): 1})),
		"end of time":        appendStamp(nil, maxTime+1, nil),
		"overlong number":    append([]byte{1}, bytes.Repeat([]byte{0xff}, 11)...),
		"more than is there": {1, 1, 64},
	}
	for i := range good {
		cases[fmt.Sprintf("cut at %d", i)] = good[:i]
	}
	for name, b := range cases {
		t.Run(name, func(t *testing.T) {
			w := NewWriter(Config{Peer: "eve", Boot: 1})
			w.Record("x", "", nil)
			before := bytes.Clone(w.Stamp())
			if err := w.Observe(b); err == nil {
				t.Fatal("accepted")
			}
			if !bytes.Equal(w.Stamp(), before) {
				t.Error("it changed the writer's time")
			}
		})
	}
}

func FuzzStamp(f *testing.F) {
	f.Add(appendStamp(nil, 0, nil))
	f.Add(appendStamp(nil, 512, vclock.New(map[string]uint64{"alice#1": 300, "bob#12": 1})))
	f.Add(appendStamp(nil, 1, vclock.New(map[string]uint64{"b": 3, "a": 2})))
	f.Add([]byte{1, 1, 3, 1, 'b', 1, 1, 'a', 2, 1, 'b', 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readStamp(b)
		if err != nil {
			return
		}
		clock := got.clock()
		for i := 1; i < len(clock); i++ {
			if clock[i-1].Process >= clock[i].Process {
				t.Fatalf("clock %v is not sorted", clock)
			}
		}
		again, err := readStamp(appendStamp(nil, got.lamport, clock))
		if err != nil || again.lamport != got.lamport || fmt.Sprint(again.clock()) != fmt.Sprint(clock) {
			t.Fatalf("%v became %v, %v", got, again, err)
		}
	})
}

func TestClockInJSONIsSorted(t *testing.T) {
	var c Clock
	if err := c.UnmarshalJSON([]byte(`{"b#1":2,"a#1":1,"c#1":3}`)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c); got != "[{a#1 1} {b#1 2} {c#1 3}]" {
		t.Errorf("got %s", got)
	}
	if c.Count("b#1") != 2 || c.Count("nobody#1") != 0 {
		t.Errorf("counts %d and %d", c.Count("b#1"), c.Count("nobody#1"))
	}
}
