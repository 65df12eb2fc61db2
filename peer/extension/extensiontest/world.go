// Package extensiontest is a group of peers in memory, for the tests of
// extensions, and the conformance suite that every extension passes.
//
// A World has peers; each may run one extension, and gives it Services whose
// streams are pipes in memory. The test plays fate: peers join, leave, crash,
// come back with a new boot, are stopped or cut off from each other. Nothing
// is noticed by itself: the test says who learns of what, and when. Worlds
// work in synctest bubbles as well as in real time.
package extensiontest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

var (
	errUnreachable = errors.New("connection refused")
	errDead        = errors.New("this boot of the peer has ended")
)

// World is a group of peers in memory.
type World struct {
	t testing.TB

	// Connect makes the two ends of a stream. Nil means Pipe; other streams
	// cannot be stalled, and are reset by closing them. Set it before the
	// first peer starts.
	Connect func() (dialer, listener extension.Stream, err error)

	// Delay is how long bytes travel on pipes. Zero means no time at all. Set
	// it before the first peer starts.
	Delay time.Duration

	mu      sync.Mutex
	peers   []*Peer
	cut     map[[2]*Peer]bool
	streams map[*wire]bool
	changed chan struct{} // closed and replaced when a cut heals or a peer goes
}

// wire is an open stream and the two peers at its ends.
type wire struct {
	from, to *Peer
	a, b     extension.Stream
}

func (w *wire) stall(on bool) {
	if e, ok := w.a.(*end); ok {
		e.stall(on)
	}
}

func (w *wire) reset() {
	if e, ok := w.a.(*end); ok {
		e.reset()
		return
	}
	w.a.Close()
	w.b.Close()
}

// NewWorld returns a world without peers. What runs in it ends with the test.
func NewWorld(t testing.TB) *World {
	w := &World{t: t, cut: map[[2]*Peer]bool{}, streams: map[*wire]bool{}, changed: make(chan struct{})}
	t.Cleanup(func() {
		w.Heal()
		for _, p := range w.peers {
			p.Crash()
		}
	})
	return w
}

// Peer adds a peer that is not in the group yet. Its id sorts as its number:
// the first peer of a world has the smallest.
func (w *World) Peer(name string) *Peer {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.peers) + 1
	p := &Peer{w: w, n: n, name: name, id: fmt.Sprintf("%08x-0000-8000-8000-000000000000", n), view: map[*Peer]extension.Member{}}
	w.peers = append(w.peers, p)
	return p
}

// Partition cuts every peer of a from every peer of b: streams between them
// stall, and dials wait. Nobody is told; see Peer.Loses.
func (w *World) Partition(a, b []*Peer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range a {
		for _, y := range b {
			w.cut[pair(x, y)] = true
		}
	}
	w.applyCuts()
}

// Heal ends every partition and every stop; stalled streams go on.
func (w *World) Heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.cut)
	for _, p := range w.peers {
		p.stopped = false
	}
	w.applyCuts()
}

// Reset breaks every stream between two peers, in the middle of whatever is
// under way. New ones can be opened.
func (w *World) Reset(a, b *Peer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.streams {
		if pair(s.from, s.to) == pair(a, b) {
			s.reset()
			delete(w.streams, s)
		}
	}
}

// Freeze stalls every stream between two peers for good. New ones can be
// opened.
func (w *World) Freeze(a, b *Peer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.streams {
		if pair(s.from, s.to) == pair(a, b) {
			s.stall(true)
			delete(w.streams, s)
		}
	}
}

// Streams counts the open streams between two peers.
func (w *World) Streams(a, b *Peer) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for s := range w.streams {
		if pair(s.from, s.to) == pair(a, b) && !s.over() {
			n++
		}
	}
	return n
}

// over tells whether an end of a pipe was closed.
func (w *wire) over() bool {
	e, ok := w.a.(*end)
	return ok && (e.out.isOver() || e.in.isOver())
}

func (h *half) isOver() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended || h.closed || h.broken
}

func pair(a, b *Peer) [2]*Peer {
	if a.n > b.n {
		a, b = b, a
	}
	return [2]*Peer{a, b}
}

// blocked tells whether bytes between two peers stall. w.mu is held.
func (w *World) blocked(a, b *Peer) bool {
	return a.stopped || b.stopped || w.cut[pair(a, b)]
}

// applyCuts stalls and resumes streams as it should be now. w.mu is held.
func (w *World) applyCuts() {
	for s := range w.streams {
		if s.over() {
			delete(w.streams, s)
			continue
		}
		s.stall(w.blocked(s.from, s.to))
	}
	w.wake()
}

// wake lets waiting dials look again. w.mu is held.
func (w *World) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// open dials from a peer to a member.
func (w *World) open(ctx context.Context, from *Peer, to extension.Member) (extension.Stream, error) {
	for {
		s, wait, err := w.tryOpen(from, to)
		if wait == nil {
			return s, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryOpen dials, or tells what to wait for.
func (w *World) tryOpen(from *Peer, to extension.Member) (extension.Stream, chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.peers, func(p *Peer) bool { return p.id == to.ID })
	if i < 0 || to.Foreign {
		return nil, nil, errUnreachable
	}
	p := w.peers[i]
	switch {
	case w.blocked(from, p):
		return nil, w.changed, nil
	case !p.alive:
		return nil, nil, errUnreachable
	case p.run == nil || p.run.closing:
		return nil, nil, extension.ErrClosed
	}
	s, err := w.connect(from, p)
	return s, nil, err
}

// connect makes a stream and gives its far end to the peer. w.mu is held.
func (w *World) connect(from, to *Peer) (extension.Stream, error) {
	s := &wire{from: from, to: to}
	if w.Connect == nil {
		s.a, s.b = newPipe(w.Delay)
	} else {
		var err error
		if s.a, s.b, err = w.Connect(); err != nil {
			return nil, err
		}
	}
	w.streams[s] = true
	ext := to.run.ext
	to.run.do(func() { ext.Accept(s.b) })
	return s.a, nil
}

// Wait waits until a condition holds and fails the test if it does not
// within a minute (in a bubble: of virtual time).
func (w *World) Wait(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited for a minute: %s", what)
		}
	}
}

// members lists who a peer sees. w.mu is held.
func (p *Peer) members() []extension.Member {
	list := make([]extension.Member, 0, len(p.view))
	for _, m := range p.view {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b extension.Member) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// member is the peer as others see it. w.mu is held.
func (p *Peer) member() extension.Member {
	return extension.Member{Name: p.name, ID: p.id, Boot: p.boot, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(p.n >> 8), byte(p.n)}), uint16(1000+p.boot))}
}
