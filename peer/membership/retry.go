package membership

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/sync/errgroup"

	"github.com/peerlab/peerlab/peer/guard"
)

// A group that was cut in two must become one again, and memberlist alone
// never tries a dead member again. So every few seconds the lost members, and
// the listed addresses at which nobody is known, are asked who they are, and
// joined when it is still them.
const (
	retryEvery  = 2 * time.Second
	askPatience = 2 * time.Second
	bumpEvery   = 5 * time.Second
)

// retryTimer ticks at retryEvery, give or take a half, so that the two sides
// of a cut do not move in step.
type retryTimer struct{ t *time.Timer }

func newRetry() retryTimer               { return retryTimer{time.NewTimer(jitter())} }
func (r retryTimer) C() <-chan time.Time { return r.t.C }
func (r retryTimer) next()               { r.t.Reset(jitter()) }
func (r retryTimer) stop()               { r.t.Stop() }

// soon is for addresses that are new: gossip has a moment to tell of them.
func (r retryTimer) soon() { r.t.Reset(retryEvery/20 + rand.N(retryEvery/10)) }

func jitter() time.Duration { return retryEvery/2 + rand.N(retryEvery) }

// target is an address worth another try; id is empty for a listed one.
type target struct {
	addr netip.AddrPort
	id   string
}

// tries is how many addresses one round tries, chosen at random. One that
// answers is enough: gossip tells the rest. So a round stays short, whatever
// has been lost.
const tries = 2 * parallel

// retryAll starts one round in the background, unless one is under way.
func (g *Group) retryAll() {
	targets := g.targets()
	if len(targets) == 0 || g.leaving.Load() || g.retry.Swap(true) {
		return
	}
	rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	targets = targets[:min(tries, len(targets))]
	err := g.spawn(func(list *memberlist.Memberlist) {
		defer g.retry.Store(false)
		var eg errgroup.Group
		eg.SetLimit(parallel)
		for _, t := range targets {
			eg.Go(func() error {
				defer guard.Catch(g.run)
				g.retryOne(list, t)
				return nil
			})
		}
		_ = eg.Wait() // its functions return nil
	})
	if err != nil {
		g.retry.Store(false) // Run is ending
	}
}

// targets are the addresses of lost members, and the listed ones at which
// nobody is known.
func (g *Group) targets() []target {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := map[netip.AddrPort]bool{g.self.Addr: true}
	for _, m := range g.table.present() {
		known[m.Addr] = true
	}
	var ts []target
	for _, i := range g.table.all() {
		if i.State == Lost && !i.Member.Foreign && !known[i.Member.Addr] {
			known[i.Member.Addr] = true
			ts = append(ts, target{i.Member.Addr, i.Member.ID})
		}
	}
	for _, a := range g.listed {
		if !known[a] {
			known[a] = true
			ts = append(ts, target{addr: a})
		}
	}
	return ts
}

func (g *Group) retryOne(list *memberlist.Memberlist, t target) {
	if !g.stillIt(t) {
		return
	}
	if t.id != "" {
		g.bump(list)
	}
	if _, err := list.Join([]string{t.addr.String()}); err != nil {
		g.cfg.Log.Debug().Stringer("addr", t.addr).Err(err).Msg("retry failed")
	}
}

// stillIt asks who answers at the target's address now.
func (g *Group) stillIt(t target) bool {
	if g.cfg.Verify == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(g.ctx, askPatience)
	defer cancel()
	id, err := g.cfg.Verify(ctx, t.addr)
	return err == nil && id != g.self.ID && (t.id == "" || t.id == id)
}

// bump raises our incarnation, so that the other side, which remembers us as
// dead, believes us at the first exchange instead of the second.
func (g *Group) bump(list *memberlist.Memberlist) {
	g.mu.Lock()
	recent := time.Since(g.bumped) < bumpEvery
	if !recent {
		g.bumped = time.Now()
	}
	g.mu.Unlock()
	if !recent {
		_ = g.update(g.ctx, list, time.Millisecond) // queues the broadcast; its time-out is not waited for
	}
}
