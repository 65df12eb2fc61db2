package faulty_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/netx"
)

// networks are the real network bare, with faults around it of which none is
// set, and with one for somebody else.
func networks(b *testing.B) []struct {
	name string
	netx.Network
} {
	b.Helper()
	idle, other := faulty.New(netx.Real{}), faulty.New(netx.Real{})
	cut := faulty.Rule{Cut: true}
	err := other.Set(faulty.Table{Self: "a", Peers: []faulty.Peer{{Name: "b", Addr: netip.MustParseAddrPort("127.0.0.1:1"), To: cut, From: cut}}})
	if err != nil {
		b.Fatal(err)
	}
	return []struct {
		name string
		netx.Network
	}{{"bare", netx.Real{}}, {"no fault", idle}, {"other fault", other}}
}

func BenchmarkPackets(b *testing.B) {
	for _, n := range networks(b) {
		b.Run(n.name, func(b *testing.B) {
			p, err := n.ListenPacket(b.Context(), "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			buf := make([]byte, 1400)
			for b.Loop() {
				if _, err := p.WriteTo(buf, p.LocalAddr()); err != nil {
					b.Fatal(err)
				}
				if _, _, err := p.ReadFrom(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStreams(b *testing.B) {
	for _, n := range networks(b) {
		b.Run(n.name, func(b *testing.B) {
			l, err := n.Listen(b.Context(), "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			near, err := n.Dial(b.Context(), l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer near.Close()
			far, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			defer far.Close()
			pass(b, near, far)
		})
	}
}

// pass sends blocks that are there when they are read.
func pass(b *testing.B, near, far net.Conn) {
	buf := make([]byte, 1400)
	for b.Loop() {
		if _, err := near.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := far.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// null takes everything at once, so that what stands around it is all that
// takes time.
type null struct {
	netx.Network
	net.PacketConn
	net.Conn
}

func (n null) ListenPacket(context.Context, string) (net.PacketConn, error) { return n.PacketConn, nil }
func (n null) Dial(context.Context, string) (net.Conn, error)               { return n.Conn, nil }

type nullPackets struct{ net.PacketConn }

func (nullPackets) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (nullPackets) ReadFrom(b []byte) (int, net.Addr, error)  { return len(b), nil, nil }

type nullConn struct{ net.Conn }

func (nullConn) Write(b []byte) (int, error) { return len(b), nil }
func (nullConn) Read(b []byte) (int, error)  { return len(b), nil }
func (nullConn) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// BenchmarkOverhead is what the faults cost where none is set: one write and
// one read. A pair of them through the kernel takes some microseconds.
func BenchmarkOverhead(b *testing.B) {
	bare := null{PacketConn: nullPackets{}, Conn: nullConn{}}
	for name, n := range map[string]netx.Network{"bare": bare, "no fault": faulty.New(bare)} {
		p, _ := n.ListenPacket(b.Context(), "")
		c, _ := n.Dial(b.Context(), "")
		buf := make([]byte, 1400)
		to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
		b.Run("packets/"+name, func(b *testing.B) {
			for b.Loop() {
				p.WriteTo(buf, to)
				p.ReadFrom(buf)
			}
		})
		b.Run("streams/"+name, func(b *testing.B) {
			for b.Loop() {
				c.Write(buf)
				c.Read(buf)
			}
		})
	}
}

// BenchmarkFate is what a packet costs that meets a rule.
func BenchmarkFate(b *testing.B) {
	link := faulty.NewLink(1, "alice", "bob")
	var n uint64
	for b.Loop() {
		n++
		link.Fate(rough, n)
	}
}
