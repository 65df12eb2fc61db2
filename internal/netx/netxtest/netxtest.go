// Package netxtest is the conformance suite of the network seam: what every
// netx.Network must do, and what a netx.Endpoint does on each. A new network
// is proved by one call of Run; Cases are for those who run them their own
// way, in a testing/synctest bubble for instance.
package netxtest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/peerlab/peerlab/internal/netx"
)

// Pair is two networks that reach each other, which may be the same one.
type Pair struct {
	A, B         netx.Network
	HostA, HostB string // IP addresses to listen on, and to dial from the other side
}

// Case is one test of the suite. It starts no sub-tests.
type Case struct {
	Name string
	Run  func(t *testing.T, p Pair)
}

// Cases are the whole suite, but for the tests of nettest.TestConn.
func Cases() []Case {
	return append(append(packetCases(), streamCases()...), endpointCases()...)
}

// Run runs the whole suite. newPair makes a pair for each test.
func Run(t *testing.T, newPair func(t *testing.T) (a, b netx.Network, hostA, hostB string)) {
	pair := func(t *testing.T) (p Pair) {
		p.A, p.B, p.HostA, p.HostB = newPair(t)
		return p
	}
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, pair(t)) })
	}
	t.Run("nettest", func(t *testing.T) {
		p := pair(t)
		nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
			a, b = p.stream(t)
			return a, b, func() { a.Close(); b.Close() }, nil
		})
	})
}

// patience is how long a test waits for what must happen. It is virtual time
// in a bubble.
const patience = 10 * time.Second

func deadline() time.Time { return time.Now().Add(patience) }

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// closing closes c at the end of the test, if it is not closed by then.
func closing[C io.Closer](t *testing.T, c C) C {
	t.Cleanup(func() { c.Close() })
	return c
}

func must[T any](t *testing.T, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (p Pair) addrA(port string) string { return net.JoinHostPort(p.HostA, port) }
func (p Pair) addrB(port string) string { return net.JoinHostPort(p.HostB, port) }

func port(t *testing.T, addr net.Addr) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr.String())
	return must(t, port, err)
}

func host(t *testing.T, addr net.Addr) string {
	t.Helper()
	host, _, err := net.SplitHostPort(addr.String())
	return must(t, host, err)
}

// wantError wants an error that matches one of the targets.
func wantError(t *testing.T, what string, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if errors.Is(err, target) {
			return
		}
	}
	t.Errorf("%s: error %v, want %v", what, err, targets)
}

// wantLine wants an error that a person can read.
func wantLine(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is more than one line", err)
	}
}

// within fails the test if f has not returned in time.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatalf("%s did not return", what)
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNABORTED)
}
