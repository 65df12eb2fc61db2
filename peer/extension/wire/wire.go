// Package wire is how extensions write values into their frames: numbers as
// unsigned varints in their shortest form, texts behind their length in bytes.
// Decoding is strict, and never trusts a length before it has the bytes.
package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

// AppendNumber appends a number.
func AppendNumber(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendText appends a text, or any bytes.
func AppendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendBit appends a truth value as one byte, 0 or 1.
func AppendBit(b []byte, on bool) []byte {
	if on {
		return append(b, 1)
	}
	return append(b, 0)
}

// Decoder takes values off the front of Rest. What cannot be taken is a zero
// value, and sets Short or Bad for good; so a whole frame can be decoded
// before either is looked at.
type Decoder struct {
	Rest  []byte
	Short bool // Rest ended too early
	Bad   bool // Rest is malformed
}

// Byte takes one byte.
func (d *Decoder) Byte() byte {
	if len(d.Rest) == 0 {
		d.Short = true
		return 0
	}
	c := d.Rest[0]
	d.Rest = d.Rest[1:]
	return c
}

// Bit takes a truth value.
func (d *Decoder) Bit() bool {
	c := d.Byte()
	d.Bad = d.Bad || c > 1
	return c == 1
}

// Number takes a number. One that is not in its shortest form is bad.
func (d *Decoder) Number() uint64 {
	v, n := binary.Uvarint(d.Rest)
	switch {
	case n == 0:
		d.Short = true
		return 0
	case n < 0 || n > 1 && d.Rest[n-1] == 0:
		d.Bad = true
		return 0
	}
	d.Rest = d.Rest[n:]
	return v
}

// Bytes takes any bytes behind their length.
func (d *Decoder) Bytes() string {
	n := d.Number()
	if n > uint64(len(d.Rest)) {
		d.Short = true
		return ""
	}
	s := string(d.Rest[:n])
	d.Rest = d.Rest[n:]
	return s
}

// Text takes a text. One that is not UTF-8 is bad.
func (d *Decoder) Text() string {
	s := d.Bytes()
	d.Bad = d.Bad || !utf8.ValidString(s)
	return s
}
