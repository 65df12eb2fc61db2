package local

import (
	"context"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/run"
)

// Engine starts the peers of a World as package run wants them: all at once,
// each for one boot.
type Engine struct{ cfg Config }

// New returns an Engine. It starts nothing.
func New(cfg Config) *Engine { return &Engine{cfg: cfg} }

// Run implements run.Engine.
func (e *Engine) Run(ctx context.Context, peers []string, deliver func(run.Message)) error {
	w := NewWorld(e.cfg)
	for i, name := range peers {
		w.Do(coordinator.Order{ID: uint64(i), Verb: coordinator.Start, Peer: name})
	}
	return w.Run(ctx, func(m coordinator.Message) {
		switch b := m.Body.(type) {
		case coordinator.Listed:
		case coordinator.Done:
			if b.Err != nil && ctx.Err() == nil {
				deliver(run.Message{Peer: m.Peer, Body: run.Gone{State: b.Err.Error()}})
			}
		case coordinator.Gone:
			deliver(run.Message{Peer: m.Peer, Body: run.Gone(b)})
		default:
			out := run.Message{Peer: m.Peer, Body: b}
			if m.Link != nil {
				out.Link = m.Link
			}
			deliver(out)
		}
	})
}
