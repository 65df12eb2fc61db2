package journal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
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
	clock := Clock{{"alice#1", 300}, {"bob#12", 1}}
	if got := appendStamp(nil, 512, clock); !bytes.Equal(got, want) {
		t.Errorf("the stamp is written as %x, want %x", got, want)
	}
	lamport, got, err := parseStamp(want)
	if err != nil || lamport != 512 || fmt.Sprint(got) != fmt.Sprint(clock) {
		t.Errorf("the stamp is read as %d, %v, %v", lamport, got, err)
	}
}

func TestMalformedStamps(t *testing.T) {
	good := appendStamp(nil, 512, Clock{{"alice#1", 300}, {"bob#12", 1}})
	var wide Clock
	for i := range MaxClock + 1 {
		wide.raise(fmt.Sprintf("p%03d#1", i), 1)
	}
	cases := map[string][]byte{
		"empty":              {},
		"another version":    append([]byte{2}, good[1:]...),
		"something behind":   append(bytes.Clone(good), 0),
		"too many entries":   appendStamp(nil, 1, wide),
		"long name":          appendStamp(nil, 1, Clock{{strings.Repeat("x", maxProcess+1), 1}}),
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
	f.Add(appendStamp(nil, 512, Clock{{"alice#1", 300}, {"bob#12", 1}}))
	f.Add(appendStamp(nil, 1, Clock{{"b", 1}, {"a", 2}, {"b", 3}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		lamport, clock, err := parseStamp(b)
		if err != nil {
			if lamport != 0 || clock != nil {
				t.Fatal("an error with a value")
			}
			return
		}
		for i := 1; i < len(clock); i++ {
			if clock[i-1].Process >= clock[i].Process {
				t.Fatalf("clock %v is not sorted", clock)
			}
		}
		again, other, err := parseStamp(appendStamp(nil, lamport, clock))
		if err != nil || again != lamport || fmt.Sprint(other) != fmt.Sprint(clock) {
			t.Fatalf("%d %v became %d %v, %v", lamport, clock, again, other, err)
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
