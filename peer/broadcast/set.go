// Package broadcast is a small key/value set that every peer of the group
// has: what one adds or deletes is seen on all the others, by those who join
// later, and by those who were cut off, when they are back.
//
// # Model
//
// A Set is an extension. Its state (store) is a map from keys to versioned
// entries; the entry with the higher version wins, on every peer alike, so
// the sets become equal in whatever order entries arrive and however often.
// A deletion is an entry too, a tombstone. A local change is pushed to all
// members at once. Whoever opens its set, comes back or is found to differ
// exchanges state (see exchange.go); and every ten seconds each set compares
// itself with that of one other member, so that anything missed comes about.
//
// # Limits
//
// Of two concurrent changes of a key one wins and the other is forgotten.
// Nothing is kept on disk: the set lives as long as one member has it.
// Tombstones are bounded: of more than Config.MaxDeleted, those with the
// lowest versions are forgotten. A member that was cut off while so many keys
// were deleted may bring back one that it still has.
//
// The package is pure: no sockets, no files. It reaches the world through
// extension.Services only.
package broadcast

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/peerlab/peerlab/peer/extension"
)

// Errors that callers branch on.
var (
	// ErrNotOpen is matched by what a set answers while it does not run.
	ErrNotOpen = errors.New("the broadcast set is not open: type init")
	// ErrInvalid is matched by the error for a key or a text that cannot be
	// in the set.
	ErrInvalid = errors.New("cannot be in the set")
	// ErrNoKey is matched by the error for a key that is not in the set.
	ErrNoKey = errors.New("not in the set")
	// ErrFull is matched by the error for one key too many.
	ErrFull = errors.New("the set is full")
)

// The longest key, in bytes.
const maxKey = 128

// Config says how a set behaves. The zero value is what a peer uses.
type Config struct {
	AckWait    time.Duration // how long a change may take to reach the members; 0 means 1 s
	StartWait  time.Duration // how long the first exchange may take before ready; 0 means 2 s
	LeaveWait  time.Duration // how long leaving may take; 0 means 500 ms
	Interval   time.Duration // between comparisons with one other member; 0 means 10 s
	MaxKeys    int           // keys in the set; 0 means 1000
	MaxValue   int           // bytes of a text, at most 16 KiB; 0 means 4 KiB
	MaxDeleted int           // deletions that are remembered; 0 means 4000

	Rand *rand.Rand // who is compared with, and when; used by one goroutine at a time; nil means a random seed
}

// largestValue is the largest MaxValue, and what is accepted of others.
const largestValue = 16 << 10

func (c Config) withDefaults() (Config, error) {
	setDefault(&c.AckWait, time.Second)
	setDefault(&c.StartWait, 2*time.Second)
	setDefault(&c.LeaveWait, 500*time.Millisecond)
	setDefault(&c.Interval, 10*time.Second)
	setDefault(&c.MaxKeys, 1000)
	setDefault(&c.MaxValue, 4<<10)
	setDefault(&c.MaxDeleted, 4000)
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	switch {
	case c.AckWait < 0 || c.StartWait < 0 || c.LeaveWait < 0 || c.Interval < 0:
		return c, errors.New("broadcast: a duration is negative")
	case c.MaxKeys < 0 || c.MaxDeleted < 0:
		return c, errors.New("broadcast: a bound is negative")
	case c.MaxValue < 0 || c.MaxValue > largestValue:
		return c, fmt.Errorf("broadcast: MaxValue %d is not within 1 and %d", c.MaxValue, largestValue)
	}
	return c, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Set is the key/value set as one peer has it. Its methods may be called at
// any time, from any goroutine.
type Set struct {
	cfg Config

	mu      sync.Mutex
	session *session // the run under way, or nil

	store *store // owned by the run under way; outlives it
}

// New returns an empty, closed set.
func New(cfg Config) (*Set, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Set{cfg: cfg, store: newStore(cfg.MaxKeys, cfg.MaxDeleted)}, nil
}

// Name is "broadcast".
func (s *Set) Name() string { return "broadcast" }

// Run opens the set and serves it until ctx ends; see extension.Extension. It
// always returns nil.
func (s *Set) Run(ctx context.Context, svc extension.Services, ready func()) error {
	n := newSession(ctx, s, svc)
	s.setSession(n)
	n.start(ready)
	n.serve()
	s.setSession(nil)
	n.leave()
	return nil
}

func (s *Set) setSession(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = n
}

// running returns the run under way, or ErrNotOpen.
func (s *Set) running() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil, ErrNotOpen
	}
	return s.session, nil
}

// Changed takes note of a change of the membership.
func (s *Set) Changed(c extension.Change) {
	if n, err := s.running(); err == nil {
		n.note(c)
	}
}

// Accept takes over a stream that another member opened.
func (s *Set) Accept(stream extension.Stream) {
	n, err := s.running()
	if err != nil || !n.take(stream) {
		stream.Close()
	}
}

// Spread tells how far a change has come: names, each list sorted.
type Spread struct {
	Reached []string // they have it
	Missing []string // they get it when they can be reached
}

// Add puts a text under a key, or replaces the one that is there, and waits
// until all members have it, at most Config.AckWait. The error matches
// ErrInvalid, ErrFull or ErrNotOpen, and then nothing has changed.
func (s *Set) Add(ctx context.Context, key, text string) (Spread, error) {
	if err := s.check(key, text); err != nil {
		return Spread{}, err
	}
	return s.change(ctx, func(n *session) ([]entry, error) { return n.add(key, text) })
}

// Delete takes keys out of the set and waits as Add does. It deletes all of
// them or, with an error that matches ErrNoKey, none.
func (s *Set) Delete(ctx context.Context, keys ...string) (Spread, error) {
	return s.change(ctx, func(n *session) ([]entry, error) { return n.remove(keys) })
}

// change makes a change in the owner and pushes what came of it.
func (s *Set) change(ctx context.Context, f func(*session) ([]entry, error)) (Spread, error) {
	n, err := s.running()
	if err != nil {
		return Spread{}, err
	}
	var changed []entry
	if !n.call(func() { changed, err = f(n) }) {
		return Spread{}, ErrNotOpen
	}
	if err != nil {
		return Spread{}, err
	}
	return n.push(ctx, changed), nil
}

// Item is one key of the set.
type Item struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Items returns the set, sorted by key.
func (s *Set) Items() ([]Item, error) {
	n, err := s.running()
	if err != nil {
		return nil, err
	}
	var items []Item
	if !n.call(func() { items = s.store.items() }) {
		return nil, ErrNotOpen
	}
	return items, nil
}

// check tells why a key or a text cannot be in the set.
func (s *Set) check(key, text string) error {
	switch {
	case !validKey(key):
		return fmt.Errorf("the key %q %w: a key is one word of 1 to %d bytes", key, ErrInvalid, maxKey)
	case len(text) > s.cfg.MaxValue:
		return fmt.Errorf("the text %w: it has %d bytes, and %d is the most", ErrInvalid, len(text), s.cfg.MaxValue)
	case !validValue(text):
		return fmt.Errorf("the text %w: it is no UTF-8, or has control characters or more than one line", ErrInvalid)
	}
	return nil
}

// validKey tells whether a key is one word, without control characters.
func validKey(key string) bool {
	bad := func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }
	return key != "" && len(key) <= maxKey && utf8.ValidString(key) && !strings.ContainsFunc(key, bad)
}

// validValue tells whether a text is one line; its length is another matter.
func validValue(text string) bool {
	bad := func(c rune) bool { return unicode.IsControl(c) && c != '\t' }
	return utf8.ValidString(text) && !strings.ContainsFunc(text, bad)
}

// sorted sorts names in place.
func (s Spread) sorted() Spread {
	slices.Sort(s.Reached)
	slices.Sort(s.Missing)
	return s
}
