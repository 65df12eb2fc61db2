package netx_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
)

// serve opens and serves an endpoint on a host of n.
func serve(t *testing.T, n *netsim.Net, ip string) *netx.Endpoint {
	t.Helper()
	e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: n.Host(ip), Addr: ip + ":0"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(context.Background()) }()
	t.Cleanup(func() {
		e.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestSilentStranger: who says nothing, or half of it, is cut off after three
// seconds, and who has said it may be silent for as long as he likes.
func TestSilentStranger(t *testing.T) {
	for _, test := range []struct {
		name, says string
		stays      bool
	}{
		{"nothing", "", false},
		{"half a preface", "PL\x01\x04ch", false},
		{"a preface", "PL\x01\x04chat", true},
		{"something else", "\x03", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := netsim.New()
				e := serve(t, n, "10.0.0.1")
				var read sync.WaitGroup
				defer read.Wait()
				keep := func(conn net.Conn) {
					read.Go(func() {
						io.Copy(io.Discard, conn)
						conn.Close()
					})
				}
				e.Handle("", keep)
				e.Handle("chat", keep)
				conn, err := n.Host("10.0.0.2").Dial(t.Context(), e.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				begin := time.Now()
				io.WriteString(conn, test.says)
				conn.SetReadDeadline(begin.Add(time.Hour))
				_, err = io.Copy(io.Discard, conn)
				if stayed := time.Since(begin) == time.Hour; stayed != test.stays {
					t.Errorf("it was ended after %v: %v", time.Since(begin), err)
				}
				if !test.stays && time.Since(begin) != 3*time.Second {
					t.Errorf("it took %v", time.Since(begin))
				}
			})
		})
	}
}

// TestDialUnanswered: a peer that accepts and does not answer costs a bounded
// time, with any context.
func TestDialUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.New()
		e := serve(t, n, "10.0.0.1")
		ln, err := n.Host("10.0.0.2").Listen(t.Context(), ":7000")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		begin := time.Now()
		_, err = e.Dial(context.Background(), "10.0.0.2:7000", "chat")
		if !errors.Is(err, netx.ErrNoPreface) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err = e.Dial(ctx, "10.0.0.2:7000", "chat"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// TestOpenTriesPorts: the free packet port whose number is busy for streams
// is not the last word, and twenty of them are.
func TestOpenTriesPorts(t *testing.T) {
	for _, test := range []struct {
		busy int
		want error
	}{{19, nil}, {20, syscall.EADDRINUSE}} {
		host := netsim.New().Host("10.0.0.1")
		for range test.busy {
			ln, err := host.Listen(t.Context(), ":0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
		}
		e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: host, Addr: ":0"})
		if err == nil {
			e.Close()
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%d busy ports: error %v, want %v", test.busy, err, test.want)
		}
	}
}

// TestHTTPStuck: a request that does not end is cut off after two seconds,
// and its handler is waited for.
func TestHTTPStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.New()
		ln, err := n.Host("10.0.0.1").Listen(t.Context(), ":80")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := false
		stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
			time.Sleep(time.Second) // tidies up
			left = true
		})
		client := netx.HTTPClient(n.Host("10.0.0.2"), time.Minute)
		defer client.CloseIdleConnections()
		failed := make(chan error, 1)
		go func() {
			resp, err := client.Get("http://10.0.0.1/")
			if err == nil {
				resp.Body.Close()
			}
			failed <- err
		}()
		begin := time.Now()
		if err := netx.ServeHTTP(ctx, ln, stuck); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); !left || took.Round(100*time.Millisecond) != 3*time.Second {
			t.Errorf("it took %v, and the handler returned: %v", took, left)
		}
		if err := <-failed; err == nil {
			t.Error("the client was answered")
		}
	})
}

// TestHTTPHijacked: a handler that took over its connection learns of the end
// by its context, at once.
func TestHTTPHijacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.New()
		ln, err := n.Host("10.0.0.1").Listen(t.Context(), ":80")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		taken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			cancel()
			<-r.Context().Done()
		})
		conn, err := n.Host("10.0.0.2").Dial(t.Context(), "10.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		begin := time.Now()
		if err := netx.ServeHTTP(ctx, ln, taken); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestHTTPListenerFails: an end that nobody asked for is an error.
func TestHTTPListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := netsim.New().Host("10.0.0.1")
		ln, err := host.Listen(t.Context(), ":80")
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, host.Crash)
		if err := netx.ServeHTTP(t.Context(), ln, http.NotFoundHandler()); !errors.Is(err, netsim.ErrCrashed) {
			t.Errorf("error %v", err)
		}
	})
}

// TestServeJoins: what a handler does has been done when Serve returns.
func TestServeJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := netsim.New().Host("10.0.0.1")
		e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: host, Addr: ":0"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		handled := false
		e.Handle("chat", func(conn net.Conn) {
			cancel()
			time.Sleep(time.Second)
			conn.Close()
			handled = true
		})
		go func() {
			if conn, err := e.Dial(t.Context(), e.Addr().String(), "chat"); err == nil {
				conn.Close()
			}
		}()
		if err := e.Serve(ctx); err != nil || !handled {
			t.Errorf("error %v; handled: %v", err, handled)
		}
	})
}

// TestServeCrash: an endpoint whose host crashes has not ended in order.
func TestServeCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := netsim.New().Host("10.0.0.1")
		e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: host, Addr: ":0"})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, host.Crash)
		if err := e.Serve(t.Context()); !errors.Is(err, netsim.ErrCrashed) {
			t.Errorf("error %v", err)
		}
	})
}
