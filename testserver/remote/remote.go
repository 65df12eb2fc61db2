// Package remote is the engine for peers that are started elsewhere, with
// `peer --test URL` and the token of the run. It only listens: peers come and
// go by themselves, and are told when the run is over.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/run"
)

// Engine takes peers in. Its fields must not change while Run runs.
type Engine struct {
	Listener net.Listener      // closed when Run returns
	Token    string            // what the peers have to know
	Attached func(name string) // is told who comes; may be nil
}

// Run implements run.Engine.
func (e *Engine) Run(ctx context.Context, peers []string, deliver func(run.Message)) error {
	d := &door{peers: peers, deliver: deliver, attached: e.Attached, inside: map[string]bool{}}
	link := testlink.NewServer(testlink.ServerConfig{Token: e.Token, Admit: d.admit, Receive: d.receive})
	server := &http.Server{Handler: link, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(e.Listener) }()
	reason := "the run is over"
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody is left to be told
	defer stop()
	err := <-failed
	if ctx.Err() == nil {
		reason = "the test server cannot go on"
	} else if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	link.Close(reason)
	if err != nil {
		return fmt.Errorf("listen for peers: %w", err)
	}
	return nil
}

// door lets the peers of the scenario in, each once.
type door struct {
	peers    []string
	deliver  func(run.Message)
	attached func(string)

	mu     sync.Mutex
	inside map[string]bool
}

func (d *door) admit(h testlink.Hello) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !slices.Contains(d.peers, h.Name):
		return fmt.Errorf("%q is no peer of the scenario", h.Name)
	case d.inside[h.Name]:
		return fmt.Errorf("%s has attached already", h.Name)
	}
	d.inside[h.Name] = true
	return nil
}

func (d *door) receive(conn *testlink.Conn, m testlink.Message) {
	msg := run.Message{Peer: conn.Hello().Name, Body: m}
	switch m := m.(type) {
	case testlink.Opened:
		msg.Link = conn
		if d.attached != nil {
			d.attached(msg.Peer)
		}
	case testlink.Closed:
		d.deliver(msg)
		left := m.Err == nil || errors.Is(m.Err, testlink.ErrClosed)
		msg.Body = run.Gone{State: leaving(m.Err), OK: left}
	}
	d.deliver(msg)
}

func leaving(err error) string {
	if err == nil {
		return "released at the end of the run"
	}
	return err.Error()
}
