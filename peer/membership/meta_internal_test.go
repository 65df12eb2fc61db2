package membership

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
)

var goldenMeta = map[string]meta{
	"testdata/meta.v1.hex":    {ID: uuid.MustParse("fe812c12-f3ab-8ce6-ac5d-b69ac352f906"), Boot: 300, Name: "alice"},
	"testdata/leaving.v1.hex": {ID: uuid.MustParse("fe812c12-f3ab-8ce6-ac5d-b69ac352f906"), Boot: 1, Name: "a-much_longer-name-of-32-letters", Leaving: true},
}

func TestGoldenMeta(t *testing.T) {
	for file, m := range goldenMeta {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.encode(); !bytes.Equal(got, want) {
			t.Errorf("%s: written as %x, want %x", file, got, want)
		}
		if got, err := decodeMeta(want); got != m || err != nil {
			t.Errorf("%s: read as %+v, %v", file, got, err)
		}
		if n := len(m.encode()); n > 512 {
			t.Errorf("%d bytes are more than memberlist takes", n)
		}
	}
}

func TestNoMeta(t *testing.T) {
	good := meta{ID: uuid.UUID{1, 2, 3}, Boot: 1, Name: "bob"}
	b := good.encode()
	with := func(i int, v byte) []byte {
		c := bytes.Clone(b)
		c[i] = v
		return c
	}
	for name, c := range map[string][]byte{
		"none":              nil,
		"text":              []byte("some other program's metadata"),
		"cut in the id":     b[:10],
		"no boot":           b[:metaFixed],
		"no name":           b[:metaFixed+1],
		"another magic":     with(0, 'Q'),
		"another version":   with(1, 2),
		"boot 0":            with(metaFixed, 0),
		"boot of 2^31":      append(append(bytes.Clone(b[:metaFixed]), 0x80, 0x80, 0x80, 0x80, 0x08), "bob"...),
		"overlong boot":     append(bytes.Clone(b[:metaFixed]), bytes.Repeat([]byte{0x80}, 12)...),
		"name in capitals":  meta{Boot: 1, Name: "Bob"}.encode(),
		"name with escapes": meta{Boot: 1, Name: "b\x1b[2J"}.encode(),
		"name of 33":        meta{Boot: 1, Name: strings.Repeat("x", 33)}.encode(),
		"name with a line":  meta{Boot: 1, Name: "bob\n"}.encode(),
	} {
		if m, err := decodeMeta(c); !errors.Is(err, errMeta) || m != (meta{}) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if got, err := decodeMeta(with(2, 0xfe)); got != good || err != nil {
		t.Errorf("flags of a later program: %+v, %v; want them ignored", got, err)
	}
}

func TestNodeName(t *testing.T) {
	m := meta{ID: uuid.UUID{0xab, 0xcd, 0x01, 9}, Boot: 12, Name: "alice"}
	if got := m.nodeName(); got != "alice~12.abcd01" {
		t.Errorf("got %s", got)
	}
}

func FuzzMeta(f *testing.F) {
	for _, m := range goldenMeta {
		f.Add(m.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMeta(b)
		if err != nil {
			return
		}
		if again, err := decodeMeta(m.encode()); again != m || err != nil || !ValidName(m.Name) || m.Boot < 1 {
			t.Fatalf("%x is %+v, and then %+v, %v", b, m, again, err)
		}
	})
}

func FuzzWord(f *testing.F) {
	f.Add([]byte("G\x01alice~1.abcdef"))
	f.Add([]byte("H\x01alice~1.abcdef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, node, ok := parseWord(b)
		again := map[noticeKind][]byte{nodeLeaving: goodbye(node), nodeHeard: heardFrom(node)}[kind]
		if ok && !bytes.Equal(again, b) {
			t.Fatalf("%q is word %d of %q, which is written %q", b, kind, node, again)
		}
	})
}

// TestGoldenWords: another version reads them.
func TestGoldenWords(t *testing.T) {
	for want, word := range map[string][]byte{"G\x01a~1.b": goodbye("a~1.b"), "H\x01a~1.b": heardFrom("a~1.b")} {
		if string(word) != want {
			t.Errorf("%q, want %q", word, want)
		}
	}
	for _, other := range []string{"", "G", "G\x02a", "H\x00a", "I\x01a"} {
		if _, node, ok := parseWord([]byte(other)); ok {
			t.Errorf("%q is a word of %q", other, node)
		}
	}
}

func TestLogLines(t *testing.T) {
	for line, want := range map[string]string{
		"2020/01/02 03:04:05 [INFO] memberlist: Suspect bob~1.abcdef has failed, no acks received\n":            "bob~1.abcdef",
		"2020/01/02 03:04:05 [INFO] memberlist: Suspect a stock node has failed, no acks received\n":            "a stock node",
		"2020/01/02 03:04:05 [WARN] memberlist: Refuting a suspect message (from: bob)\n":                       "",
		"2020/01/02 03:04:05 [ERR] memberlist: x [INFO] memberlist: Suspect bob has failed, no acks received\n": "",
		"no such form\n": "",
		"":               "",
	} {
		got := ""
		w := &logWriter{guard: t.Context(), suspect: func(node string) { got = node }}
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil || got != want {
			t.Errorf("%q suspects %q (%d, %v), want %q", line, got, n, err, want)
		}
	}
}
