package membership

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
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

func jitter() time.Duration { return retryEvery/2 + rand.N(retryEvery) }

// target is an address worth another try; id is empty for a listed one.
type target struct {
	addr netip.AddrPort
	id   string
}

// retryAll starts one round in the background. Rounds may overlap when
// addresses do not answer; each is bounded by askPatience and memberlist's
// own time-out.
func (g *Group) retryAll() {
	targets := g.targets()
	if len(targets) == 0 || g.leave.Load() {
		return
	}
	g.tasks.Go(func() {
		var eg errgroup.Group
		eg.SetLimit(parallel)
		for _, t := range targets {
			eg.Go(func() error { g.retryOne(t); return nil })
		}
		_ = eg.Wait() // its functions return nil
	})
}

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

func (g *Group) retryOne(t target) {
	list, err := g.live()
	if err != nil {
		return
	}
	if g.cfg.Verify != nil {
		ctx, cancel := context.WithTimeout(g.ctx, askPatience)
		defer cancel()
		id, err := g.cfg.Verify(ctx, t.addr)
		if err != nil || t.id != "" && id != t.id || id == g.self.ID {
			return
		}
	}
	if t.id != "" {
		g.bump()
	}
	if _, err := list.Join([]string{t.addr.String()}); err != nil {
		g.cfg.Log.Debug().Stringer("addr", t.addr).Err(err).Msg("retry failed")
	}
}

// bump raises our incarnation, so that the other side, which remembers us as
// dead, believes us at the first exchange instead of the second.
func (g *Group) bump() {
	list, err := g.live()
	if err != nil {
		return
	}
	g.mu.Lock()
	recent := time.Since(g.bumped) < bumpEvery
	if !recent {
		g.bumped = time.Now()
	}
	g.mu.Unlock()
	if !recent {
		_ = list.UpdateNode(time.Millisecond) // queues the broadcast; its time-out is not waited for
	}
}
