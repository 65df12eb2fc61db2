package faulty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
)

// host is one host of a test: a faulty network, and the one port on it.
type host struct {
	*faulty.Network
	t       *testing.T
	name    string
	packets net.PacketConn
	streams net.Listener
	addr    netip.AddrPort
}

func newHost(t *testing.T, n netx.Network, name, addr string) *host {
	t.Helper()
	h := &host{Network: faulty.New(n), t: t, name: name}
	for err := errors.New("not yet"); err != nil; { // the port must be free for both
		if h.packets, err = h.ListenPacket(t.Context(), addr); err != nil {
			t.Fatal(err)
		}
		h.streams, err = h.Listen(t.Context(), h.packets.LocalAddr().String())
		if errors.Is(err, syscall.EADDRINUSE) {
			h.packets.Close()
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		h.packets.Close()
		h.streams.Close()
	})
	h.addr = netip.MustParseAddrPort(h.packets.LocalAddr().String())
	return h
}

// pair runs f with two hosts in a bubble. Streams that are closed under a
// fault take their time.
func pair(t *testing.T, f func(t *testing.T, a, b *host)) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) })
		n := netsim.New()
		f(t, newHost(t, n.Host(ipA), "alice", ipA+":0"), newHost(t, n.Host(ipB), "bob", ipB+":0"))
	})
}

// rule sets what holds between h and another host, on h.
func (h *host) rule(other *host, to, from faulty.Rule) {
	h.t.Helper()
	h.set(faulty.Table{Self: h.name, Peers: []faulty.Peer{{Name: other.name, Addr: other.addr, To: to, From: from}}})
}

func (h *host) set(t faulty.Table) {
	h.t.Helper()
	if err := h.Set(t); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) send(to *host, text string) {
	h.t.Helper()
	if n, err := h.packets.WriteTo([]byte(text), net.UDPAddrFromAddrPort(to.addr)); err != nil || n != len(text) {
		h.t.Fatalf("%s sends %q: %d, %v", h.name, text, n, err)
	}
}

// arrives is what comes within a span, each packet with the time since start.
func (h *host) arrives(start time.Time, within time.Duration) string {
	h.t.Helper()
	h.packets.SetReadDeadline(start.Add(within))
	var all []string
	for buf := make([]byte, 2000); ; {
		n, _, err := h.packets.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Since(start) == within {
			return strings.Join(all, ", ")
		}
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, fmt.Sprint(string(buf[:n]), " ", time.Since(start)))
	}
}

const ms = time.Millisecond

func TestPackets(t *testing.T) {
	slow := faulty.Rule{Latency: 100 * ms}
	for name, c := range map[string]struct {
		a, b [2]faulty.Rule // to and from, on alice and on bob
		bare bool           // bob has no table, and alice's says so
		want string         // what alice's packets come to, and then bob's
	}{
		"nothing":                  {want: "x 0s, y 0s | x 0s, y 0s"},
		"a cut":                    {a: [2]faulty.Rule{{Cut: true}, {Cut: true}}, b: [2]faulty.Rule{{Cut: true}, {Cut: true}}, want: " | "},
		"a cut that one knows of":  {a: [2]faulty.Rule{{Cut: true}, {Cut: true}}, want: " | "},
		"one way":                  {a: [2]faulty.Rule{{Cut: true}, {}}, b: [2]faulty.Rule{{}, {Cut: true}}, want: " | x 0s, y 0s"},
		"latency one way":          {a: [2]faulty.Rule{slow, {}}, b: [2]faulty.Rule{{}, slow}, want: "x 100ms, y 100ms | x 0s, y 0s"},
		"latency in both tables":   {a: [2]faulty.Rule{slow, slow}, b: [2]faulty.Rule{slow, slow}, want: "x 100ms, y 100ms | x 100ms, y 100ms"},
		"latency in one table":     {a: [2]faulty.Rule{slow, slow}, want: "x 100ms, y 100ms | x 0s, y 0s"},
		"latency where one has it": {a: [2]faulty.Rule{slow, slow}, bare: true, want: "x 100ms, y 100ms | x 100ms, y 100ms"},
		"doubled":                  {a: [2]faulty.Rule{{Dup: 1}, {Dup: 1}}, bare: true, want: "x 0s, x 0s, y 0s, y 0s | x 0s, x 0s, y 0s, y 0s"},
		"lost":                     {a: [2]faulty.Rule{{Loss: 1}, {Loss: 1}}, bare: true, want: " | "},
		"a rate":                   {a: [2]faulty.Rule{{Rate: 80}, {Rate: 40}}, bare: true, want: "x 100ms, y 200ms | x 200ms, y 400ms"},
	} {
		t.Run(name, func(t *testing.T) {
			pair(t, func(t *testing.T, a, b *host) {
				a.set(faulty.Table{Self: "alice", Alone: c.bare, Peers: []faulty.Peer{{Name: "bob", Addr: b.addr, To: c.a[0], From: c.a[1]}}})
				b.rule(a, c.b[0], c.b[1])
				start := time.Now()
				for _, text := range []string{"x", "y"} {
					a.send(b, text)
					b.send(a, text)
				}
				got := make(chan string)
				go func() { got <- b.arrives(start, time.Second) }()
				from := a.arrives(start, time.Second)
				if all := <-got + " | " + from; all != c.want {
					t.Errorf("arrived %q, want %q", all, c.want)
				}
			})
		})
	}
}

// What was sent before a cut and is still under way does not pass it either.
func TestCutStopsWhatIsUnderWay(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		start := time.Now()
		a.rule(b, faulty.Rule{Latency: 500 * ms}, faulty.Rule{})
		a.send(b, "early")
		time.Sleep(300 * ms)
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{})
		time.Sleep(300 * ms)
		a.rule(b, faulty.Rule{}, faulty.Rule{})
		a.send(b, "late")
		if got := b.arrives(start, time.Second); got != "late 600ms" {
			t.Errorf("arrived %q", got)
		}
	})
}

// A slow link drops what would wait too long.
func TestRateDrops(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		start := time.Now()
		a.rule(b, faulty.Rule{Rate: 8000}, faulty.Rule{}) // 1000 bytes take a second
		for range 50 {
			a.send(b, strings.Repeat("x", 100))
		}
		if got := strings.Count(b.arrives(start, 10*time.Second), "x "); got != 11 {
			t.Errorf("%d packets of 50 arrived, want those of a second, and the one that is sent", got)
		}
	})
}

// The same seed gives the same fates, whatever else is sent, and another seed
// others. A table that is set again does not begin anew.
func TestSeed(t *testing.T) {
	run := func(seed uint64, noise bool) (got string) {
		pair(t, func(t *testing.T, a, b *host) {
			start := time.Now()
			table := faulty.Table{Seed: seed, Self: "alice", Peers: []faulty.Peer{
				{Name: "bob", Addr: b.addr, To: faulty.Rule{Loss: 0.3, Dup: 0.3, Jitter: 100 * ms}},
				{Name: "nobody", Addr: netip.MustParseAddrPort("10.0.0.9:1"), To: faulty.Rule{Loss: 0.5}},
			}}
			a.set(table)
			for i := range 40 {
				if noise {
					a.packets.WriteTo([]byte("noise"), &net.UDPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 1})
					a.set(table)
				}
				a.send(b, fmt.Sprint(i))
			}
			got = b.arrives(start, time.Second)
		})
		return got
	}
	first := run(1, false)
	if again := run(1, true); again != first {
		t.Errorf("the same seed gave\n%s\nand\n%s", first, again)
	}
	if run(2, false) == first {
		t.Error("another seed gave the same")
	}
}

// A reader's own deadline and those of packets that are kept do not disturb
// each other.
func TestDeadlineOfReader(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		a.set(faulty.Table{Self: "alice", Alone: true, Peers: []faulty.Peer{{Name: "bob", Addr: b.addr, From: faulty.Rule{Latency: 300 * ms}}}})
		b.send(a, "x")
		start := time.Now()
		if got := a.arrives(start, 100*ms); got != "" {
			t.Errorf("arrived %q", got)
		}
		a.packets.SetReadDeadline(time.Time{})
		n, from, err := a.packets.ReadFrom(make([]byte, 10))
		if n != 1 || err != nil || from.String() != b.addr.String() || time.Since(start) != 300*ms {
			t.Errorf("got %d bytes from %v after %v, %v", n, from, time.Since(start), err)
		}
		b.send(a, "y")
		go func() {
			time.Sleep(ms)
			a.packets.Close()
		}()
		if _, _, err := a.packets.ReadFrom(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read of a closed port: %v", err)
		}
	})
}

// stream opens a stream from a to b.
func stream(t *testing.T, a, b *host) (near, far net.Conn) {
	t.Helper()
	near, err := a.Dial(t.Context(), b.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	far, err = b.streams.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// hears reads a text and says when it was there.
func hears(t *testing.T, c net.Conn, want string) time.Time {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, want %q", got[:n], err, want)
	}
	return time.Now()
}

func says(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if n, err := io.WriteString(c, text); err != nil || n != len(text) {
		t.Fatalf("write of %q: %d, %v", text, n, err)
	}
}

// Through a cut nothing passes; when it ends, what was held arrives, in order,
// whoever had dialled and whoever had begun to read before.
func TestStreamThroughACut(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		says(t, near, "before ")
		hears(t, far, "before ")
		start := time.Now()
		read := make(chan time.Time, 2)
		go func() { read <- hears(t, near, "from bob") }() // reads already when the cut comes
		synctest.Wait()
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{Cut: true})
		says(t, near, "held ")
		says(t, far, "from bob")
		go func() { read <- hears(t, far, "held back, too") }()
		time.Sleep(5 * time.Second)
		says(t, near, "back, too")
		if len(read) > 0 {
			t.Error("something passed the cut")
		}
		near.SetReadDeadline(time.Now().Add(time.Second)) // of the read under way
		near.SetReadDeadline(time.Time{})
		time.Sleep(5 * time.Second)
		a.set(faulty.Table{})
		for range 2 {
			if at := <-read; at.Sub(start) != 10*time.Second {
				t.Errorf("heard after %v", at.Sub(start))
			}
		}
		says(t, near, "after")
		if at := hears(t, far, "after"); at.Sub(start) != 10*time.Second {
			t.Errorf("after the cut it takes until %v", at.Sub(start))
		}
	})
}

// In a cut deadlines work, writes block when the buffer is full, and Close
// returns at once; what was written goes its way when the cut ends.
func TestCallsInACut(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{Cut: true})
		near.SetDeadline(time.Now().Add(time.Second))
		sent, err := near.Write(make([]byte, 10<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || sent == 0 || sent > 1<<20 {
			t.Errorf("wrote %d bytes, %v", sent, err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read: %v", err)
		}
		start := time.Now()
		if err := near.Close(); err != nil || time.Since(start) != 0 {
			t.Errorf("close: %v after %v", err, time.Since(start))
		}
		for what, err := range map[string]error{"close": near.Close(), "write": second(near.Write([]byte("x"))), "read": second(near.Read(make([]byte, 1)))} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		far.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := far.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the other side reads %d, %v", n, err)
		}
		far.SetReadDeadline(time.Time{})
		a.set(faulty.Table{})
		got, err := io.ReadAll(far)
		if err != nil || len(got) != sent {
			t.Errorf("%d bytes arrived, %v, want %d", len(got), err, sent)
		}
	})
}

func second(_ int, err error) error { return err }

// A stream that was closed in a cut which does not end is reset.
func TestLingering(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{})
		near.Close()
		start := time.Now()
		_, err := far.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ECONNRESET) || time.Since(start) != 30*time.Second {
			t.Errorf("read %v after %v", err, time.Since(start))
		}
	})
}

// hesitant takes a second to note that a stream is to be reset.
type hesitant struct{ netx.Network }

func (n hesitant) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := n.Network.Dial(ctx, addr)
	return hesitantConn{c}, err
}

type hesitantConn struct{ net.Conn }

func (c hesitantConn) SetLinger(seconds int) error {
	time.Sleep(time.Second)
	return c.Conn.(interface{ SetLinger(seconds int) error }).SetLinger(seconds)
}

// What moves the parts of a stream notices that it is reset, and closes it,
// too: that must not come before the stream is one that ends by a reset.
func TestResetBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) })
		n := netsim.New()
		a, b := newHost(t, hesitant{n.Host(ipA)}, "alice", ipA+":0"), newHost(t, n.Host(ipB), "bob", ipB+":0")
		near, far := stream(t, a, b)
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{})
		near.Close()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read %v", err)
		}
	})
}

// The side that accepted holds a stream back as soon as it knows from whom it
// is, and hands it on as late as the side that dialled, not twice.
func TestAcceptedStream(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		far.(interface{ From(netip.AddrPort) }).From(a.addr)
		slow := faulty.Rule{Latency: 100 * ms}
		a.rule(b, slow, slow)
		b.rule(a, slow, slow)
		start := time.Now()
		says(t, near, "x")
		hears(t, far, "x")
		says(t, far, "y")
		if took := hears(t, near, "y").Sub(start); took != 200*ms {
			t.Errorf("there and back took %v", took)
		}
		a.set(faulty.Table{})
		b.rule(a, faulty.Rule{Cut: true}, faulty.Rule{Cut: true})
		says(t, near, "x")
		says(t, far, "y")
		for who, c := range map[string]net.Conn{"bob": far, "alice": near} {
			c.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s read through the cut: %v", who, err)
			}
		}
		b.set(faulty.Table{Self: "bob", Alone: true, Peers: []faulty.Peer{{Name: "alice", Addr: a.addr, To: slow, From: slow}}})
		near.SetReadDeadline(time.Time{})
		far.SetReadDeadline(time.Time{})
		hears(t, near, "y")
		hears(t, far, "x")
		start = time.Now()
		says(t, near, "x")
		hears(t, far, "x")
		says(t, far, "y")
		if took := hears(t, near, "y").Sub(start); took != 200*ms {
			t.Errorf("where one has a table, there and back took %v", took)
		}
	})
}

// Streams without a name are refused by a host that alone knows of a cut.
func TestStreamsOfUnknownOrigin(t *testing.T) {
	for name, c := range map[string]struct {
		alone   bool
		rule    faulty.Rule
		refused bool
	}{
		"alone, cut":     {true, faulty.Rule{Cut: true}, true},
		"alone, slow":    {true, faulty.Rule{Latency: 1}, false},
		"mirrored, cut":  {false, faulty.Rule{Cut: true}, false},
		"alone, no rule": {true, faulty.Rule{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			pair(t, func(t *testing.T, a, b *host) {
				near, far := stream(t, a, b)
				b.set(faulty.Table{Self: "bob", Alone: c.alone, Peers: []faulty.Peer{{Name: "alice", Addr: a.addr, To: c.rule}}})
				far.(interface{ From(netip.AddrPort) }).From(netip.AddrPort{})
				_, err := near.Write([]byte("x"))
				if refused := errors.Is(err, syscall.ECONNRESET); refused != c.refused {
					t.Errorf("write: %v", err)
				}
				if _, err := far.Write([]byte("x")); errors.Is(err, syscall.ECONNRESET) != c.refused {
					t.Errorf("write of the other side: %v", err)
				}
			})
		})
	}
}

func TestStreamTimes(t *testing.T) {
	for name, c := range map[string]struct {
		to, from faulty.Rule
		want     time.Duration // of a there and back, of 1000 bytes each
	}{
		"latency": {faulty.Rule{Latency: 100 * ms}, faulty.Rule{Latency: 50 * ms}, 150 * ms},
		"rate":    {faulty.Rule{Rate: 8000}, faulty.Rule{Rate: 16000}, 1500 * ms},
		"loss":    {faulty.Rule{Loss: 1}, faulty.Rule{}, 12600 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			pair(t, func(t *testing.T, a, b *host) {
				near, far := stream(t, a, b)
				a.rule(b, c.to, c.from)
				start := time.Now()
				text := strings.Repeat("x", 1000)
				says(t, near, text)
				hears(t, far, text)
				says(t, far, text)
				if took := hears(t, near, text).Sub(start); took != c.want {
					t.Errorf("there and back took %v, want %v", took, c.want)
				}
			})
		})
	}
}

// A long transfer over a slow link keeps its rate, and its bytes their order.
func TestStreamOrder(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		a.rule(b, faulty.Rule{Latency: 50 * ms, Jitter: 100 * ms, Loss: 0.1, Rate: 8_000_000}, faulty.Rule{})
		var want bytes.Buffer
		for i := 0; want.Len() < 1_000_000; i++ {
			fmt.Fprintln(&want, i)
		}
		start := time.Now()
		go func() {
			near.Write(want.Bytes())
			near.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d bytes of %d arrived, or in another order: %v", len(got), want.Len(), err)
		}
		if took := time.Since(start); took < time.Second || took > 6*time.Second {
			t.Errorf("a megabyte at a megabyte a second took %v", took)
		}
	})
}

func TestDial(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		go func() {
			for {
				c, err := b.streams.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		}()
		for name, c := range map[string]struct {
			to, from faulty.Rule
			want     time.Duration
		}{
			"latency":         {faulty.Rule{Latency: 100 * ms}, faulty.Rule{Latency: 50 * ms}, 150 * ms},
			"a cut that ends": {faulty.Rule{Cut: true}, faulty.Rule{}, 2 * time.Second},
			"the other way":   {faulty.Rule{}, faulty.Rule{Cut: true}, 2 * time.Second},
		} {
			a.rule(b, c.to, c.from)
			start := time.Now()
			heal := time.AfterFunc(2*time.Second, func() { a.set(faulty.Table{}) })
			conn, err := a.Dial(t.Context(), b.addr.String())
			if err != nil || time.Since(start) != c.want {
				t.Errorf("%s: %v after %v, want %v", name, err, time.Since(start), c.want)
			}
			conn.Close()
			heal.Stop()
		}
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Dial(ctx, b.addr.String()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a dial across a cut: %v", err)
		}
	})
}

func TestReset(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		a.rule(b, faulty.Rule{}, faulty.Rule{})
		b.rule(a, faulty.Rule{}, faulty.Rule{})
		direct, farDirect := stream(t, a, b)
		a.rule(b, faulty.Rule{Latency: ms}, faulty.Rule{Latency: ms})
		queued, farQueued := stream(t, a, b)
		says(t, queued, "x")
		hears(t, farQueued, "x")
		reading := make(chan error, 2)
		for _, c := range []net.Conn{direct, queued} {
			go func() { reading <- second(c.Read(make([]byte, 1))) }()
		}
		synctest.Wait()
		if n, err := a.Reset([]string{"bob"}); n != 2 || err != nil {
			t.Errorf("%d streams were reset, %v", n, err)
		}
		for range 2 {
			if err := <-reading; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a read under way: %v", err)
			}
		}
		for _, c := range []net.Conn{direct, farDirect, queued, farQueued} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a read: %v", err)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a write: %v", err)
			}
			if err := c.Close(); err != nil {
				t.Errorf("a close: %v", err)
			}
		}
		if n, err := a.Reset([]string{"bob"}); n != 0 || err != nil {
			t.Errorf("a second time %d streams were reset, %v", n, err)
		}
		if _, err := a.Reset([]string{"nobody"}); !errors.Is(err, faulty.ErrTable) {
			t.Errorf("a reset with nobody: %v", err)
		}
	})
}

func TestTablesThatMakeNoSense(t *testing.T) {
	n := faulty.New(netx.Real{})
	addr := netip.MustParseAddrPort("127.0.0.1:1")
	good := faulty.Table{Self: "alice", Peers: []faulty.Peer{{Name: "bob", Addr: addr}}}
	if err := n.Set(good); err != nil {
		t.Fatal(err)
	}
	for name, peers := range map[string][]faulty.Peer{
		"no name":          {{Addr: addr}},
		"no address":       {{Name: "bob"}},
		"no port":          {{Name: "bob", Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		"a name twice":     {{Name: "bob", Addr: addr}, {Name: "bob", Addr: netip.MustParseAddrPort("127.0.0.1:2")}},
		"an address twice": {{Name: "bob", Addr: addr}, {Name: "dora", Addr: netip.MustParseAddrPort("[::ffff:127.0.0.1]:1")}},
		"a chance of two":  {{Name: "bob", Addr: addr, To: faulty.Rule{Loss: 2}}},
		"a delay below 0":  {{Name: "bob", Addr: addr, From: faulty.Rule{Latency: -1}}},
	} {
		if err := n.Set(faulty.Table{Peers: peers}); !errors.Is(err, faulty.ErrTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := n.Table(); len(got.Peers) != 1 || got.Self != "alice" {
		t.Errorf("the table is %+v", got)
	}
}
