package broadcast

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// golden are frames whose bytes must never change within version 1.
var golden = []struct {
	name  string
	frame frame
}{
	{"hello", frame{kind: kindHello, version: 1, text: "alice", id: "01234567-89ab-8def-8123-456789abcdef", boot: 7}},
	{"refuse", frame{kind: kindRefuse, text: "nobody knows bob"}},
	{"stamp", frame{kind: kindStamp, text: "\x00\xff"}},
	{"entries", frame{kind: kindEntries, entries: []entry{
		{key: "colour", value: "dark blue", version: version{300, "id-1", 2}},
		{key: "size", deleted: true, version: version{301, "id-2", 1}},
	}}},
	{"end", frame{kind: kindEnd}},
	{"sync", frame{kind: kindSync, text: "\x80\x81"}},
	{"same", frame{kind: kindSame}},
	{"done", frame{kind: kindDone}},
	{"bye", frame{kind: kindBye}},
}

func TestGoldenFrames(t *testing.T) {
	var all bytes.Buffer
	for _, g := range golden {
		b := g.frame.append(nil)
		fmt.Fprintf(&all, "%s %x\n", g.name, b)
		f, err := readFrame(bufio.NewReader(bytes.NewReader(b)))
		if err != nil || !reflect.DeepEqual(f, g.frame) {
			t.Errorf("%s decodes to %+v, %v", g.name, f, err)
		}
	}
	want, err := os.ReadFile("testdata/frames.golden")
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("the wire format has changed: it needs a new version. Now:\n%s", &all)
	}
}

func TestDecodeRefuses(t *testing.T) {
	cases := []struct{ name, hex string }{
		{"an unknown kind", "63"},
		{"bytes after the end", "0500"},
		{"a text cut off", "020561"},
		{"a number in a longer form", "01810000"},
		{"an entry without key", "04" + "00" + "01" + "0161" + "01" + "00" + "00"},
		{"a key with an escape", "04" + "011b" + "01" + "0161" + "01" + "00" + "00"},
		{"a value with a newline", "04" + "0161" + "01" + "0161" + "01" + "00" + "010a"},
		{"a tombstone with a value", "04" + "0161" + "01" + "0161" + "01" + "01" + "0161"},
		{"deleted 2", "04" + "0161" + "01" + "0161" + "01" + "02" + "00"},
		{"a counter near the end", "04" + "0161" + "ffffffffffffffffff01" + "0161" + "01" + "00" + "00"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			if f, err := decodeFrame(b); !errors.Is(err, errFrame) {
				t.Errorf("decodes to %+v, %v", f, err)
			}
		})
	}
}

func TestEntriesFitIntoFrames(t *testing.T) {
	var entries []entry
	for i := range 100 {
		entries = append(entries, entry{key: fmt.Sprint("k", i), value: strings.Repeat("x", largestValue), version: version{1, "w", 1}})
	}
	r := bufio.NewReader(bytes.NewReader(appendEntries(nil, entries)))
	var got []entry
	for {
		f, err := readFrame(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.kind == kindEnd {
			break
		}
		got = append(got, f.entries...)
	}
	if !reflect.DeepEqual(got, entries) {
		t.Errorf("%d entries of %d came through", len(got), len(entries))
	}
}

// Whatever is decoded encodes to the very bytes it came from.
func FuzzDecodeFrame(f *testing.F) {
	for _, g := range golden {
		f.Add(g.frame.append(nil)[1:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeFrame(b)
		if err != nil || len(b) > 1<<13 {
			return
		}
		again := d.append(nil)
		if !bytes.HasSuffix(again, b) || len(again)-len(b) > 2 {
			t.Errorf("%x decodes to %+v, which encodes to %x", b, d, again)
		}
	})
}

func TestStore(t *testing.T) {
	put := func(key, value string, counter uint64, writer string) entry {
		return entry{key: key, value: value, deleted: value == "", version: version{counter, writer, 1}}
	}
	t.Run("the higher version wins in any order", func(t *testing.T) {
		changes := []entry{put("k", "a", 1, "x"), put("k", "b", 2, "x"), put("k", "c", 2, "y"), put("k", "", 1, "z")}
		for i := range 24 {
			s := newStore(10, 10)
			order := append([]entry(nil), changes...)
			for j := range order { // the i-th permutation
				k := j + i%(len(order)-j)
				order[j], order[k] = order[k], order[j]
				s.merge(order[j : j+1])
			}
			if got := fmt.Sprint(s.items()); got != "[{k c}]" {
				t.Errorf("order %v leads to %s", order, got)
			}
		}
	})
	t.Run("tombstones are bounded, oldest first", func(t *testing.T) {
		s := newStore(10, 2)
		for i := range 5 {
			s.merge([]entry{put(fmt.Sprint("k", i), "", uint64(i+1), "x")})
		}
		if got := s.all(); len(got) != 2 || got[0].key != "k3" || got[1].key != "k4" {
			t.Errorf("kept %v", got)
		}
	})
	t.Run("keys are bounded", func(t *testing.T) {
		s := newStore(2, 2)
		for i := range 100 {
			s.merge([]entry{put(fmt.Sprint("k", i), "v", uint64(i+1), "x")})
		}
		if s.live != 2*slack || len(s.entries) != s.live {
			t.Errorf("%d keys", s.live)
		}
	})
	t.Run("equal states have equal digests, others do not", func(t *testing.T) {
		a, b := newStore(10, 10), newStore(10, 10)
		x, y := put("x", "1", 1, "w"), put("y", "2", 2, "w")
		a.merge([]entry{x, y})
		b.merge([]entry{y})
		if bytes.Equal(a.digest(), b.digest()) {
			t.Error("equal too early")
		}
		b.merge([]entry{x})
		if !bytes.Equal(a.digest(), b.digest()) {
			t.Error("not equal")
		}
	})
}
