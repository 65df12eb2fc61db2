package cli

import (
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
	"github.com/peerlab/peerlab/peer/harness"
	"github.com/peerlab/peerlab/repl"
)

// attached is the test server's end of the peer.
type attached struct {
	run  *run
	link *testlink.Link
}

const attachPatience = 5 * time.Second

// attach connects to the test server before anything is recorded, so that
// the server sees the journal from its first event.
func attach(ctx context.Context, r *run) (*attached, error) {
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
		URL: r.flags.test, Token: token, HTTP: client, Faults: faultsOf(r.setup.cfg.Faults),
		Hello: testlink.Hello{Name: r.node.Name(), ID: id.ID.String(), Boot: id.Boot, PID: os.Getpid(), Version: program.Version()},
	})
	if err != nil {
		return nil, err
	}
	r.node.Journal().Attach(link.Sink)
	return &attached{run: r, link: link}, nil
}

// faultsOf is how a network is told its table of faults; nil for none that
// takes any.
func faultsOf(n *faulty.Network) func(faulty.Table, []string) error {
	if n == nil {
		return nil
	}
	return func(t faulty.Table, reset []string) error {
		if err := n.Set(t); err != nil {
			return err
		}
		_, err := n.Reset(reset)
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
func (h *attached) serve(outer context.Context) error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(outer))
	defer cancel(nil)
	peer := &harness.Peer{Node: h.run.node, Shell: h.run.shell, Tell: h.link.Status, End: h.end}
	var tasks sync.WaitGroup
	tasks.Go(func() { peer.Report(ctx) })
	tasks.Go(func() {
		select {
		case <-ctx.Done():
		case <-outer.Done():
			peer.Depart()
			cancel(nil)
		}
	})
	err := h.link.Run(ctx, testlink.HandlerFunc(func(ctx context.Context, line string) testlink.Result {
		r, end := peer.Command(ctx, line)
		if end != nil {
			cancel(end)
		}
		return r
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

// end ends the node.
func (h *attached) end(inOrder bool) {
	if inOrder {
		h.run.leave()
	} else {
		h.run.node.Crash()
	}
	<-h.run.gone
}
