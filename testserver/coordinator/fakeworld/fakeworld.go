// Package fakeworld is a world of peers that are data: a coordinator.World in
// one goroutine, for tests. Its peers know a few commands, chat with each
// other, see each other come and go as a group does, after delays that are
// always the same, and are cut off from each other by the faults that they
// are given. A script of the world makes them misbehave.
//
// It is meant for synctest bubbles, where its delays cost nothing.
package fakeworld

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// How long peers take to notice things.
const (
	suspectAfter = 1 * time.Second
	deadAfter    = 3 * time.Second
	backAfter    = 500 * time.Millisecond
)

// World is a world of peers that are data. Run may be called once.
type World struct {
	script []rule
	err    error // what Run returns at once, if it is not nil

	calls   *mailbox.Box[func()]
	deliver func(coordinator.Message)
	peers   map[string]*Peer
	names   []string // in the order of their first start
	listed  []string
	pairs   map[[2]string]*pair
	ailing  bool
	began   time.Time
	over    bool
}

// New returns a world that behaves as its script says; an empty one for peers
// that do as they are told. See the comment of rule.
func New(script string) (*World, error) {
	rules, err := parse(script)
	w := &World{
		script: rules, calls: mailbox.New[func()](), peers: map[string]*Peer{}, pairs: map[[2]string]*pair{},
	}
	for _, r := range rules {
		if r.verb == "broken" {
			w.err = errors.New(r.text)
		}
	}
	return w, err
}

// Do implements coordinator.World.
func (w *World) Do(o coordinator.Order) { w.calls.Put(func() { w.carryOut(o) }) }

// Run implements coordinator.World.
func (w *World) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	w.deliver, w.began = deliver, time.Now()
	if w.err != nil {
		return w.err
	}
	for _, r := range w.script {
		if r.when == "at" {
			w.later(r.at, func() { w.act(r) })
		}
	}
	for {
		select {
		case <-w.calls.Ready():
			for _, call := range w.calls.Take() {
				call()
			}
		case <-ctx.Done():
			w.over = true
			for _, name := range w.names {
				w.peers[name].end("killed at the end of the run", false)
			}
			for _, call := range w.calls.Close() {
				call()
			}
			return nil
		}
	}
}

// later calls f in the world's goroutine.
func (w *World) later(d time.Duration, f func()) {
	time.AfterFunc(d, func() { w.calls.Put(f) })
}

var errOrder = errors.New("the world cannot do that")

// carryOut does what the coordinator orders.
func (w *World) carryOut(o coordinator.Order) {
	var err error
	switch r := w.rule("order", o.Peer, string(o.Verb)); {
	case w.over:
		err = fmt.Errorf("%w: the run is over", errOrder)
	case r == nil:
		err = w.order(o)
	case r.verb == "nothing":
		return
	default:
		err = fmt.Errorf("%w: %s", errOrder, r.text)
	}
	w.deliver(coordinator.Message{Peer: o.Peer, Body: coordinator.Done{ID: o.ID, Err: err}})
	if o.Verb == coordinator.Start && err == nil {
		w.attach(w.peers[o.Peer])
	}
}

func (w *World) order(o coordinator.Order) error {
	p := w.peers[o.Peer]
	switch {
	case o.Verb == coordinator.Ail:
		w.ailing = o.Ail.Down
		return nil
	case o.Verb == coordinator.Start:
		return w.start(o)
	case p == nil || p.gone:
		return fmt.Errorf("%w: %s does not run", errOrder, o.Peer)
	case o.Verb == coordinator.Resume != p.paused && (o.Verb == coordinator.Pause || o.Verb == coordinator.Resume), o.Verb == coordinator.Stop && p.paused:
		return fmt.Errorf("%w: %s %s, paused: %t", errOrder, o.Verb, o.Peer, p.paused)
	}
	switch o.Verb {
	case coordinator.Kill:
		p.end("killed by the script", false)
	case coordinator.Stop:
		if r := w.rule("on", o.Peer, "stop"); r != nil {
			p.end(r.text, false)
			return nil
		}
		w.left(p)
		p.end("exit status 0", true)
	case coordinator.Pause, coordinator.Resume:
		p.paused = o.Verb == coordinator.Pause
		w.notice()
		if !p.paused {
			held := p.held
			p.held = nil
			for _, f := range held {
				f()
			}
		}
	default:
		return fmt.Errorf("%w: %q", errOrder, o.Verb)
	}
	return nil
}

func (w *World) start(o coordinator.Order) error {
	p := w.peers[o.Peer]
	if p != nil && !p.gone {
		return fmt.Errorf("%w: %s runs already", errOrder, o.Peer)
	}
	if p == nil {
		p = &Peer{w: w, name: o.Peer}
		w.peers[o.Peer] = p
		w.names = append(w.names, o.Peer)
	}
	*p = Peer{
		w: w, name: p.name, boot: p.boot + 1, nobody: p.nobody,
		asks: map[uint64]func(error){}, sleeps: map[uint64]func(error){}, sees: map[string]string{}, shown: map[string]bool{},
	}
	return nil
}

// attach has a peer that was started open its link, unless the script is
// against it.
func (w *World) attach(p *Peer) {
	for _, r := range w.script {
		if r.when == "start" && r.peer == p.name {
			switch r.verb {
			case "gone":
				w.deliver(coordinator.Message{Peer: p.name, Body: coordinator.Gone{State: r.text}})
				p.gone = true
				return
			case "nothing":
				return
			}
		}
	}
	hello := testlink.Hello{Name: p.name, Boot: p.boot, PID: 100 + slices.Index(w.names, p.name)}
	w.deliver(coordinator.Message{Peer: p.name, Link: driver{p, p.boot, new(uint64), w}, Body: testlink.Opened{Hello: hello}})
}
