package inprocess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// link is what the test link is for peers in this process: both ends of it,
// without a wire. It is the coordinator's Driver and the shell's Harness.
type link struct {
	hello    testlink.Hello
	faults   *faulty.Network
	said     *mailbox.Box[any] // messages of package testlink, or a raw event
	commands *mailbox.Box[command]
	over     chan struct{} // closed by close

	mu      sync.Mutex
	closed  bool
	events  uint64                        // that were said
	last    uint64                        // number of the coordinator
	leaving bool                          // no command begins any more
	cancels map[uint64]context.CancelFunc // of commands that wait or run
	asked   uint64                        // number of the peer
	answers map[uint64]chan answer
}

type command struct {
	id   uint64
	line string
	ctx  context.Context
}

type answer struct {
	testlink.Answer
	err error
}

// raw is a journal line that was copied and not decoded yet.
type raw json.RawMessage

func newLink(hello testlink.Hello, faults *faulty.Network) *link {
	return &link{
		hello: hello, faults: faults, said: mailbox.New[any](), commands: mailbox.New[command](),
		over: make(chan struct{}), cancels: map[uint64]context.CancelFunc{}, answers: map[uint64]chan answer{},
	}
}

// say queues a message of the peer. On a closed link it does nothing.
func (l *link) say(m any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	switch said := m.(type) {
	case raw:
		l.events++
	case testlink.Fenced:
		said.Events = l.events
		m = said
	}
	l.said.Put(m)
}

// close is the last that is said. It may be called twice.
func (l *link) close(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		last := testlink.Closed{Err: why}
		if errors.Is(why, testlink.ErrClosed) {
			last.Events = new(l.events)
		}
		l.said.Put(last)
		close(l.over)
	}
}

// sink is a journal.Sink.
func (l *link) sink(_ journal.Event, line []byte) { l.say(raw(slices.Clone(line))) }

// speak delivers what is said, up to the end of the link.
func (l *link) speak(deliver func(coordinator.Message)) {
	deliver(coordinator.Message{Peer: l.hello.Name, Link: l, Body: testlink.Opened{Hello: l.hello}})
	for {
		<-l.said.Ready()
		for _, m := range l.said.Take() {
			if line, is := m.(raw); is {
				m = decode(line)
			}
			deliver(coordinator.Message{Peer: l.hello.Name, Body: m})
			if _, is := m.(testlink.Closed); is {
				return
			}
		}
	}
}

// decode makes of a line what the other side of a link would.
func decode(line raw) testlink.Recorded {
	r := testlink.Recorded{Line: json.RawMessage(line)}
	if err := json.Unmarshal(line, &r.Event); err != nil {
		r.Event = journal.Event{Type: journal.TypeLog, Text: fmt.Sprintf("not an event: %v", err)}
	}
	return r
}

// work runs commands one after another until ctx ends. Those that have not
// begun then are answered, too.
func (l *link) work(ctx context.Context, run func(context.Context, string) testlink.Result) {
	defer l.dismiss()
	stop := context.AfterFunc(ctx, l.cancelAll)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.commands.Ready():
		}
		for _, c := range l.commands.Take() {
			r := testlink.NeverBegan()
			if ctx.Err() == nil && c.ctx.Err() == nil {
				r = run(c.ctx, c.line)
			}
			l.finish(c.id, r)
		}
	}
}

// dismiss answers the commands that have not begun, and will not.
func (l *link) dismiss() {
	l.mu.Lock()
	l.leaving = true
	l.mu.Unlock()
	for _, c := range l.commands.Take() {
		l.finish(c.id, testlink.NeverBegan())
	}
}

func (l *link) finish(id uint64, r testlink.Result) {
	l.Cancel(id)
	l.say(testlink.Finished{ID: id, Result: r})
}

func (l *link) cancelAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cancel := range l.cancels {
		cancel()
	}
}

// number is the next number of the coordinator.
func (l *link) number() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	return l.last
}

// Command implements coordinator.Driver.
func (l *link) Command(line string) uint64 {
	c := command{id: l.number(), line: line}
	if !l.accept(c) {
		l.say(testlink.Finished{ID: c.id, Result: testlink.NeverBegan()})
	}
	return c.id
}

// accept queues a command, unless none begins any more.
func (l *link) accept(c command) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		return false
	}
	c.ctx, l.cancels[c.id] = context.WithCancel(context.Background())
	l.commands.Put(c)
	return true
}

// Cancel implements coordinator.Driver.
func (l *link) Cancel(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cancel := l.cancels[id]; cancel != nil {
		cancel()
		delete(l.cancels, id)
	}
}

// Fence implements coordinator.Driver.
func (l *link) Fence() uint64 {
	id := l.number()
	l.say(testlink.Fenced{ID: id})
	return id
}

// Faults implements coordinator.Driver.
func (l *link) Faults(t faulty.Table, reset []string) uint64 {
	id := l.number()
	err := l.faults.Set(t)
	if err == nil {
		_, err = l.faults.Reset(reset)
	}
	l.say(testlink.Faulted{ID: id, Err: err})
	return id
}

// Answer implements coordinator.Driver.
func (l *link) Answer(id uint64, a testlink.Answer) { l.reply(id, answer{Answer: a}) }

// Refuse implements coordinator.Driver.
func (l *link) Refuse(id uint64, why error) { l.reply(id, answer{err: errors.New(why.Error())}) }

func (l *link) reply(id uint64, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.answers[id]; c != nil {
		delete(l.answers, id)
		c <- a
	}
}

// Register implements shell.Harness.
func (l *link) Register(ctx context.Context, f testlink.Filter) error {
	_, err := l.ask(ctx, testlink.Asked{Filter: &f})
	return err
}

// Ask implements shell.Harness.
func (l *link) Ask(ctx context.Context, question string) (testlink.Answer, error) {
	return l.ask(ctx, testlink.Asked{Question: question})
}

func (l *link) ask(ctx context.Context, q testlink.Asked) (testlink.Answer, error) {
	reply := make(chan answer, 1)
	l.mu.Lock()
	l.asked++
	q.ID = l.asked
	l.answers[q.ID] = reply
	l.mu.Unlock()
	defer l.reply(q.ID, answer{}) // nobody waits any more
	l.say(q)
	select {
	case a := <-reply:
		return a.Answer, a.err
	case <-ctx.Done():
		return testlink.Answer{}, ctx.Err()
	case <-l.over:
		return testlink.Answer{}, fmt.Errorf("%w: no answer", testlink.ErrLost)
	}
}
