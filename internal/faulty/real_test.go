package faulty_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/netx"
)

// TestRealNetwork cuts and heals what goes through the kernel.
func TestRealNetwork(t *testing.T) {
	a := newHost(t, netx.Real{}, "alice", "127.0.0.1:0")
	b := newHost(t, netx.Real{}, "bob", "127.0.0.1:0")
	near, far := stream(t, a, b)
	says(t, near, "before")
	hears(t, far, "before")
	cut := faulty.Rule{Cut: true}
	a.rule(b, cut, cut)
	b.rule(a, cut, cut)
	a.send(b, "lost")
	says(t, near, "held")
	says(t, far, "held, too")
	b.packets.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, _, err := b.packets.ReadFrom(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a packet through the cut: %v", err)
	}
	far.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("bytes through the cut: %v", err)
	}
	far.SetReadDeadline(time.Now().Add(5 * time.Second))
	a.rule(b, faulty.Rule{}, faulty.Rule{})
	b.rule(a, faulty.Rule{}, faulty.Rule{})
	hears(t, far, "held")
	hears(t, near, "held, too")
	a.send(b, "found")
	b.packets.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 10)
	if n, _, err := b.packets.ReadFrom(buf); err != nil || string(buf[:n]) != "found" {
		t.Errorf("after the cut: %q, %v", buf[:n], err)
	}
	if n, err := a.Reset([]string{"bob"}); n != 1 || err != nil {
		t.Errorf("reset %d, %v", n, err)
	}
	if _, err := far.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the other side of a stream that was reset: %v", err)
	}
	if _, err := near.Write(buf); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("this side of it: %v", err)
	}
}
