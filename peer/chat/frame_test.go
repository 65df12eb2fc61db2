package chat

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// golden are frames whose bytes must never change within version 1.
var golden = []struct {
	name  string
	frame frame
}{
	{"hello", frame{kind: kindHello, num: 1, text: "alice", id: "01234567-89ab-8def-8123-456789abcdef", boot: 7}},
	{"welcome", frame{kind: kindWelcome, num: 1, text: "bob", id: "fedcba98-7654-8210-8fed-cba987654321", boot: 300}},
	{"refuse", frame{kind: kindRefuse, text: "it speaks version 1, not 2"}},
	{"stamp", frame{kind: kindStamp, text: "\x00\xff\x80"}},
	{"msg", frame{kind: kindMsg, num: 129, time: 1700000000000000000, text: "héllo"}},
	{"msg-late", frame{kind: kindMsg, num: 1, late: true, text: "x"}},
	{"ack", frame{kind: kindAck, num: 1 << 40}},
	{"ping", frame{kind: kindPing, num: 5}},
	{"pong", frame{kind: kindPong, num: 5}},
	{"leave", frame{kind: kindLeave}},
}

func TestGoldenFrames(t *testing.T) {
	var all bytes.Buffer
	for _, g := range golden {
		b := g.frame.append(nil)
		fmt.Fprintf(&all, "%s %x\n", g.name, b)
		f, n, err := decodeFrame(b)
		if err != nil || n != len(b) || f != g.frame {
			t.Errorf("%s decodes to %+v, %d of %d bytes, %v", g.name, f, n, len(b), err)
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
		{"no length", "00"},
		{"a length above the bound", "81800405"},
		{"a length that is no number", "ffffffffffffffffffffff"},
		{"a length in a longer form than needed", "818000"},
		{"an unknown kind", "0163"},
		{"kind 0", "0100"},
		{"bytes after the end", "020900"},
		{"an ack without number", "0106"},
		{"an ack in a longer form", "03068100"},
		{"a text longer than the frame", "03030561"},
		{"a reason that is no UTF-8", "030301ff"},
		{"a message with number 0", "0605000000" + "0161"},
		{"a message with late 2", "060501000201" + "61"},
		{"a text in a message that is no UTF-8", "060501000001" + "ff"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			if f, n, err := decodeFrame(b); !errors.Is(err, errFrame) {
				t.Errorf("decodes to %+v, %d bytes, %v", f, n, err)
			}
		})
	}
}

func TestDecodeWaitsForTheRest(t *testing.T) {
	for _, g := range golden {
		b := g.frame.append(nil)
		for i := range b {
			if _, n, err := decodeFrame(b[:i]); n != 0 || err != nil {
				t.Errorf("%s cut at %d: %d, %v", g.name, i, n, err)
			}
		}
	}
}

func TestFrameReader(t *testing.T) {
	var want []frame
	var wire []byte
	for i := range 200 {
		f := frame{kind: kindMsg, num: uint64(i + 1), text: strings.Repeat("x", i*i%40000)}
		want = append(want, f)
		wire = f.append(wire)
	}
	readers := map[string]io.Reader{
		"at once":       bytes.NewReader(wire),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(wire)),
		"halves":        iotest.HalfReader(bytes.NewReader(wire)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(wire)),
	}
	for name, r := range readers {
		t.Run(name, func(t *testing.T) {
			fr := frameReader{r: r}
			var got []frame
			for {
				var arrived frames
				err := fr.next(&arrived)
				got = append(got, arrived.list...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d frames of %d came through", len(got), len(want))
			}
			if len(fr.buf) > 4*maxFrame {
				t.Errorf("the buffer has grown to %d bytes", len(fr.buf))
			}
		})
	}
}

// Whatever is decoded encodes to the very bytes it came from.
func FuzzDecodeFrame(f *testing.F) {
	for _, g := range golden {
		f.Add(g.frame.append(nil))
	}
	f.Add([]byte("\x03\x03\x05a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, n, err := decodeFrame(b)
		if err != nil || n == 0 {
			return
		}
		if again := d.append(nil); !bytes.Equal(again, b[:n]) {
			t.Errorf("%x decodes to %+v, which encodes to %x", b[:n], d, again)
		}
	})
}
