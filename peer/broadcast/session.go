package broadcast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
)

// session is one run of a set. The store, and what is marked so, is owned by
// the goroutine of serve; exchanges run in goroutines of their own and hand
// it functions to run.
type session struct {
	set  *Set
	cfg  *Config
	svc  extension.Services
	self extension.Member
	ctx  context.Context

	in     chan func()
	closed chan struct{} // closed when in is not served any more
	tasks  sync.WaitGroup

	// Owned by serve.
	store   *store
	open    map[string]extension.Member // members that answered, by id
	present []extension.Member          // presented last

	mu      sync.Mutex
	ending  bool
	streams map[extension.Stream]bool // accepted ones, until served
	joined  chan struct{}             // closed and replaced at each change of the membership
	fresh   []extension.Member        // new members that we have not compared with
}

// again is when a member that a change did not reach is tried once more.
const again = 2 * time.Second

// maxServed bounds how many accepted streams are served at once.
const maxServed = 64

func newSession(ctx context.Context, s *Set, svc extension.Services) *session {
	return &session{
		set: s, cfg: &s.cfg, svc: svc, self: svc.Self(), ctx: ctx, store: s.store,
		in: make(chan func()), closed: make(chan struct{}),
		open: map[string]extension.Member{}, streams: map[extension.Stream]bool{}, joined: make(chan struct{}),
	}
}

// call runs f in the owner and waits until it has run; false means that the
// session has closed and f did not run.
func (n *session) call(f func()) bool {
	done := make(chan struct{})
	select {
	case n.in <- func() { defer close(done); f() }:
		<-done
		return true
	case <-n.closed:
		return false
	}
}

// spawn runs f as a task that leave waits for, unless it is too late for that.
func (n *session) spawn(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ending {
		n.task(f)
	}
}

// task runs f as a task; mu is held, and the session is not ending.
func (n *session) task(f func()) {
	n.tasks.Go(func() {
		defer guard.Catch(n.ctx)
		f()
	})
}

// after runs f as a task after a time, unless the session ends before.
func (n *session) after(d time.Duration, f func()) {
	n.spawn(func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			f()
		case <-n.ctx.Done():
		}
	})
}

// serve runs what is handed in until the context ends.
func (n *session) serve() {
	defer close(n.closed)
	compare := time.NewTimer(n.pause())
	defer compare.Stop()
	for {
		select {
		case f := <-n.in:
			f()
		case <-compare.C:
			compare.Reset(n.pause())
			n.compareWithOne()
		case <-n.ctx.Done():
			return
		}
	}
}

// pause is the jittered interval between comparisons.
func (n *session) pause() time.Duration {
	d := n.cfg.Interval
	return d - d/5 + time.Duration(n.cfg.Rand.Int64N(int64(d)*2/5+1))
}

// compareWithOne compares the state with that of a random member.
func (n *session) compareWithOne() {
	members := n.members()
	if len(members) > 0 {
		m := members[n.cfg.Rand.IntN(len(members))]
		n.spawn(func() { n.compare(n.ctx, m) })
	}
}

// members lists who could have a set.
func (n *session) members() []extension.Member {
	return slices.DeleteFunc(n.svc.Members(), func(m extension.Member) bool {
		return m.Foreign || m.ID == "" || m.ID == n.self.ID
	})
}

// enough is how many members are compared with at a time when several are
// new to us: what they lack among themselves they find out without us.
const enough = 3

// start exchanges state with some of those who are there; with one first, so
// that the others have little to add.
func (n *session) start(ready func()) {
	n.svc.Present(nil)
	members := n.members()
	n.cfg.Rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	n.spawn(func() {
		ctx, cancel := context.WithTimeout(n.ctx, n.cfg.StartWait)
		defer cancel()
		for len(members) > 0 && ctx.Err() == nil {
			first := members[0]
			members = members[1:]
			if n.compareSoon(ctx, first) == nil {
				break
			}
		}
		n.each(members[:min(len(members), enough-1)], func(m extension.Member) { n.compare(ctx, m) })
		ready()
	})
}

// compareSoon gives a member a part of the time only.
func (n *session) compareSoon(ctx context.Context, m extension.Member) error {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.StartWait/4)
	defer cancel()
	return n.compare(ctx, m)
}

// each calls f for each member, at the same time, and waits for all.
func (n *session) each(members []extension.Member, f func(extension.Member)) {
	var wg sync.WaitGroup
	for _, m := range members {
		wg.Go(func() {
			defer guard.Catch(n.ctx)
			f(m)
		})
	}
	wg.Wait()
}

// note handles a change of the membership.
func (n *session) note(c extension.Change) {
	m := c.Member
	if m.Foreign || m.ID == "" {
		return
	}
	n.mu.Lock()
	close(n.joined)
	n.joined = make(chan struct{})
	n.mu.Unlock()
	switch c.Kind {
	case extension.Joined, extension.Back:
		n.meet(m)
	case extension.Left, extension.Lost:
		n.spawn(func() { n.mark(m, false) })
	}
}

// meet notes that a member is new to us. After a moment, in which the other
// side comes to know us too and others may come, we compare with some of the
// new ones.
func (n *session) meet(m extension.Member) {
	n.mu.Lock()
	n.fresh = append(n.fresh, m)
	first := len(n.fresh) == 1
	n.mu.Unlock()
	if first {
		n.after(n.settle(m), n.compareWithFresh)
	}
}

func (n *session) compareWithFresh() {
	n.mu.Lock()
	fresh := n.fresh
	n.fresh = nil
	n.mu.Unlock()
	n.call(func() {
		n.cfg.Rand.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	})
	n.each(fresh[:min(len(fresh), enough)], func(m extension.Member) { n.compare(n.ctx, m) })
}

// settle is how long a change of the membership may take to be known to the
// other side, too; the two sides do not ask at the same moment.
func (n *session) settle(m extension.Member) time.Duration {
	if n.self.ID < m.ID {
		return 200 * time.Millisecond
	}
	return 500 * time.Millisecond
}

// mark notes whether a member has its set open.
func (n *session) mark(m extension.Member, open bool) {
	n.call(func() {
		if open && slices.Contains(n.members(), m) {
			n.open[m.ID] = m
		} else if old, ok := n.open[m.ID]; ok && !open && old.Boot <= m.Boot {
			delete(n.open, m.ID)
		}
		n.presentNow()
	})
}

func (n *session) presentNow() {
	list := make([]extension.Member, 0, len(n.open))
	for _, m := range n.open {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b extension.Member) int { return cmp.Compare(a.Name, b.Name) })
	if !slices.Equal(list, n.present) {
		n.present = list
		n.svc.Present(slices.Clone(list))
	}
}

// take starts to serve an accepted stream; false means that it was not taken.
func (n *session) take(stream extension.Stream) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ending || len(n.streams) >= maxServed {
		return false
	}
	n.streams[stream] = true
	n.task(func() {
		n.answer(stream)
		stream.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.streams, stream)
	})
	return true
}

// leave tells the others that this set closes, and waits for all tasks.
func (n *session) leave() {
	n.mu.Lock()
	n.ending = true
	streams := make([]extension.Stream, 0, len(n.streams))
	for s := range n.streams {
		streams = append(streams, s)
	}
	n.mu.Unlock()
	for _, s := range streams {
		s.Close()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(n.ctx), n.cfg.LeaveWait)
	defer cancel()
	n.each(n.present, func(m extension.Member) { n.bye(ctx, m) })
	n.tasks.Wait()
	n.svc.Present(nil)
}

// add makes an entry; in the owner.
func (n *session) add(key, text string) ([]entry, error) {
	if !n.store.has(key) && n.store.live >= n.cfg.MaxKeys {
		return nil, fmt.Errorf("%w: it has %d keys; broadcastdel one first", ErrFull, n.store.live)
	}
	return n.apply([]entry{{key: key, value: text, version: n.store.next(n.self.ID, n.self.Boot)}}, n.self.Name), nil
}

// remove makes tombstones; in the owner.
func (n *session) remove(keys []string) ([]entry, error) {
	for _, key := range keys {
		if !n.store.has(key) {
			return nil, fmt.Errorf("%q is %w: broadcastlist shows what is", key, ErrNoKey)
		}
	}
	var gone []entry
	for _, key := range keys {
		gone = append(gone, n.apply([]entry{{key: key, deleted: true, version: n.store.next(n.self.ID, n.self.Boot)}}, n.self.Name)...)
	}
	return gone, nil
}

// apply merges entries, records what they changed, and returns it; in the
// owner.
func (n *session) apply(entries []entry, from string) []entry {
	had := make(map[string]bool, len(entries))
	for _, e := range entries {
		had[e.key] = n.store.has(e.key)
	}
	news := n.store.merge(entries)
	for _, e := range news {
		switch {
		case !e.deleted:
			n.svc.Record(extension.Event{Type: "broadcast", Text: "add " + e.key, Fields: map[string]any{"value": e.value, "from": from}})
		case had[e.key]:
			n.svc.Record(extension.Event{Type: "broadcast", Text: "del " + e.key, Fields: map[string]any{"from": from}})
		}
	}
	return news
}

// push brings a change to all members at once and tells who has it.
func (n *session) push(ctx context.Context, entries []entry) Spread {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.AckWait)
	defer cancel()
	var mu sync.Mutex
	var spread Spread
	n.each(n.members(), func(m extension.Member) {
		err := n.bring(ctx, m, entries)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			spread.Reached = append(spread.Reached, m.Name)
		case !errors.Is(err, extension.ErrClosed):
			n.after(again, func() { n.compare(n.ctx, m) })
			spread.Missing = append(spread.Missing, m.Name)
		}
	})
	return spread.sorted()
}
