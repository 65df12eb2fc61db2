package netsim

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	backlogSize = 128
	// connectTimeout ends an attempt to dial that nobody answers, when its
	// context does not end it before: about what Linux does.
	connectTimeout = 2 * time.Minute
)

// listener is an open stream port.
type listener struct {
	host    *Host
	local   netip.AddrPort
	backlog chan *end     // dialled, not accepted yet
	done    chan struct{} // closed by shut

	mu   sync.Mutex
	dead error // why the port is closed
}

func newListener(h *Host, local netip.AddrPort) *listener {
	return &listener{
		host:    h,
		local:   local,
		backlog: make(chan *end, backlogSize),
		done:    make(chan struct{}),
	}
}

// Dial implements netx.Network. At an unknown host it waits for ctx, for at
// most two minutes.
func (h *Host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	to, err := h.parse(addr)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	e, err := h.net.deliverDial(ctx, h, to)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	return e, nil
}

// unanswered waits where nobody answers, and returns why it stopped waiting.
func (h *Host) unanswered(ctx context.Context) error {
	limit := time.NewTimer(connectTimeout)
	defer limit.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.down:
		return ErrCrashed
	case <-limit.C:
		return errUnanswered
	}
}

// offer puts the far end of a new stream before the listener. It waits while
// the backlog is full.
func (l *listener) offer(ctx context.Context, from *Host, far *end) error {
	select {
	case l.backlog <- far:
	default:
		limit := time.NewTimer(connectTimeout)
		defer limit.Stop()
		select {
		case l.backlog <- far:
		case <-l.done:
			return errRefused
		case <-ctx.Done():
			return ctx.Err()
		case <-from.down:
			return ErrCrashed
		case <-limit.C:
			return errUnanswered
		}
	}
	select {
	case <-l.done:
		l.drain() // it may have been closed just before
	default:
	}
	return nil
}

// Accept returns the next stream that was dialled.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.failClosed("accept")
	default:
	}
	select {
	case <-l.done:
		return nil, l.failClosed("accept")
	case e := <-l.backlog:
		return e, nil
	}
}

// Close frees the port, ends an Accept under way and resets the streams that
// were not accepted.
func (l *listener) Close() error {
	if !l.shut(net.ErrClosed) {
		return l.failClosed("close")
	}
	n := l.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(l.host.listeners, l.local.Port())
	return nil
}

// shut makes all calls fail with why, and tells whether none did before.
func (l *listener) shut(why error) bool {
	l.mu.Lock()
	first := l.dead == nil
	if first {
		l.dead = why
		close(l.done)
	}
	l.mu.Unlock()
	l.drain()
	return first
}

// drain resets the streams that nobody will accept.
func (l *listener) drain() {
	for {
		select {
		case e := <-l.backlog:
			e.shut(net.ErrClosed, reset)
		default:
			return
		}
	}
}

// Addr is the bound address.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.local) }

func (l *listener) failClosed(op string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &net.OpError{Op: op, Net: "tcp", Addr: l.Addr(), Err: l.dead}
}
