package netx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

const (
	// prefaceTimeout is how long a stream that was accepted may take to say
	// what it is.
	prefaceTimeout = 3 * time.Second
	// statusTimeout is how long Dial waits for the answer to a preface, when
	// its context allows more: the other side's bound, and some way to go.
	statusTimeout = prefaceTimeout + 2*time.Second
	// maxHalfOpen bounds the accepted streams that have not said yet what
	// they are. One more, and the oldest of them is closed: who speaks at
	// once gets through a crowd that connects and says nothing.
	maxHalfOpen = 128
	// openAttempts is how many free packet ports Open tries, until the stream
	// port of the same number is free too.
	openAttempts = 20
)

// EndpointConfig says where an Endpoint opens.
type EndpointConfig struct {
	Network Network // nil is the real network
	Addr    string  // "host:port"; port 0 is any free one; empty is "127.0.0.1:0"
	// Advertise is what streams say of where they come from; the zero value is
	// the bound address, unless that is no address to dial.
	Advertise netip.AddrPort
	Log       zerolog.Logger // streams that were turned away, at debug level; the zero value is silent
}

// Endpoint is one address for packets and for streams. A stream that begins
// with a preface carries a label, and goes to the label's handler; one that
// does not goes to the handler of the empty label. Who dials speaks first.
//
// All methods may be called from several goroutines.
type Endpoint struct {
	network Network
	packets net.PacketConn
	streams net.Listener
	addr    netip.AddrPort
	origin  netip.AddrPort // what our streams say of where they come from
	log     zerolog.Logger
	done    chan struct{} // closed by Close

	mu       sync.Mutex
	served   bool
	closed   bool
	handlers map[string]func(net.Conn)
	halfOpen []net.Conn // oldest first
}

// Open binds the packet port and the stream port of one number. A port that
// is busy for either is an error that matches syscall.EADDRINUSE. Who opens
// an endpoint closes it, whether it was served or not.
func Open(ctx context.Context, cfg EndpointConfig) (*Endpoint, error) {
	if cfg.Network == nil {
		cfg.Network = Real{}
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	packets, streams, err := bindBoth(ctx, cfg.Network, cfg.Addr)
	if err != nil {
		return nil, openError(err)
	}
	addr, err := netip.ParseAddrPort(packets.LocalAddr().String())
	if err != nil {
		packets.Close()
		streams.Close()
		return nil, openError(err)
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	return &Endpoint{
		network:  cfg.Network,
		packets:  packets,
		streams:  streams,
		addr:     addr,
		origin:   originOf(cfg.Advertise, addr),
		log:      cfg.Log,
		done:     make(chan struct{}),
		handlers: map[string]func(net.Conn){},
	}, nil
}

// openError says what to do about an address that cannot be had.
func openError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("open endpoint: %w: another program has it: choose another address; port 0 is a free one", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("open endpoint: %w: it is none of this machine: choose another address", err)
	}
	return fmt.Errorf("open endpoint: %w", err)
}

// originOf is where streams say that they come from.
func originOf(advertised, bound netip.AddrPort) netip.AddrPort {
	if advertised.IsValid() {
		bound = advertised
	}
	if bound.Addr().IsUnspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(bound.Addr().Unmap().WithZone(""), bound.Port())
}

// bindBoth binds addr for packets and for streams.
func bindBoth(ctx context.Context, n Network, addr string) (net.PacketConn, net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, err
	}
	attempts := 1
	if port == "0" {
		attempts = openAttempts
	}
	var busy error
	for range attempts {
		packets, err := n.ListenPacket(ctx, addr)
		if err != nil {
			return nil, nil, err
		}
		_, bound, err := net.SplitHostPort(packets.LocalAddr().String())
		if err != nil {
			packets.Close()
			return nil, nil, err
		}
		streams, err := n.Listen(ctx, net.JoinHostPort(host, bound))
		if err == nil {
			return packets, streams, nil
		}
		packets.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, err
		}
		busy = err
	}
	return nil, nil, busy
}

// Addr is the bound address. Its host is the unspecified one if the endpoint
// listens on every address of its host.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// PacketConn sends and receives packets at the endpoint's address. It belongs
// to the endpoint and is closed with it.
func (e *Endpoint) PacketConn() net.PacketConn { return e.packets }

// Handle gives the streams of a label to h from now on; a nil h gives them to
// nobody. h owns the stream and must not block. The empty label stands for
// streams without a preface.
func (e *Endpoint) Handle(label string, h func(net.Conn)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if h == nil {
		delete(e.handlers, label)
		return
	}
	e.handlers[label] = h
}

func (e *Endpoint) handler(label string) func(net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.handlers[label]
}

// Serve accepts streams until ctx ends or the endpoint is closed, which is no
// error, and returns when its last goroutine has ended. The endpoint is
// closed then. It may be called once.
func (e *Endpoint) Serve(ctx context.Context) error {
	e.mu.Lock()
	again := e.served
	e.served = true
	e.mu.Unlock()
	if again {
		return errors.New("serve endpoint: it was served already")
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer e.Close()
	wg.Go(func() {
		select {
		case <-ctx.Done():
			e.Close()
		case <-e.done:
		}
	})
	for {
		conn, err := e.accept()
		if err != nil || conn == nil {
			return err
		}
		e.enter(conn) // here, so that the oldest is who came first
		wg.Go(func() { e.admit(conn) })
	}
}

// accept returns the next stream, nil when the endpoint is closed. It outlasts
// what passes, such as too many open files.
func (e *Endpoint) accept() (net.Conn, error) {
	const longest = time.Second
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, longest) {
		conn, err := e.streams.Accept()
		if err == nil {
			return conn, nil
		}
		select {
		case <-e.done:
			return nil, nil
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, fmt.Errorf("serve endpoint: %w", err)
		}
		e.log.Warn().Err(err).Msg("accept stream")
		select {
		case <-e.done:
			return nil, nil
		case <-time.After(pause):
		}
	}
}

// admit finds out what a stream that has entered is and hands it over.
func (e *Endpoint) admit(conn net.Conn) {
	stream, h, err := e.greet(conn)
	if !e.exit(conn) || err != nil {
		conn.Close()
		e.log.Debug().Err(err).Stringer("from", conn.RemoteAddr()).Msg("stream turned away")
		return
	}
	h(stream)
}

// greet reads the preface and answers it, and tells the network below where
// the stream comes from, if it wants to know. An error means that the stream
// is of no use.
func (e *Endpoint) greet(conn net.Conn) (net.Conn, func(net.Conn), error) {
	if err := conn.SetDeadline(time.Now().Add(prefaceTimeout)); err != nil {
		return nil, nil, err
	}
	p, stream, err := readPreface(conn)
	if err != nil {
		return nil, nil, err
	}
	if network, ok := conn.(interface{ From(netip.AddrPort) }); ok {
		network.From(p.origin)
	}
	h := e.handler(p.label)
	status, refusal := judge(p, h != nil)
	if p.label != "" {
		if _, err := conn.Write(status); err != nil {
			return nil, nil, err
		}
	}
	if refusal != nil {
		return nil, nil, refusal
	}
	return stream, h, conn.SetDeadline(time.Time{})
}

// judge returns the answer to a preface, and why it is a refusal if it is.
func judge(p preface, handled bool) (status []byte, refusal error) {
	switch {
	case p.label != "" && (p.version < oldestVersion || p.version > Version):
		return []byte{statusVersion, Version}, fmt.Errorf("%w: got %d, want %d", ErrVersion, p.version, Version)
	case !handled:
		return []byte{statusNoHandler}, fmt.Errorf("label %q: %w", p.label, ErrNoHandler)
	}
	return []byte{statusOpen}, nil
}

// enter counts conn among the half-open streams. It closes the oldest one
// when there are too many, and conn when the endpoint is closed.
func (e *Endpoint) enter(conn net.Conn) {
	e.mu.Lock()
	drop := conn
	if !e.closed {
		drop = nil
		e.halfOpen = append(e.halfOpen, conn)
		if len(e.halfOpen) > maxHalfOpen {
			drop = e.halfOpen[0]
			e.halfOpen = slices.Delete(e.halfOpen, 0, 1)
		}
	}
	e.mu.Unlock()
	if drop != nil {
		drop.Close()
	}
}

// exit ends what enter began, and tells whether conn was left alone meanwhile.
func (e *Endpoint) exit(conn net.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.Index(e.halfOpen, conn)
	if i < 0 {
		return false
	}
	e.halfOpen = slices.Delete(e.halfOpen, i, i+1)
	return true
}

// Dial opens a stream with a label to the endpoint at addr, or one without a
// preface if label is empty. It returns when a handler has the stream.
// Errors match ErrNoHandler, ErrVersion, ErrNoPreface, or are those of
// Network.Dial. ctx covers the exchange of prefaces too; the stream does not
// depend on it.
func (e *Endpoint) Dial(ctx context.Context, addr, label string) (net.Conn, error) {
	if label == "" {
		return e.network.Dial(ctx, addr)
	}
	if err := checkLabel(label); err != nil {
		return nil, err
	}
	conn, err := e.network.Dial(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("open %s stream: %w", label, err)
	}
	if err := introduce(ctx, conn, preface{Version, label, e.origin}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("open %s stream to %s: %w", label, addr, err)
	}
	return conn, nil
}

// introduce sends the preface and reads the answer.
func introduce(ctx context.Context, conn net.Conn, p preface) error {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		conn.SetDeadline(time.Unix(1, 0)) // ends a read or write under way
	})
	_, err := conn.Write(p.append(nil))
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrNoPreface, err)
	} else {
		err = readStatus(conn)
	}
	if !stop() {
		<-interrupted
		if err == nil || errors.Is(err, ErrNoPreface) {
			return fmt.Errorf("%w: %w", ErrNoPreface, context.Cause(ctx))
		}
	}
	return err
}

// Close closes the endpoint's ports and the streams that have not been handed
// over, at once. It may be called twice.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	pending := e.halfOpen
	e.halfOpen = nil
	e.mu.Unlock()
	close(e.done)
	for _, conn := range pending {
		conn.Close()
	}
	return errors.Join(e.streams.Close(), e.packets.Close())
}
