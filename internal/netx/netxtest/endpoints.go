package netxtest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/netx"
)

func endpointCases() []Case {
	return []Case{
		{"an endpoint has one address", endpointAddress},
		{"an endpoint's port is busy", endpointBusy},
		{"streams go to their labels", endpointLabels},
		{"a stream without a preface", endpointPlain},
		{"nobody handles a label", endpointNoHandler},
		{"handlers change", endpointHandlersChange},
		{"streams of another version", endpointVersions},
		{"streams say where they come from", endpointOrigin},
		{"bytes that are no preface", endpointGarbage},
		{"an address without an endpoint", endpointNone},
		{"a label that is none", endpointBadLabel},
		{"strangers who say nothing", endpointStrangers},
		{"an endpoint ends with its context", endpointContext},
		{"an endpoint is closed", endpointClosed},
	}
}

// freeForBoth finds a port that is free for packets and for streams. On a busy
// machine that of one kind is often taken for the other.
func freeForBoth(t *testing.T, n netx.Network, addr string) string {
	t.Helper()
	e, err := netx.Open(patient(t), netx.EndpointConfig{Network: n, Addr: addr})
	found := must(t, e, err).Addr().String()
	e.Close()
	return found
}

// endpoint opens an endpoint on B and serves it until the test ends.
func (p Pair) endpoint(t *testing.T) *netx.Endpoint {
	t.Helper()
	e, err := netx.Open(patient(t), netx.EndpointConfig{Network: p.B, Addr: p.addrB("0")})
	closing(t, must(t, e, err))
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(context.Background()) }()
	t.Cleanup(func() {
		e.Close()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return e
}

// dialler opens an endpoint on A that nobody serves.
func (p Pair) dialler(t *testing.T) *netx.Endpoint {
	t.Helper()
	e, err := netx.Open(patient(t), netx.EndpointConfig{Network: p.A, Addr: p.addrA("0")})
	return closing(t, must(t, e, err))
}

// streams receives what is handed to it.
type streams chan net.Conn

func newStreams() streams { return make(streams, 1) }

func (s streams) handle(conn net.Conn) { s <- conn }

func (s streams) next(t *testing.T) net.Conn {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case conn := <-s:
		conn.SetDeadline(deadline())
		return closing(t, conn)
	case <-timer.C:
		t.Fatal("no stream was handed over")
		return nil
	}
}

func dial(t *testing.T, from, to *netx.Endpoint, label string) net.Conn {
	t.Helper()
	conn, err := from.Dial(patient(t), to.Addr().String(), label)
	closing(t, must(t, conn, err))
	conn.SetDeadline(deadline())
	return conn
}

func (p Pair) plain(t *testing.T, to netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := p.A.Dial(patient(t), to.String())
	closing(t, must(t, conn, err))
	conn.SetDeadline(deadline())
	return conn
}

// wantClosed wants a stream to end without a byte, and soon: before it would
// be ended for its silence.
func wantClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	n, err := conn.Read(make([]byte, 1))
	if n != 0 || (!errors.Is(err, io.EOF) && !isReset(err)) {
		t.Errorf("read is %d, %v, want the end", n, err)
	}
}

func endpointAddress(t *testing.T, p Pair) {
	b := p.endpoint(t)
	a, _ := p.packets(t)
	if got := b.Addr(); got.Addr().String() != p.HostB || got.Port() == 0 {
		t.Fatalf("address is %s", got)
	}
	sendPacket(t, a, net.UDPAddrFromAddrPort(b.Addr()), []byte("hello"))
	if got, _ := receivePacket(t, b.PacketConn()); string(got) != "hello" {
		t.Errorf("got %q", got)
	}
	got := newStreams()
	b.Handle("x", got.handle)
	conn := dial(t, p.dialler(t), b, "x")
	if conn.RemoteAddr().String() != b.Addr().String() {
		t.Errorf("the stream leads to %s, want %s", conn.RemoteAddr(), b.Addr())
	}
	got.next(t)
}

func endpointBusy(t *testing.T, p Pair) {
	addr := freeForBoth(t, p.B, p.addrB("0"))
	packets, err := p.B.ListenPacket(patient(t), addr)
	closing(t, must(t, packets, err))
	open := func() error {
		e, err := netx.Open(patient(t), netx.EndpointConfig{Network: p.B, Addr: addr})
		if err == nil {
			e.Close()
		}
		return err
	}
	wantError(t, "busy for packets", open(), syscall.EADDRINUSE)
	ln, err := p.B.Listen(patient(t), addr)
	closing(t, must(t, ln, err)) // it was not left busy
	packets.Close()
	wantError(t, "busy for streams", open(), syscall.EADDRINUSE)
	again, err := p.B.ListenPacket(patient(t), addr)
	must(t, again, err).Close()
	ln.Close()
	if err := open(); err != nil {
		t.Errorf("free for both: %v", err)
	}
}

func endpointLabels(t *testing.T, p Pair) {
	a, b := p.dialler(t), p.endpoint(t)
	chat, dict := newStreams(), newStreams()
	b.Handle("chat", chat.handle)
	b.Handle("dict", dict.handle)
	for _, label := range []struct {
		name string
		got  streams
	}{{"chat", chat}, {"dict", dict}, {"chat", chat}} {
		near := dial(t, a, b, label.name)
		send(t, near, "hello "+label.name)
		far := label.got.next(t)
		receive(t, far, "hello "+label.name)
		send(t, far, "welcome")
		far.Close()
		receive(t, near, "welcome")
		receiveEnd(t, near)
		if got := host(t, far.RemoteAddr()); got != p.HostA {
			t.Errorf("the dialler is %s, want %s", got, p.HostA)
		}
	}
}

// endpointPlain opens streams as a memberlist node does: the first byte says
// what they are, and must not get lost.
func endpointPlain(t *testing.T, p Pair) {
	a, b := p.dialler(t), p.endpoint(t)
	got := newStreams()
	b.Handle("", got.handle)
	for _, first := range []string{"\x00", "\x0e", "\xf4", "L"} {
		near := dial(t, a, b, "")
		send(t, near, first)
		far := got.next(t)
		send(t, near, "rest")
		if n, err := far.Read(nil); n != 0 || err != nil {
			t.Errorf("empty read is %d, %v", n, err)
		}
		receive(t, far, first+"rest")
		wantCloseWrite(t, near, far)
		far.SetReadDeadline(time.Unix(1, 0))
		_, err := far.Read(make([]byte, 1))
		wantError(t, "a deadline", err, os.ErrDeadlineExceeded)
		near.Close()
		far.Close()
	}
}

// wantCloseWrite wants the far end to be closed in halves if the near one is.
func wantCloseWrite(t *testing.T, near, far net.Conn) {
	t.Helper()
	type closeWriter interface{ CloseWrite() error }
	if _, ok := near.(closeWriter); !ok {
		return
	}
	half, ok := far.(closeWriter)
	if !ok {
		t.Errorf("%T lost its CloseWrite", far)
		return
	}
	if err := half.CloseWrite(); err != nil {
		t.Error(err)
	}
	receiveEnd(t, near)
}

func endpointNoHandler(t *testing.T, p Pair) {
	a, b := p.dialler(t), p.endpoint(t)
	_, err := a.Dial(patient(t), b.Addr().String(), "chat")
	wantError(t, "dial", err, netx.ErrNoHandler)
	wantLine(t, err, "chat", b.Addr().String())

	plain := p.plain(t, b.Addr())
	send(t, plain, "\x03")
	wantClosed(t, plain)
}

func endpointHandlersChange(t *testing.T, p Pair) {
	a, b := p.dialler(t), p.endpoint(t)
	first, second := newStreams(), newStreams()
	b.Handle("chat", first.handle)
	dial(t, a, b, "chat")
	first.next(t)
	b.Handle("chat", second.handle)
	dial(t, a, b, "chat")
	second.next(t)
	b.Handle("chat", nil)
	_, err := a.Dial(patient(t), b.Addr().String(), "chat")
	wantError(t, "dial", err, netx.ErrNoHandler)
}

func endpointVersions(t *testing.T, p Pair) {
	b := p.endpoint(t)
	b.Handle("chat", func(conn net.Conn) {
		t.Error("a stream of another version was handed over")
		conn.Close()
	})
	old := p.plain(t, b.Addr())
	send(t, old, "PL\x09\x04chat")
	receive(t, old, "\x02\x02")
	receiveEnd(t, old)

	a := p.dialler(t)
	addr := p.answer(t, chatPreface(a), "\x02\x09")
	_, err := a.Dial(patient(t), addr, "chat")
	wantError(t, "dial", err, netx.ErrVersion)
	wantLine(t, err, "version 9", "this one 2")

	got := newStreams()
	b.Handle("chat", got.handle)
	older := p.plain(t, b.Addr())
	send(t, older, "PL\x01\x04chat")
	receive(t, older, "\x00")
	send(t, older, "hello")
	receive(t, got.next(t), "hello")
}

// chatPreface is the preface of a stream for chat from an endpoint.
func chatPreface(from *netx.Endpoint) string {
	ip, port := from.Addr().Addr().AsSlice(), from.Addr().Port()
	return "PL\x02\x04chat" + string(byte(len(ip)+2)) + string(ip) + string([]byte{byte(port >> 8), byte(port)})
}

// knowing is a network whose accepted streams are told where they come from.
type knowing struct {
	netx.Network
	told chan netip.AddrPort
}

func (k knowing) Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := k.Network.Listen(ctx, addr)
	return knowingListener{l, k}, err
}

type knowingListener struct {
	net.Listener
	knowing knowing
}

func (l knowingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return knowingStream{c, l.knowing}, err
}

type knowingStream struct {
	net.Conn
	knowing knowing
}

func (s knowingStream) From(addr netip.AddrPort) { s.knowing.told <- addr }

func endpointOrigin(t *testing.T, p Pair) {
	k := knowing{p.B, make(chan netip.AddrPort, 1)}
	b := Pair{A: p.A, B: k, HostA: p.HostA, HostB: p.HostB}.endpoint(t)
	got := newStreams()
	b.Handle("chat", got.handle)
	b.Handle("", got.handle)

	a := p.dialler(t)
	dial(t, a, b, "chat")
	got.next(t)
	if from := <-k.told; from != a.Addr() {
		t.Errorf("a stream from %s says that it is from %s", a.Addr(), from)
	}
	advertised := netip.MustParseAddrPort("192.0.2.1:7")
	e, err := netx.Open(patient(t), netx.EndpointConfig{Network: p.A, Addr: p.addrA("0"), Advertise: advertised})
	dial(t, closing(t, must(t, e, err)), b, "chat")
	got.next(t)
	if from := <-k.told; from != advertised {
		t.Errorf("a stream from %s says that it is from %s", advertised, from)
	}
	for _, silent := range []string{"\x00", "PL\x01\x04chat", "PL\x02\x04chat\x00"} {
		send(t, p.plain(t, b.Addr()), silent)
		got.next(t)
		if from := <-k.told; from.IsValid() {
			t.Errorf("a stream that begins with %q says that it is from %s", silent, from)
		}
	}
}

// answer listens on B for one stream, reads question and writes the answer.
func (p Pair) answer(t *testing.T, question, answer string) (addr string) {
	ln := p.listen(t)
	done := make(chan struct{})
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(deadline())
		got := make([]byte, len(question))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != question {
			t.Errorf("the preface is %q, %v, want %q", got, err, question)
		}
		io.WriteString(conn, answer)
	}()
	return ln.Addr().String()
}

func endpointGarbage(t *testing.T, p Pair) {
	b := p.endpoint(t)
	b.Handle("", func(conn net.Conn) {
		t.Error("garbage was handed over")
		conn.Close()
	})
	for _, garbage := range []string{"POST / HTTP/1.1\r\n", "PL\x01\x00", "PL\x02\x01a\x05"} {
		conn := p.plain(t, b.Addr())
		send(t, conn, garbage)
		wantClosed(t, conn)
	}
}

func endpointNone(t *testing.T, p Pair) {
	a := p.dialler(t)
	for _, answer := range []string{"", "\x07", "\x02"} {
		_, err := a.Dial(patient(t), p.answer(t, chatPreface(a), answer), "chat")
		wantError(t, "dial", err, netx.ErrNoPreface)
	}
	silent := p.listen(t)
	ctx, cancel := context.WithTimeout(patient(t), 50*time.Millisecond)
	defer cancel()
	_, err := a.Dial(ctx, silent.Addr().String(), "chat")
	wantError(t, "dial", err, context.DeadlineExceeded)
	silent.Close()
	_, err = a.Dial(patient(t), silent.Addr().String(), "chat")
	wantError(t, "dial", err, syscall.ECONNREFUSED)
}

func endpointBadLabel(t *testing.T, p Pair) {
	a, b := p.dialler(t), p.endpoint(t)
	got := newStreams()
	longest := strings.Repeat("x", netx.MaxLabel)
	b.Handle(longest, got.handle)
	dial(t, a, b, longest)
	got.next(t)
	if _, err := a.Dial(patient(t), b.Addr().String(), longest+"x"); err == nil {
		t.Error("a label that is too long was taken")
	}
}

// endpointStrangers connects many times without a word. Who has something to
// say must get through, and the crowd must not grow.
func endpointStrangers(t *testing.T, p Pair) {
	const crowd = 300
	a, b := p.dialler(t), p.endpoint(t)
	got := newStreams()
	b.Handle("chat", got.handle)
	var strangers []net.Conn
	for range crowd {
		strangers = append(strangers, p.plain(t, b.Addr()))
	}
	near := dial(t, a, b, "chat")
	send(t, near, "hello")
	receive(t, got.next(t), "hello")
	wantClosed(t, strangers[0])
}

func endpointContext(t *testing.T, p Pair) {
	e, err := netx.Open(patient(t), netx.EndpointConfig{Network: p.B, Addr: p.addrB("0")})
	closing(t, must(t, e, err))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(ctx) }()
	got := newStreams()
	e.Handle("chat", got.handle)
	near := dial(t, p.dialler(t), e, "chat")
	far := got.next(t)
	silent := p.plain(t, e.Addr())
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
	wantClosed(t, silent)
	send(t, near, "handed over, so not ended")
	receive(t, far, "handed over, so not ended")
	_, _, err = e.PacketConn().ReadFrom(make([]byte, 1))
	wantError(t, "read of packets", err, net.ErrClosed)
	if err := e.Serve(t.Context()); err == nil {
		t.Error("it was served twice")
	}
}

func endpointClosed(t *testing.T, p Pair) {
	e := p.endpoint(t)
	silent := p.plain(t, e.Addr())
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantClosed(t, silent)
	_, err := p.A.Dial(patient(t), e.Addr().String())
	wantError(t, "dial", err, syscall.ECONNREFUSED)
	again, err := netx.Open(patient(t), netx.EndpointConfig{Network: p.B, Addr: e.Addr().String()})
	closing(t, must(t, again, err))
}
