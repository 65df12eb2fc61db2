package netsim_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/netsim"
)

const window = 256 << 10

func listen(t *testing.T, h *netsim.Host, addr string) net.Listener {
	t.Helper()
	ln, err := h.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func listenPacket(t *testing.T, h *netsim.Host, addr string) net.PacketConn {
	t.Helper()
	p, err := h.ListenPacket(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func dial(t *testing.T, h *netsim.Host, addr net.Addr) net.Conn {
	t.Helper()
	conn, err := h.Dial(t.Context(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// stream opens a stream from one host to another.
func stream(t *testing.T, from, to *netsim.Host) (near, far net.Conn) {
	t.Helper()
	ln := listen(t, to, ":0")
	defer ln.Close()
	near = dial(t, from, ln.Addr())
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return near, far
}

func wantError(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want %v", what, err, target)
	}
}

func wantRead(t *testing.T, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Errorf("read %q, %v, want %q", got[:n], err, want)
	}
}

// bubble runs a test with two hosts in virtual time.
func bubble(t *testing.T, f func(t *testing.T, n *netsim.Net, a, b *netsim.Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := netsim.New()
		f(t, n, n.Host(ipA), n.Host(ipB))
	})
}

func TestCrash(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		near, far := stream(t, a, b)
		full, _ := stream(t, a, b)
		ln := listen(t, b, ":7000")
		waiting := dial(t, a, ln.Addr()) // in the backlog
		packets := listenPacket(t, b, ":7000")
		io.WriteString(far, "last words")
		ended := make(chan error, 4)
		go func() { _, _ = ln.Accept(); _, err := ln.Accept(); ended <- err }()
		go func() { _, _, err := packets.ReadFrom(nil); ended <- err }()
		go func() { _, err := far.Read(make([]byte, 1)); ended <- err }()
		go func() { _, err := b.Dial(t.Context(), "10.9.9.9:1"); ended <- err }()
		blocked := make(chan error, 1)
		go func() { _, err := full.Write(make([]byte, 2*window)); blocked <- err }()
		synctest.Wait()

		b.Crash()
		b.Crash()
		synctest.Wait()
		for range cap(ended) {
			err := <-ended
			wantError(t, "a call on the crashed host", err, netsim.ErrCrashed)
			wantError(t, "a call on the crashed host", err, net.ErrClosed)
		}
		wantError(t, "a write under way", <-blocked, syscall.ECONNRESET)
		wantRead(t, near, "last words")
		_, err := near.Read(make([]byte, 1))
		wantError(t, "read", err, syscall.ECONNRESET)
		_, err = near.Write([]byte("x"))
		wantError(t, "write", err, syscall.ECONNRESET)
		_, err = waiting.Read(make([]byte, 1))
		wantError(t, "read of what was not accepted", err, syscall.ECONNRESET)

		_, err = far.Write([]byte("x"))
		wantError(t, "write", err, netsim.ErrCrashed)
		_, err = packets.WriteTo([]byte("x"), packets.LocalAddr())
		wantError(t, "send", err, netsim.ErrCrashed)
		_, err = b.Listen(t.Context(), ":0")
		wantError(t, "listen", err, netsim.ErrCrashed)
		_, err = b.ListenPacket(t.Context(), ":0")
		wantError(t, "listen for packets", err, netsim.ErrCrashed)
		_, err = b.Dial(t.Context(), ipA+":1")
		wantError(t, "dial", err, netsim.ErrCrashed)
		_, err = a.Dial(t.Context(), ln.Addr().String())
		wantError(t, "dial to it", err, syscall.ECONNREFUSED)
	})
}

// TestRestart: a host that is started again has the old address and nothing
// of the old one's; what goes on running there does not disturb it.
func TestRestart(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		old := listen(t, b, ":7000")
		oldPackets := listenPacket(t, b, ":7000")
		if n.Host(ipB) != b {
			t.Error("a host that is up was made again")
		}
		b.Crash()
		again := n.Host(ipB)
		ln := listen(t, again, ":7000")
		packets := listenPacket(t, again, ":7000")
		old.Close()
		oldPackets.Close()
		dial(t, a, ln.Addr())
		if _, err := ln.Accept(); err != nil {
			t.Error(err)
		}
		listenPacket(t, a, ":1").WriteTo([]byte("x"), packets.LocalAddr())
		if _, _, err := packets.ReadFrom(make([]byte, 1)); err != nil {
			t.Error(err)
		}
	})
}

func TestDialUnknownHost(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := a.Dial(ctx, "10.9.9.9:1")
		wantError(t, "dial", err, context.DeadlineExceeded)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(begin) != 3*time.Second {
			t.Errorf("after %v: error %v", time.Since(begin), err)
		}
		begin = time.Now()
		_, err = a.Dial(t.Context(), "10.9.9.9:1")
		wantError(t, "dial", err, syscall.ETIMEDOUT)
		if took := time.Since(begin); took != 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAddresses(t *testing.T) {
	n := netsim.New()
	h := n.Host(ipA)
	for _, test := range []struct {
		addr, local string
		err         error
	}{
		{ipA + ":0", ipA + ":49152", nil},
		{":7000", ipA + ":7000", nil},
		{"0.0.0.0:7000", ipA + ":7000", nil},
		{"[::]:7000", ipA + ":7000", nil},
		{"[::ffff:10.0.0.1]:7000", ipA + ":7000", nil},
		{"127.0.0.1:0", "", syscall.EADDRNOTAVAIL},
		{"10.0.0.9:0", "", syscall.EADDRNOTAVAIL},
		{"localhost:0", "", &net.AddrError{}},
		{"10.0.0.1:http", "", &net.AddrError{}},
		{"10.0.0.1", "", &net.AddrError{}},
	} {
		ln, err := n.Host(ipA).Listen(t.Context(), test.addr)
		addrErr := new(net.AddrError)
		switch {
		case test.err == nil && err == nil:
			if ln.Addr().String() != test.local {
				t.Errorf("listen on %s is %s, want %s", test.addr, ln.Addr(), test.local)
			}
			self := dial(t, h, &net.TCPAddr{Port: ln.Addr().(*net.TCPAddr).Port})
			self.Close()
			ln.Close()
		case !errors.Is(err, test.err) && !(errors.As(err, &addrErr) && errors.As(test.err, &addrErr)):
			t.Errorf("listen on %s: error %v, want %v", test.addr, err, test.err)
		}
	}
}

// TestEphemeralPorts: they are the same in each run, skip what is in use and
// begin anew at the end.
func TestEphemeralPorts(t *testing.T) {
	n := netsim.New()
	a, b := n.Host(ipA), n.Host(ipB)
	ln := listen(t, b, ":7000")
	taken := listen(t, a, ":49153")
	var ports []string
	var conns []net.Conn
	for range 3 {
		conn := dial(t, a, ln.Addr())
		conns = append(conns, conn)
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		ports = append(ports, port)
	}
	if want := []string{"49152", "49154", "49155"}; !slices.Equal(ports, want) {
		t.Errorf("ports %v, want %v", ports, want)
	}
	taken.Close()
	for i := 49156; i <= 65535; i++ {
		if p := listenPort(t, a); p != i {
			t.Fatalf("port %d, want %d", p, i)
		}
	}
	if p := listenPort(t, a); p != 49153 {
		t.Errorf("port %d after the last one, want 49153: the others have streams", p)
	}
	conns[1].Close()
	if p := listenPort(t, a); p != 49154 {
		t.Errorf("port %d, want 49154: its stream was closed", p)
	}
}

// listenPort opens and closes a free port.
func listenPort(t *testing.T, h *netsim.Host) int {
	ln, err := h.Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// TestInbox: a port keeps the first 256 packets and drops the rest.
func TestInbox(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		from, to := listenPacket(t, a, ":1"), listenPacket(t, b, ":2")
		buf := make([]byte, 10)
		for round := range 3 {
			for i := range 300 {
				from.WriteTo(strconv.AppendInt(nil, int64(i), 10), to.LocalAddr())
			}
			for i := range 256 {
				n, _, err := to.ReadFrom(buf)
				if got := string(buf[:n]); err != nil || got != strconv.Itoa(i) {
					t.Fatalf("round %d: packet %q, %v, want %d", round, got, err, i)
				}
			}
			to.SetReadDeadline(time.Now().Add(time.Second))
			_, _, err := to.ReadFrom(buf)
			wantError(t, "one more", err, os.ErrDeadlineExceeded)
			to.SetReadDeadline(time.Time{})
		}
	})
}

// TestWindow: a stream takes 256 KB that nobody reads. A second writer waits
// for the first one durably: a bubble's time goes on.
func TestWindow(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		near, far := stream(t, a, b)
		begin := time.Now()
		near.SetWriteDeadline(begin.Add(time.Minute))
		second := make(chan error, 1)
		go func() {
			time.Sleep(time.Second)
			_, err := near.Write([]byte("x"))
			second <- err
		}()
		n1, err := near.Write(make([]byte, window+1))
		wantError(t, "the first write", err, os.ErrDeadlineExceeded)
		wantError(t, "the second write", <-second, os.ErrDeadlineExceeded)
		if n1 != window || time.Since(begin) != time.Minute {
			t.Errorf("took %d bytes in %v, want %d in a minute", n1, time.Since(begin), window)
		}
		near.SetWriteDeadline(time.Time{})
		written := make(chan int, 1)
		go func() { n, _ := near.Write(make([]byte, 10)); written <- n }()
		synctest.Wait()
		select {
		case <-written:
			t.Error("a write went through a full window")
		default:
		}
		io.CopyN(io.Discard, far, 10)
		if got := <-written; got != 10 {
			t.Errorf("wrote %d bytes after ten were read", got)
		}
	})
}

// TestWritesDoNotMix: what is written in one call stays together, however
// often the call has to wait.
func TestWritesDoNotMix(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		const size = 3 * window
		near, far := stream(t, a, b)
		for _, c := range []byte("xyz") {
			go near.Write(bytes.Repeat([]byte{c}, size))
		}
		for range 3 {
			got := make([]byte, size)
			if _, err := io.ReadFull(far, got); err != nil || bytes.Count(got, got[:1]) != size {
				t.Errorf("writes are mixed; error %v", err)
			}
		}
	})
}

// TestLaggingReader: bytes keep their order and their values while a reader
// lags behind by odd amounts.
func TestLaggingReader(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		near, far := stream(t, a, b)
		var sent, received []byte
		chunk, buf := make([]byte, 1000), make([]byte, 777)
		for i := range 500 {
			for j := range chunk {
				chunk[j] = byte(i * j)
			}
			near.Write(chunk)
			sent = append(sent, chunk...)
			n, _ := io.ReadFull(far, buf)
			received = append(received, buf[:n]...)
		}
		near.Close()
		rest, err := io.ReadAll(far)
		if received = append(received, rest...); err != nil || !bytes.Equal(received, sent) {
			t.Errorf("received %d bytes of %d, or others; error %v", len(received), len(sent), err)
		}
	})
}

// TestCloseDuringWrite: a write that waits ends, and what it wrote comes
// before the end of the stream.
func TestCloseDuringWrite(t *testing.T) {
	for name, end := range map[string]func(net.Conn) error{
		"Close":      net.Conn.Close,
		"CloseWrite": func(c net.Conn) error { return c.(interface{ CloseWrite() error }).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
				near, far := stream(t, a, b)
				written := make(chan int, 1)
				go func() { n, _ := near.Write(make([]byte, 2*window)); written <- n }()
				synctest.Wait()
				if err := end(near); err != nil {
					t.Fatal(err)
				}
				got, err := io.Copy(io.Discard, far)
				if want := <-written; int(got) != want || want != window || err != nil {
					t.Errorf("read %d of %d bytes, %v", got, want, err)
				}
			})
		})
	}
}

// TestCloseUnread: who closes a stream with bytes unread resets it.
func TestCloseUnread(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		near, far := stream(t, a, b)
		io.WriteString(near, "never read")
		io.WriteString(far, "answer")
		far.Close()
		wantRead(t, near, "answer")
		_, err := near.Read(make([]byte, 1))
		wantError(t, "read", err, syscall.ECONNRESET)
	})
}

// TestBacklog: 128 streams wait to be accepted; the next dial waits for room.
func TestBacklog(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		ln := listen(t, b, ":7000")
		var first net.Conn
		for range 128 {
			conn := dial(t, a, ln.Addr())
			if first == nil {
				first = conn
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.Dial(ctx, ln.Addr().String())
		wantError(t, "dial", err, context.DeadlineExceeded)
		go func() {
			time.Sleep(time.Second)
			ln.Accept()
		}()
		dial(t, a, ln.Addr())
		refused := make(chan error, 1)
		go func() { _, err := a.Dial(t.Context(), ln.Addr().String()); refused <- err }()
		synctest.Wait()
		ln.Close()
		wantError(t, "a dial under way", <-refused, syscall.ECONNREFUSED)
		if _, err := first.Write([]byte("accepted")); err != nil {
			t.Error(err)
		}
	})
}

// TestDeadlineMoved: a deadline that was moved on does not fire, and one that
// has passed can be lifted.
func TestDeadlineMoved(t *testing.T) {
	bubble(t, func(t *testing.T, n *netsim.Net, a, b *netsim.Host) {
		near, far := stream(t, a, b)
		begin := time.Now()
		near.SetReadDeadline(begin.Add(time.Second))
		go func() {
			time.Sleep(500 * time.Millisecond)
			near.SetReadDeadline(begin.Add(3 * time.Second))
		}()
		_, err := near.Read(make([]byte, 1))
		wantError(t, "read", err, os.ErrDeadlineExceeded)
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("it passed after %v", took)
		}
		near.SetReadDeadline(time.Time{})
		go io.WriteString(far, "late")
		wantRead(t, near, "late")
	})
}
