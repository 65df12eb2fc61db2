package wire_test

import (
	"testing"

	"github.com/peerlab/peerlab/peer/extension/wire"
)

func TestRoundTrip(t *testing.T) {
	b := wire.AppendNumber(nil, 300)
	b = wire.AppendText(b, "grüße")
	b = wire.AppendBit(b, true)
	d := wire.Decoder{Rest: b}
	if n, s, on := d.Number(), d.Text(), d.Bit(); n != 300 || s != "grüße" || !on || d.Short || d.Bad || len(d.Rest) > 0 {
		t.Errorf("%d %q %v %+v", n, s, on, d)
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name       string
		bytes      string
		take       func(*wire.Decoder)
		short, bad bool
	}{
		{"no byte", "", func(d *wire.Decoder) { d.Byte() }, true, false},
		{"no bit", "\x02", func(d *wire.Decoder) { d.Bit() }, false, true},
		{"number cut off", "\x80", func(d *wire.Decoder) { d.Number() }, true, false},
		{"number not in its shortest form", "\x80\x00", func(d *wire.Decoder) { d.Number() }, false, true},
		{"number too long", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", func(d *wire.Decoder) { d.Number() }, false, true},
		{"text cut off", "\x05abc", func(d *wire.Decoder) { d.Text() }, true, false},
		{"length beyond all memory", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", func(d *wire.Decoder) { d.Bytes() }, true, false},
		{"text that is not UTF-8", "\x01\xff", func(d *wire.Decoder) { d.Text() }, false, true},
		{"bytes need not be UTF-8", "\x01\xff", func(d *wire.Decoder) { d.Bytes() }, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := wire.Decoder{Rest: []byte(tt.bytes)}
			tt.take(&d)
			if d.Short != tt.short || d.Bad != tt.bad {
				t.Errorf("short %v, bad %v; want %v, %v", d.Short, d.Bad, tt.short, tt.bad)
			}
		})
	}
}
