package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/service"
)

// Config says how peers are started.
type Config struct {
	// Program and its first arguments; the flags of the peer follow.
	Program []string
	// Watchdog is the command of the watchdog process; see Watch. Empty for
	// none, as on Linux.
	Watchdog []string
	// Env is the environment of the peers, as os.Environ has it. Variables
	// that begin with PEERLAB_ are left out of it.
	Env []string
	// Dir makes the directory of a peer; a *report.Dir's Peer.
	Dir func(name string) (string, error)
	// Seed fixes which requests to an ailing bootstrap service fail.
	Seed uint64
	// StopTime is how long a peer may take to end in order when it is told to
	// stop; then it is killed. 0 is DefaultStopTime.
	StopTime time.Duration
}

// DefaultStopTime is longer than a peer takes to leave in order.
const DefaultStopTime = 10 * time.Second

// World is a coordinator.World of processes. Run may be called once.
type World struct {
	cfg    Config
	orders *mailbox.Box[coordinator.Order]
}

// NewWorld returns a World. It starts nothing.
func NewWorld(cfg Config) *World {
	return &World{cfg: cfg, orders: mailbox.New[coordinator.Order]()}
}

// Do implements coordinator.World. Orders are begun one after another, from
// the beginning of Run on; those that come after its end are dropped.
func (w *World) Do(o coordinator.Order) { w.orders.Put(o) }

var errOver = errors.New("the run is over")

// Run implements coordinator.World.
func (w *World) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	h, err := newHouse(w.cfg, deliver)
	if err != nil {
		return err
	}
	if err := h.open(ctx); err != nil {
		return err
	}
	h.live(ctx, w.orders)
	h.close()
	for _, o := range w.orders.Close() {
		h.done(o, errOver)
	}
	return nil
}

// house is one run of the world.
type house struct {
	cfg     Config
	token   string
	group   string
	deliver func(coordinator.Message)

	spawner *spawner
	service *service.Service
	link    *testlink.Server
	http    *http.Server
	end     context.CancelFunc // of the service
	served  sync.WaitGroup
	url     string
	dog     *watchdog

	boots sync.WaitGroup // what waits for processes

	mu    sync.Mutex
	peers map[string]*peer
	links map[*testlink.Conn]*boot
}

func newHouse(cfg Config, deliver func(coordinator.Message)) (*house, error) {
	h := &house{
		cfg: cfg, token: rand.Text(), group: "run-" + strings.ToLower(rand.Text()[:8]),
		deliver: deliver, spawner: newSpawner(),
		peers: map[string]*peer{}, links: map[*testlink.Conn]*boot{},
	}
	if h.cfg.StopTime <= 0 {
		h.cfg.StopTime = DefaultStopTime
	}
	if err := h.locate(); err != nil {
		return nil, err
	}
	var err error
	h.service, err = service.New(service.Config{Group: h.group, Seed: cfg.Seed, Listed: func(names []string) {
		deliver(coordinator.Message{Body: coordinator.Listed{Names: names}})
	}})
	return h, err
}

// locate makes the path of the program hold in the peers' directories.
func (h *house) locate() error {
	path := h.cfg.Program[0]
	if filepath.Base(path) == path {
		return nil // found by its name
	}
	path, err := filepath.Abs(path)
	h.cfg.Program = append([]string{path}, h.cfg.Program[1:]...)
	return err
}

// open listens and serves.
func (h *house) open(ctx context.Context) error {
	h.link = testlink.NewServer(testlink.ServerConfig{Token: h.token, Admit: h.admit, Receive: h.receive})
	mux := http.NewServeMux()
	mux.Handle(testlink.Path, h.link)
	mux.Handle("/", h.service)
	l, err := netx.Real{}.Listen(context.WithoutCancel(ctx), "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("no free port for the run: %w", err)
	}
	if len(h.cfg.Watchdog) > 0 {
		if h.dog, err = startWatchdog(h.cfg.Watchdog); err != nil {
			return errors.Join(fmt.Errorf("watchdog: %w", err), l.Close())
		}
	}
	h.url = "http://" + l.Addr().String()
	h.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	h.served.Go(func() { _ = h.http.Serve(l) }) // ends when closed
	ctx, h.end = context.WithCancel(context.WithoutCancel(ctx))
	h.served.Go(func() { h.service.Run(ctx) })
	return nil
}

// close ends what open has started; all peers have ended before.
func (h *house) close() {
	h.link.Close("the run is over")
	_ = h.http.Close() // nobody is left to be told
	h.end()
	h.served.Wait()
	if h.dog != nil {
		h.dog.stop()
	}
}

// live carries out orders until ctx ends, and then waits until the last peer
// has ended, which ctx sees to.
func (h *house) live(ctx context.Context, orders *mailbox.Box[coordinator.Order]) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(h.spawner.run)
	defer h.spawner.stop()
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

// carryOut begins one order. What takes time goes on beside it.
func (h *house) carryOut(ctx context.Context, o coordinator.Order) {
	if ctx.Err() != nil {
		h.done(o, errOver)
		return
	}
	switch o.Verb {
	case coordinator.Start:
		h.start(ctx, o)
	case coordinator.Kill, coordinator.Stop:
		h.finish(o)
	case coordinator.Pause, coordinator.Resume:
		h.hold(o)
	case coordinator.Ail:
		h.service.Ail(o.Ail)
		h.done(o, nil)
	default:
		h.done(o, fmt.Errorf("processes cannot %s", o.Verb))
	}
}

func (h *house) done(o coordinator.Order, err error) {
	h.deliver(coordinator.Message{Peer: o.Peer, Body: coordinator.Done{ID: o.ID, Err: err}})
}

// admit lets each boot of a peer in once.
func (h *house) admit(hello testlink.Hello) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.peers[hello.Name]
	switch {
	case p == nil:
		return fmt.Errorf("%q is no peer of this run", hello.Name)
	case p.now == nil || p.ended[hello.PID]:
		return fmt.Errorf("this process of %s has ended", hello.Name)
	case p.now.attached:
		return fmt.Errorf("%s has attached already", hello.Name)
	}
	p.now.attached = true
	return nil
}

// receive passes on what a peer says.
func (h *house) receive(conn *testlink.Conn, m testlink.Message) {
	name := conn.Hello().Name
	msg := coordinator.Message{Peer: name, Body: m}
	b := h.of(conn)
	switch m.(type) {
	case testlink.Opened:
		msg.Link = conn
		<-b.exists // its start was said to be done
	case testlink.Closed:
		defer close(b.unlinked)
		defer h.forget(conn)
	}
	h.deliver(msg)
}

// of is the boot that a link belongs to: the one that was let in.
func (h *house) of(conn *testlink.Conn) *boot {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.links[conn]
	if b == nil {
		b = h.peers[conn.Hello().Name].now // it stays until its link has ended
		b.conn = conn
		h.links[conn] = b
	}
	return b
}

func (h *house) forget(conn *testlink.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.links, conn)
}
