package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/peer/membership"
)

// live is what Create made: the one address, the membership on it, and the
// extensions that run on that. It owns their goroutines.
type live struct {
	node     *Node
	cable    *cable // what the endpoint has of the network
	endpoint *netx.Endpoint
	group    *membership.Group
	ctx      context.Context
	cancel   context.CancelFunc
	tasks    sync.WaitGroup // see spawn

	mu      sync.Mutex // guards the fields below
	closed  bool       // no new tasks
	started bool
	end     ending
	running map[string]*running
}

// newLive opens the peer's one address for a member with that boot number.
func newLive(ctx, base context.Context, n *Node, boot int, settings *membership.Settings) (*live, error) {
	cable := newCable(n.cfg.Network)
	e, err := netx.Open(ctx, netx.EndpointConfig{Network: cable, Addr: n.cfg.Bind, Advertise: n.cfg.Advertise})
	if err != nil {
		return nil, fmt.Errorf("open %s, which --bind names: %w", n.cfg.Bind, err)
	}
	l := &live{node: n, cable: cable, endpoint: e, running: map[string]*running{}}
	if err := l.form(base, boot, settings); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return l, nil
}

// form makes the membership on the open address, not live yet.
func (l *live) form(base context.Context, boot int, settings *membership.Settings) error {
	n, e := l.node, l.endpoint
	group, err := membership.New(membership.Config{
		Name: n.cfg.Name, ID: n.cfg.Identity.ID, Boot: boot,
		Label: memberlistLabel(n.cfg.Group), Endpoint: e, Advertise: n.cfg.Advertise,
		Settings: settings, Log: n.log("membership"),
		Announce: l.announce, Probed: l.probed(), Verify: l.ask,
	})
	if err != nil {
		return err
	}
	l.group = group
	l.ctx, l.cancel = context.WithCancel(base)
	e.Handle(l.label("who"), l.guarded(l.answer))
	l.spawn(func() { _ = e.Serve(l.ctx) }) // ends with ctx or with Close; nothing to add
	return nil
}

// probed records answers to probes, if that is asked for.
func (l *live) probed() func(name string, rtt time.Duration) {
	if !l.node.cfg.Probes {
		return nil
	}
	return func(name string, rtt time.Duration) {
		l.node.journal.Record(journal.TypeProbe, name, map[string]any{"rtt": rtt.Seconds()})
	}
}

// spawn runs f as a task that close waits for. After close it does nothing,
// and says so.
func (l *live) spawn(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.tasks.Go(func() {
		defer guard.Catch(l.ctx)
		f()
	})
	return true
}

// guarded is what the endpoint calls on goroutines of its own.
func (l *live) guarded(accept func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		defer guard.Catch(l.ctx)
		accept(c)
	}
}

var errClosing = errors.New("the peer is leaving")

// memberlistLabel keeps groups apart. The default group has none, so that a
// stock memberlist node can join it.
func memberlistLabel(group string) string {
	if group == "lab" {
		return ""
	}
	return group
}

// label is the label of a service's streams: another group's are refused.
func (l *live) label(service string) string { return l.node.cfg.Group + "/" + service }

func (l *live) start(ctx context.Context) error {
	if l.isStarted() {
		return nil
	}
	began, ended := make(chan struct{}), make(chan error, 1)
	if !l.spawn(func() { ended <- l.group.Run(l.ctx, func() { close(began) }) }) {
		return errClosing
	}
	select {
	case <-began:
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	l.started = true
	l.mu.Unlock()
	l.node.changed()
	return nil
}

func (l *live) isStarted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.started
}

// close ends everything at once; who wants to take leave does so before.
func (l *live) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	_ = l.endpoint.Close() // idempotent; nothing to add
	l.tasks.Wait()
}

// announce is told of every change of the membership, by one goroutine.
func (l *live) announce(c extension.Change) {
	word := c.Kind.String()
	if c.Kind == extension.Lost {
		word = "dead"
	}
	l.node.journal.Record(journal.TypeMember, word+" "+c.Member.Name, nil)
	l.node.faults.refresh()
	l.mu.Lock()
	all := make([]*running, 0, len(l.running))
	for _, r := range l.running {
		all = append(all, r)
	}
	l.mu.Unlock()
	for _, r := range all {
		r.changed(c)
	}
	select {
	case l.node.dirty <- struct{}{}:
	default:
	}
	l.node.changed()
}

// running is one run of an extension.
type running struct {
	ext    extension.Extension
	cancel context.CancelCauseFunc // with extension.ErrSilent to take no leave
	ready  chan struct{}
	done   chan struct{}
	err    error // of Run; to be read after done

	// gate is held for reading while the extension is called, and for
	// writing to end that for good: none is called after its Run returned.
	gate   sync.RWMutex
	closed bool
	turn   sync.Mutex // Accept is called by one goroutine at a time
}

func (r *running) changed(c extension.Change) {
	r.gate.RLock()
	defer r.gate.RUnlock()
	if !r.closed {
		r.ext.Changed(c)
	}
}

func (r *running) accept(c net.Conn) {
	r.gate.RLock()
	defer r.gate.RUnlock()
	if r.closed {
		c.Close()
		return
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	r.ext.Accept(c)
}

func (r *running) shut() {
	r.gate.Lock()
	defer r.gate.Unlock()
	r.closed = true
}

// open runs an extension and waits until it is ready, has failed, or ctx
// ends; then it goes on in the background.
func (l *live) open(ctx context.Context, e extension.Extension) error {
	r, err := l.launch(e)
	if err != nil {
		return err
	}
	select {
	case <-r.ready:
		l.node.changed()
		return nil
	case <-r.done:
		return errors.Join(fmt.Errorf("%s ended", e.Name()), r.err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// launch returns the run of an extension, which it starts if there is none.
func (l *live) launch(e extension.Extension) (*running, error) {
	l.mu.Lock()
	old := l.running[e.Name()]
	l.mu.Unlock()
	if old != nil {
		return old, nil
	}
	ctx, cancel := context.WithCancelCause(l.ctx)
	r := &running{ext: e, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{})}
	l.mu.Lock()
	l.running[e.Name()] = r
	l.mu.Unlock()
	l.node.setPresent(e.Name(), nil)
	l.endpoint.Handle(l.label(e.Name()), l.guarded(r.accept))
	ok := l.spawn(func() {
		defer cancel(nil)
		defer l.ended(r) // after a panic, too: somebody may wait for it
		r.err = e.Run(ctx, services{l, e.Name()}, sync.OnceFunc(func() { close(r.ready) }))
	})
	if !ok {
		cancel(nil)
		return nil, errClosing
	}
	return r, nil
}

// ended cleans up after a run that has returned, for whatever reason.
func (l *live) ended(r *running) {
	r.shut()
	l.endpoint.Handle(l.label(r.ext.Name()), nil)
	l.mu.Lock()
	delete(l.running, r.ext.Name())
	l.mu.Unlock()
	l.node.setAbsent(r.ext.Name())
	close(r.done)
	if r.err != nil {
		logger := l.node.log("node")
		logger.Error().Err(r.err).Str("extension", r.ext.Name()).Msg("ended")
	}
}

// stop closes an extension and waits for it; Run promises about a second. The
// cause is nil, or extension.ErrSilent.
func (l *live) stop(e extension.Extension, cause error) error {
	l.mu.Lock()
	r := l.running[e.Name()]
	l.mu.Unlock()
	if r == nil {
		return nil
	}
	r.cancel(cause)
	<-r.done
	return r.err
}

// stopExtensions closes all, in the opposite order of starting.
func (l *live) stopExtensions(all []extension.Extension, cause error) {
	for _, e := range slices.Backward(all) {
		_ = l.stop(e, cause) // ended has logged it
	}
}

// services is what one extension sees of the peer.
type services struct {
	live *live
	name string
}

var _ extension.Services = services{}

func (s services) Self() extension.Member      { return s.live.group.Self() }
func (s services) Members() []extension.Member { return s.live.group.Members() }

func (s services) Open(ctx context.Context, to extension.Member) (extension.Stream, error) {
	if to.Foreign {
		return nil, extension.ErrClosed
	}
	c, err := s.live.endpoint.Dial(ctx, to.Addr.String(), s.live.label(s.name))
	if errors.Is(err, netx.ErrNoHandler) {
		return nil, extension.ErrClosed
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s services) Record(e extension.Event) {
	s.live.node.journal.Record(e.Type, e.Text, e.Fields)
}

func (s services) Sent(e extension.Event) (stamp []byte) {
	return s.live.node.journal.RecordSent(e.Type, e.Text, e.Fields)
}

func (s services) Received(stamp []byte, e extension.Event) error {
	return s.live.node.journal.RecordReceived(stamp, e.Type, e.Text, e.Fields)
}

func (s services) Show(l extension.Line)        { s.live.node.show(l) }
func (s services) Present(m []extension.Member) { s.live.node.setPresent(s.name, m) }
func (s services) Stamp() []byte                { return s.live.node.journal.Stamp() }
func (s services) Observe(stamp []byte) error   { return s.live.node.journal.Observe(stamp) }

// The question who answers at an address: a labelled stream on which the
// peer says so and closes. Addresses change hands; ids do not.
const (
	whoVersion  = 1
	whoMax      = 1 << 10 // bytes of an answer
	askPatience = 2 * time.Second
)

type who struct {
	V    int    `json:"v"`
	Name string `json:"name"`
	ID   string `json:"id"`
	Boot int    `json:"boot"`
}

func (l *live) answer(c net.Conn) {
	self := l.group.Self()
	_ = c.SetDeadline(time.Now().Add(askPatience))
	ok := l.spawn(func() {
		defer c.Close()
		_ = json.NewEncoder(c).Encode(who{whoVersion, self.Name, self.ID, self.Boot}) // the asker sees it
	})
	if !ok {
		c.Close()
	}
}

func (l *live) ask(ctx context.Context, addr netip.AddrPort) (id string, err error) {
	c, err := l.endpoint.Dial(ctx, addr.String(), l.label("who"))
	if err != nil {
		return "", err
	}
	defer c.Close()
	if t, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(t)
	}
	var w who
	if err := json.NewDecoder(io.LimitReader(c, whoMax)).Decode(&w); err != nil {
		return "", fmt.Errorf("%s does not say who it is: %w", addr, err)
	}
	if w.V != whoVersion {
		return "", fmt.Errorf("%s speaks version %d of peers, this program version %d", addr, w.V, whoVersion)
	}
	return w.ID, nil
}
