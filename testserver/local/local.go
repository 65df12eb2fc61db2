// Package local is the engine that runs the peers of a scenario as processes
// of this machine. It listens on one free loopback port, for the test link and
// for a bootstrap service of the run's own, and gives each process a
// directory below that of the run.
//
// No process outlives its runner, however that ends. On Linux the kernel sees
// to it (a child gets SIGKILL when the thread that started it dies, stopped or
// not); elsewhere a watchdog process does, which notices that its pipe from
// the runner has ended.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/run"
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
}

// Engine starts peers as processes.
type Engine struct{ cfg Config }

// New returns an Engine. It starts nothing.
func New(cfg Config) *Engine { return &Engine{cfg: cfg} }

// Run implements run.Engine.
func (e *Engine) Run(ctx context.Context, peers []string, deliver func(run.Message)) error {
	h := &house{
		cfg: e.cfg, token: rand.Text(), group: "run-" + strings.ToLower(rand.Text()[:8]),
		deliver: deliver, children: map[string]*child{},
	}
	for _, name := range peers {
		h.children[name] = newChild(name)
	}
	if err := h.open(ctx); err != nil {
		return err
	}
	defer h.close()
	var wg sync.WaitGroup
	defer wg.Wait()
	s := newSpawner()
	wg.Go(s.run)
	defer s.stop()
	return h.live(ctx, peers, s)
}

// house is one run of the engine.
type house struct {
	cfg     Config
	token   string
	group   string
	deliver func(run.Message)

	link   *testlink.Server
	http   *http.Server
	served sync.WaitGroup
	url    string
	dog    *watchdog

	mu       sync.Mutex
	children map[string]*child // the map itself does not change
}

// open listens and serves.
func (h *house) open(ctx context.Context) error {
	service, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore()})
	if err != nil {
		return fmt.Errorf("bootstrap service of the run: %w", err)
	}
	h.link = testlink.NewServer(testlink.ServerConfig{Token: h.token, Admit: h.admit, Receive: h.receive})
	mux := http.NewServeMux()
	mux.Handle(testlink.Path, h.link)
	mux.Handle("/", service)
	l, err := netx.Real{}.Listen(ctx, "127.0.0.1:0")
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
	return nil
}

// close ends what open has started; all peers have ended before.
func (h *house) close() {
	h.link.Close("the run is over")
	_ = h.http.Close() // nobody is left to be told
	h.served.Wait()
	if h.dog != nil {
		h.dog.stop()
	}
}

// live starts the peers and stays until the last one has ended. They are
// ended when ctx ends.
func (h *house) live(ctx context.Context, peers []string, s *spawner) error {
	var wg sync.WaitGroup
	for _, name := range peers {
		wg.Go(func() { h.child(ctx, h.children[name], s) })
	}
	wg.Wait()
	<-ctx.Done() // the runner decides when the run is over
	return nil
}

// admit lets each peer of the run in once.
func (h *house) admit(hello testlink.Hello) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.children[hello.Name]
	switch {
	case c == nil:
		return fmt.Errorf("%q is no peer of this run", hello.Name)
	case c.attached:
		return fmt.Errorf("%s has attached already", hello.Name)
	}
	c.attached = true
	return nil
}

// receive passes on what a peer says.
func (h *house) receive(conn *testlink.Conn, m testlink.Message) {
	name := conn.Hello().Name
	msg := run.Message{Peer: name, Body: m}
	if _, is := m.(testlink.Opened); is {
		msg.Link = conn
	}
	h.deliver(msg)
	if _, is := m.(testlink.Closed); is {
		close(h.children[name].unlinked)
	}
}

// args are those of one peer.
func (h *house) args(name, dir string) []string {
	args := append([]string(nil), h.cfg.Program[1:]...)
	return append(args, name,
		"--test", h.url, "--bootstrap", h.url, "--group", h.group,
		"--data", filepath.Join(dir, "data"), "--headless", "--dev", "--plain")
}

// environ is the environment of a peer: settings of the test server are not
// meant for it.
func (h *house) environ() []string {
	var env []string
	for _, v := range h.cfg.Env {
		if !strings.HasPrefix(v, "PEERLAB_") {
			env = append(env, v)
		}
	}
	return env
}

// openFiles opens the files of a peer's standard streams, all or none.
func openFiles(dir string) (in, out, errs *os.File, err error) {
	var e1, e2, e3 error
	in, e1 = os.Open(os.DevNull)
	out, e2 = os.Create(filepath.Join(dir, "stdout"))
	errs, e3 = os.Create(filepath.Join(dir, "stderr"))
	if err = errors.Join(e1, e2, e3); err != nil {
		in.Close()
		out.Close()
		errs.Close() // closing a file that is nil is an error, and harmless
	}
	return in, out, errs, err
}
