// Package run runs one scenario: it hands each statement to the peers that
// it is for, keeps what they say, waits with deadlines, and writes down what
// holds. How peers come into being is the engine's business, what holds is
// the judge's.
//
// One goroutine owns everything: engines only put messages into an inbox, and
// every wait is the same loop over it. Nothing is polled, and nothing can
// hang: every wait has a deadline, and a run has a budget.
package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/scenario"
)

// Engine makes peers.
type Engine interface {
	// Run brings the named peers into being, all at once, and delivers what
	// they say until ctx ends; then it ends all that is left, delivers that
	// too, and returns. For each peer it delivers either nothing (if ctx
	// ended early), or Gone as the last message; what the peer had said
	// comes before. deliver may block. An error means that the engine
	// itself could not work.
	Run(ctx context.Context, peers []string, deliver func(Message)) error
}

// Driver is what a peer is driven by, a *testlink.Conn for example. None of
// its methods blocks.
type Driver interface {
	Command(line string) (id uint64)
	Cancel(id uint64)
	Answer(id uint64, a testlink.Answer)
	Refuse(id uint64, why error)
}

// Message is what an engine tells of one peer. Body is a message of package
// testlink, or Gone; Link comes with testlink.Opened.
type Message struct {
	Peer string
	Link Driver
	Body any
}

// Gone says that a peer has ended.
type Gone struct {
	State    string   // "exit status 2", "killed at the end of the run"
	OK       bool     // it ended in order
	Stderr   []string // the last lines that it wrote to its error output
	Problems []string // what must never happen: a data race, a process left behind
}

// Recorder keeps what happens while it happens; a *report.Dir is one.
type Recorder interface {
	Journal(line []byte) error
	WriteResult(*report.Result) error
}

// Config says what to run and how long to wait. Zero durations stand for the
// defaults.
type Config struct {
	Script   *scenario.Script
	Engine   Engine
	Recorder Recorder

	// Result has what the caller knows of the run: directory, engine, seed,
	// the command that runs it again.
	Result report.Result

	Start   time.Duration // for a peer to attach, 15 s
	Command time.Duration // for a command to end, 30 s
	Reach   time.Duration // for all filters to have their counts, 10 s
	Hold    time.Duration // for which no filter may exceed its count then, 500 ms
	Stable  time.Duration // for which converged peers must stay so, 1 s
	Budget  time.Duration // for the whole run, 5 min

	// OnRow is told each row when it is decided. Nil for nothing.
	OnRow func(report.Row)
}

// grace is how long a cancelled command may take to end, and a peer whose
// command was to end it.
const grace = 2 * time.Second

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
	set(&c.Stable, time.Second)
	set(&c.Budget, 5*time.Minute)
}

var errBudget = errors.New("the budget of the run is used up")

// Run runs the scenario. It returns when the engine has ended all peers. The
// error is that of the recorder: the verdict is in the result.
func Run(ctx context.Context, cfg Config) (*report.Result, error) {
	cfg.defaults()
	r := newRunner(cfg)
	if err := cfg.Recorder.WriteResult(&r.result); err != nil {
		return &r.result, err
	}
	engine, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- cfg.Engine.Run(engine, cfg.Script.Peers, r.deliver) }()

	budget, cancel := context.WithTimeoutCause(ctx, cfg.Budget, errBudget)
	r.script(budget, ended)
	r.matrix = r.judge.Matrix()
	why := context.Cause(budget)
	interrupted := ctx.Err() != nil
	cancel()
	stop()
	r.drain()
	r.finish(why, interrupted)
	return &r.result, errors.Join(r.recordErr, cfg.Recorder.WriteResult(&r.result))
}

// runner is one run. Only the goroutine in Run uses it; engines use inbox.
type runner struct {
	cfg    Config
	inbox  chan Message
	judge  *judge.Judge
	peers  map[string]*peer
	result report.Result

	// events are the rows of filters: those of the file in order, then those
	// that other commands registered. They follow the rows of commands.
	events []*event
	inRow  int // index of the statement that runs

	// preparing are the questions that wait until the filters are decided;
	// from then on the summary tells how they stand.
	preparing []preparing
	prepared  bool

	ended     <-chan error // the engine's end; nil once it was received
	engineErr error
	ending    bool     // the script is done: ends of peers are expected
	matrix    []string // who saw whom at the end of the script
	recordErr error
	saved     time.Time
}

// event is the row of a filter.
type event struct {
	row       report.Row
	statement int // -1 for one that is not a line of the file
	filter    int // its number at the judge; -1 until it is registered
}

// peer is one peer as the runner knows it.
type peer struct {
	name    string
	link    Driver // nil until it has attached
	hello   testlink.Hello
	last    uint64           // the last command that it was given
	result  *testlink.Result // of that, once it has ended
	leaving string           // where the script asked it to end
	stuck   string           // the line that it has not answered
	gone    *Gone
	atEnd   bool  // it was gone only when the script was done
	lost    error // why its link ended, while the peer may still live
}

func newRunner(cfg Config) *runner {
	r := &runner{
		cfg: cfg, inbox: make(chan Message, 256), judge: judge.New(cfg.Script.Peers),
		peers: map[string]*peer{}, result: cfg.Result,
	}
	s := cfg.Script
	r.result.Schema, r.result.Scenario, r.result.Path = report.Schema, s.Name, s.Path
	r.result.Verdict, r.result.ExitStatus = report.Running, report.Unknown.Status()
	r.result.Started = time.Now()
	for _, name := range s.Peers {
		r.peers[name] = &peer{name: name}
	}
	for i, st := range s.Statements {
		row := report.Row{Kind: report.KindCommand, Text: st.String(), File: st.Pos.File, Line: st.Pos.Line, Wrong: "not reached"}
		if st.Inserted {
			row.Kind = report.KindInserted
		}
		if len(st.Targets) > 0 {
			row.Peer = st.Targets[0]
		}
		r.result.Rows = append(r.result.Rows, row)
		if st.IsFilter() {
			row.Kind = report.KindEvent
			r.events = append(r.events, &event{row: row, statement: i, filter: -1})
		}
	}
	return r
}

func (r *runner) deliver(m Message) { r.inbox <- m }

// script runs all statements, then judges the filters.
func (r *runner) script(ctx context.Context, ended <-chan error) {
	r.ended = ended
	for i, st := range r.cfg.Script.Statements {
		if r.cut(ctx) != nil {
			return
		}
		r.inRow = i
		row := &r.result.Rows[i]
		began := time.Now()
		row.Wrong = ""
		if st.Kind == scenario.AwaitConverged {
			r.converge(ctx, st, row)
		} else {
			r.command(ctx, st, row)
		}
		row.DurationMS = float64(time.Since(began).Microseconds()) / 1000
		if why := r.cut(ctx); why != nil && row.Status != report.OK {
			row.Status, row.Wrong = report.Miss, why.Error()
		}
		r.decided(*row)
	}
	r.inRow = -1
	r.judgeFilters(ctx)
}

// cut tells why the script cannot go on, if it cannot.
func (r *runner) cut(ctx context.Context) error {
	if r.engineErr != nil {
		return r.engineErr
	}
	return context.Cause(ctx)
}

// decided tells of a row, and saves the result now and then.
func (r *runner) decided(row report.Row) {
	if r.cfg.OnRow != nil {
		r.cfg.OnRow(row)
	}
	if time.Since(r.saved) > 250*time.Millisecond {
		r.recordErr = errors.Join(r.recordErr, r.cfg.Recorder.WriteResult(&r.result))
		r.saved = time.Now()
	}
}

// errEngine ends waits when the engine has ended by itself.
var errEngine = errors.New("the engine has ended")

// wait handles messages until done says so, or ctx ends (an error). done may
// name a time at which it wants to be asked again.
func (r *runner) wait(ctx context.Context, done func() (ok bool, again time.Time)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		ok, again := done()
		if ok {
			return nil
		}
		again = r.answerPrepared(again)
		var alarm <-chan time.Time
		if !again.IsZero() {
			timer.Reset(time.Until(again))
			alarm = timer.C
		}
		select {
		case m := <-r.inbox:
			r.handle(m)
		case <-alarm:
		case err := <-r.ended:
			r.engineEnded(err)
			return errEngine
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// engineEnded notes that the engine has ended before it was told to.
func (r *runner) engineEnded(err error) {
	r.ended = nil
	if err == nil {
		err = errEngine
	}
	r.engineErr = err
}

// within bounds a wait; the cause says for how long it was.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("not within %s", d))
}

// drain takes what the peers still say until the engine has ended them.
func (r *runner) drain() {
	r.ending = true
	for r.ended != nil {
		select {
		case m := <-r.inbox:
			r.handle(m)
		case err := <-r.ended:
			r.ended = nil
			if err != nil {
				r.engineErr = err
			}
		}
	}
	for {
		select {
		case m := <-r.inbox:
			r.handle(m)
		default:
			return
		}
	}
}
