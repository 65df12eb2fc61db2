package chat

import (
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
//	welcome  version name id boot   the answer: the stream is in use
//	refuse   reason                 the answer: it is not, and will be closed
//	stamp    bytes                  the sender's logical time, before what it covers
//	msg      seq time late text     time in nanoseconds since 1970, late 0 or 1
//	ack      seq                    every message up to seq was shown
//	ping     number
//	pong     number                 of the ping
//	leave                           the sender leaves the chat
//
// Hello, welcome and refuse keep their form in every later version, so that
// a mismatch can be told.
const version = 1

// maxFrame bounds the length of one frame, in bytes, its length not counted.
const maxFrame = 64 << 10

type kind byte

const (
	kindHello kind = iota + 1
	kindWelcome
	kindRefuse
	kindStamp
	kindMsg
	kindAck
	kindPing
	kindPong
	kindLeave
)

// frame is one decoded frame; which fields count depends on the kind.
type frame struct {
	kind kind
	late bool   // msg
	num  uint64 // seq, number, or version
	time uint64 // msg
	text string // text, reason, stamp, or name
	id   string // hello, welcome
	boot uint64 // hello, welcome
}

// errFrame is matched by every error of a decoder about the bytes it read.
var errFrame = errors.New("malformed frame")

// append encodes a frame.
func (f *frame) append(b []byte) []byte {
	var room [64]byte
	body := append(room[:0], byte(f.kind))
	switch f.kind {
	case kindHello, kindWelcome:
		body = binary.AppendUvarint(body, f.num)
		body = appendText(body, f.text)
		body = appendText(body, f.id)
		body = binary.AppendUvarint(body, f.boot)
	case kindRefuse, kindStamp:
		body = appendText(body, f.text)
	case kindMsg:
		body = binary.AppendUvarint(body, f.num)
		body = binary.AppendUvarint(body, f.time)
		body = append(body, bit(f.late))
		body = appendText(body, f.text)
	case kindAck, kindPing, kindPong:
		body = binary.AppendUvarint(body, f.num)
	}
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(b, body...)
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decodeFrame decodes the first frame of b and tells its whole length; a
// length of 0 without an error means that more bytes are needed.
func decodeFrame(b []byte) (frame, int, error) {
	d := decoder{b: b}
	size := d.number()
	switch {
	case d.short && len(b) < binary.MaxVarintLen64:
		return frame{}, 0, nil
	case d.bad || d.short || size == 0 || size > maxFrame:
		return frame{}, 0, fmt.Errorf("%w: its length is 0, above %d, or no number", errFrame, maxFrame)
	case uint64(len(d.b)) < size:
		return frame{}, 0, nil
	}
	whole := len(b) - len(d.b) + int(size)
	d.b = d.b[:size]
	f := d.frame()
	if d.bad || d.short || len(d.b) > 0 {
		return frame{}, 0, fmt.Errorf("%w of kind %d", errFrame, f.kind)
	}
	return f, whole, nil
}

// decoder takes values off the front of b.
type decoder struct {
	b     []byte
	short bool // b ended too early
	bad   bool // b is malformed
}

func (d *decoder) frame() frame {
	f := frame{kind: kind(d.byte())}
	switch f.kind {
	case kindHello, kindWelcome:
		f.num = d.number()
		f.text = d.text()
		f.id = d.text()
		f.boot = d.number()
	case kindRefuse:
		f.text = d.text()
	case kindStamp:
		f.text = d.bytes()
	case kindMsg:
		f.num = d.number()
		f.time = d.number()
		late := d.byte()
		f.late = late == 1
		d.bad = d.bad || late > 1 || f.num == 0
		f.text = d.text()
	case kindAck, kindPing, kindPong:
		f.num = d.number()
	case kindLeave:
	default:
		d.bad = true
	}
	return f
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.short = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.b)
	switch {
	case n == 0:
		d.short = true
		return 0
	case n < 0 || n > 1 && d.b[n-1] == 0: // too long, or not the shortest form
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() string {
	n := d.number()
	if n > uint64(len(d.b)) {
		d.short = true
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

// firstBuffer is the size in bytes of the buffer of an idle frameReader.
const firstBuffer = 2 << 10

// frameReader reads frames in the batches in which they arrive.
type frameReader struct {
	r     io.Reader
	buf   []byte
	start int // buf[start:end] is not decoded yet
	end   int
}

// frames is a list of frames that can be used again.
type frames struct {
	list []frame
}

// next appends the frames that have arrived, at least one. After an error it
// must not be called again; frames before the error are appended with it.
func (r *frameReader) next(to *frames) error {
	for {
		for r.start < r.end {
			f, n, err := decodeFrame(r.buf[r.start:r.end])
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			r.start += n
			to.list = append(to.list, f)
		}
		if len(to.list) > 0 {
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// fill reads once, into a buffer that has room: it grows while reads fill it,
// up to what two of the largest frames need.
func (r *frameReader) fill() error {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, max(len(r.buf), firstBuffer))...)
	}
	n, err := r.r.Read(r.buf[r.end:])
	r.end += n
	if n > 0 {
		if r.end == len(r.buf) && len(r.buf) < maxFrame {
			r.buf = append(r.buf, make([]byte, len(r.buf))...)
		}
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}
