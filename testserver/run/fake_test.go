package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/run"
)

// world is an engine whose peers are data: every command is carried out at
// once, in one goroutine, unless a test says otherwise.
type world struct {
	// behave may carry out a command instead of the world; true if it did.
	behave func(p *fakePeer, id uint64, line string) bool
	// born may keep a peer from attaching; true if it did.
	born func(p *fakePeer) bool
	// err is what the engine returns, at once if it is not nil.
	err error

	calls chan func()
	peers []*fakePeer
}

type fakePeer struct {
	w        *world
	name     string
	deliver  func(run.Message)
	ready    bool
	gone     bool
	seq      uint64
	asks     map[uint64]func(error) // what waits for an answer
	last     uint64
	answered testlink.Answer
}

func (w *world) Run(ctx context.Context, names []string, deliver func(run.Message)) error {
	if w.err != nil {
		return w.err
	}
	w.calls = make(chan func(), 1000)
	for _, n := range names {
		w.peers = append(w.peers, &fakePeer{w: w, name: n, deliver: deliver, asks: map[uint64]func(error){}})
	}
	for _, p := range w.peers {
		if w.born == nil || !w.born(p) {
			deliver(run.Message{Peer: p.name, Link: p, Body: testlink.Opened{Hello: testlink.Hello{Name: p.name, Boot: 1}}})
		}
	}
	for {
		select {
		case f := <-w.calls:
			f()
		case <-ctx.Done():
			for _, p := range w.peers {
				p.end("killed at the end of the run", false)
			}
			return nil
		}
	}
}

func (p *fakePeer) say(body any) { p.deliver(run.Message{Peer: p.name, Body: body}) }

func (p *fakePeer) Command(line string) uint64 {
	p.last++
	id := p.last
	p.w.calls <- func() {
		if p.w.behave == nil || !p.w.behave(p, id, line) {
			p.carryOut(id, line)
		}
	}
	return id
}

func (p *fakePeer) Cancel(uint64) {}
func (p *fakePeer) Answer(id uint64, a testlink.Answer) {
	p.w.calls <- func() { p.answered = a; p.asks[id](nil) }
}
func (p *fakePeer) Refuse(id uint64, why error) { p.w.calls <- func() { p.asks[id](why) } }

func (p *fakePeer) ok(id uint64) {
	p.say(testlink.Finished{ID: id, Result: testlink.Result{OK: true}})
}
func (p *fakePeer) fail(id uint64, why string) {
	p.say(testlink.Finished{ID: id, Result: testlink.Result{Error: why}})
}

func (p *fakePeer) end(state string, ok bool) {
	if !p.gone {
		p.gone, p.ready = true, false
		p.say(testlink.Closed{Err: testlink.ErrLost})
		p.say(run.Gone{State: state, OK: ok})
	}
}

func (p *fakePeer) carryOut(id uint64, line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "init":
		p.ready = true
		p.w.announce()
	case "msg":
		for _, o := range p.w.peers {
			if o != p && o.ready {
				o.record("view", "<"+p.name+"> "+rest)
			}
		}
	case "testfilter":
		f := strings.SplitN(rest, " ", 3)
		n, _ := strconv.Atoi(f[1])
		p.ask(id, testlink.Asked{Filter: &testlink.Filter{Stream: f[0], Count: n, Pattern: f[2]}})
		return
	case "testsummary", "testrun", "testreset", "testsummaryprepare":
		question := map[string]string{
			"testsummary": testlink.AskSummary, "testrun": testlink.AskRun,
			"testreset": testlink.AskReset, "testsummaryprepare": testlink.AskPrepare,
		}[word]
		p.ask(id, testlink.Asked{Question: question})
		return
	case "quit":
		p.ok(id)
		p.end("exit status 0", true)
		p.w.announce()
		return
	case "exit":
		p.end("exit status 1", false)
		p.w.announce()
		return
	default:
		p.fail(id, "unknown command")
		return
	}
	p.ok(id)
}

// ask asks, and ends command id with the answer.
func (p *fakePeer) ask(id uint64, q testlink.Asked) {
	q.ID = id
	p.asks[id] = func(err error) {
		if err != nil {
			p.fail(id, err.Error())
			return
		}
		p.ok(id)
	}
	p.say(q)
}

func (p *fakePeer) record(stream, text string) {
	p.seq++
	p.recordAt(p.seq, stream, text)
}

func (p *fakePeer) recordAt(seq uint64, stream, text string) {
	e := journal.Event{V: 1, Peer: p.name, Boot: 1, Seq: seq, Type: stream, Text: text}
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	p.say(testlink.Recorded{Event: e, Line: line})
}

// announce lets every peer see every other one that is ready.
func (w *world) announce() {
	for _, p := range w.peers {
		if p.ready {
			p.say(p.status())
		}
	}
}

func (p *fakePeer) status() testlink.Status {
	s := testlink.Status{Ready: true, Self: testlink.Node{Name: p.name, Boot: 1, Addr: p.name + ":1"}, Present: map[string][]testlink.Node{}}
	for _, o := range p.w.peers {
		if o != p && o.ready {
			s.Members = append(s.Members, testlink.Node{Name: o.name, Boot: 1, Addr: o.name + ":1"})
		}
	}
	s.Present["chat"] = s.Members
	return s
}

// memory is a Recorder.
type memory struct {
	mu      sync.Mutex
	journal []string
	results []report.Result
	fail    error
}

func (m *memory) Journal(line []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.journal = append(m.journal, string(line))
	return m.fail
}

func (m *memory) WriteResult(r *report.Result) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := *r
	c.Rows = slices.Clone(r.Rows)
	m.results = append(m.results, c)
	return nil
}

var errDisk = errors.New("disk full")

// shown is a result as lines, for comparison.
func shown(r *report.Result) string {
	var b strings.Builder
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "%s: %s", report.RowLine(row), row.Wrong)
		if len(row.Seen) > 0 {
			fmt.Fprintf(&b, " %q", row.Seen)
		}
		b.WriteString("\n")
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem %v: %s\n", p.Harness, p.Text)
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Verdict, r.Why)
	return b.String()
}

func mustContain(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in\n%s", w, got)
		}
	}
}
