package fakeworld

import (
	"fmt"
	"slices"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// addr is the address of a boot: each has another one.
func addr(p *Peer) string {
	return fmt.Sprintf("127.0.0.1:%d", 1000+100*slices.Index(p.w.names, p.name)+p.boot)
}

func (p *Peer) node() testlink.Node {
	return testlink.Node{Name: p.name, ID: "id-" + p.name, Boot: p.boot, Addr: addr(p)}
}

// reach tells whether what a sends arrives at b.
func (w *World) reach(a, b *Peer) bool {
	return a.ready && b.ready && !a.cuts(b.name, true) && !b.cuts(a.name, false)
}

// cuts tells whether p's table cuts what goes to the other, or comes from it.
func (p *Peer) cuts(other string, to bool) bool {
	i := slices.IndexFunc(p.table.Peers, func(o faulty.Peer) bool { return o.Name == other })
	if i < 0 {
		return false
	}
	if to {
		return p.table.Peers[i].To.Cut
	}
	return p.table.Peers[i].From.Cut
}

// arrived lets a peer and those that it reaches know each other at once.
func (w *World) arrived(p *Peer) {
	for _, name := range w.names {
		o := w.peers[name]
		if o == p || !w.there(p, o) || !w.there(o, p) {
			continue
		}
		w.settle(p, o, "alive")
		w.settle(o, p, "alive")
	}
	w.notice()
	p.status()
}

// there tells whether o is there for p.
func (w *World) there(p, o *Peer) bool {
	return p.ready && o.ready && !o.paused && w.reach(p, o) && w.reach(o, p)
}

// settle lets p see o in a state from now on, and follow no older notice.
func (w *World) settle(p, o *Peer, state string) {
	l := w.pair(p, o)
	l.version++
	l.there = state == "alive"
	p.see(o.name, state)
}

func (w *World) pair(p, o *Peer) *pair {
	key := [2]string{p.name, o.name}
	if w.pairs[key] == nil {
		w.pairs[key] = &pair{}
	}
	return w.pairs[key]
}

// notice lets everybody find out, after a while, who has come or gone.
func (w *World) notice() {
	for _, a := range w.names {
		for _, b := range w.names {
			if a != b {
				w.noticePair(w.peers[a], w.peers[b])
			}
		}
	}
}

func (w *World) noticePair(p, o *Peer) {
	l := w.pair(p, o)
	there := w.there(p, o)
	if !p.ready || there == l.there {
		return
	}
	l.there = there
	l.version++
	version, boot := l.version, p.boot
	find := func(state string) func() {
		return func() {
			if l.version == version && p.boot == boot && p.ready && !p.paused {
				p.see(o.name, state)
			}
		}
	}
	if there {
		w.later(backAfter, find("alive"))
		return
	}
	if s := p.sees[o.name]; s == "" || s == "left" || s == "dead" {
		return
	}
	w.later(suspectAfter, find("suspect"))
	w.later(deadAfter, find("dead"))
}

// see notes a change of what p sees, and tells of it.
func (p *Peer) see(other, state string) {
	before := p.sees[other]
	p.sees[other] = state
	word := map[string]string{"alive": "joined", "suspect": "suspect", "dead": "dead", "left": "left"}[state]
	if state == "alive" && before == "dead" {
		word = "back"
	}
	if before != state && !(state == "alive" && before == "suspect") {
		p.record("member", word+" "+other, nil)
	}
	p.status()
	if state == "alive" {
		p.flush(other)
	}
}

// left tells all that a peer leaves.
func (w *World) left(p *Peer) {
	p.ready = false
	for _, name := range w.names {
		if o := w.peers[name]; o != p && o.ready && o.sees[p.name] != "" && !o.paused {
			w.settle(o, p, "left")
		}
	}
}

// status tells what the peer sees now.
func (p *Peer) status() {
	if p.gone {
		return
	}
	s := testlink.Status{Ready: p.ready, Self: p.node(), Present: map[string][]testlink.Node{"chat": {}}}
	for _, name := range p.w.names {
		state := p.sees[name]
		if state == "" {
			continue
		}
		n := p.w.peers[name].node()
		n.State = state
		s.Members = append(s.Members, n)
		if state == "alive" || state == "suspect" {
			s.Present["chat"] = append(s.Present["chat"], n)
		}
	}
	p.say(s)
}

// list tells whom the bootstrap service lists.
func (w *World) list() {
	var names []string
	for _, name := range w.names {
		if w.peers[name].ready && !w.ailing {
			names = append(names, name)
		}
	}
	if !slices.Equal(names, w.listed) {
		w.listed = names
		w.deliver(coordinator.Message{Body: coordinator.Listed{Names: names}})
	}
}
