// Package chat is the example application of a peer: everybody in the group
// whose chat is open sees what everybody else says.
//
// # Model
//
// A Room is an extension. Each pair of members shares one persistent stream,
// whoever dialled it. A message gets a number, is queued for every member by
// itself, and is acknowledged by each after it was shown there: it is shown
// exactly once, in the order of its sender. A member that is stopped, cut off
// or lost keeps its queue, within bounds, and gets what waits there when it
// is back, marked late; so nobody waits for it, and nobody is delayed.
//
// One goroutine owns the state of a running room (session). Readers, dialers
// and commands hand it functions to run; Changed and Accept leave theirs in a
// mailbox. Writers take encoded bytes out of a buffer, all that is there in
// one write.
//
// # Limits
//
// Queues are kept in memory and end with the sender. So is what a receiver
// knows of the messages it has seen: one that crashes after showing a message
// and before acknowledging it may be sent it again after its restart. Numbers
// count from 1 in each Room, so no two Rooms may serve the same boot of a peer.
// One Room may serve several boots, one after another: it goes on counting.
//
// The package is pure: no sockets, no files. It reaches the world through
// extension.Services only.
package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/peerlab/peerlab/peer/extension"
)

// Errors that callers branch on.
var (
	// ErrNotOpen is matched by what a room answers while it does not run.
	ErrNotOpen = errors.New("the chat is not open: type chatstart")
	// ErrText is matched by the error for a text that cannot be a message.
	ErrText = errors.New("not a message")
	// ErrNoMember is matched by the error for a name that is not in the chat.
	ErrNoMember = errors.New("no chat member")
)

// Config says how a room behaves. The zero value is what a peer uses.
type Config struct {
	AckWait   time.Duration // how long Send waits for acknowledgements; 0 means 1 s
	StartWait time.Duration // how long members may take to answer before ready; 0 means 2 s
	LeaveWait time.Duration // how long leaving may take; 0 means 500 ms

	QueueMessages int           // messages kept for each member; 0 means 256
	QueueBytes    int           // bytes of text kept for each member; 0 means 256 KiB
	KeepFor       time.Duration // how long a lost member keeps its queue; 0 means 1 h
	KeepPeers     int           // how many lost members keep theirs; 0 means 64

	MaxText int // longest message in bytes, at most 32 KiB; 0 means 16 KiB

	Rand *rand.Rand // jitter of redials; used by one goroutine at a time; nil means a random seed
}

// largestText is the largest MaxText: what else a frame carries has room.
const largestText = maxFrame / 2

// withDefaults returns the configuration with its zero values replaced.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.AckWait, time.Second)
	setDefault(&c.StartWait, 2*time.Second)
	setDefault(&c.LeaveWait, 500*time.Millisecond)
	setDefault(&c.QueueMessages, 256)
	setDefault(&c.QueueBytes, 256<<10)
	setDefault(&c.KeepFor, time.Hour)
	setDefault(&c.KeepPeers, 64)
	setDefault(&c.MaxText, 16<<10)
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	switch {
	case c.AckWait < 0 || c.StartWait < 0 || c.LeaveWait < 0 || c.KeepFor < 0:
		return c, errors.New("chat: a duration is negative")
	case c.QueueMessages < 0 || c.QueueBytes < 0 || c.KeepPeers < 0:
		return c, errors.New("chat: a bound is negative")
	case c.MaxText < 0 || c.MaxText > largestText:
		return c, fmt.Errorf("chat: MaxText %d is not within 1 and %d", c.MaxText, largestText)
	}
	return c, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Room is the chat of one peer. Its methods may be called at any time, from
// any goroutine.
type Room struct {
	cfg  Config
	mail mailbox

	mu      sync.Mutex
	session *session // the run under way, or nil

	// What outlives a run; owned by the run under way.
	seq  uint64            // number of the last message sent
	seen map[string]*heard // by id of the sender
}

// heard is the last message that was shown of a sender.
type heard struct {
	boot int
	seq  uint64
}

// New returns a closed room.
func New(cfg Config) (*Room, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Room{cfg: cfg, mail: mailbox{signal: make(chan struct{}, 1)}, seen: map[string]*heard{}}, nil
}

// Name is "chat".
func (r *Room) Name() string { return "chat" }

// Run opens the room and serves it until ctx ends; see extension.Extension.
// It always returns nil.
func (r *Room) Run(ctx context.Context, svc extension.Services, ready func()) error {
	r.mail.open()
	s := newSession(ctx, r, svc, ready)
	defer close(s.ended) // after a panic, too: somebody may wait for it
	r.setSession(s)
	s.start()
	s.serve()
	r.setSession(nil)
	for _, stream := range r.mail.shut() {
		stream.Close()
	}
	if errors.Is(context.Cause(ctx), extension.ErrSilent) {
		s.hangUp()
	}
	s.leave()
	return nil
}

func (r *Room) setSession(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = s
}

// running returns the run under way, or ErrNotOpen.
func (r *Room) running() (*session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		return nil, ErrNotOpen
	}
	return r.session, nil
}

// Changed takes note of a change of the membership.
func (r *Room) Changed(c extension.Change) { r.mail.change(c) }

// Accept takes over a stream that another member opened.
func (r *Room) Accept(stream extension.Stream) {
	if !r.mail.stream(stream) {
		stream.Close()
	}
}

// Delivery tells what became of a message: names, each list sorted.
type Delivery struct {
	Reached []string // it was shown to them
	Pending []string // it is kept for them and sent when they can be reached
	Dropped []string // it is lost for them: too much is kept already, or they left
}

// Nobody tells that there was nobody to reach.
func (d Delivery) Nobody() bool {
	return len(d.Reached)+len(d.Pending)+len(d.Dropped) == 0
}

// Send says a text, one line, to everybody in the chat and waits until they
// have acknowledged it, for at most Config.AckWait. It does not wait for
// members that have owed an acknowledgement for that long already. An error
// that matches ErrText or ErrNotOpen means that the message was not sent;
// when ctx ends first, the message was sent, and the rest is pending.
func (r *Room) Send(ctx context.Context, text string) (Delivery, error) {
	if err := r.check(text); err != nil {
		return Delivery{}, err
	}
	s, err := r.running()
	if err != nil {
		return Delivery{}, err
	}
	m := &message{text: text, done: make(chan struct{})}
	if !s.post(func() { s.send(m) }) {
		return Delivery{}, ErrNotOpen
	}
	timer := time.NewTimer(r.cfg.AckWait)
	defer timer.Stop()
	select {
	case <-m.done:
		return m.delivery(), nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.closed:
	}
	s.post(func() { m.finish() })
	select {
	case <-m.done:
	case <-s.ended:
		m.finish() // nobody owns it any more
	}
	return m.delivery(), err
}

// check tells why a text cannot be a message.
func (r *Room) check(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("%w: it is empty", ErrText)
	case len(text) > r.cfg.MaxText:
		return fmt.Errorf("%w: it has %d bytes, and %d is the most: send it in parts", ErrText, len(text), r.cfg.MaxText)
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: it is not valid UTF-8", ErrText)
	case strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }):
		return fmt.Errorf("%w: it contains a control character or more than one line", ErrText)
	}
	return nil
}

// Ping asks a member of the chat, over its stream, for a sign of life and
// returns the time until it came.
func (r *Room) Ping(ctx context.Context, name string) (time.Duration, error) {
	s, err := r.running()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	answer := make(chan error, 1)
	if !s.post(func() { s.ping(name, answer) }) {
		return 0, ErrNotOpen
	}
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = fmt.Errorf("no answer from %s: %w", name, ctx.Err())
	case <-s.closed:
		err = ErrNotOpen
	}
	return time.Since(start), err
}

// Members returns the names of the others in the chat, sorted.
func (r *Room) Members() ([]string, error) {
	s, err := r.running()
	if err != nil {
		return nil, err
	}
	answer := make(chan []string, 1)
	if !s.post(func() { answer <- s.names() }) {
		return nil, ErrNotOpen
	}
	select {
	case names := <-answer:
		return names, nil
	case <-s.closed:
		return nil, ErrNotOpen
	}
}
