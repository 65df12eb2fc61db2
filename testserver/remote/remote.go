// Package remote is the world of a scenario whose peers are started
// elsewhere, with `peer --test URL` and the token of the run. It only
// listens: peers come by themselves, each once, and are told when the run is
// over. A scenario can have them leave in order; it cannot start, kill or
// pause them, and their bootstrap service is not its business.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// Config says who may come, and how.
type Config struct {
	Listener net.Listener      // closed when Run returns
	Token    string            // what the peers have to know
	Peers    []string          // who may attach
	Attached func(name string) // is told who comes; may be nil
	// StopTime is how long a peer may take to leave when it is told to; 0 is
	// 10 s.
	StopTime time.Duration
}

// World is a coordinator.World of peers from elsewhere. Run may be called
// once.
type World struct {
	cfg    Config
	orders *mailbox.Box[coordinator.Order]
}

// New returns a World. It starts nothing.
func New(cfg Config) *World {
	if cfg.StopTime <= 0 {
		cfg.StopTime = 10 * time.Second
	}
	return &World{cfg: cfg, orders: mailbox.New[coordinator.Order]()}
}

// Do implements coordinator.World. Orders that come after the end of Run are
// dropped.
func (w *World) Do(o coordinator.Order) { w.orders.Put(o) }

var errOver = errors.New("the run is over")

// Run implements coordinator.World.
func (w *World) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	d := newDoor(ctx, w.cfg, deliver)
	link := testlink.NewServer(testlink.ServerConfig{Token: w.cfg.Token, Admit: d.admit, Receive: d.receive})
	server := &http.Server{Handler: link, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(w.cfg.Listener) }()
	reason, err := "the run is over", d.live(w.orders, failed)
	if err != nil {
		reason = "the test server cannot go on"
	} else {
		_ = server.Close() // nobody is left to be told
		if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
			err = fmt.Errorf("listen for peers: %w", e)
		}
	}
	link.Close(reason)
	d.finish(w.orders.Close())
	return err
}

// door is one run of the world.
type door struct {
	ctx     context.Context // of the run
	cfg     Config
	deliver func(coordinator.Message)
	stops   sync.WaitGroup

	mu    sync.Mutex
	peers map[string]*peer
}

// peer is one that may come.
type peer struct {
	name    string
	entered chan struct{} // closed when the coordinator knows that it is there
	gone    chan struct{} // closed when it has left

	// Guarded by the mutex of door.
	stage   stage
	conn    *testlink.Conn     // from attached on
	awaited *coordinator.Order // its start, as long as that is not done
	leaving []coordinator.Order
	quit    uint64 // the number of the command that has it leave; 0 for none
}

// stage is how far a peer has come.
type stage int

const (
	absent   stage = iota
	admitted       // somebody was let in under its name
	attached       // and waits until it is wanted
	inside
	left
)

func newDoor(ctx context.Context, cfg Config, deliver func(coordinator.Message)) *door {
	d := &door{ctx: ctx, cfg: cfg, deliver: deliver, peers: map[string]*peer{}}
	for _, name := range cfg.Peers {
		d.peers[name] = &peer{name: name, entered: make(chan struct{}), gone: make(chan struct{})}
	}
	return d
}

// live carries out orders until the run is over (nil), or nobody can come in
// any more.
func (d *door) live(orders *mailbox.Box[coordinator.Order], failed <-chan error) error {
	for {
		select {
		case <-d.ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("listen for peers: %w", err)
		case <-orders.Ready():
			for _, o := range orders.Take() {
				p, err := d.carryOut(o)
				if err != nil {
					d.done(o, err)
				}
				if p != nil {
					d.welcome(p)
				}
			}
		}
	}
}

// finish answers the orders that are open when everybody has gone.
func (d *door) finish(rest []coordinator.Order) {
	d.stops.Wait()
	d.mu.Lock()
	for _, p := range d.peers {
		if p.awaited != nil {
			rest = append(rest, *p.awaited)
		}
	}
	d.mu.Unlock()
	for _, o := range rest {
		d.done(o, errOver)
	}
}

func (d *door) done(o coordinator.Order, err error) {
	d.deliver(coordinator.Message{Peer: o.Peer, Body: coordinator.Done{ID: o.ID, Err: err}})
}

// carryOut begins an order, or refuses it. It returns the peer if that is
// there now, and was not before.
func (d *door) carryOut(o coordinator.Order) (*peer, error) {
	if o.Verb == coordinator.Ail {
		return nil, errors.New("the bootstrap service is not that of the test server: a scenario for peers from elsewhere cannot have it fail")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.peers[o.Peer]
	switch {
	case p == nil:
		return nil, fmt.Errorf("%q is no peer of the scenario", o.Peer)
	case o.Verb == coordinator.Start:
		return p.await(o)
	case o.Verb == coordinator.Stop:
		return nil, d.stop(p, o)
	}
	return nil, fmt.Errorf("%s was started elsewhere: the test server cannot %s it; run the scenario with peers of this machine", o.Peer, o.Verb)
}

// await notes that a peer is wanted. The mutex is held.
func (p *peer) await(o coordinator.Order) (*peer, error) {
	switch {
	case p.stage == left:
		return nil, fmt.Errorf("%s was started elsewhere and has left: the test server cannot start it again", p.name)
	case p.stage == inside:
		return nil, fmt.Errorf("%s runs already", p.name)
	case p.awaited != nil:
		return nil, fmt.Errorf("%s is awaited already", p.name)
	}
	p.awaited = &o
	return p.meet(), nil
}

// meet returns a peer that is wanted and there, once. The mutex is held.
func (p *peer) meet() *peer {
	if p.awaited == nil || p.stage != attached {
		return nil
	}
	p.stage = inside
	return p
}

// welcome tells that a peer is there.
func (d *door) welcome(p *peer) {
	d.mu.Lock()
	o, conn := *p.awaited, p.conn
	p.awaited = nil
	d.mu.Unlock()
	d.done(o, nil)
	d.deliver(coordinator.Message{Peer: p.name, Link: conn, Body: testlink.Opened{Hello: conn.Hello()}})
	close(p.entered)
}

// stop has a peer leave by its own command. The mutex is held.
func (d *door) stop(p *peer, o coordinator.Order) error {
	if p.stage != inside {
		return fmt.Errorf("%s is not there", p.name)
	}
	p.leaving = append(p.leaving, o)
	if p.quit == 0 {
		p.quit = p.conn.Command("quit")
	}
	d.stops.Go(func() { d.overlook(p) })
	return nil
}

// overlook has a Stop fail that takes too long.
func (d *door) overlook(p *peer) {
	t := time.NewTimer(d.cfg.StopTime)
	defer t.Stop()
	select {
	case <-p.gone:
	case <-t.C:
		for _, o := range d.excuse(p) {
			d.done(o, fmt.Errorf("%s has not left within %s: end it where it was started", p.name, d.cfg.StopTime))
		}
	}
}

// excuse takes the orders that wait for a peer to be gone.
func (d *door) excuse(p *peer) []coordinator.Order {
	d.mu.Lock()
	defer d.mu.Unlock()
	orders := p.leaving
	p.leaving = nil
	return orders
}

// admit lets each peer in once.
func (d *door) admit(h testlink.Hello) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.peers[h.Name]
	switch {
	case p == nil:
		return fmt.Errorf("%q is no peer of the scenario", h.Name)
	case p.stage != absent:
		return fmt.Errorf("%s has attached already", h.Name)
	}
	p.stage = admitted
	return nil
}

// receive passes on what a peer says, once it is wanted.
func (d *door) receive(conn *testlink.Conn, m testlink.Message) {
	d.mu.Lock()
	p := d.peers[conn.Hello().Name]
	d.mu.Unlock()
	switch m := m.(type) {
	case testlink.Opened:
		d.enter(p, conn) // and does not wait: the peer does
		return
	case testlink.Closed:
		d.leave(p, m)
		return
	case testlink.Finished:
		if d.ours(p, m.ID) {
			return
		}
	}
	if d.known(p) {
		d.deliver(coordinator.Message{Peer: p.name, Body: m})
	}
}

// enter notes that a peer is there.
func (d *door) enter(p *peer, conn *testlink.Conn) {
	if d.cfg.Attached != nil {
		d.cfg.Attached(p.name)
	}
	d.mu.Lock()
	p.stage, p.conn = attached, conn
	met := p.meet()
	d.mu.Unlock()
	if met != nil {
		d.welcome(p)
	}
}

// known waits until the coordinator knows that a peer is there. It does not
// if the run ends before anybody has wanted it.
func (d *door) known(p *peer) bool {
	select {
	case <-p.entered:
		return true
	case <-d.ctx.Done():
	}
	d.mu.Lock()
	if p.stage == attached {
		p.stage = left
	}
	met := p.stage == inside
	d.mu.Unlock()
	if met {
		<-p.entered
	}
	return met
}

// ours tells whether the command with that number was not the coordinator's.
func (d *door) ours(p *peer, id uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return p.quit != 0 && p.quit == id
}

// leave tells of the end of a peer.
func (d *door) leave(p *peer, m testlink.Closed) {
	defer close(p.gone)
	if !d.known(p) {
		return
	}
	d.deliver(coordinator.Message{Peer: p.name, Body: m})
	d.mu.Lock()
	p.stage = left
	d.mu.Unlock()
	inOrder := m.Err == nil || errors.Is(m.Err, testlink.ErrClosed)
	d.deliver(coordinator.Message{Peer: p.name, Body: coordinator.Gone{State: leaving(m.Err), OK: inOrder}})
	for _, o := range d.excuse(p) {
		d.done(o, nil)
	}
}

func leaving(err error) string {
	if err == nil {
		return "released at the end of the run"
	}
	return err.Error()
}
