package broadcast

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/peerlab/peerlab/peer/extension/wire"
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
		body = wire.AppendNumber(body, f.version)
		body = wire.AppendText(body, f.text)
		body = wire.AppendText(body, f.id)
		body = wire.AppendNumber(body, f.boot)
	case kindRefuse, kindStamp, kindSync:
		body = wire.AppendText(body, f.text)
	case kindEntries:
		for _, e := range f.entries {
			body = e.append(body)
		}
	}
	b = wire.AppendNumber(b, uint64(len(body)))
	return append(b, body...)
}

func (e *entry) append(b []byte) []byte {
	b = wire.AppendText(b, e.key)
	b = wire.AppendNumber(b, e.version.counter)
	b = wire.AppendText(b, e.version.writer)
	b = wire.AppendNumber(b, e.version.boot)
	b = wire.AppendBit(b, e.deleted)
	return wire.AppendText(b, e.value)
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
	d := decoder{wire.Decoder{Rest: b}}
	f := frame{kind: kind(d.Byte())}
	switch f.kind {
	case kindHello:
		f.version = d.Number()
		f.text = d.Text()
		f.id = d.Text()
		f.boot = d.Number()
	case kindRefuse:
		f.text = d.Text()
	case kindStamp, kindSync:
		f.text = d.Bytes()
	case kindEntries:
		for len(d.Rest) > 0 && !d.Bad && !d.Short {
			f.entries = append(f.entries, d.entry())
		}
	case kindEnd, kindSame, kindDone, kindBye:
	default:
		d.Bad = true
	}
	if d.Bad || d.Short || len(d.Rest) > 0 {
		return frame{}, fmt.Errorf("%w of kind %d", errFrame, f.kind)
	}
	return f, nil
}

// decoder decodes what a frame is made of.
type decoder struct{ wire.Decoder }

func (d *decoder) entry() entry {
	var e entry
	e.key = d.Text()
	e.version.counter = d.Number()
	e.version.writer = d.Text()
	e.version.boot = d.Number()
	e.deleted = d.Bit()
	e.value = d.Text()
	d.Bad = d.Bad || e.deleted && e.value != "" || !validKey(e.key) ||
		!validValue(e.value) || len(e.value) > largestValue || e.version.counter > maxCounter
	return e
}

// maxCounter bounds what others can do to the counter of versions.
const maxCounter = 1 << 48
