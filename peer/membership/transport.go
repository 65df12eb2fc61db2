package membership

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/guard"
)

// transport carries memberlist over an endpoint: gossip packets and gossip
// streams of the one address of the peer. It lives as long as one memberlist.
type transport struct {
	endpoint *netx.Endpoint
	packets  chan *memberlist.Packet
	streams  chan net.Conn

	ctx     context.Context // ends at Shutdown: dials under way end with it
	cancel  context.CancelFunc
	readers sync.WaitGroup

	mu   sync.Mutex // guards down: no reader may start once Shutdown waits
	down bool
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// packetSize is the largest packet that is read, in bytes; memberlist's own
// are at most 1400, but push/pull over packets may come from other versions.
const packetSize = 64 << 10

// newTransport returns a transport of e. Panics of its reader are reported to
// life; its end is not the end of the transport.
func newTransport(life context.Context, e *netx.Endpoint) *transport {
	ctx, cancel := context.WithCancel(context.WithoutCancel(life))
	t := &transport{
		endpoint: e,
		packets:  make(chan *memberlist.Packet),
		streams:  make(chan net.Conn),
		ctx:      ctx, cancel: cancel,
	}
	e.Handle("", t.accept)
	t.readers.Go(t.read)
	return t
}

// read moves packets from the endpoint to memberlist until Shutdown.
func (t *transport) read() {
	defer guard.Catch(t.ctx)
	conn := t.endpoint.PacketConn()
	buf := make([]byte, packetSize)
	for {
		n, from, err := conn.ReadFrom(buf)
		if t.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n == 0 {
			continue // a packet that an earlier one provoked, such as port unreachable
		}
		p := &memberlist.Packet{Buf: append([]byte(nil), buf[:n]...), From: from, Timestamp: time.Now()}
		select {
		case t.packets <- p:
		case <-t.ctx.Done():
			return
		}
	}
}

// accept hands a gossip stream to memberlist, without making the endpoint
// wait for it.
func (t *transport) accept(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down {
		c.Close()
		return
	}
	t.readers.Go(func() {
		defer guard.Catch(t.ctx)
		select {
		case t.streams <- c:
		case <-t.ctx.Done():
			c.Close()
		}
	})
}

// FinalAdvertiseAddr returns what the Group has configured, which is always
// an address and a port.
func (t *transport) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	parsed := net.ParseIP(ip)
	if parsed == nil || port == 0 {
		return nil, 0, fmt.Errorf("advertise %s:%d: give an IP address and a port", ip, port)
	}
	return parsed, port, nil
}

func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return time.Time{}, err
	}
	_, err = t.endpoint.PacketConn().WriteTo(b, net.UDPAddrFromAddrPort(to))
	return time.Now(), err
}

func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return t.WriteTo(b, a.Addr)
}

func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	return t.endpoint.Dial(ctx, addr, "")
}

func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(a.Addr, timeout)
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }
func (t *transport) StreamCh() <-chan net.Conn           { return t.streams }

// Shutdown ends this memberlist's use of the endpoint, which stays open for
// the next one.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	t.down = true
	t.mu.Unlock()
	t.cancel()
	t.endpoint.Handle("", nil)
	conn := t.endpoint.PacketConn()
	_ = conn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; a closed conn is as good
	t.readers.Wait()
	_ = conn.SetReadDeadline(time.Time{})
	return nil
}
