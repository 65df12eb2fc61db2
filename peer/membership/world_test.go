package membership_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/membership"
)

// world is a simulated network whose links can be cut, with members on it. It
// needs a bubble.
type world struct {
	t   *testing.T
	net *netsim.Net

	mu   sync.Mutex
	side map[netip.Addr]int // hosts on different sides cannot reach each other
	loss float64            // of packets
}

// newWorld also gives memberlist's goroutines and timers, which outlive its
// Shutdown for a while, the time to come to rest.
func newWorld(t *testing.T) *world {
	t.Cleanup(func() { time.Sleep(2 * time.Minute) })
	return &world{t: t, net: netsim.New(), side: map[netip.Addr]int{}}
}

// cut puts the members on a side of their own.
func (w *world) cut(members ...*member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range members {
		w.side[m.host.IP()] = 1
	}
}

func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.side)
}

// lose makes each packet get lost with probability p.
func (w *world) lose(p float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = p
}

func (w *world) loses() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return rand.Float64() < w.loss
}

func (w *world) apart(a netip.Addr, to string) bool {
	b, err := netip.ParseAddrPort(to)
	w.mu.Lock()
	defer w.mu.Unlock()
	return err == nil && w.side[a] != w.side[b.Addr().Unmap()]
}

// cable is a host's network as far as the world lets it through.
type cable struct {
	*netsim.Host
	w *world
}

func (c cable) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if c.w.apart(c.IP(), addr) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return c.Host.Dial(ctx, addr)
}

func (c cable) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	p, err := c.Host.ListenPacket(ctx, addr)
	return packets{p, c}, err
}

type packets struct {
	net.PacketConn
	cable cable
}

func (p packets) WriteTo(b []byte, to net.Addr) (int, error) {
	if p.cable.w.apart(p.cable.IP(), to.String()) || p.cable.w.loses() {
		return len(b), nil
	}
	return p.PacketConn.WriteTo(b, to)
}

// member is a running Group.
type member struct {
	*membership.Group
	t        *testing.T
	host     *netsim.Host // nil on the real network
	endpoint *netx.Endpoint
	end      context.CancelFunc
	tasks    sync.WaitGroup
	err      error // of Run

	mu  sync.Mutex
	log []string
}

// start brings up a member: alice is boot 1 of alice, "alice/2" boot 2.
func (w *world) start(i int, who string) *member {
	w.t.Helper()
	ip := fmt.Sprintf("10.0.%d.%d", i/200, 1+i%200)
	host := w.net.Host(ip)
	m := open(w.t, cable{host, w}, ip, who, nil)
	m.host = host
	m.run()
	return m
}

// startAll brings up members that see each other. Gossip alone misses a member
// now and then, as they come all at once; the exchange of whole states, twice a
// minute, makes up for it.
func (w *world) startAll(members int) (all []*member) {
	w.t.Helper()
	for i := range members {
		all = append(all, w.start(i, fmt.Sprint("peer", i)))
		if i > 0 {
			all[i].join(all[0])
		}
	}
	until(w.t, 2*time.Minute, "all see all", func() bool { return converged(all) })
	return all
}

func open(t *testing.T, n netx.Network, ip, who string, change func(*membership.Config)) *member {
	t.Helper()
	e, err := netx.Open(t.Context(), netx.EndpointConfig{Network: n, Addr: ip + ":0"})
	if err != nil {
		t.Fatal(err)
	}
	m := &member{t: t, endpoint: e}
	name, boot := who, 1
	if before, after, ok := strings.Cut(who, "/"); ok {
		name = before
		_, _ = fmt.Sscan(after, &boot)
	}
	cfg := membership.Config{
		Name: name, ID: uuid.NewSHA1(uuid.Nil, []byte(name)), Boot: boot,
		Endpoint: e, Announce: m.note, Verify: m.ask, Log: zerolog.Nop(),
	}
	if change != nil {
		change(&cfg)
	}
	if m.Group, err = membership.New(cfg); err != nil {
		t.Fatal(err)
	}
	return m
}

// run serves the endpoint and the group until stop.
func (m *member) run() {
	m.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	m.end = cancel
	m.endpoint.Handle("who", m.answer)
	m.tasks.Go(func() { _ = m.endpoint.Serve(ctx) })
	started := make(chan struct{})
	m.tasks.Go(func() {
		m.err = m.Run(ctx, sync.OnceFunc(func() { close(started) }))
	})
	<-started
	m.t.Cleanup(m.stop)
}

// stop ends the member without a word; it may be called twice.
func (m *member) stop() {
	m.end()
	m.endpoint.Close()
	m.tasks.Wait()
	if m.err != nil {
		m.t.Errorf("%s ended: %v", m.NodeName(), m.err)
	}
}

func (m *member) answer(c net.Conn) {
	m.tasks.Go(func() {
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(c, m.Self().ID)
	})
}

func (m *member) ask(ctx context.Context, addr netip.AddrPort) (string, error) {
	c, err := m.endpoint.Dial(ctx, addr.String(), "who")
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	id, err := io.ReadAll(c)
	return string(id), err
}

func (m *member) note(c extension.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, c.Kind.String()+" "+c.Member.Name)
}

// announced is what was announced of others, and forgets it.
func (m *member) announced() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := strings.Join(m.log, ", ")
	m.log = nil
	return s
}

// sees is the table: "bob alive, carol lost".
func (m *member) sees() string {
	var all []string
	for _, i := range m.Table() {
		s := i.Member.Name + " " + string(i.State)
		if i.Member.Foreign {
			s += ", foreign"
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

func (m *member) join(others ...*member) {
	m.t.Helper()
	var addrs []string
	for _, o := range others {
		addrs = append(addrs, o.Self().Addr.String())
	}
	if n, err := m.Join(m.t.Context(), addrs); err != nil || n != len(others) {
		m.t.Fatalf("%s: %d of %d answered, %v", m.Self().Name, n, len(others), err)
	}
}

// until waits for what must come true.
func until(t *testing.T, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > within {
			t.Fatalf("%s: not within %s", what, within)
		}
		time.Sleep(20 * time.Millisecond) // of the clock with a stock node, which tells nothing; else of a bubble
	}
	return time.Since(start)
}

// converged tells whether everybody sees everybody else, alive.
func converged(members []*member) bool {
	return !slices.ContainsFunc(members, func(m *member) bool { return len(m.Members()) != len(members)-1 })
}
