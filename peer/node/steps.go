package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/peer/discovery"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/peer/membership"
)

// The steps from nothing to a ready peer. Each does nothing, and succeeds, if
// it has been done already; each tells which one it misses before it.

// Init does all steps that have not been done, and returns when the peer is
// ready: listening, announced and answered.
func (n *Node) Init(ctx context.Context) error {
	if n.Status().Ready {
		return nil
	}
	if err := n.Create(ctx); err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	began, contacts := time.Now(), n.contacts(ctx)
	told := n.tellWait(ctx)
	_, listErr := n.BootstrapJoin(ctx)
	told()
	if err := n.joinFirst(ctx, <-contacts, listErr, began); err != nil {
		return err
	}
	for _, e := range n.cfg.Extensions {
		if err := n.StartExtension(ctx, e.Name()); err != nil {
			return err
		}
	}
	if err := n.checkName(); err != nil {
		return err
	}
	n.setReady()
	return nil
}

// joinFirst joins whom bootstrap and memory propose. A service that failed is
// no failure if somebody else answered; if nobody did, it is asked again.
func (n *Node) joinFirst(ctx context.Context, contacts []string, listErr error, began time.Time) error {
	if rejects(listErr) {
		return listErr
	}
	reached, err := n.join(ctx, n.withListed(contacts), few)
	if reached == 0 && discovery.Passing(listErr) {
		if listErr = n.listAgain(ctx, listErr, began.Add(listPatience)); listErr == nil {
			reached, err = n.join(ctx, n.withListed(contacts), few)
		}
	}
	if rejects(listErr) {
		return listErr
	}
	switch {
	case listErr != nil && reached == 0:
		return errors.Join(n.remedy(listErr), oneLine("nobody else to join", err))
	case listErr != nil:
		n.caution(fmt.Sprintf("%v; known peers joined without it: %d", listErr, reached))
	case err != nil:
		// Those that are listed may just be gone. They are tried again.
		logger := n.log("membership")
		logger.Info().Err(err).Msg("nobody listed answered")
		if len(n.discovery.Static()) > 0 && reached == 0 {
			return fmt.Errorf("join: %w; check --join, and whether a peer runs there", oneLine("nobody answered", err))
		}
	}
	return nil
}

// remedy adds what to do about a service that was named and does not answer, or
// lets nobody in without its token.
func (n *Node) remedy(err error) error {
	switch {
	case errors.Is(err, bootstrap.ErrUnauthorized):
		return fmt.Errorf("%w, in the file that --token-file names", err)
	case n.cfg.Service != "" && discovery.Passing(err):
		return fmt.Errorf("%w; check the URL, and whether a bootstrap-server runs there", err)
	}
	return err
}

// tellWait tells for whom the person waits, if that takes a while. The
// function that it returns must be called when it is over.
func (n *Node) tellWait(ctx context.Context) (over func()) {
	if n.cfg.Service == "" {
		return func() {} // that of this machine, if any, answers at once
	}
	told := make(chan struct{})
	timer := time.AfterFunc(silently, func() {
		defer guard.Catch(ctx)
		defer close(told)
		url, _ := n.discovery.Service()
		n.caution("waiting for the bootstrap service at " + url)
	})
	return func() {
		if !timer.Stop() {
			<-told
		}
	}
}

// silently is how long init waits for a service without a word.
const silently = time.Second

func (n *Node) caution(text string) {
	n.show(extension.Line{Kind: extension.Caution, Label: "warn", Text: text})
}

// rejects tells the errors of a service that has answered, and knows this
// peer as one that must not join.
func rejects(err error) bool {
	return errors.Is(err, ErrNameTaken) || errors.Is(err, bootstrap.ErrInvalid)
}

// How long init goes on asking a service that does not answer. The waits
// between grow, and differ from peer to peer: many may have come at once.
const (
	listPatience = 10 * time.Second
	listSoon     = 200 * time.Millisecond
	listSeldom   = 2 * time.Second
)

// listAgain asks the service again until it answers, or until the end would
// be over before the next time. err is why it has to.
func (n *Node) listAgain(ctx context.Context, err error, end time.Time) error {
	n.caution(fmt.Sprintf("%v; trying again for %s", err, listPatience))
	for wait := listSoon; discovery.Passing(err); wait = min(2*wait, listSeldom) {
		pause := wait/2 + rand.N(wait)
		if time.Until(end) < pause {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		_, err = n.BootstrapJoin(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}

func oneLine(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s", what, strings.ReplaceAll(err.Error(), "\n", "; "))
}

// Create opens the peer's one address and makes a member that is not live
// yet. A busy port is an error that names it. A member that has left or ended
// is replaced by a new boot of it.
func (n *Node) Create(ctx context.Context) error {
	if err := n.step(ctx); err != nil {
		return err
	}
	defer n.stepped()
	if l := n.current(); l != nil && l.ending() == whole {
		return nil
	}
	n.discard()
	boot, err := n.nextBoot()
	if err != nil {
		return err
	}
	n.mu.Lock()
	base, settings := n.ctx, n.settings.Clone()
	n.mu.Unlock()
	l, err := newLive(ctx, base, n, boot, settings)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.live, n.boot, n.numbered = l, boot, true
	n.joined, n.leaving = false, false
	n.mu.Unlock()
	n.changed()
	return nil
}

// Start makes the member live: it listens, probes, and can be joined.
func (n *Node) Start(ctx context.Context) error {
	if err := n.step(ctx); err != nil {
		return err
	}
	defer n.stepped()
	l := n.current()
	if l == nil {
		return fmt.Errorf("membership: %w: memberlistcreate comes first, or init does all", ErrNotStarted)
	}
	if err := l.usable(); err != nil {
		return err
	}
	return l.start(ctx)
}

// BootstrapJoin puts the peer on the service's list, with the address that
// Create opened.
func (n *Node) BootstrapJoin(ctx context.Context) (bootstrap.Group, error) {
	if err := n.step(ctx); err != nil {
		return bootstrap.Group{}, err
	}
	defer n.stepped()
	l := n.current()
	if l == nil {
		return bootstrap.Group{}, fmt.Errorf("bootstrap: %w: memberlistcreate comes first, or init does all", ErrNotStarted)
	}
	if err := l.usable(); err != nil {
		return bootstrap.Group{}, err
	}
	self := l.group.Self()
	g, err := n.discovery.Join(ctx, bootstrap.JoinRequest{ID: self.ID, Name: self.Name, Boot: self.Boot, Addr: self.Addr.String()})
	n.changed()
	return g, err
}

// Join contacts the addresses, or those that bootstrap, memory and the
// configuration propose if there are none, and returns how many answered.
func (n *Node) Join(ctx context.Context, addrs []string) (int, error) {
	if len(addrs) > 0 {
		return n.join(ctx, addrs, len(addrs))
	}
	return n.join(ctx, n.withListed(<-n.contacts(ctx)), few)
}

// few is how many proposed addresses are contacted at a time. A member tells
// of all that it knows, so most of the others need not be contacted after it.
const few = 3

// join contacts the addresses, atOnce at a time, and leaves out those that
// have become known as members meanwhile.
func (n *Node) join(ctx context.Context, addrs []string, atOnce int) (int, error) {
	if err := n.step(ctx); err != nil {
		return 0, err
	}
	defer n.stepped()
	l, err := n.member("membership")
	if err != nil {
		return 0, err
	}
	reached, err := l.contact(ctx, addrs, atOnce)
	n.mu.Lock()
	n.joined = true
	n.mu.Unlock()
	if g, ok := n.discovery.Last(); ok {
		n.listed(g.Peers)
	}
	if reached > 0 {
		return reached, nil
	}
	return 0, err
}

// contact is join's loop. Addresses that do not answer cost time, so more are
// tried at once when a batch was in vain.
func (l *live) contact(ctx context.Context, addrs []string, atOnce int) (reached int, err error) {
	known := map[string]bool{l.group.Self().Addr.String(): true}
	for len(addrs) > 0 && ctx.Err() == nil {
		var batch []string
		for len(addrs) > 0 && len(batch) < atOnce {
			if a := addrs[0]; !known[a] {
				known[a] = true
				batch = append(batch, a)
			}
			addrs = addrs[1:]
		}
		count, failed := l.group.Join(ctx, batch)
		reached, err = reached+count, errors.Join(err, failed)
		if count == 0 {
			atOnce *= 4
		}
		for _, m := range l.group.Members() {
			known[m.Addr.String()] = true
		}
	}
	return reached, err
}

// withListed adds what the service listed last.
func (n *Node) withListed(addrs []string) []string {
	g, _ := n.discovery.Last()
	for _, p := range g.Peers {
		addrs = append(addrs, p.Addr)
	}
	return addrs
}

// contacts finds the static addresses and those of remembered peers that
// answer and are still who they were, while the service is asked.
func (n *Node) contacts(ctx context.Context) <-chan []string {
	found := make(chan []string, 1)
	l := n.current()
	if l == nil {
		found <- n.discovery.Static()
		return found
	}
	known, err := n.discovery.Remembered()
	if err != nil {
		n.caution(err.Error())
	}
	if !l.spawn(func() { found <- append(n.discovery.Static(), l.stillThere(ctx, known)...) }) {
		found <- nil
	}
	return found
}

// listed is told of every list of the service.
func (n *Node) listed(peers []bootstrap.Peer) {
	n.mu.Lock()
	l, joined := n.live, n.joined
	n.mu.Unlock()
	if l == nil || !joined {
		return
	}
	var addrs []netip.AddrPort
	for _, p := range peers {
		if a, err := netip.ParseAddrPort(p.Addr); err == nil {
			addrs = append(addrs, a)
		}
	}
	l.group.SetListed(addrs)
}

// checkName refuses to go on under a name that another id holds. The service
// refuses it sooner; this is for groups that do without one.
func (n *Node) checkName() error {
	l := n.current()
	if l == nil {
		return nil
	}
	self := l.group.Self()
	names := map[string]bool{}
	for _, m := range l.group.Members() {
		names[m.Name] = true
	}
	if !names[self.Name] {
		return nil
	}
	return fmt.Errorf("%w: %q is in group %s already, with another key; %q is free",
		ErrNameTaken, self.Name, n.cfg.Group, freeName(self.Name, names))
}

func freeName(name string, taken map[string]bool) string {
	for i := 2; ; i++ {
		suffix := fmt.Sprint(i)
		free := name[:min(len(name), 32-len(suffix))] + suffix
		if !taken[free] {
			return free
		}
	}
}

// Configure sets a field of the membership's configuration, for the next
// Create.
func (n *Node) Configure(field, value string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings.Set(field, value)
}

// Settings is the configuration that the next Create uses.
func (n *Node) Settings() []membership.Setting {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings.List()
}

// StartExtension opens an extension and returns when it is announced and
// answered. It does nothing if the extension is open.
func (n *Node) StartExtension(ctx context.Context, name string) error {
	if err := n.step(ctx); err != nil {
		return err
	}
	defer n.stepped()
	e, err := n.extension(name)
	if err != nil {
		return err
	}
	l, err := n.member(name)
	if err != nil {
		return err
	}
	return l.open(ctx, e)
}

// member is the live membership, if it can still be used.
func (n *Node) member(what string) (*live, error) {
	l := n.current()
	if l != nil {
		if err := l.usable(); err != nil {
			return nil, err
		}
	}
	if l == nil || !l.isStarted() {
		return nil, fmt.Errorf("%s: %w: memberlistcreate and memberliststart come first, or init does all", what, ErrNotStarted)
	}
	return l, nil
}

// StopExtension closes an extension, which takes leave of the others. It
// does nothing if the extension is not open.
func (n *Node) StopExtension(ctx context.Context, name string) error {
	return n.closeExtension(ctx, name, nil)
}

// SilenceExtension closes an extension without a word to the others. It does
// nothing if the extension is not open.
func (n *Node) SilenceExtension(ctx context.Context, name string) error {
	return n.closeExtension(ctx, name, extension.ErrSilent)
}

func (n *Node) closeExtension(ctx context.Context, name string, cause error) error {
	if err := n.step(ctx); err != nil {
		return err
	}
	defer n.stepped()
	e, err := n.extension(name)
	if err != nil {
		return err
	}
	if l := n.current(); l != nil {
		return l.stop(e, cause)
	}
	return nil
}

func (n *Node) extension(name string) (extension.Extension, error) {
	for _, e := range n.cfg.Extensions {
		if e.Name() == name {
			return e, nil
		}
	}
	return nil, fmt.Errorf("this peer has no extension %q", name)
}

// stillThere asks remembered peers who they are, because another user's peer
// may have their address by now, and returns the addresses of those who are
// still themselves.
func (l *live) stillThere(ctx context.Context, known []discovery.Remembered) []string {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	there := make([]string, len(known))
	var eg errgroup.Group
	eg.SetLimit(16)
	for i, r := range known {
		eg.Go(func() error {
			defer guard.Catch(l.ctx)
			if id, err := l.ask(ctx, r.Addr); err == nil && id == r.ID {
				there[i] = r.Addr.String()
			}
			return nil
		})
	}
	_ = eg.Wait() // its functions return nil
	return slices.DeleteFunc(there, func(a string) bool { return a == "" })
}
