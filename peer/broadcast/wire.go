package broadcast

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The wire format, version 1. A stream carries frames, each a length as an
// unsigned varint and that many bytes: the kind, and what the kind adds.
// Numbers are unsigned varints in their shortest form, texts a length and
// UTF-8. Nothing may follow within a frame.
//
//	hello    version name id boot   the dialer says who it is
//	refuse   reason                 the answer: no, and why
//	stamp    bytes                  the sender's logical time, before what it covers
//	entries  entry...               part of a state, or of a change
//	end                             no more entries
//	sync     digest                 the dialer compares its state
//	same                            the answer: it is equal
//	done                            the entries were taken over
//	bye                             the dialer closes its set
//
// An entry is: key counter writer boot deleted value, deleted 0 or 1. Hello
// and refuse keep their form in every later version.
const wireVersion = 1

const (
	maxFrame  = 64 << 10 // bytes of a frame, its length not counted
	fullFrame = 32 << 10 // a frame of this size takes no further entry
	maxState  = 100_000  // entries taken in one exchange
)

type kind byte

const (
	kindHello kind = iota + 1
	kindRefuse
	kindStamp
	kindEntries
	kindEnd
	kindSync
	kindSame
	kindDone
	kindBye
)

// frame is one decoded frame; which fields count depends on the kind.
type frame struct {
	kind    kind
	version uint64 // hello
	text    string // name, reason, stamp, digest
	id      string // hello
	boot    uint64 // hello
	entries []entry
}

// errFrame is matched by every error of a decoder about the bytes it read.
var errFrame = errors.New("malformed frame")

func (f *frame) append(b []byte) []byte {
	body := []byte{byte(f.kind)}
	switch f.kind {
	case kindHello:
		body = binary.AppendUvarint(body, f.version)
		body = appendText(body, f.text)
		body = appendText(body, f.id)
		body = binary.AppendUvarint(body, f.boot)
	case kindRefuse, kindStamp, kindSync:
		body = appendText(body, f.text)
	case kindEntries:
		for _, e := range f.entries {
			body = e.append(body)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(b, body...)
}

func (e *entry) append(b []byte) []byte {
	b = appendText(b, e.key)
	b = binary.AppendUvarint(b, e.version.counter)
	b = appendText(b, e.version.writer)
	b = binary.AppendUvarint(b, e.version.boot)
	b = append(b, byte(toInt(e.deleted)))
	return appendText(b, e.value)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendEntries encodes entries as frames of bounded size, and their end.
func appendEntries(b []byte, entries []entry) []byte {
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && size < fullFrame {
			size += len(entries[n].append(nil))
			n++
		}
		b = (&frame{kind: kindEntries, entries: entries[:n]}).append(b)
		entries = entries[n:]
	}
	return (&frame{kind: kindEnd}).append(b)
}

// readFrame reads one frame.
func readFrame(r *bufio.Reader) (frame, error) {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return frame{}, err
	}
	if size == 0 || size > maxFrame {
		return frame{}, fmt.Errorf("%w: its length is 0, or above %d", errFrame, maxFrame)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return frame{}, err
	}
	return decodeFrame(b)
}

// decodeFrame decodes a frame without its length.
func decodeFrame(b []byte) (frame, error) {
	d := decoder{b: b}
	f := frame{kind: kind(d.byte())}
	switch f.kind {
	case kindHello:
		f.version = d.number()
		f.text = d.text()
		f.id = d.text()
		f.boot = d.number()
	case kindRefuse:
		f.text = d.text()
	case kindStamp, kindSync:
		f.text = d.bytes()
	case kindEntries:
		for len(d.b) > 0 && !d.bad {
			f.entries = append(f.entries, d.entry())
		}
	case kindEnd, kindSame, kindDone, kindBye:
	default:
		d.bad = true
	}
	if d.bad || len(d.b) > 0 {
		return frame{}, fmt.Errorf("%w of kind %d", errFrame, f.kind)
	}
	return f, nil
}

// decoder takes values off the front of b.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) entry() entry {
	var e entry
	e.key = d.text()
	e.version.counter = d.number()
	e.version.writer = d.text()
	e.version.boot = d.number()
	deleted := d.byte()
	e.deleted = deleted == 1
	e.value = d.text()
	d.bad = d.bad || deleted > 1 || e.deleted && e.value != "" || !validKey(e.key) ||
		!validValue(e.value) || len(e.value) > largestValue || e.version.counter > maxCounter
	return e
}

// maxCounter bounds what others can do to the counter of versions.
const maxCounter = 1 << 48

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || n > 1 && d.b[n-1] == 0 { // cut off, too long, or not the shortest form
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() string {
	n := d.number()
	if d.bad || n > uint64(len(d.b)) {
		d.bad = true
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) text() string {
	s := d.bytes()
	d.bad = d.bad || !utf8.ValidString(s)
	return s
}
