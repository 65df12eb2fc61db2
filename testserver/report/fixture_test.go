package report_test

import (
	"bytes"
	"container/heap"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/report"
)

// world makes journals of runs that never were: peers that send messages to
// each other in virtual time, with vector clocks as real peers have them.
type world struct {
	t       testing.TB
	rng     *rand.Rand
	now     time.Time
	names   []string
	peers   map[string]*fakePeer
	own     uint64
	faults  int
	due     queue
	written []journal.Event
	result  *report.Result

	clockless bool // events without vector clocks, which take most of the time

	sent, got, lost, bands, boots int // what a page of it has to show
}

type fakePeer struct {
	name  string
	boot  int
	seq   uint64
	sent  int
	clock map[string]uint64
	alive bool
	side  int // of a partition; 0 for none
}

// delivery is a message on its way.
type delivery struct {
	at       time.Time
	to, from string
	id, text string
	clock    map[string]uint64
}

type queue []delivery

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(delivery)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

var epoch = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func newWorld(t testing.TB, names ...string) *world {
	seed := uint64(42)
	w := &world{t: t, rng: rand.New(rand.NewPCG(1, 2)), now: epoch, names: names, peers: map[string]*fakePeer{}}
	w.result = &report.Result{
		Schema: report.Schema, Scenario: "split", Path: "scripts/scenario/split.cmd", Dir: "runs/20240506-070809-split", Engine: "local",
		Seed: &seed, Started: epoch, Rerun: "testserver run --seed 42 scripts/scenario/split.cmd", Phases: []report.Phase{{}},
	}
	for _, n := range names {
		w.peers[n] = &fakePeer{name: n}
		w.result.Peers = append(w.result.Peers, report.Peer{Name: n, Exit: "exit status 0", Expected: true})
	}
	return w
}

func numbered(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("p%d", i+1))
	}
	return all
}

func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	for len(w.due) > 0 && !w.due[0].at.After(end) {
		m := heap.Pop(&w.due).(delivery)
		w.now = m.at
		w.deliver(m)
	}
	w.now = end
}

func (w *world) deliver(m delivery) {
	p, from := w.peers[m.to], w.peers[m.from]
	if !p.alive || p.side != from.side {
		w.lost++
		return
	}
	for process, n := range m.clock {
		p.clock[process] = max(p.clock[process], n)
	}
	w.got++
	w.event(m.to, "chat", m.text, map[string]any{"from": m.from, "id": m.id, "late": false})
	w.event(m.to, "view", "<"+m.from+"> "+m.text, nil)
}

func (w *world) event(peer, typ, text string, fields map[string]any) {
	p := w.peers[peer]
	p.seq++
	process := fmt.Sprintf("%s#%d", peer, p.boot)
	p.clock[process] = p.seq
	var clock journal.Clock
	if !w.clockless {
		for _, name := range slices.Sorted(maps.Keys(p.clock)) {
			clock = append(clock, journal.Tick{Process: name, Count: p.clock[name]})
		}
	}
	w.written = append(w.written, journal.Event{
		V: journal.Version, Time: w.now, Peer: peer, Boot: p.boot, Seq: p.seq, Lamport: 1, Clock: clock, Type: typ, Text: text, Fields: fields,
	})
}

func (w *world) runner(typ, text string, fields map[string]any) {
	w.own++
	w.written = append(w.written, journal.Event{
		V: journal.Version, Time: w.now, Peer: "testserver", Boot: 1, Seq: w.own, Lamport: w.own, Type: typ, Text: text, Fields: fields,
	})
}

func (w *world) start(names ...string) {
	for _, n := range names {
		p := w.peers[n]
		p.boot, p.seq, p.alive, p.clock = p.boot+1, 0, true, map[string]uint64{}
		w.boots++
		w.runner("life", "start "+n, map[string]any{"state": "started", "expected": true})
		w.event(n, "bootstrap", "joined: "+fmt.Sprint(len(w.names))+" records", nil)
	}
}

func (w *world) gone(name, state string, expected bool) {
	w.peers[name].alive = false
	w.runner("life", "gone "+name, map[string]any{"state": state, "expected": expected})
}

// msg lets a peer send a message to all others that run.
func (w *world) msg(from, text string) {
	p := w.peers[from]
	p.sent++
	id := fmt.Sprintf("%s-%d-%d", from, p.boot, p.sent)
	var to []string
	for _, n := range w.names {
		if n != from && w.peers[n].alive {
			to = append(to, n)
		}
	}
	w.sent++
	w.event(from, "sent", text, map[string]any{"id": id, "to": to})
	for _, n := range to {
		late := time.Duration(200+w.rng.IntN(3000)) * time.Microsecond
		heap.Push(&w.due, delivery{w.now.Add(late), n, from, id, text, maps.Clone(p.clock)})
	}
}

// partition sets a fault between the first n peers and the others, until the
// returned function is called.
func (w *world) partition(n int, words string) (heal func()) {
	w.faults++
	number := w.faults
	w.bands++
	for i, name := range w.names {
		w.peers[name].side = 2
		if i < n {
			w.peers[name].side = 1
		}
	}
	w.runner("net", words, map[string]any{"fault": number, "state": "set", "peers": w.names})
	return func() {
		for _, p := range w.peers {
			p.side = 0
		}
		w.runner("net", words, map[string]any{"fault": number, "state": "healed", "peers": w.names})
	}
}

func (w *world) phase(title string) {
	w.result.Phases[len(w.result.Phases)-1].EndMS = w.since()
	w.result.Phases = append(w.result.Phases, report.Phase{Title: title, StartMS: w.since(), Line: len(w.result.Rows) + 3})
}

func (w *world) since() float64 { return float64(w.now.Sub(epoch)) / float64(time.Millisecond) }

// row is a statement of the script that does what do does.
func (w *world) row(kind, text, status string, do func()) *report.Row {
	from := w.now
	if do != nil {
		do()
	}
	row := report.Row{
		Kind: kind, Text: text, Status: status, Phase: len(w.result.Phases) - 1, File: w.result.Path, Line: len(w.result.Rows) + 4, Col: 1,
		StartMS: float64(from.Sub(epoch)) / float64(time.Millisecond), DurationMS: float64(w.now.Sub(from)) / float64(time.Millisecond),
	}
	w.runner("script", text, map[string]any{"file": row.File, "line": row.Line, "phase": row.Phase, "kind": kind, "status": status,
		"started": from.Format(time.RFC3339Nano), "row": len(w.result.Rows)})
	w.result.Rows = append(w.result.Rows, row)
	return &w.result.Rows[len(w.result.Rows)-1]
}

// end ends the run.
func (w *world) end() (*report.Result, []byte) {
	w.pass(time.Second)
	r := w.result
	if len(r.Phases) > 0 {
		r.Phases[len(r.Phases)-1].EndMS = w.since()
	}
	r.DurationMS = int64(w.since())
	r.Decide()
	return r, w.journal()
}

func (w *world) journal() []byte {
	var b bytes.Buffer
	for _, e := range w.written {
		line, err := json.Marshal(e)
		if err != nil {
			w.t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

// small is the run of an example: three peers, a partition, a crash, a pause,
// and a failure.
func small(t testing.TB) *world {
	w := newWorld(t, "alice", "bob", "charly")
	all := w.names
	w.start(all...)
	w.pass(80 * time.Millisecond)
	w.phase("everybody hears everybody, once")
	w.row(report.KindCommand, "all init", report.OK, func() {
		for _, n := range all {
			w.pass(2 * time.Millisecond)
			w.event(n, "command", "init", map[string]any{"ok": true, "output": "listening\nready\n", "duration": 0.31})
			for _, o := range all {
				if o != n {
					w.event(n, "member", "joined "+o, nil)
				}
			}
		}
	})
	w.row(report.KindAssert, "await converged within 5s", report.OK, func() { w.pass(time.Second) })
	w.row(report.KindCommand, "all msg hello", report.OK, func() {
		for _, n := range all {
			w.msg(n, "hello from "+n)
			w.pass(time.Millisecond)
		}
	})
	w.row(report.KindAssert, `all expect chat /hello/ count == 2`, report.OK, func() { w.pass(500 * time.Millisecond) })
	w.phase("split, then whole again")
	var heal func()
	w.row(report.KindStep, "fault partition alice | bob,charly", report.OK, func() {
		heal = w.partition(1, "partition alice | bob,charly")
		w.pass(time.Millisecond)
	})
	w.row(report.KindAssert, "alice await members == alice within 20s", report.OK, func() {
		w.pass(5 * time.Second)
		w.event("alice", "member", "suspect bob", nil)
		w.pass(time.Second)
		w.event("alice", "member", "dead bob", nil)
		w.event("alice", "member", "dead charly", nil)
	})
	w.row(report.KindCommand, "bob msg while apart", report.OK, func() { w.msg("bob", "while apart"); w.pass(5 * time.Millisecond) })
	w.row(report.KindAssert, `alice never chat "while apart" for 2s`, report.OK, func() { w.pass(2 * time.Second) })
	heal()
	w.row(report.KindAssert, "await converged within 15s", report.OK, func() { w.pass(1200 * time.Millisecond) })
	w.phase("a crash is noticed, once")
	w.row(report.KindStep, "kill charly", report.OK, func() { w.gone("charly", "killed by the script", true); w.pass(3 * time.Millisecond) })
	w.row(report.KindStep, "pause bob", report.OK, func() { w.runner("life", "pause bob", nil); w.pass(2 * time.Second) })
	w.row(report.KindStep, "resume bob", report.OK, func() { w.runner("life", "resume bob", nil) })
	w.row(report.KindCommand, "alice msg is charly there?", report.OK, func() { w.msg("alice", "is charly there?"); w.pass(8 * time.Millisecond) })
	bad := w.row(report.KindAssert, `alice,bob expect member "dead charly" count == 1`, report.Fail, func() {
		w.pass(4 * time.Second)
		w.event("alice", "member", "suspect charly", nil)
		w.pass(time.Second)
		w.event("alice", "member", "dead charly", nil)
	})
	bad.Comment, bad.Peer, bad.Wrong = []string{"Both must know, and say it once."}, "bob", "seen 0, expected 1"
	bad.Expected = `member events whose text is "dead charly", exactly 1, at alice and at bob, since the phase began, within 5 s`
	bad.Seen, bad.Last = []string{"alice  14.8 s  suspect charly"}, []string{"14.812 alice member suspect charly", "15.812 alice member dead charly"}
	w.row(report.KindStep, "restart charly", report.OK, func() { w.start("charly"); w.pass(300 * time.Millisecond) })
	w.row(report.KindCommand, "charly msg back again", report.OK, func() { w.msg("charly", "back again"); w.pass(40 * time.Millisecond) })
	w.gone("bob", "exit status 2", false)
	w.result.Peers[1].Exit, w.result.Peers[1].Expected, w.result.Peers[1].Stderr = "exit status 2", false, []string{"panic: runtime error: index out of range [3]", "goroutine 41 [running]:"}
	w.result.Matrix = report.Matrix(all, func(a, b string) report.Sight {
		if a == "bob" {
			return report.Sight{Blind: true}
		}
		return report.Sight{State: "alive", Chat: true}
	})
	w.row(report.KindAssert, "check delivery", report.Miss, nil).Wrong = "not reached"
	return w
}

// big is a run of n peers with at least so many events.
func big(t testing.TB, n, events int, clockless bool) *world {
	w := newWorld(t, numbered(n)...)
	w.clockless = clockless
	w.start(w.names...)
	w.phase("warm")
	w.row(report.KindCommand, "all init", report.OK, func() { w.pass(200 * time.Millisecond) })
	for round := 0; len(w.written) < events; round++ {
		if round%40 == 0 {
			w.phase(fmt.Sprintf("round %d", round/40+1))
		}
		from := w.names[w.rng.IntN(n)]
		if !w.peers[from].alive {
			continue
		}
		text := fmt.Sprintf("message %d", round)
		w.row(report.KindCommand, from+" msg "+text, report.OK, func() {
			w.event(from, "command", "msg "+text, map[string]any{"ok": true, "duration": 0.001})
			w.msg(from, text)
			w.pass(time.Duration(w.rng.IntN(40)) * time.Millisecond)
		})
		switch round % 60 {
		case 30:
			w.row(report.KindStep, "fault partition p[1..9] | others(p[1..9])", report.OK, func() {
				heal := w.partition(min(9, n/2), "partition p[1..9] | others(p[1..9])")
				w.msg(from, "while apart")
				w.pass(3 * time.Second)
				heal()
			})
		case 45:
			victim := w.names[w.rng.IntN(n)]
			if w.peers[victim].alive {
				w.row(report.KindStep, "kill "+victim, report.OK, func() { w.gone(victim, "killed by the script", true) })
				w.pass(time.Second)
				w.row(report.KindStep, "restart "+victim, report.OK, func() { w.start(victim) })
			}
		}
	}
	return w
}
