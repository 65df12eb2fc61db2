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
		URL: r.flags.test, Token: token, HTTP: client,
		Hello: testlink.Hello{Name: r.node.Name(), ID: id.ID.String(), Boot: id.Boot, PID: os.Getpid(), Version: program.Version()},
	})
	if err != nil {
		return nil, err
	}
	r.node.Journal().Attach(link.Sink)
	return &harness{run: r, link: link}, nil
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
// the server goes: then the peer goes too.
func (h *harness) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var tasks sync.WaitGroup
	tasks.Go(func() { h.report(ctx) })
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

// command runs one line. A command that ends the peer has done so when its
// result goes out: who was left knows it, and after exit nobody hears more.
func (h *harness) command(ctx context.Context, line string, end context.CancelCauseFunc) testlink.Result {
	var out bytes.Buffer
	start := time.Now()
	err := h.run.shell.Execute(ctx, line, &out)
	switch {
	case errors.Is(err, repl.ErrQuit):
		h.run.leave()
		<-h.run.gone
		end(err)
		err = nil
	case errors.Is(err, repl.ErrExit):
		h.run.node.Crash()
		<-h.run.gone
		end(err)
		err = nil
	}
	h.link.Status(wireStatus(h.run.node.Status())) // what the command changed is known before its result
	res := testlink.Result{OK: err == nil, Output: out.String(), Duration: time.Since(start)}
	if err != nil {
		res.Error = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return res
}

// reportEvery bounds how often the status is sent while it is in motion: it
// tells of all members, and a group that forms changes it for each of them.
const reportEvery = 20 * time.Millisecond

// report sends the status when it has changed: at once, then not sooner than
// reportEvery after the last time.
func (h *harness) report(ctx context.Context) {
	changes, stop := h.run.node.Watch()
	defer stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
		}
		h.link.Status(wireStatus(h.run.node.Status()))
		rest.Reset(reportEvery)
		select {
		case <-ctx.Done():
			return
		case <-changes:
		}
	}
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
