package coordinator

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Recorder keeps what happens while it happens; a *report.Dir is one.
type Recorder interface {
	Journal(line []byte) error
	WriteResult(*report.Result) error
}

// Config says what to run and how long to wait. Zero durations stand for the
// defaults.
type Config struct {
	Script   *language.Script
	World    World
	Recorder Recorder

	// Result has what the caller knows of the run: directory, engine, seed,
	// the command that runs it again.
	Result report.Result
	// Seed decides every random choice.
	Seed uint64
	// Holds tells whether the word of a condition holds. Nil knows
	// engine:NAME by Result.Engine, GOOS:NAME, race, and short if Short is set;
	// other words do not hold.
	Holds func(word string) bool
	Short bool

	Start   time.Duration // for a peer to attach, 15 s
	Command time.Duration // for a command to end, 30 s
	Reach   time.Duration // for all filters to have their counts, 10 s
	Hold    time.Duration // for which a count that was met must hold, 500 ms
	Settle  time.Duration // for which converged peers must stay so, 1 s
	Budget  time.Duration // for the whole script, 5 min
	Cleanup time.Duration // for its cleanup, 30 s

	// Feed brings statements that are run behind those of the script's body,
	// until it is closed. Nil for none.
	Feed <-chan Fed
	// OnRow is told each row when it is decided. Nil for nothing.
	OnRow func(report.Row)
	// Observe is told how things stand, at most ten times a second. Nil for
	// nothing.
	Observe func(Snapshot)
}

func (c *Config) defaults() {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&c.Start, 15*time.Second)
	set(&c.Command, 30*time.Second)
	set(&c.Reach, 10*time.Second)
	set(&c.Hold, 500*time.Millisecond)
	set(&c.Settle, time.Second)
	set(&c.Budget, 5*time.Minute)
	set(&c.Cleanup, 30*time.Second)
	if c.Holds == nil {
		engine, short := c.Result.Engine, c.Short
		c.Holds = func(word string) bool {
			goos, is := strings.CutPrefix(word, "GOOS:")
			return word == "engine:"+engine || is && goos == runtime.GOOS || word == "race" && raced || word == "short" && short
		}
	}
}

// Run runs the scenario. It returns when the world has ended all peers. The
// error is that of the recorder: the verdict is in the result.
func Run(ctx context.Context, cfg Config) (*report.Result, error) {
	r := &runner{cfg: cfg, inbox: make(chan Message, 1024)}
	r.m = NewMachine(cfg, time.Now())
	defer r.m.Abandon()
	if err := cfg.Recorder.WriteResult(r.m.Result()); err != nil {
		return r.m.Result(), err
	}
	world, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- cfg.World.Run(world, func(m Message) { r.inbox <- m }) }()
	r.ended = ended
	r.play(ctx)
	r.m.Ending()
	stop()
	r.drain()
	result := r.m.Finish(time.Now())
	r.keep(r.m.take())
	return result, errors.Join(r.recordErr, cfg.Recorder.WriteResult(result))
}

// runner keeps a machine going: it owns the inbox and the timer. Only the
// goroutine in Run uses it; the world uses the inbox.
type runner struct {
	cfg       Config
	m         *Machine
	inbox     chan Message
	ended     <-chan error // the end of the world; nil once it was received
	recordErr error
	saved     time.Time
	observed  time.Time
}

// play steps the machine until its script is over.
func (r *runner) play(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	interrupted := ctx.Done()
	for {
		w, wake, done := r.m.Step(time.Now())
		r.keep(w)
		if done {
			return
		}
		wake = earlier(wake, r.observe())
		var alarm <-chan time.Time
		if !wake.IsZero() {
			timer.Reset(time.Until(wake))
			alarm = timer.C
		}
		var feed <-chan Fed // looked at only when its time has come, see Fed
		if r.m.Hungry() {
			feed = r.cfg.Feed
		}
		select {
		case m := <-r.inbox:
			r.m.Handle(time.Now(), m)
			r.handleWaiting()
		case f, more := <-feed:
			r.m.Feed(f, more)
		case <-alarm:
		case err := <-r.ended:
			r.ended = nil
			r.handleWaiting()
			r.m.Ended(err)
		case <-interrupted:
			interrupted = nil
			r.m.Interrupt(ErrInterrupted)
		}
	}
}

// handleWaiting takes what has come meanwhile, so that a step serves many
// messages.
func (r *runner) handleWaiting() {
	now := time.Now()
	for range cap(r.inbox) {
		select {
		case m := <-r.inbox:
			r.m.Handle(now, m)
		default:
			return
		}
	}
}

// drain takes what the peers still say until the world has ended them.
func (r *runner) drain() {
	for r.ended != nil {
		select {
		case m := <-r.inbox:
			r.m.Handle(time.Now(), m)
		case err := <-r.ended:
			r.ended = nil
			r.m.Ended(err)
		}
		r.keep(r.m.take())
	}
	for len(r.inbox) > 0 {
		r.m.Handle(time.Now(), <-r.inbox)
	}
	r.keep(r.m.take())
}

// keep writes down what a step has brought.
func (r *runner) keep(w Work) {
	for _, line := range w.Journal {
		if err := r.cfg.Recorder.Journal(line); err != nil && r.recordErr == nil {
			r.recordErr = fmt.Errorf("journal of the run: %w", err)
		}
	}
	if len(w.Rows) == 0 {
		return
	}
	if r.cfg.OnRow != nil {
		for _, row := range w.Rows {
			r.cfg.OnRow(row)
		}
	}
	if time.Since(r.saved) > 250*time.Millisecond {
		r.recordErr = errors.Join(r.recordErr, r.cfg.Recorder.WriteResult(r.m.Result()))
		r.saved = time.Now()
	}
}

// observeEvery bounds how often a run tells how it stands.
const observeEvery = 100 * time.Millisecond

// observe tells how things stand, if it is time to, and when it will be.
func (r *runner) observe() time.Time {
	if r.cfg.Observe == nil {
		return time.Time{}
	}
	if now := time.Now(); now.Sub(r.observed) >= observeEvery {
		r.observed = now
		r.cfg.Observe(r.m.Snapshot())
	}
	return r.observed.Add(observeEvery)
}
