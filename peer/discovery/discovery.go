// Package discovery answers whom a peer contacts first. It knows three
// sources: the bootstrap service, the peers remembered from last time, and
// static addresses; a peer tries them all in parallel.
//
// Where no service is named, the peers of one user on one machine meet by a
// rendezvous file: whoever holds its lock hosts the service, and when the
// holder goes, in whatever way, the lock falls to another.
//
// The package speaks to the service and keeps a record there; it never
// contacts other peers and knows nothing of membership.
package discovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/guard"
)

// Errors that callers branch on.
var (
	// ErrNoService is matched when there is no bootstrap service to ask.
	ErrNoService = errors.New("no bootstrap service")
	// ErrNowhere is matched, as ErrNoService is, when none is named and there
	// is no rendezvous either, so that none can come.
	ErrNowhere = fmt.Errorf("%w: give --bootstrap URL or --join HOST:PORT", ErrNoService)
)

// Passing tells errors of Join that may be over in a moment from refusals: no
// answer, an answer that the service cannot do it now, or a service that is
// still to come.
func Passing(err error) bool {
	return errors.Is(err, bootstrap.ErrUnavailable) || errors.Is(err, ErrNoService) && !errors.Is(err, ErrNowhere)
}

// Config says where to look.
type Config struct {
	Group   string // valid by bootstrap.CheckGroup
	Network netx.Network
	Log     zerolog.Logger

	URL   string // the service; empty is the rendezvous
	Token string // what the service at URL asks for

	Rendezvous files.FS // the user's runtime directory; nil is no rendezvous
	HostOn     string   // the host that a hosted service listens on; empty is 127.0.0.1
	PID        int      // written into the rendezvous lock, for messages

	Static []string // addresses from the command line
	Data   files.FS // where peers are remembered; nil is nowhere

	// Record writes an event into the journal; Listed is told of the peers of
	// each list that the service gave. Neither may block.
	Record func(text string)
	Listed func([]bootstrap.Peer)
}

// The times of a service that does not answer, and of one that does.
const (
	callPatience = 3 * time.Second
	findPatience = 3 * time.Second  // for a service to be there at all
	refreshEvery = 10 * time.Second // how old the list may get
	firstRefresh = 500 * time.Millisecond
)

// Discovery finds peers. Its calls may be used from several goroutines while
// Run runs.
type Discovery struct {
	cfg  Config
	http *http.Client
	turn chan struct{} // holds one token while the list is renewed or refreshed

	mu      sync.Mutex    // guards the fields below
	url     string        // the service that was named; empty is the rendezvous
	meets   bool          // the rendezvous is followed, and its service hosted
	turned  chan struct{} // closed when meets has changed
	service *service      // nil while there is none
	problem error         // why there is none
	looks   uint64        // at the rendezvous, that have begun
	failed  uint64        // the look that has found the problem
	found   chan struct{}
	me      *bootstrap.JoinRequest // what we keep listed; nil while we are not
	group   *bootstrap.Group       // the last list
}

// service is where we ask, and what we hold there.
type service struct {
	client *bootstrap.Client
	url    string
	hosted bool // by us
	pid    int  // of the process of this machine that hosts it; 0 if it was named
	renew  time.Time
}

// New checks the configuration. It touches no network.
func New(cfg Config) (*Discovery, error) {
	if err := bootstrap.CheckGroup(cfg.Group); err != nil {
		return nil, err
	}
	if cfg.HostOn == "" {
		cfg.HostOn = "127.0.0.1"
	}
	if cfg.Record == nil {
		cfg.Record = func(string) {}
	}
	if cfg.Listed == nil {
		cfg.Listed = func([]bootstrap.Peer) {}
	}
	d := &Discovery{cfg: cfg, turn: make(chan struct{}, 1), found: make(chan struct{}), turned: make(chan struct{}), problem: ErrNoService, url: cfg.URL, meets: cfg.URL == ""}
	d.http = netx.HTTPClient(cfg.Network, callPatience)
	if cfg.URL != "" {
		s, err := d.at(cfg.URL, cfg.Token)
		if err != nil {
			return nil, err
		}
		d.service = s
	}
	return d, nil
}

// Run keeps our record listed and the list fresh until ctx ends, and hosts
// the service when that falls to us. It does not take us off the list: see
// Leave.
func (d *Discovery) Run(ctx context.Context) error {
	defer d.http.CloseIdleConnections()
	var eg errgroup.Group
	eg.Go(func() error {
		defer guard.Catch(ctx)
		d.keep(ctx)
		return nil
	})
	if d.cfg.Rendezvous != nil {
		eg.Go(func() error {
			defer guard.Catch(ctx)
			d.meetWhileMeant(ctx)
			return nil
		})
	}
	return eg.Wait()
}

// at is the service at a URL.
func (d *Discovery) at(url, token string) (*service, error) {
	c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: url, Token: token, HTTP: d.http, Timeout: callPatience})
	if err != nil {
		return nil, err
	}
	return &service{client: c, url: url}, nil
}

// use makes the service of the rendezvous the one from now on, unless
// another one was named meanwhile.
func (d *Discovery) use(r rendezvous, hosted bool) error {
	s, err := d.at(r.URL, r.Secret)
	if err != nil {
		return err
	}
	s.hosted, s.pid = hosted, r.PID
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.url == "" {
		d.service = s
		d.announce()
	}
	return nil
}

// named is the URL of the service that was named; empty is the rendezvous.
func (d *Discovery) named() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.url
}

// announce wakes those who wait for a service. d.mu is held.
func (d *Discovery) announce() {
	close(d.found)
	d.found = make(chan struct{})
}

// look begins a look at the rendezvous, and returns its number.
func (d *Discovery) look() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks++
	return d.looks
}

// fail says why a look has found no service, and wakes those who wait for one
// in vain. It leaves one that was found alone.
func (d *Discovery) fail(look uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.service != nil {
		return
	}
	d.problem, d.failed = err, look
	if !Passing(err) {
		d.announce()
	}
}

// why is why there is no service.
func (d *Discovery) why() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.problem
}

// find returns the service, and waits a moment for one that is being started.
// Where a look at the rendezvous shows that none can come, it says why.
func (d *Discovery) find(ctx context.Context) (*service, error) {
	ctx, cancel := context.WithTimeout(ctx, findPatience)
	defer cancel()
	var before uint64 // looks that had begun when we came
	for first := true; ; first = false {
		d.mu.Lock()
		if first {
			before = d.looks
		}
		s, found, problem, failed := d.service, d.found, d.problem, d.failed
		d.mu.Unlock()
		switch {
		case s != nil:
			return s, nil
		case d.cfg.Rendezvous == nil && d.named() == "":
			return nil, ErrNowhere
		case failed > before && !Passing(problem): // what an older look has found may have been mended
			return nil, problem
		}
		select {
		case <-found:
		case <-ctx.Done():
			return nil, d.why()
		}
	}
}

// Service describes where the service is: its URL, and whether we host it.
func (d *Discovery) Service() (url string, hosted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.service == nil {
		return "", false
	}
	return d.service.url, d.service.hosted
}

// Join puts us on the service's list and keeps us there. It fails when there
// is no service, when it does not answer, and when it refuses us, which
// matches the errors of package bootstrap.
func (d *Discovery) Join(ctx context.Context, me bootstrap.JoinRequest) (bootstrap.Group, error) {
	if _, err := d.find(ctx); err != nil {
		return bootstrap.Group{}, err
	}
	if err := d.enter(ctx); err != nil {
		return bootstrap.Group{}, err
	}
	defer d.exit()
	d.mu.Lock()
	d.me = &me
	d.mu.Unlock()
	g, err := d.renew(ctx)
	if err != nil {
		d.mu.Lock()
		d.me = nil
		d.mu.Unlock()
	}
	return g, err
}

// renew joins once more at the present service. A service that was replaced
// meanwhile is asked once.
func (d *Discovery) renew(ctx context.Context) (bootstrap.Group, error) {
	for tries := 0; ; tries++ {
		s, err := d.find(ctx)
		if err != nil {
			return bootstrap.Group{}, err
		}
		me, ok := d.wish()
		if !ok {
			return bootstrap.Group{}, errors.New("not listed: use bootstrapjoin")
		}
		reply, err := s.client.Join(ctx, d.cfg.Group, me)
		if err == nil {
			d.joined(s, reply)
			return reply.Group, nil
		}
		if errors.Is(err, bootstrap.ErrInvalid) || errors.Is(err, bootstrap.ErrNameTaken) ||
			tries > 0 || !d.waitOther(ctx, s) {
			return bootstrap.Group{}, s.blame(err)
		}
	}
}

// enter waits for its turn; exit must follow when it returns nil.
func (d *Discovery) enter(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Discovery) exit() { <-d.turn }

// wish is what we want to be listed as; false if we do not.
func (d *Discovery) wish() (bootstrap.JoinRequest, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.me == nil {
		return bootstrap.JoinRequest{}, false
	}
	return *d.me, true
}

// waitOther waits a little for another service in s's place, where one can
// come: the host of a rendezvous may just have gone.
func (d *Discovery) waitOther(ctx context.Context, s *service) bool {
	if d.named() != "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 4*meetEvery)
	defer cancel()
	for {
		d.mu.Lock()
		now, found := d.service, d.found
		d.mu.Unlock()
		if now != s && now != nil {
			return true
		}
		select {
		case <-found:
		case <-ctx.Done():
			return false
		}
	}
}

func (d *Discovery) joined(s *service, r bootstrap.JoinReply) {
	d.mu.Lock()
	if d.me != nil && r.Lease.Token != "" {
		d.me.Token = r.Lease.Token
	}
	s.renew = time.Now().Add(r.Lease.RenewAfter)
	if r.Lease.RenewAfter == 0 {
		s.renew = time.Now().Add(refreshEvery)
	}
	d.mu.Unlock()
	d.cfg.Record(fmt.Sprintf("joined %s: %d peers", s.url, len(r.Group.Peers)))
	d.listed(r.Group)
}

func (d *Discovery) listed(g bootstrap.Group) {
	d.mu.Lock()
	d.group = &g
	d.mu.Unlock()
	d.cfg.Listed(g.Peers)
}

// Leave takes our own record off the list, and nobody else's. It waits for a
// renewal under way, which would put the record back.
func (d *Discovery) Leave(ctx context.Context) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.exit()
	d.mu.Lock()
	s, me := d.service, d.me
	d.me = nil
	d.mu.Unlock()
	if s == nil || me == nil {
		return nil
	}
	d.cfg.Record("left " + s.url)
	return s.client.Leave(ctx, d.cfg.Group, me.ID, me.Token)
}

// Group asks the service for its list.
func (d *Discovery) Group(ctx context.Context) (bootstrap.Group, error) {
	s, err := d.find(ctx)
	if err != nil {
		return bootstrap.Group{}, err
	}
	g, err := s.client.Group(ctx, d.cfg.Group)
	if errors.Is(err, bootstrap.ErrNotFound) {
		return bootstrap.Group{}, nil // nobody has joined it yet
	}
	if err == nil {
		d.listed(g)
	}
	return g, s.blame(err)
}

// blame names the process that hosts a service which does not answer: its lock
// is not free while it stands still.
func (s *service) blame(err error) error {
	if s.hosted || s.pid == 0 || !errors.Is(err, bootstrap.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w; process %d of this machine hosts it: if that is stopped, let it go on or end it", err, s.pid)
}

// Last is the list that the service gave last; false if it gave none.
func (d *Discovery) Last() (bootstrap.Group, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.group == nil {
		return bootstrap.Group{}, false
	}
	g := *d.group
	g.Peers = slices.Clone(g.Peers)
	return g, true
}

// keep renews our lease in time, at a new service at once, and looks at the
// list now and then: soon after a service is new, when others are just coming
// to it, then every refreshEvery.
func (d *Discovery) keep(ctx context.Context) {
	wait, found := firstRefresh, d.change()
	timer := time.NewTimer(d.untilLook(wait))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-found:
			found = d.change() // before we ask, so that none is missed
			wait = firstRefresh
		case <-timer.C:
			wait = min(2*wait, refreshEvery)
		}
		d.refresh(ctx)
		timer.Reset(d.untilLook(wait))
	}
}

// change is closed when there is another service.
func (d *Discovery) change() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found
}

// untilLook is wait, give or take a half, but not beyond the time to renew. A
// renewal that is overdue has failed and is tried again after wait.
func (d *Discovery) untilLook(wait time.Duration) time.Duration {
	look := wait/2 + rand.N(wait)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.service == nil || d.me == nil {
		return look
	}
	if due := time.Until(d.service.renew); due > 0 {
		return min(look, due)
	}
	return look
}

func (d *Discovery) refresh(ctx context.Context) {
	if d.enter(ctx) != nil {
		return
	}
	defer d.exit()
	d.mu.Lock()
	s, listed := d.service, d.me != nil
	due := s != nil && !time.Now().Before(s.renew)
	d.mu.Unlock()
	if s == nil || !listed {
		return
	}
	var err error
	if due {
		_, err = d.renew(ctx)
	} else {
		_, err = d.Group(ctx)
	}
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Warn().Err(err).Msg("bootstrap service")
	}
}
