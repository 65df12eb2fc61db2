package netxtest

import (
	"bytes"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func packetCases() []Case {
	return []Case{
		{"packets go both ways", packetsBothWays},
		{"packets of all sizes", packetSizes},
		{"a packet's bytes are copied", packetsCopied},
		{"packets to nobody are lost", packetsToNobody},
		{"a full receiver drops", packetsFull},
		{"a busy packet port", packetsBusy},
		{"closing a packet port ends a reader", packetsClosed},
		{"a read of packets has a deadline", packetsDeadline},
	}
}

// packets opens a port for packets on either side.
func (p Pair) packets(t *testing.T) (a, b net.PacketConn) {
	t.Helper()
	a, err := p.A.ListenPacket(patient(t), p.addrA("0"))
	closing(t, must(t, a, err))
	b, err = p.B.ListenPacket(patient(t), p.addrB("0"))
	return a, closing(t, must(t, b, err))
}

func sendPacket(t *testing.T, from net.PacketConn, to net.Addr, content []byte) {
	t.Helper()
	n, err := from.WriteTo(content, to)
	if err != nil || n != len(content) {
		t.Fatalf("write of %d bytes is %d, %v", len(content), n, err)
	}
}

func receivePacket(t *testing.T, at net.PacketConn) ([]byte, net.Addr) {
	t.Helper()
	if err := at.SetReadDeadline(deadline()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	n, from, err := at.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n], from
}

func packetsBothWays(t *testing.T, p Pair) {
	a, b := p.packets(t)
	if got := host(t, b.LocalAddr()); got != p.HostB {
		t.Errorf("local host is %s, want %s", got, p.HostB)
	}
	for range 3 {
		sendPacket(t, a, b.LocalAddr(), []byte("ping"))
		got, from := receivePacket(t, b)
		if string(got) != "ping" || from.String() != a.LocalAddr().String() {
			t.Fatalf("got %q from %s, want ping from %s", got, from, a.LocalAddr())
		}
		sendPacket(t, b, from, []byte("pong"))
		if got, from := receivePacket(t, a); string(got) != "pong" || from.String() != b.LocalAddr().String() {
			t.Fatalf("got %q from %s, want pong from %s", got, from, b.LocalAddr())
		}
	}
}

func packetSizes(t *testing.T, p Pair) {
	a, b := p.packets(t)
	for _, size := range []int{0, 1, 1400, 60_000} {
		content := bytes.Repeat([]byte{'x'}, size)
		if _, err := a.WriteTo(content, b.LocalAddr()); size > 1400 && errors.Is(err, syscall.EMSGSIZE) {
			continue // some systems stop at 9 KB
		} else if err != nil {
			t.Fatal(err)
		}
		if got, _ := receivePacket(t, b); !bytes.Equal(got, content) {
			t.Errorf("got %d bytes, want %d, or others", len(got), size)
		}
	}
	_, err := a.WriteTo(make([]byte, 70_000), b.LocalAddr())
	if err == nil {
		t.Error("a packet of 70 000 bytes was taken")
	}
}

func packetsCopied(t *testing.T, p Pair) {
	a, b := p.packets(t)
	content := []byte("content")
	sendPacket(t, a, b.LocalAddr(), content)
	content[0] = 'X'
	if got, _ := receivePacket(t, b); string(got) != "content" {
		t.Errorf("got %q", got)
	}
}

func packetsToNobody(t *testing.T, p Pair) {
	a, b := p.packets(t)
	gone := b.LocalAddr()
	b.Close()
	for range 3 {
		sendPacket(t, a, gone, []byte("lost"))
	}
	c, err := p.B.ListenPacket(patient(t), p.addrB("0"))
	closing(t, must(t, c, err))
	sendPacket(t, a, c.LocalAddr(), []byte("found"))
	if got, _ := receivePacket(t, c); string(got) != "found" {
		t.Errorf("got %q", got)
	}
}

// packetsFull sends far more than any buffer holds to one who does not read.
func packetsFull(t *testing.T, p Pair) {
	const flood = 4000
	a, b := p.packets(t)
	content := bytes.Repeat([]byte{'x'}, 1000)
	within(t, "writing", func() {
		for range flood {
			if _, err := a.WriteTo(content, b.LocalAddr()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	got := 0
	for buf := make([]byte, 2000); ; got++ {
		b.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, _, err := b.ReadFrom(buf); err != nil {
			wantError(t, "read", err, os.ErrDeadlineExceeded)
			break
		}
	}
	sendPacket(t, a, b.LocalAddr(), []byte("after"))
	last, _ := receivePacket(t, b)
	for bytes.Equal(last, content) { // a network that was kept waiting brings the rest of the flood now
		got++
		last, _ = receivePacket(t, b)
	}
	if got == 0 || got > flood {
		t.Errorf("got %d packets of %d", got, flood)
	}
	if string(last) != "after" {
		t.Errorf("after the flood came %.20q", last)
	}
}

func packetsBusy(t *testing.T, p Pair) {
	addr := freeForBoth(t, p.A, p.addrA("0"))
	a, err := p.A.ListenPacket(patient(t), addr)
	closing(t, must(t, a, err))
	_, err = p.A.ListenPacket(patient(t), addr)
	wantError(t, "the same port again", err, syscall.EADDRINUSE)
	ln, err := p.A.Listen(patient(t), addr)
	if err != nil {
		t.Errorf("the stream port of the same number: %v", err)
	} else {
		ln.Close()
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := p.A.ListenPacket(patient(t), addr)
	closing(t, must(t, again, err))
}

func packetsClosed(t *testing.T, p Pair) {
	a, b := p.packets(t)
	ended := make(chan error, 1)
	go func() {
		_, _, err := a.ReadFrom(make([]byte, 10))
		ended <- err
	}()
	a.Close()
	wantError(t, "a read under way", <-ended, net.ErrClosed)
	_, _, err := a.ReadFrom(make([]byte, 10))
	wantError(t, "a read", err, net.ErrClosed)
	_, err = a.WriteTo([]byte("x"), b.LocalAddr())
	wantError(t, "a write", err, net.ErrClosed)
	wantError(t, "a close", a.Close(), net.ErrClosed)
	wantError(t, "a deadline", a.SetDeadline(time.Now()), net.ErrClosed)
}

func packetsDeadline(t *testing.T, p Pair) {
	a, b := p.packets(t)
	sendPacket(t, b, a.LocalAddr(), []byte("early"))
	a.SetReadDeadline(time.Unix(1, 0))
	_, _, err := a.ReadFrom(make([]byte, 10))
	wantError(t, "a deadline in the past", err, os.ErrDeadlineExceeded)
	if got, _ := receivePacket(t, a); string(got) != "early" {
		t.Errorf("after it: got %q", got)
	}
	begin := time.Now()
	a.SetReadDeadline(begin.Add(50 * time.Millisecond))
	_, _, err = a.ReadFrom(make([]byte, 10))
	wantError(t, "a deadline", err, os.ErrDeadlineExceeded)
	if took := time.Since(begin); took < 50*time.Millisecond {
		t.Errorf("it passed after %v", took)
	}
}
