package netx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
)

// Version is the version of the stream preface that this package speaks.
// Prefaces of oldestVersion are still understood.
const (
	Version       = 2
	oldestVersion = 1
)

// MaxLabel is the greatest length of a stream's label in bytes.
const MaxLabel = 64

// Errors of Endpoint.Dial that a caller branches on.
var (
	// ErrNoHandler: the peer is there, and nobody handles this label now.
	ErrNoHandler = errors.New("nobody handles such streams on that peer")
	// ErrVersion: the peer speaks another version of the preface.
	ErrVersion = errors.New("stream versions differ")
	// ErrNoPreface: whatever answers at the address does not know prefaces,
	// or it is too busy to answer them.
	ErrNoPreface = errors.New("no answer to the stream preface")
)

// The preface of a labelled stream is
//
//	'P' 'L' VERSION LEN LABEL      LEN bytes of label
//	LEN IP PORT                    from version 2 on: the address of the
//	                               dialler's endpoint. LEN is 6 for IPv4, 18
//	                               for IPv6, 0 for none; PORT has two bytes,
//	                               the higher one first
//
// and the one who accepts the stream answers
//
//	STATUS [VERSION]               its version, with statusVersion only
//
// The first line and the answer stay the same in all versions, so that each can read what
// the other one speaks, and say so. 'P' is no message type, label or
// encryption version of memberlist, whose streams have no preface.
const (
	magic0 = 'P'
	magic1 = 'L'
)

const (
	statusOpen      = 0
	statusNoHandler = 1
	statusVersion   = 2
)

// preface is what a stream begins with. The zero value is none.
type preface struct {
	version byte
	label   string
	origin  netip.AddrPort // of the dialler's endpoint; the zero value if it does not say
}

// append appends the preface, whose label checkLabel approved.
func (p preface) append(b []byte) []byte {
	b = append(b, magic0, magic1, p.version, byte(len(p.label)))
	b = append(b, p.label...)
	if p.version < 2 {
		return b
	}
	if !p.origin.IsValid() {
		return append(b, 0)
	}
	ip := p.origin.Addr().AsSlice()
	b = append(b, byte(len(ip)+2))
	b = append(b, ip...)
	return binary.BigEndian.AppendUint16(b, p.origin.Port())
}

func checkLabel(label string) error {
	if label == "" || len(label) > MaxLabel {
		return fmt.Errorf("stream label %q: want 1 to %d bytes", label, MaxLabel)
	}
	return nil
}

// readPreface reads what a stream begins with. Without a preface it returns
// none, and the stream with its first byte put back.
func readPreface(conn net.Conn) (p preface, rest net.Conn, err error) {
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return preface{}, nil, err
	}
	if first[0] != magic0 {
		return preface{}, unread(conn, first[0]), nil
	}
	var head [3]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return preface{}, nil, err
	}
	if head[0] != magic1 || head[2] == 0 {
		return preface{}, nil, fmt.Errorf("malformed preface %q", append(first[:], head[:]...))
	}
	name := make([]byte, head[2])
	if _, err := io.ReadFull(conn, name); err != nil {
		return preface{}, nil, err
	}
	p = preface{version: head[1], label: string(name)}
	if p.version == 2 {
		p.origin, err = readOrigin(conn)
	}
	return p, conn, err
}

// readOrigin reads the address in a preface.
func readOrigin(conn net.Conn) (netip.AddrPort, error) {
	var b [1 + 18]byte
	if _, err := io.ReadFull(conn, b[:1]); err != nil {
		return netip.AddrPort{}, err
	}
	n := int(b[0])
	switch n {
	case 0:
		return netip.AddrPort{}, nil
	case 6, 18:
	default:
		return netip.AddrPort{}, fmt.Errorf("malformed preface: an address of %d bytes", n)
	}
	if _, err := io.ReadFull(conn, b[:n]); err != nil {
		return netip.AddrPort{}, err
	}
	ip, _ := netip.AddrFromSlice(b[:n-2]) // four bytes or sixteen
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(b[n-2:])), nil
}

// readStatus reads the answer to a preface.
func readStatus(conn net.Conn) error {
	var b [2]byte
	if _, err := io.ReadFull(conn, b[:1]); err != nil {
		return fmt.Errorf("%w: %w", ErrNoPreface, err)
	}
	switch b[0] {
	case statusOpen:
		return nil
	case statusNoHandler:
		return ErrNoHandler
	case statusVersion:
		if _, err := io.ReadFull(conn, b[1:]); err != nil {
			return fmt.Errorf("%w: %w", ErrNoPreface, err)
		}
		return fmt.Errorf("%w: that peer speaks version %d, this one %d: update the older one", ErrVersion, b[1], Version)
	}
	return fmt.Errorf("%w: status %d is unknown", ErrNoPreface, b[0])
}

// unread puts one byte back in front of what conn reads.
func unread(conn net.Conn, b byte) net.Conn {
	p := &peeked{Conn: conn, first: b, full: true}
	if half, ok := conn.(closeWriter); ok {
		return &peekedHalf{peeked: p, half: half}
	}
	return p
}

type closeWriter interface{ CloseWrite() error }

// peeked is a stream whose first byte was read already.
type peeked struct {
	net.Conn

	mu    sync.Mutex
	first byte
	full  bool
}

// Read returns the first byte alone, whatever the deadline, and then what the
// stream reads.
func (p *peeked) Read(b []byte) (int, error) {
	if len(b) > 0 && p.take(b) {
		return 1, nil
	}
	return p.Conn.Read(b)
}

func (p *peeked) take(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.full {
		return false
	}
	b[0], p.full = p.first, false
	return true
}

// peekedHalf is a peeked stream that can be closed in one direction.
type peekedHalf struct {
	*peeked
	half closeWriter
}

func (p *peekedHalf) CloseWrite() error { return p.half.CloseWrite() }
