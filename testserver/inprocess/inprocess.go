// Package inprocess is the world of a scenario in which peers are values of
// this process: nodes with their shells, on a simulated network, each behind
// injected faults of its own. Nothing of it needs the machine: no port, no
// file, no process.
//
// It is meant for testing/synctest bubbles, where a scenario of minutes takes
// milliseconds. memberlist leaves goroutines behind for a while after its
// end; a bubble has to let that while pass before it ends.
//
// Peers here cannot be paused: a goroutine has no SIGSTOP.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/service"
)

// Config says how peers are made. The zero value serves.
type Config struct {
	// Seed fixes which requests to an ailing bootstrap service fail.
	Seed uint64
}

// World is a coordinator.World of nodes. Run may be called once.
type World struct {
	cfg    Config
	orders *mailbox.Box[coordinator.Order]
}

// New returns a World. It starts nothing.
func New(cfg Config) *World {
	return &World{cfg: cfg, orders: mailbox.New[coordinator.Order]()}
}

// Do implements coordinator.World. Orders that come after the end of Run are
// dropped.
func (w *World) Do(o coordinator.Order) { w.orders.Put(o) }

var errOver = errors.New("the run is over")

// The network of a run.
const (
	group       = "run"
	serviceIP   = "10.0.0.1"
	serviceAddr = serviceIP + ":80"
	serviceURL  = "http://" + serviceAddr
)

// Run implements coordinator.World.
func (w *World) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	h := &house{net: netsim.New(), deliver: deliver, peers: map[string]*peer{}}
	var err error
	h.service, err = service.New(service.Config{Group: group, Seed: w.cfg.Seed, Listed: func(names []string) {
		deliver(coordinator.Message{Body: coordinator.Listed{Names: names}})
	}})
	if err != nil {
		return err
	}
	l, err := h.net.Host(serviceIP).Listen(context.WithoutCancel(ctx), serviceAddr)
	if err != nil {
		return fmt.Errorf("bootstrap service of the run: %w", err)
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	var served sync.WaitGroup
	served.Go(func() { err = netx.ServeHTTP(serving, l, http.Handler(h.service)) })
	served.Go(func() { h.service.Run(serving) })
	h.live(ctx, w.orders)
	end()
	served.Wait()
	for _, o := range w.orders.Close() {
		h.done(o, errOver)
	}
	return err
}

// house is one run of the world.
type house struct {
	net     *netsim.Net
	service *service.Service
	deliver func(coordinator.Message)
	boots   sync.WaitGroup

	mu    sync.Mutex
	peers map[string]*peer
}

// peer is what the boots of one peer have in common.
type peer struct {
	name   string
	ip     string
	data   files.FS // what it keeps; replaced by a fresh boot
	work   files.FS // where its commands read and write
	starts int

	now *boot // nil when it does not run; guarded by the mutex of house
}

// live carries out orders until ctx ends, and then waits until the last peer
// has ended, which ctx sees to.
func (h *house) live(ctx context.Context, orders *mailbox.Box[coordinator.Order]) {
	defer h.boots.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-orders.Ready():
			for _, o := range orders.Take() {
				h.carryOut(ctx, o)
			}
		}
	}
}

func (h *house) carryOut(ctx context.Context, o coordinator.Order) {
	switch {
	case ctx.Err() != nil:
		h.done(o, errOver)
	case o.Verb == coordinator.Start:
		h.start(ctx, o)
	case o.Verb == coordinator.Kill, o.Verb == coordinator.Stop:
		if err := h.finish(o); err != nil {
			h.done(o, err)
		}
	case o.Verb == coordinator.Ail:
		h.service.Ail(o.Ail)
		h.done(o, nil)
	default:
		h.done(o, fmt.Errorf("peers in this process cannot %s: use processes for that", o.Verb))
	}
}

func (h *house) done(o coordinator.Order, err error) {
	h.deliver(coordinator.Message{Peer: o.Peer, Body: coordinator.Done{ID: o.ID, Err: err}})
}

// start begins the next boot of a peer.
func (h *house) start(ctx context.Context, o coordinator.Order) {
	b, err := h.begin(o)
	h.done(o, err)
	if err == nil {
		h.boots.Go(func() { h.keep(ctx, b) })
	}
}

func (h *house) begin(o coordinator.Order) (*boot, error) {
	h.mu.Lock()
	p := h.peers[o.Peer]
	if p == nil {
		n := len(h.peers) + 1
		p = &peer{name: o.Peer, ip: fmt.Sprintf("10.0.%d.%d", 1+n/250, 1+n%250)}
		h.peers[o.Peer] = p
	}
	runs := p.now != nil
	h.mu.Unlock()
	if runs {
		return nil, fmt.Errorf("%s runs already", o.Peer)
	}
	if err := p.furnish(o.Fresh, o.Files); err != nil {
		return nil, err
	}
	b, err := newBoot(p, h.net.Host(p.ip))
	if err != nil {
		return nil, err
	}
	p.starts++
	h.mu.Lock()
	defer h.mu.Unlock()
	p.now = b
	return b, nil
}

// furnish prepares the directories for the next boot. The first boot, and a
// fresh one, finds the attached files and nothing else, but for who it is.
func (p *peer) furnish(fresh bool, attached []language.File) error {
	if p.starts > 0 && !fresh {
		return nil
	}
	old := p.data
	p.data, p.work = files.Mem(), files.Mem()
	for _, f := range attached {
		if err := p.work.WriteFile(f.Name, f.Data, 0o644); err != nil {
			return fmt.Errorf("attached file %s: %w", f.Name, err)
		}
	}
	if old == nil {
		return nil
	}
	return identity.Copy(p.data, old)
}

// finish asks for the end of a peer. The order is done when it is gone.
func (h *house) finish(o coordinator.Order) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.peers[o.Peer]
	switch {
	case p == nil:
		return fmt.Errorf("%s was never started", o.Peer)
	case p.now == nil:
		return fmt.Errorf("%s does not run", o.Peer)
	}
	p.now.waiting = append(p.now.waiting, o)
	p.now.wish(o.Verb)
	return nil
}

// keep lives through a boot and reports its end.
func (h *house) keep(ctx context.Context, b *boot) {
	var spoken sync.WaitGroup
	spoken.Go(func() { b.link.speak(h.deliver) })
	gone := b.live(ctx)
	spoken.Wait()
	h.mu.Lock()
	b.peer.now = nil
	waiting := b.waiting
	h.mu.Unlock()
	h.deliver(coordinator.Message{Peer: b.peer.name, Body: gone})
	for _, o := range waiting {
		h.done(o, nil)
	}
}

var _ coordinator.Driver = (*link)(nil)
var _ interface {
	Register(context.Context, testlink.Filter) error
	Ask(context.Context, string) (testlink.Answer, error)
} = (*link)(nil)
