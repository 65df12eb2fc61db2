package netxtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/netx"
)

func streamCases() []Case {
	return []Case{
		{"streams go both ways", streamsBothWays},
		{"a stream's addresses", streamAddresses},
		{"a stream pushes back", streamPushBack},
		{"a stream ends after its last byte", streamEnd},
		{"a stream is closed in halves", streamHalves},
		{"a write to one who is gone", streamGone},
		{"a busy stream port", streamBusy},
		{"nobody listens", dialRefused},
		{"a dial has a context", dialContext},
		{"closing a listener ends an accept", listenerClosed},
		{"a stream outlives its listener", listenerOutlived},
		{"HTTP", httpRound},
		{"HTTP ends in order", httpEnds},
	}
}

func (p Pair) listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := p.B.Listen(patient(t), p.addrB("0"))
	return closing(t, must(t, ln, err))
}

// stream opens a stream from A to B.
func (p Pair) stream(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln := p.listen(t)
	defer ln.Close()
	a, err := p.A.Dial(patient(t), ln.Addr().String())
	closing(t, must(t, a, err))
	b, err = ln.Accept()
	closing(t, must(t, b, err))
	a.SetDeadline(deadline())
	b.SetDeadline(deadline())
	return a, b
}

func send(t *testing.T, to io.Writer, s string) {
	t.Helper()
	if n, err := io.WriteString(to, s); err != nil || n != len(s) {
		t.Fatalf("write of %q is %d, %v", s, n, err)
	}
}

func receive(t *testing.T, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, want %q", got[:n], err, want)
	}
}

func receiveEnd(t *testing.T, from io.Reader) {
	t.Helper()
	if n, err := from.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read is %d, %v, want the end", n, err)
	}
}

func streamsBothWays(t *testing.T, p Pair) {
	a, b := p.stream(t)
	for range 3 {
		send(t, a, "ping")
		receive(t, b, "ping")
		send(t, b, "pong")
		receive(t, a, "pong")
	}
	send(t, a, "in ")
	send(t, a, "pieces")
	receive(t, b, "in pie")
	receive(t, b, "ces")
}

func streamAddresses(t *testing.T, p Pair) {
	ln := p.listen(t)
	if got := host(t, ln.Addr()); got != p.HostB || port(t, ln.Addr()) == "0" {
		t.Errorf("listener's address is %s", ln.Addr())
	}
	a, err := p.A.Dial(patient(t), ln.Addr().String())
	closing(t, must(t, a, err))
	b, err := ln.Accept()
	closing(t, must(t, b, err))
	for what, pair := range map[string][2]net.Addr{
		"remote of the dialler":  {a.RemoteAddr(), ln.Addr()},
		"local of the acceptor":  {b.LocalAddr(), ln.Addr()},
		"remote of the acceptor": {b.RemoteAddr(), a.LocalAddr()},
	} {
		if pair[0].String() != pair[1].String() || pair[0].Network() != "tcp" {
			t.Errorf("%s is %s %s, want tcp %s", what, pair[0].Network(), pair[0], pair[1])
		}
	}
	if got := host(t, b.RemoteAddr()); got != p.HostA {
		t.Errorf("the dialler's host is %s, want %s", got, p.HostA)
	}
}

// streamPushBack writes until the stream takes no more, and then reads it all.
func streamPushBack(t *testing.T, p Pair) {
	a, b := p.stream(t)
	chunk := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
	const limit = 1 << 30
	sent := 0
	for sent < limit {
		a.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := a.Write(chunk)
		sent += n
		if err != nil {
			break
		}
	}
	if sent >= limit {
		t.Fatalf("took %d bytes that nobody read", sent)
	}
	a.Close()
	got, err := io.Copy(io.Discard, b)
	if err != nil || got != int64(sent) {
		t.Errorf("read %d bytes, %v, want %d", got, err, sent)
	}
}

func streamEnd(t *testing.T, p Pair) {
	a, b := p.stream(t)
	send(t, a, "last words")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	receive(t, b, "last words")
	receiveEnd(t, b)
	receiveEnd(t, b)
	_, err := a.Read(make([]byte, 1))
	wantError(t, "read", err, net.ErrClosed)
	_, err = a.Write([]byte("x"))
	wantError(t, "write", err, net.ErrClosed)
	wantError(t, "close", a.Close(), net.ErrClosed)
}

func streamHalves(t *testing.T, p Pair) {
	a, b := p.stream(t)
	half, ok := a.(interface{ CloseWrite() error })
	if !ok {
		t.Skip("needs streams that can be closed by halves: those of this network cannot")
	}
	send(t, a, "question")
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write([]byte("more")); !isReset(err) {
		t.Errorf("write after CloseWrite: error %v", err)
	}
	receive(t, b, "question")
	receiveEnd(t, b)
	send(t, b, "answer")
	b.Close()
	receive(t, a, "answer")
	receiveEnd(t, a)
}

func streamGone(t *testing.T, p Pair) {
	a, b := p.stream(t)
	b.Close()
	for {
		if _, err := a.Write([]byte("into the void")); isReset(err) {
			return
		} else if err != nil {
			t.Fatalf("write: %v", err)
		}
	}
}

func streamBusy(t *testing.T, p Pair) {
	addr := freeForBoth(t, p.B, p.addrB("0"))
	ln, err := p.B.Listen(patient(t), addr)
	closing(t, must(t, ln, err))
	_, err = p.B.Listen(patient(t), addr)
	wantError(t, "the same port again", err, syscall.EADDRINUSE)
	packets, err := p.B.ListenPacket(patient(t), addr)
	if err != nil {
		t.Errorf("the packet port of the same number: %v", err)
	} else {
		packets.Close()
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := p.B.Listen(patient(t), addr)
	closing(t, must(t, again, err))
}

func dialRefused(t *testing.T, p Pair) {
	ln := p.listen(t)
	ln.Close()
	conn, err := p.A.Dial(patient(t), ln.Addr().String())
	if err == nil {
		conn.Close()
	}
	wantError(t, "dial", err, syscall.ECONNREFUSED)
}

func dialContext(t *testing.T, p Pair) {
	ln := p.listen(t)
	ctx, cancel := context.WithCancel(patient(t))
	a, err := p.A.Dial(ctx, ln.Addr().String())
	closing(t, must(t, a, err))
	cancel()
	b, err := ln.Accept()
	closing(t, must(t, b, err))
	send(t, a, "still here")
	receive(t, b, "still here")

	_, err = p.A.Dial(ctx, ln.Addr().String())
	wantError(t, "dial", err, context.Canceled)
}

func listenerClosed(t *testing.T, p Pair) {
	ln := p.listen(t)
	ended := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		ended <- err
	}()
	ln.Close()
	wantError(t, "an accept under way", <-ended, net.ErrClosed)
	_, err := ln.Accept()
	wantError(t, "an accept", err, net.ErrClosed)
	wantError(t, "a close", ln.Close(), net.ErrClosed)
}

func listenerOutlived(t *testing.T, p Pair) {
	a, b := p.stream(t) // its listener is closed
	send(t, a, "hello")
	receive(t, b, "hello")
	again, err := p.B.Listen(patient(t), b.LocalAddr().String())
	closing(t, must(t, again, err))
}

// serveHTTP serves h at B until the test ends or stop is called.
func (p Pair) serveHTTP(t *testing.T, h http.Handler) (url string, stop func() error) {
	ln := p.listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- netx.ServeHTTP(ctx, ln, h) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- nil
		return err
	}
	t.Cleanup(func() { stop() })
	return "http://" + ln.Addr().String(), stop
}

func get(t *testing.T, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(patient(t), http.MethodGet, url, nil)
	resp, err := client.Do(must(t, req, err))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (p Pair) client(t *testing.T) *http.Client {
	client := netx.HTTPClient(p.A, patience)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func httpRound(t *testing.T, p Pair) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1") // must not be asked
	url, stop := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s from %s", r.URL.Path, r.RemoteAddr)
	}))
	client := p.client(t)
	first, err := get(t, client, url+"/path")
	if err != nil || !strings.HasPrefix(first, "/path from "+p.HostA+":") {
		t.Fatalf("got %q, %v", first, err)
	}
	if second, err := get(t, client, url+"/path"); err != nil || second != first {
		t.Errorf("got %q, %v, want the same connection: %q", second, err, first)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	_, err = get(t, client, url)
	wantError(t, "get after the end", err, syscall.ECONNREFUSED)
}

// httpEnds stops a server that has a request under way.
func httpEnds(t *testing.T, p Pair) {
	entered, release := make(chan struct{}), make(chan struct{})
	url, stop := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "in peace")
	}))
	client := p.client(t)
	answered := make(chan string, 1)
	go func() {
		body, err := get(t, client, url)
		answered <- fmt.Sprint(body, err)
	}()
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for i := 0; ; i++ { // until the port is closed
		if i > 5000 {
			t.Fatal("the port stays open")
		}
		conn, err := p.A.Dial(patient(t), strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		conn.Close()
		time.Sleep(time.Millisecond)
	}
	close(release)
	if got := <-answered; got != "in peace<nil>" {
		t.Errorf("the request under way got %s", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
