package remote

import (
	"context"
	"net"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/run"
)

// Engine takes peers in as package run wants them. Its fields must not change
// while Run runs.
type Engine struct {
	Listener net.Listener      // closed when Run returns
	Token    string            // what the peers have to know
	Attached func(name string) // is told who comes; may be nil
}

// Run implements run.Engine.
func (e *Engine) Run(ctx context.Context, peers []string, deliver func(run.Message)) error {
	w := New(Config{Listener: e.Listener, Token: e.Token, Peers: peers, Attached: e.Attached})
	for i, name := range peers {
		w.Do(coordinator.Order{ID: uint64(i), Verb: coordinator.Start, Peer: name})
	}
	return w.Run(ctx, func(m coordinator.Message) {
		out := run.Message{Peer: m.Peer, Body: m.Body}
		switch b := m.Body.(type) {
		case coordinator.Done:
			return
		case coordinator.Gone:
			out.Body = run.Gone(b)
		}
		if m.Link != nil {
			out.Link = m.Link
		}
		deliver(out)
	})
}
