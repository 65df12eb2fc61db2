// Package node is one peer as a value. It owns the layers (discovery,
// membership, extensions), starts them in order, connects them in one
// direction, and takes leave in the opposite order.
//
// A node gets a Config and never sees flags, the environment, standard input
// or signals; so many of them fit into one process, and tests run them in
// bubbles on a simulated network. How its goroutines belong together: Run owns
// discovery and the remembering of peers; Create makes a live membership with
// an endpoint, whose goroutines belong to it; each running extension belongs
// to that membership too. Steps of starting and leaving run one at a time.
package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/discovery"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/repl"
)

// Sentinels that callers branch on.
var (
	// ErrNameTaken: another peer in the group has our name.
	ErrNameTaken = bootstrap.ErrNameTaken
	// ErrNotStarted: the step needs one before it; the message says which.
	ErrNotStarted = errors.New("not started")
)

// Config describes a peer. Name, Identity and Network are required.
type Config struct {
	Name     string
	Group    string // empty is bootstrap.DefaultGroup
	Identity *identity.Identity

	Network   netx.Network
	Faults    *faulty.Network // Network, or what it goes through, if somebody may break it; nil refuses faults
	Bind      string          // host:port; empty is 127.0.0.1:0
	Advertise netip.AddrPort  // what others are told; the zero value is the bound address

	Service    string   // URL of the bootstrap service; empty is the rendezvous
	Token      string   // for Service
	Join       []string // static addresses
	Rendezvous files.FS // the user's runtime directory; nil is no rendezvous
	PID        int      // for messages

	Data       files.FS // where peers are remembered and the journal is kept; nil is nowhere
	Settings   *membership.Settings
	Extensions []extension.Extension
	Probes     bool // each answer to a probe of the membership is an event

	// Log gives each component its logger; nil logs nothing.
	Log func(component string) zerolog.Logger
	// Show puts a line before the person at this peer, already neutralised.
	// It must not block for long, and may be called from any goroutine. Nil
	// shows nothing.
	Show func(extension.Line)
}

// journalBytes bounds the journal in the data directory.
const journalBytes = 32 << 20

// Node is one boot of one peer. Make it with New, Run it once; the other
// methods wait until Run has begun.
type Node struct {
	cfg       Config
	cable     *cable // all that the node's layers have of the network
	journal   *journal.Writer
	late      journal.Late // takes what is recorded before Run has opened the file
	discovery *discovery.Discovery
	faults    *Faults       // nil if the network takes none
	begun     chan struct{} // closed when Run has begun
	crash     chan struct{} // closed by Crash
	crashOnce sync.Once
	broken    chan *guard.Panic // has one element when a goroutine has panicked
	steps     chan struct{}     // holds one token while a step of starting or leaving runs
	dirty     chan struct{}     // the members have changed since they were remembered

	mu       sync.Mutex // guards the fields below; no call out while it is held
	ctx      context.Context
	settings *membership.Settings
	live     *live
	boot     int  // of live, or of the next one if there was none yet
	numbered bool // boot has been used
	joined   bool // Join was asked for, so listed peers may be joined as they come
	ready    bool
	leaving  bool
	present  map[string][]extension.Member
	watchers map[chan struct{}]bool
}

// New checks the configuration. It starts nothing.
func New(cfg Config) (*Node, error) {
	if cfg.Group == "" {
		cfg.Group = bootstrap.DefaultGroup
	}
	if cfg.Bind == "" {
		cfg.Bind = "127.0.0.1:0"
	}
	if cfg.Log == nil {
		cfg.Log = func(string) zerolog.Logger { return zerolog.Nop() }
	}
	if cfg.Show == nil {
		cfg.Show = func(extension.Line) {}
	}
	if cfg.Settings == nil {
		cfg.Settings = &membership.Settings{}
	}
	if err := CheckName(cfg.Name); err != nil {
		return nil, err
	}
	if cfg.Identity == nil || cfg.Network == nil {
		return nil, errors.New("a node needs an identity and a network")
	}
	cable := newCable(cfg.Network)
	cfg.Network = cable
	n := &Node{
		cfg:      cfg,
		cable:    cable,
		journal:  journal.NewWriter(journal.Config{Peer: cfg.Name, Boot: cfg.Identity.Boot}),
		begun:    make(chan struct{}),
		crash:    make(chan struct{}),
		broken:   make(chan *guard.Panic, 1),
		steps:    make(chan struct{}, 1),
		dirty:    make(chan struct{}, 1),
		settings: cfg.Settings,
		boot:     cfg.Identity.Boot,
		present:  map[string][]extension.Member{},
		watchers: map[chan struct{}]bool{},
	}
	if cfg.Data != nil {
		n.journal.Attach(n.late.Sink)
	}
	n.faults = newFaults(n)
	d, err := discovery.New(discovery.Config{
		Group: cfg.Group, Network: cfg.Network, Log: n.log("bootstrap"),
		URL: cfg.Service, Token: cfg.Token,
		Rendezvous: cfg.Rendezvous, HostOn: hostOn(cfg.Bind), PID: cfg.PID,
		Static: cfg.Join, Data: cfg.Data,
		Record: func(text string) { n.journal.Record(journal.TypeBootstrap, text, nil) },
		Listed: n.listed,
	})
	if err != nil {
		return nil, err
	}
	n.discovery = d
	return n, nil
}

// hostOn is the host on which a peer that is bound to bind offers a service
// to others of its machine.
func hostOn(bind string) string {
	a, err := netip.ParseAddrPort(bind)
	if err != nil || a.Addr().IsUnspecified() {
		return "127.0.0.1"
	}
	return a.Addr().String()
}

// log is a component's logger whose warnings and errors are also events.
func (n *Node) log(component string) zerolog.Logger {
	return n.cfg.Log(component).Hook(zerolog.HookFunc(func(_ *zerolog.Event, l zerolog.Level, text string) {
		if l >= zerolog.WarnLevel && l < zerolog.NoLevel {
			n.journal.Record(journal.TypeLog, text, map[string]any{"level": l.String(), "component": component})
		}
	}))
}

// Journal is where everything that happens to the peer is written.
func (n *Node) Journal() *journal.Writer { return n.journal }

// Discovery is the peer's bootstrap layer.
func (n *Node) Discovery() *discovery.Discovery { return n.discovery }

// Extensions are the peer's extensions, in the order in which they start.
func (n *Node) Extensions() []extension.Extension { return n.cfg.Extensions }

// Name is what people call the peer; Group is the group it is for.
func (n *Node) Name() string { return n.cfg.Name }

// Group is the name of the group that the peer is for.
func (n *Node) Group() string { return n.cfg.Group }

// leavePatience bounds leaving, all layers together.
const leavePatience = 4 * time.Second

// brokenPatience is how long what is left may take to end after a panic, which
// may have left a lock that nobody gives back.
const brokenPatience = time.Second

// Run is the life of the peer. It serves until ctx ends, then takes leave of
// everybody in order, and returns when all its goroutines have ended. After
// Crash it returns without a word to anybody.
//
// A panic in one of its goroutines ends the peer as Crash does: its state
// cannot be trusted. The error is a *guard.Panic then, whose stack is in the
// log, and goroutines that wait for what the panic has left may live on.
func (n *Node) Run(ctx context.Context) (err error) {
	file, err := n.openJournal()
	if err != nil {
		return err
	}
	if file != nil {
		defer func() { err = errors.Join(err, file.Err(), file.Close()) }()
	}
	base, stop := context.WithCancel(guard.With(context.WithoutCancel(ctx), n.broke))
	defer stop()
	n.begin(base)
	served := make(chan error, 1)
	go func() {
		defer close(served)
		defer guard.Catch(base)
		served <- n.serve(ctx, base, stop, file)
	}()
	select {
	case err = <-served:
	case p := <-n.broken:
		n.broken <- p // for breakage
		n.Crash()
		select {
		case err = <-served:
		case <-time.After(brokenPatience):
		}
	}
	return errors.Join(err, n.breakage())
}

// broke is told of each panic of the peer's goroutines. The first one counts.
func (n *Node) broke(p *guard.Panic) {
	select {
	case n.broken <- p:
	default:
	}
}

// breakage is the panic that ended the peer, if one did; it is logged.
func (n *Node) breakage() error {
	select {
	case p := <-n.broken:
		logger := n.log("node")
		logger.Error().Bytes("stack", p.Stack).Msg(p.Error())
		return p
	default:
		return nil
	}
}

// serve is the life of the peer and its end. stop ends base.
func (n *Node) serve(ctx, base context.Context, stop func(), file *journal.File) (err error) {
	var tasks sync.WaitGroup
	if file != nil {
		tasks.Go(func() {
			defer guard.Catch(base)
			n.watchJournal(base, file)
		})
	}
	tasks.Go(func() {
		defer guard.Catch(base)
		err = n.discovery.Run(base)
	})
	tasks.Go(func() {
		defer guard.Catch(base)
		n.rememberAll(base)
	})
	select {
	case <-ctx.Done():
		n.leave(base)
	case <-n.crash:
	}
	stop()
	n.end()
	tasks.Wait()
	return err
}

func (n *Node) openJournal() (*journal.File, error) {
	if n.cfg.Data == nil {
		return nil, nil
	}
	f, err := journal.OpenFile(n.cfg.Data, journalName, journalBytes)
	if err != nil {
		return nil, err
	}
	n.late.Open(f)
	return f, nil
}

// watchJournal tells at once that the journal cannot be written any more.
func (n *Node) watchJournal(ctx context.Context, file *journal.File) {
	select {
	case <-ctx.Done():
	case <-file.Failed():
		n.caution(fmt.Sprintf("%v: what happens from now on is not in the journal; make room, and start the peer again", file.Err()))
	}
}

func (n *Node) begin(base context.Context) {
	n.mu.Lock()
	n.ctx = base
	n.mu.Unlock()
	close(n.begun)
}

// Crash ends the peer at once, as a killed process would end: nobody is told.
func (n *Node) Crash() {
	n.crashOnce.Do(func() {
		n.cable.pull() // first, so that nothing that follows is heard
		close(n.crash)
	})
}

// leave tells every layer, from the list of peers to the membership.
func (n *Node) leave(base context.Context) {
	ctx, cancel := context.WithTimeout(base, leavePatience)
	defer cancel()
	if err := n.step(ctx); err != nil {
		return // a step that hangs; the process ends it
	}
	defer n.stepped()
	n.setLeaving()
	if err := n.discovery.Leave(ctx); err != nil {
		logger := n.log("bootstrap")
		logger.Info().Err(err).Msg("leave")
	}
	l := n.current()
	if l == nil {
		return
	}
	n.remember()
	l.stopExtensions(n.cfg.Extensions, nil)
	if err := l.group.Leave(ctx); err != nil && !errors.Is(err, membership.ErrNotRunning) {
		logger := n.log("membership")
		logger.Info().Err(err).Msg("leave")
	}
}

// end ends what leave, or a crash, has left.
func (n *Node) end() {
	n.mu.Lock()
	l := n.live
	n.live = nil
	n.mu.Unlock()
	if l != nil {
		l.close()
	}
}

// step waits until no other step of starting or leaving runs, and until Run
// has begun. stepped must follow when it returns nil.
func (n *Node) step(ctx context.Context) error {
	select {
	case <-n.begun:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case n.steps <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) stepped() { <-n.steps }

func (n *Node) current() *live {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.live
}

// rememberAfter is how long the members may be in motion before they are
// written down.
const rememberAfter = time.Second

// rememberAll keeps the members on disk, for a start without any service.
func (n *Node) rememberAll(ctx context.Context) {
	timer := time.NewTimer(rememberAfter)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.dirty:
			timer.Reset(rememberAfter)
		case <-timer.C:
			n.remember()
		}
	}
}

func (n *Node) remember() {
	l := n.current()
	if l == nil {
		return
	}
	if err := n.discovery.Remember(l.group.Members()); err != nil {
		logger := n.log("bootstrap")
		logger.Warn().Err(err).Msg("remember peers")
	}
}

// show neutralises a line, records it, and puts it before the person.
func (n *Node) show(line extension.Line) {
	line.Label, line.Text = repl.Neutral(line.Label), repl.Neutral(line.Text)
	n.journal.Record(journal.TypeView, fmt.Sprintf("<%s> %s", line.Label, line.Text), nil)
	n.cfg.Show(line)
}
