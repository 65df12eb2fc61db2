package membership

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
)

// pair is two endpoints that are served until the end of the test.
func pair(t *testing.T) (a, b *netx.Endpoint) {
	t.Helper()
	world := netsim.New()
	var ends []*netx.Endpoint
	for _, ip := range []string{"10.0.0.1", "10.0.0.2"} {
		e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: world.Host(ip), Addr: ip + ":7"})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _ = e.Serve(context.Background()) })
		t.Cleanup(func() { e.Close(); wg.Wait() })
		ends = append(ends, e)
	}
	return ends[0], ends[1]
}

func TestTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ea, eb := pair(t)
		a, b := newTransport(t.Context(), ea), newTransport(t.Context(), eb)
		defer a.Shutdown()
		defer b.Shutdown()

		for range 3 {
			if _, err := a.WriteToAddress([]byte("packet"), memberlist.Address{Addr: "10.0.0.2:7"}); err != nil {
				t.Fatal(err)
			}
			p := <-b.PacketCh()
			if string(p.Buf) != "packet" || p.From.String() != "10.0.0.1:7" || p.Timestamp.IsZero() {
				t.Errorf("got %q from %s at %s", p.Buf, p.From, p.Timestamp)
			}
		}
		if _, err := a.WriteTo([]byte("x"), "nonsense"); err == nil {
			t.Error("wrote to nonsense")
		}

		c, err := a.DialAddressTimeout(memberlist.Address{Addr: "10.0.0.2:7"}, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = c.Write([]byte{0, 1, 2}); c.Close() }() // as memberlist's message types begin
		got, err := io.ReadAll(<-b.StreamCh())
		if string(got) != "\x00\x01\x02" || err != nil {
			t.Errorf("the stream brought %x, %v", got, err)
		}

		start := time.Now()
		if _, err := a.DialTimeout("10.0.0.9:7", 3*time.Second); err == nil || time.Since(start) > 4*time.Second {
			t.Errorf("dialled nobody: %v after %s", err, time.Since(start))
		}
	})
}

func TestTransportEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ea, eb := pair(t)
		a, b := newTransport(t.Context(), ea), newTransport(t.Context(), eb)
		defer a.Shutdown()

		// Nobody takes this packet, this stream, or the answer to this dial.
		_, _ = a.WriteTo([]byte("packet"), "10.0.0.2:7")
		c, err := a.DialTimeout("10.0.0.2:7", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		dialled := make(chan error, 1)
		go func() { _, err := b.DialTimeout("10.0.0.9:7", time.Hour); dialled <- err }()
		synctest.Wait()
		start := time.Now()
		for range 2 {
			if err := b.Shutdown(); err != nil {
				t.Error(err)
			}
		}
		if err := <-dialled; err == nil || time.Since(start) > time.Second {
			t.Errorf("Shutdown took %s, and the dial ended with %v", time.Since(start), err)
		}
		if _, err := io.ReadAll(c); err == nil && time.Since(start) > time.Second {
			t.Error("the stream was not closed")
		}
		late, ours := net.Pipe()
		b.accept(ours)
		if _, err := late.Read(make([]byte, 1)); err == nil {
			t.Error("a stream that came after the end was taken")
		}

		next := newTransport(t.Context(), eb) // the endpoint lives on, for the next memberlist
		defer next.Shutdown()
		if _, err := a.WriteTo([]byte("again"), "10.0.0.2:7"); err != nil {
			t.Fatal(err)
		}
		for p := range next.PacketCh() {
			if string(p.Buf) == "again" {
				break
			}
		}
	})
}

func TestFinalAdvertiseAddr(t *testing.T) {
	var tr transport
	if ip, port, err := tr.FinalAdvertiseAddr("192.0.2.1", 7); ip.String() != "192.0.2.1" || port != 7 || err != nil {
		t.Errorf("got %s %d %v", ip, port, err)
	}
	for _, ip := range []string{"", "localhost"} {
		if _, _, err := tr.FinalAdvertiseAddr(ip, 7); err == nil {
			t.Errorf("%q was accepted", ip)
		}
	}
}
