package chat

import (
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
//	welcome  version name id boot   the answer: the stream is in use
//	refuse   reason                 the answer: it is not, and will be closed
//	stamp    bytes                  the sender's logical time, before what it covers;
//	                                before a msg, that of its sending
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

// frameRoom is more than what a stamp and a msg need beside their texts.
const frameRoom = 64

// append encodes a frame. Its length stands before it and is known last, so
// the body is written behind the room for a length of one byte, and moved if
// that is too little.
func (f *frame) append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, byte(f.kind))
	switch f.kind {
	case kindHello, kindWelcome:
		b = wire.AppendNumber(b, f.num)
		b = wire.AppendText(b, f.text)
		b = wire.AppendText(b, f.id)
		b = wire.AppendNumber(b, f.boot)
	case kindRefuse, kindStamp:
		b = wire.AppendText(b, f.text)
	case kindMsg:
		b = wire.AppendNumber(b, f.num)
		b = wire.AppendNumber(b, f.time)
		b = wire.AppendBit(b, f.late)
		b = wire.AppendText(b, f.text)
	case kindAck, kindPing, kindPong:
		b = wire.AppendNumber(b, f.num)
	}
	return setLength(b, start)
}

// setLength writes the length of the frame that begins at start.
func setLength(b []byte, start int) []byte {
	size := len(b) - start - 1
	if size < 0x80 {
		b[start] = byte(size)
		return b
	}
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(size))
	b = append(b, length[:n-1]...)
	copy(b[start+n:], b[start+1:start+1+size])
	copy(b[start:], length[:n])
	return b
}

// appendStamp encodes a frame of the kind stamp.
func appendStamp(b, stamp []byte) []byte {
	start := len(b)
	b = append(b, 0, byte(kindStamp))
	b = wire.AppendNumber(b, uint64(len(stamp)))
	return setLength(append(b, stamp...), start)
}

// decodeFrame decodes the first frame of b and tells its whole length; a
// length of 0 without an error means that more bytes are needed.
func decodeFrame(b []byte) (frame, int, error) {
	d := decoder{wire.Decoder{Rest: b}}
	size := d.Number()
	switch {
	case d.Short && len(b) < binary.MaxVarintLen64:
		return frame{}, 0, nil
	case d.Bad || d.Short || size == 0 || size > maxFrame:
		return frame{}, 0, fmt.Errorf("%w: its length is 0, above %d, or no number", errFrame, maxFrame)
	case uint64(len(d.Rest)) < size:
		return frame{}, 0, nil
	}
	whole := len(b) - len(d.Rest) + int(size)
	d.Rest = d.Rest[:size]
	f := d.frame()
	if d.Bad || d.Short || len(d.Rest) > 0 {
		return frame{}, 0, fmt.Errorf("%w of kind %d", errFrame, f.kind)
	}
	return f, whole, nil
}

// decoder decodes what a frame is made of.
type decoder struct{ wire.Decoder }

func (d *decoder) frame() frame {
	f := frame{kind: kind(d.Byte())}
	switch f.kind {
	case kindHello, kindWelcome:
		f.num = d.Number()
		f.text = d.Text()
		f.id = d.Text()
		f.boot = d.Number()
	case kindRefuse:
		f.text = d.Text()
	case kindStamp:
		f.text = d.Bytes()
	case kindMsg:
		f.num = d.Number()
		f.time = d.Number()
		f.late = d.Bit()
		d.Bad = d.Bad || f.num == 0
		f.text = d.Text()
	case kindAck, kindPing, kindPong:
		f.num = d.Number()
	case kindLeave:
	default:
		d.Bad = true
	}
	return f
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
