package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/program"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// harness lets a test server drive the peer.
type harness struct {
	run  *run
	link *testlink.Link
}

const attachPatience = 5 * time.Second

// attach connects to the test server before anything is recorded, so that
// the server sees the journal from its first event.
func attach(ctx context.Context, r *run) (*harness, error) {
	token, err := readToken(r.process.Env)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, attachPatience)
	defer cancel()
	id := r.setup.cfg.Identity
	network := r.setup.cfg.Network
	client := netx.HTTPClient(network, 0)
	defer client.CloseIdleConnections()
	link, err := testlink.Dial(ctx, testlink.Config{
		URL: r.flags.test, Token: token, HTTP: client, Faults: faultsOf(network),
		Hello: testlink.Hello{Name: r.node.Name(), ID: id.ID.String(), Boot: id.Boot, PID: os.Getpid(), Version: program.Version()},
	})
	if err != nil {
		return nil, err
	}
	r.node.Journal().Attach(link.Sink)
	return &harness{run: r, link: link}, nil
}

// faultsOf is how a network is told its table of faults; nil if it takes
// none.
func faultsOf(n netx.Network) func(faulty.Table, []string) error {
	f, is := n.(*faulty.Network)
	if !is {
		return nil
	}
	return func(t faulty.Table, reset []string) error {
		if err := f.Set(t); err != nil {
			return err
		}
		_, err := f.Reset(reset)
		return err
	}
}

const maxToken = 1 << 10 // bytes

// readToken reads the run's token: from the inherited pipe that
// PEERLAB_TOKEN_FD names, so that no list of processes shows it, or from
// PEERLAB_TOKEN.
func readToken(env func(string) string) (string, error) {
	fd := env("PEERLAB_TOKEN_FD")
	if fd == "" {
		if token := env("PEERLAB_TOKEN"); token != "" {
			return token, nil
		}
		return "", errors.New("no token for the test server: set PEERLAB_TOKEN to what `testserver serve` prints")
	}
	n, err := strconv.ParseUint(fd, 10, 16)
	if err != nil {
		return "", fmt.Errorf("PEERLAB_TOKEN_FD %q is no file descriptor", fd)
	}
	f := os.NewFile(uintptr(n), "token")
	if f == nil {
		return "", fmt.Errorf("PEERLAB_TOKEN_FD %d is not open", n)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("read the token of the test server: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// serve runs the test server's commands until one of them ends the peer, or
// the server goes: then the peer goes too. When outer ends the peer takes
// leave before the link does, so that the server hears of it.
func (h *harness) serve(outer context.Context) error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(outer))
	defer cancel(nil)
	var tasks sync.WaitGroup
	tasks.Go(func() { h.report(ctx) })
	tasks.Go(func() {
		select {
		case <-ctx.Done():
		case <-outer.Done():
			h.depart()
			cancel(nil)
		}
	})
	err := h.link.Run(ctx, testlink.HandlerFunc(func(ctx context.Context, line string) testlink.Result {
		return h.command(ctx, line, cancel)
	}))
	cancel(nil)
	tasks.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, repl.ErrQuit) || errors.Is(cause, repl.ErrExit) {
		return cause
	}
	if errors.Is(err, testlink.ErrClosed) {
		return nil // the run is over
	}
	return err
}

// depart takes leave of everybody, and tells how that ended.
func (h *harness) depart() {
	h.run.leave()
	<-h.run.gone
	h.link.Status(h.status())
}

// command runs one line. A command that ends the peer has done so when its
// result goes out: who was left knows it, and after exit nobody hears more.
func (h *harness) command(ctx context.Context, line string, end context.CancelCauseFunc) testlink.Result {
	var out bytes.Buffer
	start := time.Now()
	err := h.run.shell.Execute(ctx, line, &out)
	switch {
	case errors.Is(err, repl.ErrQuit):
		h.depart()
		end(err)
		err = nil
	case errors.Is(err, repl.ErrExit):
		h.run.node.Crash()
		<-h.run.gone
		end(err)
		err = nil
	}
	h.link.Status(h.status()) // what the command changed is known before its result
	res := testlink.Result{OK: err == nil, Output: out.String(), Duration: time.Since(start)}
	if err != nil {
		res.Error = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return res
}

const (
	// reportEvery bounds how often the status is sent while it is in motion:
	// it tells of all members, and a group that forms changes it for each of
	// them.
	reportEvery = 20 * time.Millisecond
	// healthEvery is how often the health is looked at: nobody tells when it
	// changes. It does so with the probes of membership, one a second.
	healthEvery = 500 * time.Millisecond
)

// report sends the status when it has changed: at once, then not sooner than
// reportEvery after the last time. A new address is never kept back: faults
// between peers stand on it.
func (h *harness) report(ctx context.Context) {
	changes, stop := h.run.node.Watch()
	defer stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	health := time.NewTicker(healthEvery)
	defer health.Stop()
	resting, due := true, true
	var last testlink.Status
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
			resting = false
		case <-changes:
			due = true
		case <-health.C:
			due = due || h.health() != last.Health
		}
		if !due {
			continue
		}
		now := h.status()
		if resting && now.Self == last.Self {
			continue
		}
		h.link.Status(now)
		last, resting, due = now, true, false
		rest.Reset(reportEvery)
	}
}

// status is what the peer sees now.
func (h *harness) status() testlink.Status {
	s := wireStatus(h.run.node.Status())
	s.Health = h.health()
	return s
}

// health is the score of a live member, and 0 where there is none.
func (h *harness) health() int {
	g, err := h.run.node.Membership()
	if err != nil {
		return 0
	}
	score, err := g.Health()
	if err != nil {
		return 0
	}
	return score
}

func wireStatus(s node.Status) testlink.Status {
	w := testlink.Status{Ready: s.Ready, Closing: s.Leaving, Self: wireNode(s.Self), Members: []testlink.Node{}, Present: map[string][]testlink.Node{}}
	for _, m := range s.Members {
		n := wireNode(m.Member)
		n.State = string(m.State)
		if m.State == membership.Lost {
			n.State = "dead" // as the scenario language has it
		}
		w.Members = append(w.Members, n)
	}
	for name, members := range s.Present {
		w.Present[name] = []testlink.Node{}
		for _, m := range members {
			w.Present[name] = append(w.Present[name], wireNode(m))
		}
	}
	return w
}

func wireNode(m extension.Member) testlink.Node {
	n := testlink.Node{Name: m.Name, ID: m.ID, Boot: m.Boot, Foreign: m.Foreign}
	if m.Addr.IsValid() {
		n.Addr = m.Addr.String()
	}
	return n
}
