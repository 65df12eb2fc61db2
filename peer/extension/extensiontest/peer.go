package extensiontest

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/peerlab/peerlab/peer/extension"
)

// Peer is one peer of a World, through all its boots.
type Peer struct {
	w        *World
	n        int
	name, id string

	// Everything below is guarded by w.mu.
	boot    int
	alive   bool
	stopped bool
	left    bool // its last boot took leave
	view    map[*Peer]extension.Member
	run     *run

	lamport uint64
	events  []Event
	lines   []string
	present []string
	onShow  func(extension.Line)
}

// Event is what an extension recorded, when and in which boot.
type Event struct {
	extension.Event
	Boot    int // of the peer
	Lamport uint64
}

// run is one running extension.
type run struct {
	ext     extension.Extension
	cancel  context.CancelFunc
	ready   chan struct{}
	done    chan struct{}
	err     error // once done is closed
	closing bool  // guarded by w.mu: streams are not accepted any more
	dead    bool  // guarded by w.mu: crashed, its services do nothing

	mu    sync.Mutex
	queue []func()
	wake  chan struct{}
}

// do enqueues a call into the extension.
func (r *run) do(f func()) {
	r.mu.Lock()
	r.queue = append(r.queue, f)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// serve makes the enqueued calls until the extension has ended.
func (r *run) serve() {
	for {
		select {
		case <-r.wake:
		case <-r.done:
			return
		}
		r.mu.Lock()
		queue := r.queue
		r.queue = nil
		r.mu.Unlock()
		for _, f := range queue {
			f()
		}
	}
}

// Start lets the peer join the group with a new boot and runs an extension on
// it; nil runs none. The others learn of it at once, unless they are cut off.
func (p *Peer) Start(ext extension.Extension) {
	p.w.mu.Lock()
	p.boot++
	p.alive = true
	kind := extension.Joined
	if p.boot > 1 && !p.left {
		kind = extension.Back
	}
	p.left = false
	clear(p.view)
	for _, q := range p.w.peers {
		if q != p && q.alive && !p.w.blocked(p, q) {
			p.view[q] = q.member()
			q.tell(kind, p)
		}
	}
	p.w.mu.Unlock()
	if ext != nil {
		p.Open(ext)
	}
}

// Open runs an extension on a peer that is in the group.
func (p *Peer) Open(ext extension.Extension) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{ext: ext, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1)}
	p.w.mu.Lock()
	p.run = r
	p.w.mu.Unlock()
	go func() {
		defer close(r.done)
		r.err = ext.Run(ctx, &services{p, r}, sync.OnceFunc(func() { close(r.ready) }))
	}()
	go r.serve()
}

// Ready waits until the extension says that it is.
func (p *Peer) Ready() {
	p.w.t.Helper()
	p.w.mu.Lock()
	r := p.run
	p.w.mu.Unlock()
	select {
	case <-r.ready:
	case <-r.done:
		p.w.t.Fatalf("%s: ended before it was ready: %v", p.name, r.err)
	case <-time.After(20 * time.Second):
		p.w.t.Fatalf("%s: not ready within 20 s", p.name)
	}
}

// Close ends the extension in order; the peer stays in the group.
func (p *Peer) Close() error {
	p.w.mu.Lock()
	r := p.run
	if r != nil {
		r.closing = true
	}
	p.w.mu.Unlock()
	if r == nil {
		return nil
	}
	r.cancel()
	<-r.done
	p.w.mu.Lock()
	p.run = nil
	p.w.mu.Unlock()
	return r.err
}

// Leave ends the extension in order, then leaves the group in order.
func (p *Peer) Leave() {
	if err := p.Close(); err != nil {
		p.w.t.Errorf("%s: %v", p.name, err)
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.alive, p.left = false, true
	p.tellAll(extension.Left)
}

// Crash ends the peer without a word: its streams break. Nobody is told; see
// Lost. It returns when the extension's goroutines have ended.
func (p *Peer) Crash() {
	p.w.mu.Lock()
	p.alive = false
	for s := range p.w.streams {
		if s.from == p || s.to == p {
			s.reset()
			delete(p.w.streams, s)
		}
	}
	r := p.run
	p.run = nil
	if r != nil {
		r.dead, r.closing = true, true
	}
	p.w.wake()
	p.w.mu.Unlock()
	if r != nil {
		r.cancel()
		<-r.done
	}
}

// Lost tells all who see the peer that it is lost.
func (p *Peer) Lost() {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.tellAll(extension.Lost)
}

// Loses tells this peer, and only this one, that another is lost.
func (p *Peer) Loses(q *Peer) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.tell(extension.Lost, q)
}

// Finds tells this peer, and only this one, that another is back.
func (p *Peer) Finds(q *Peer) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.tell(extension.Back, q)
}

// Stop freezes the peer's streams as a stopped process would: nothing comes
// from it, and it reads nothing. Resume, or World.Heal, ends it.
func (p *Peer) Stop() { p.stop(true) }

// Resume ends Stop.
func (p *Peer) Resume() { p.stop(false) }

func (p *Peer) stop(on bool) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.stopped = on
	p.w.applyCuts()
}

// tellAll tells all who see the peer. w.mu is held.
func (p *Peer) tellAll(kind extension.Kind) {
	for _, q := range p.w.peers {
		if _, ok := q.view[p]; ok && q != p {
			q.tell(kind, p)
		}
	}
}

// tell changes what the peer sees of q and tells its extension. w.mu is held.
func (p *Peer) tell(kind extension.Kind, q *Peer) {
	m := q.member()
	if kind == extension.Left || kind == extension.Lost {
		delete(p.view, q)
	} else {
		p.view[q] = m
	}
	if r := p.run; r != nil {
		r.do(func() { r.ext.Changed(extension.Change{Kind: kind, Member: m}) })
	}
}

// Member is the peer as others see it now.
func (p *Peer) Member() extension.Member {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.member()
}

// Lines returns what was shown at the peer, in all its boots, as
// "<label> text".
func (p *Peer) Lines() []string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return slices.Clone(p.lines)
}

// Count counts the lines shown at the peer that begin with a prefix.
func (p *Peer) Count(prefix string) int {
	n := 0
	for _, line := range p.Lines() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// Events returns what was recorded at the peer under a type, in all its
// boots.
func (p *Peer) Events(kind string) []Event {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	var list []Event
	for _, e := range p.events {
		if e.Type == kind {
			list = append(list, e)
		}
	}
	return list
}

// Present returns the names that the extension presented last.
func (p *Peer) Present() []string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return slices.Clone(p.present)
}

// OnShow diverts the peer's lines and events: from now on f is called with
// each line, and nothing is kept. For benchmarks.
func (p *Peer) OnShow(f func(extension.Line)) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.onShow = f
}

// services is what one run of an extension gets.
type services struct {
	p *Peer
	r *run
}

func (s *services) Self() extension.Member { return s.p.Member() }

func (s *services) Members() []extension.Member {
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	return s.p.members()
}

func (s *services) Open(ctx context.Context, to extension.Member) (extension.Stream, error) {
	if s.dead() {
		return nil, errDead
	}
	return s.p.w.open(ctx, s.p, to)
}

func (s *services) dead() bool {
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	return s.r.dead
}

func (s *services) Record(e extension.Event) {
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	s.record(e)
}

// record keeps an event. w.mu is held.
func (s *services) record(e extension.Event) {
	if s.r.dead {
		return
	}
	s.p.lamport++
	if s.p.onShow == nil {
		e.Fields = maps.Clone(e.Fields)
		s.p.events = append(s.p.events, Event{e, s.p.boot, s.p.lamport})
	}
}

func (s *services) Sent(e extension.Event) []byte {
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	s.record(e)
	return binary.AppendUvarint(nil, s.p.lamport)
}

func (s *services) Received(stamp []byte, e extension.Event) error {
	err := s.Observe(stamp)
	s.Record(e)
	return err
}

func (s *services) Show(l extension.Line) {
	s.p.w.mu.Lock()
	f := s.p.onShow
	if f == nil && !s.r.dead {
		line := "<" + l.Label + "> " + neutral(l.Text)
		s.p.lines = append(s.p.lines, line)
		s.record(extension.Event{Type: "view", Text: line})
	}
	s.p.w.mu.Unlock()
	if f != nil {
		f(l)
	}
}

// neutral replaces what could steer a terminal.
func neutral(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func (s *services) Present(members []extension.Member) {
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	if s.r.dead {
		return
	}
	s.p.present = nil
	for _, m := range members {
		s.p.present = append(s.p.present, m.Name)
	}
}

func (s *services) Stamp() []byte {
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	if s.p.lamport == 0 {
		return nil
	}
	return binary.AppendUvarint(nil, s.p.lamport)
}

func (s *services) Observe(stamp []byte) error {
	t, n := binary.Uvarint(stamp)
	if n <= 0 || n != len(stamp) {
		return errors.New("malformed stamp")
	}
	s.p.w.mu.Lock()
	defer s.p.w.mu.Unlock()
	s.p.lamport = max(s.p.lamport, t)
	return nil
}
