package bootstrap_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/netx"
)

// pipes is a listener in memory: a network of one address. Close ends it.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

func (p *pipes) Dial(ctx context.Context, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- pipeConn{theirs}:
		return ours, nil
	case <-p.done:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipeConn is a connection whose own end has the listener's address.
type pipeConn struct{ net.Conn }

func (pipeConn) LocalAddr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "10.0.0.1:8080" }

// serve runs a handler in memory until the test ends.
func serve(t testing.TB, h http.Handler) *pipes {
	t.Helper()
	p := newPipes()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- netx.ServeHTTP(ctx, p, h) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return p
}

// service is a service in memory and a client of it.
func service(t testing.TB, c bootstrap.HandlerConfig) *bootstrap.Client {
	t.Helper()
	if c.Store == nil {
		c.Store = bootstrap.NewMemoryStore()
	}
	h, err := bootstrap.NewHandler(c)
	if err != nil {
		t.Fatal(err)
	}
	return client(t, serve(t, h), c.Token)
}

func client(t testing.TB, p *pipes, token string) *bootstrap.Client {
	t.Helper()
	c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: "http://127.0.0.1:8080", Token: token, Dial: p.Dial})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func alice() bootstrap.JoinRequest {
	return bootstrap.JoinRequest{ID: "id-alice", Name: "alice", Boot: 1, Addr: "127.0.0.1:4001", TTL: time.Minute}
}
