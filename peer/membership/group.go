// Package membership answers who is reachable now. It wraps
// hashicorp/memberlist (SWIM with Lifeguard), which nothing else imports, and
// adds what a group of people needs: names that outlive restarts, joined,
// left, lost and back told apart, and a group that comes back after a
// partition.
//
// A Group is one boot of one member: it runs once. memberlist's callbacks run
// under its locks, and its timers outlive it; so they only enqueue, and a
// Group whose Run has returned drops what they bring. One goroutine, Run,
// applies the queue to the table of members and announces each change.
//
// The package knows nothing of bootstrap services, files or chat.
package membership

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/memberlist"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
)

// Errors that callers branch on.
var (
	// ErrNotRunning is returned by calls that need a live member.
	ErrNotRunning = errors.New("membership is not started")
	// ErrLeft is returned by calls that make no sense after Leave.
	ErrLeft = errors.New("this member has left the group")
)

// Config says who a Group is.
type Config struct {
	Name string
	ID   uuid.UUID
	Boot int // the number of this start, from 1

	// Label separates groups that share addresses: packets and streams of
	// another label are dropped. Empty is memberlist's default, so that a
	// stock node can join.
	Label string

	Endpoint  *netx.Endpoint // open and served; the Group does not close it
	Advertise netip.AddrPort // what others are told; the zero value is the endpoint's address
	Settings  *Settings      // nil is the profile
	Log       zerolog.Logger

	// Announce is told of each change, in order, from one goroutine. It must
	// not block.
	Announce func(extension.Change)

	// Probed is told of each answer to a probe and how long it took, in the
	// way of Announce. Nil asks for none.
	Probed func(name string, rtt time.Duration)

	// Verify asks who answers at an address, and fails unless it is a peer of
	// this group. It is called before an address that may have changed hands
	// is joined: a lost member's, or a listed one. Nil skips the question.
	Verify func(ctx context.Context, addr netip.AddrPort) (id string, err error)
}

// Group is one live membership. Make it with New, then Run it once.
type Group struct {
	cfg     Config
	self    extension.Member
	queue   *queue
	ran     atomic.Bool
	tasks   sync.WaitGroup // joins and retries under way; see spawn
	leaves  sync.WaitGroup // the leave under way; see takeLeave
	leaving atomic.Bool    // metadata says that we are leaving
	retry   atomic.Bool    // a round of retries is under way
	updates chan struct{}  // has one element while our metadata is announced anew; see update
	fresh   chan struct{}  // has one element when addresses were listed that were not before
	ctx     context.Context
	cancel  context.CancelFunc
	run     context.Context // of Run, set before its first goroutine: where panics are reported

	mu      sync.Mutex             // guards the fields below; no call out while it is held
	list    *memberlist.Memberlist // nil before and after Run
	left    *leave                 // nil until Leave
	table   table
	listing map[string]netip.AddrPort // what memberlist lists, by its own names
	listed  []netip.AddrPort          // from bootstrap; tried when nobody there is known
	bumped  time.Time                 // when our incarnation was last raised
	silent  map[string]bool           // while we leave: nodes that owe us an answer
	heard   chan struct{}             // closed when silent becomes empty
}

// New checks the configuration. It touches no network.
func New(cfg Config) (*Group, error) {
	if !ValidName(cfg.Name) {
		return nil, fmt.Errorf("name %q: use 1 to 32 of a-z, 0-9, _ and -, a letter first", cfg.Name)
	}
	if cfg.Endpoint == nil || cfg.Boot < 1 || cfg.Boot > maxBoot {
		return nil, errors.New("membership needs an endpoint and a boot number")
	}
	if cfg.Settings == nil {
		cfg.Settings = &Settings{}
	}
	if cfg.Announce == nil {
		cfg.Announce = func(extension.Change) {}
	}
	if !cfg.Advertise.IsValid() {
		cfg.Advertise = cfg.Endpoint.Addr()
	}
	if a := cfg.Advertise; a.Addr().IsUnspecified() || a.Port() == 0 {
		return nil, fmt.Errorf("bound to %s, which no other peer can dial: give --advertise HOST:PORT", cfg.Advertise)
	}
	g := &Group{fresh: make(chan struct{}, 1), updates: make(chan struct{}, 1), cfg: cfg, queue: newQueue(), table: newTable(), listing: map[string]netip.AddrPort{}}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.self = extension.Member{Name: cfg.Name, ID: cfg.ID.String(), Boot: cfg.Boot, Addr: cfg.Advertise}
	return g, nil
}

// Self is this member as the others see it.
func (g *Group) Self() extension.Member { return g.self }

// NodeName is the name that memberlist knows this boot by.
func (g *Group) NodeName() string { return g.meta().nodeName() }

func (g *Group) meta() meta {
	return meta{ID: g.cfg.ID, Boot: g.cfg.Boot, Name: g.cfg.Name, Leaving: g.leaving.Load()}
}

// Run makes the member live, calls started, and serves until ctx ends. It
// takes no leave of anybody: see Leave. When it returns, all goroutines of the
// Group have ended; memberlist's own may take some seconds more, and change
// nothing any more.
func (g *Group) Run(ctx context.Context, started func()) (err error) {
	if g.ran.Swap(true) {
		return errors.New("a membership runs once")
	}
	g.run = ctx
	stop := context.AfterFunc(ctx, g.cancel)
	defer stop()
	t := newTransport(ctx, g.cfg.Endpoint)
	list, err := memberlist.Create(g.memberlistConfig(t))
	if err != nil {
		g.cancel()
		_ = t.Shutdown()
		return fmt.Errorf("start membership: %w", err)
	}
	g.setList(list)
	defer func() { err = g.end(list) }() // after a panic, too: memberlist does not end by itself
	started()
	g.serve()
	return nil
}

func (g *Group) end(list *memberlist.Memberlist) error {
	g.cancel()
	g.setList(nil) // nothing is spawned any more
	g.leaves.Wait()
	err := list.Shutdown()
	g.tasks.Wait()
	return err
}

func (g *Group) setList(l *memberlist.Memberlist) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = l
}

func (g *Group) live() (*memberlist.Memberlist, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list == nil {
		return nil, ErrNotRunning
	}
	return g.list, nil
}

// spawn runs f with the live memberlist as one of the tasks, which Run waits
// for before it returns.
func (g *Group) spawn(f func(*memberlist.Memberlist)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.list
	if list == nil {
		return ErrNotRunning
	}
	g.tasks.Go(func() {
		defer guard.Catch(g.run)
		f(list)
	})
	return nil
}

func (g *Group) memberlistConfig(t *transport) *memberlist.Config {
	c := g.cfg.Settings.config()
	c.Name = g.NodeName()
	c.Label = g.cfg.Label
	c.Transport = t
	c.BindAddr = g.cfg.Endpoint.Addr().Addr().String()
	c.BindPort = int(g.cfg.Endpoint.Addr().Port())
	c.AdvertiseAddr = g.cfg.Advertise.Addr().String()
	c.AdvertisePort = int(g.cfg.Advertise.Port())
	d := delegate{g}
	c.Delegate, c.Events, c.Ping = d, d, d
	c.LogOutput = &logWriter{log: g.cfg.Log, suspect: g.enqueueSuspect, guard: g.run}
	return c
}

// serve is the one goroutine that changes the table.
func (g *Group) serve() {
	retry := newRetry()
	defer retry.stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.queue.signal:
			for _, n := range g.queue.take() {
				g.apply(n)
			}
		case <-g.fresh:
			retry.soon()
		case <-retry.C():
			g.retryAll()
			retry.next()
		}
	}
}

func (g *Group) apply(n notice) {
	if n.kind == barrier {
		close(n.done)
		return
	}
	g.mu.Lock()
	g.note(n)
	changes := g.table.apply(n, g.self)
	if n.kind == nodeHeard || n.kind == nodeLeaving || n.kind == nodeGone {
		g.answered(n.node)
	}
	e := g.table.byKey[g.table.byNode[n.node]]
	probed := n.kind == nodeAnswered && g.cfg.Probed != nil && e != nil && e.node == n.node
	g.mu.Unlock()
	if probed {
		g.cfg.Probed(e.Member.Name, n.rtt) // only this goroutine changes entries
	}
	for _, c := range changes {
		g.cfg.Announce(c)
	}
	if n.kind == nodeLeaving {
		g.answer(n.node)
	}
}

// Join contacts the addresses ("host:port") in parallel and returns how many
// answered; whom they know is among the members then. It fails when there are
// some and none answered, and when ctx ends first; contacts under way then go
// on within the Group.
func (g *Group) Join(ctx context.Context, addrs []string) (int, error) {
	var reached atomic.Int32
	done := make(chan error, 1)
	err := g.spawn(func(list *memberlist.Memberlist) {
		done <- g.joinAll(list, addrs, &reached)
	})
	if err != nil {
		return 0, err
	}
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.settle(ctx)
	n := int(reached.Load())
	if n > 0 || len(addrs) == 0 {
		return n, nil
	}
	return 0, err
}

// joinAll returns when all addresses have answered or failed, and why those
// failed that did, in the order of the addresses.
func (g *Group) joinAll(list *memberlist.Memberlist, addrs []string, reached *atomic.Int32) error {
	errs := make([]error, len(addrs))
	var eg errgroup.Group
	eg.SetLimit(parallel)
	for i, addr := range addrs {
		eg.Go(func() error {
			defer guard.Catch(g.run)
			if _, err := list.Join([]string{addr}); err != nil {
				errs[i] = joinError(addr, err)
				return nil
			}
			reached.Add(1)
			return nil
		})
	}
	_ = eg.Wait() // its functions return nil
	return errors.Join(errs...)
}

// settle returns when all that memberlist has told so far is in the table.
func (g *Group) settle(ctx context.Context) {
	done := make(chan struct{})
	g.push(notice{kind: barrier, done: done})
	select {
	case <-done:
	case <-ctx.Done():
	case <-g.ctx.Done():
	}
}

// parallel bounds how many members are contacted at once.
const parallel = 8

// hungUp tells that the other side has ended the stream: whether that is seen by
// a read or a write is chance. memberlist keeps of the cause no more than its text.
var hungUp = regexp.MustCompile(`(EOF|broken pipe|connection reset by peer|closed by the remote host\.?)$`)

// joinError is memberlist's list of causes on one line.
func joinError(addr string, err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, addr+": "); i >= 0 {
		text = strings.TrimSpace(text[i+len(addr)+2:])
	}
	if hungUp.MatchString(text) {
		text = "it hung up: is it a peer, and in this group?"
	}
	return fmt.Errorf("%s: %s", addr, strings.Join(strings.Fields(text), " "))
}

// SetListed replaces the addresses that bootstrap lists. Those at which no
// member is known are tried again every few seconds.
func (g *Group) SetListed(addrs []netip.AddrPort) {
	g.mu.Lock()
	news := slices.ContainsFunc(addrs, func(a netip.AddrPort) bool { return !slices.Contains(g.listed, a) })
	g.listed = slices.Clone(addrs)
	g.mu.Unlock()
	if !news {
		return
	}
	select {
	case g.fresh <- struct{}{}:
	default:
	}
}

// Leave is LeaveWithin a second.
func (g *Group) Leave(ctx context.Context) error { return g.LeaveWithin(ctx, time.Second) }

// MaxWait bounds the waits of LeaveWithin and Update: Run cannot end before
// them.
const MaxWait = 10 * time.Second

// LeaveWithin tells everybody that we go. It waits until the word is out, ctx
// ends, or wait has passed, which is an error: we have left all the same. Run
// goes on until its context ends. A second call waits for the first one's
// leave.
func (g *Group) LeaveWithin(ctx context.Context, wait time.Duration) error {
	l, err := g.takeLeave(min(wait, MaxWait))
	if err != nil {
		return err
	}
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave is the taking of leave, which happens once.
type leave struct {
	done chan struct{}
	err  error // to be read after done
}

// takeLeave begins the leave unless it has begun. memberlist locks itself up
// while it leaves, and panics if it is to leave after its end; so there is one
// leave, and Run waits for it before it ends memberlist.
func (g *Group) takeLeave(wait time.Duration) (*leave, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.list
	if list == nil {
		return nil, ErrNotRunning
	}
	if g.left == nil {
		l := &leave{done: make(chan struct{})}
		g.left = l
		g.leaving.Store(true)
		g.leaves.Go(func() {
			defer close(l.done)
			defer guard.Catch(g.run)
			l.err = g.sayGoodbye(list, wait)
		})
	}
	return g.left, nil
}

// Members are the other members that are in the group now, sorted by name.
func (g *Group) Members() []extension.Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.present()
}

// Table is all that is known of other members: those in the group, the lost
// ones, and those that left, sorted by name.
func (g *Group) Table() []Info {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.table.all()
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Member.Name, b.Member.Name), cmp.Compare(a.Member.ID, b.Member.ID))
	})
	return all
}

// Health is memberlist's own awareness score: 0 is healthy.
func (g *Group) Health() (int, error) {
	list, err := g.live()
	if err != nil {
		return 0, err
	}
	return list.GetHealthScore(), nil
}

// Update announces our metadata once more and waits until the announcement has
// been given to others, ctx ends, or wait has passed, which is an error.
func (g *Group) Update(ctx context.Context, wait time.Duration) error {
	if g.leaving.Load() {
		return ErrLeft
	}
	done := make(chan error, 1)
	err := g.spawn(func(list *memberlist.Memberlist) { done <- g.update(ctx, list, min(wait, MaxWait)) })
	if err != nil {
		return err
	}
	select {
	case err = <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// update announces our metadata. One at a time: memberlist reads our own node
// without its lock while it does that, and another announcement writes it.
func (g *Group) update(ctx context.Context, list *memberlist.Memberlist, wait time.Duration) error {
	by := time.Now().Add(wait)
	ctx, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	select {
	case g.updates <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.updates }()
	return list.UpdateNode(max(time.Until(by), time.Millisecond))
}

// Ping measures the round trip to a member over packets.
func (g *Group) Ping(m extension.Member) (time.Duration, error) {
	list, err := g.live()
	if err != nil {
		return 0, err
	}
	g.mu.Lock()
	name := g.table.nodeName(m)
	g.mu.Unlock()
	if name == "" {
		return 0, fmt.Errorf("%s is not in the group", m.Name)
	}
	start := time.Now() // memberlist looks at the clock after it has sent
	_, err = list.Ping(name, udpAddr(m.Addr))
	return time.Since(start), err
}
