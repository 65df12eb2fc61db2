package cli

import (
	"context"
	"sync"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/remote"
	"github.com/peerlab/peerlab/testserver/run"
)

// bridge is the engine for peers that are started elsewhere, as a world: they
// come by themselves, and cannot be ended.
type bridge struct {
	engine *remote.Engine
	peers  []string
}

func (b *bridge) Do(o coordinator.Order) {}

func (b *bridge) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	var mu sync.Mutex
	return b.engine.Run(ctx, b.peers, func(m run.Message) {
		mu.Lock()
		defer mu.Unlock()
		out := coordinator.Message{Peer: m.Peer, Body: m.Body}
		if g, is := m.Body.(run.Gone); is {
			out.Body = coordinator.Gone{State: g.State, OK: g.OK, Stderr: g.Stderr, Problems: g.Problems}
		}
		if d, is := m.Link.(coordinator.Driver); is {
			out.Link = d
		}
		deliver(out)
	})
}
