// Package service is the bootstrap service of one run: the ordinary handler on
// a store of its own, which tells whom it lists as soon as that changes, and
// can be made to ail.
//
// It listens nowhere: a world serves it where its peers find it. It must not
// know of processes, scenarios in the making, or verdicts.
package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/testserver/language"
)

// Config says for whom the service is.
type Config struct {
	Group string // whose list is told
	Seed  uint64 // fixes which requests fail
	// Listed is told the names on the list whenever they change, in the order
	// of joining, and at first. Calls come one at a time; they may block.
	Listed func(names []string)
}

// Service is an http.Handler.
type Service struct {
	cfg     Config
	healthy http.Handler
	states  *mailbox.Box[bootstrap.State]

	mu    sync.Mutex
	ail   language.ServiceFault
	asked uint64 // requests so far that might fail
}

// New makes a service. Run must follow for Listed to be told.
func New(cfg Config) (*Service, error) {
	s := &Service{cfg: cfg, states: mailbox.New[bootstrap.State]()}
	store := &watched{Store: bootstrap.NewMemoryStore(), group: cfg.Group, changed: s.states}
	var err error
	if s.healthy, err = bootstrap.NewHandler(bootstrap.HandlerConfig{Store: store}); err != nil {
		return nil, fmt.Errorf("bootstrap service of the run: %w", err)
	}
	return s, nil
}

// Ail has the service fail from now on as f says, in place of how it did. The
// zero value makes it well.
func (s *Service) Ail(f language.ServiceFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ail = f
}

// ServeHTTP answers a request, unless what ails the service is against it.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, fails := s.fate()
	if f.Down {
		panic(http.ErrAbortHandler) // which closes the connection without a word
	}
	if f.Slow > 0 && !pause(r.Context(), f.Slow) {
		panic(http.ErrAbortHandler)
	}
	if fails {
		http.Error(w, "the scenario has this request fail", http.StatusServiceUnavailable)
		return
	}
	s.healthy.ServeHTTP(w, r)
}

// fate is what ails the service now, and whether this request fails. The n-th
// one that might fail has the same fate in every run with the seed.
func (s *Service) fate() (language.ServiceFault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ail.Errors <= 0 {
		return s.ail, false
	}
	s.asked++
	draw := rand.New(rand.NewPCG(s.cfg.Seed, s.asked)).Float64()
	return s.ail, draw < s.ail.Errors
}

// pause waits, and tells whether it could do so to the end.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Run tells whom the service lists until ctx ends. A lease that runs out is a
// change like any other.
func (s *Service) Run(ctx context.Context) {
	now := bootstrap.NewState()
	told := []string{}
	s.cfg.Listed(told)
	expiry := time.NewTimer(0)
	defer expiry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-expiry.C:
		case <-s.states.Ready():
			now = newest(now, s.states.Take())
		}
		names, next := listed(now, time.Now())
		if !slices.Equal(names, told) {
			told = names
			s.cfg.Listed(slices.Clone(names))
		}
		expiry.Stop()
		if !next.IsZero() {
			expiry.Reset(time.Until(next))
		}
	}
}

// newest is the state with the highest revision: updates that overlap may be
// told in any order.
func newest(now bootstrap.State, states []bootstrap.State) bootstrap.State {
	for _, s := range states {
		if s.Revision > now.Revision {
			now = s
		}
	}
	return now
}

// listed names who is on the list, and when the next lease runs out; the zero
// time if there is none.
func listed(s bootstrap.State, now time.Time) (names []string, next time.Time) {
	s = s.Clone()
	s.Expire(now)
	for _, p := range s.Group().Peers {
		names = append(names, p.Name)
	}
	for _, r := range s.Records {
		if next.IsZero() || r.Expires.Before(next) {
			next = r.Expires
		}
	}
	return names, next
}

// watched is a store that tells what each update of a group has left behind.
type watched struct {
	bootstrap.Store
	group   string
	changed *mailbox.Box[bootstrap.State]
}

// Update implements bootstrap.Store.
func (w *watched) Update(ctx context.Context, group string, fn func(*bootstrap.State) error) error {
	var last *bootstrap.State
	err := w.Store.Update(ctx, group, func(s *bootstrap.State) error {
		last = s
		return fn(s)
	})
	if err == nil && group == w.group && last != nil {
		w.changed.Put(last.Clone())
	}
	return err
}
