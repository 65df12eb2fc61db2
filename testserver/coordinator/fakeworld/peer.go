package fakeworld

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// Peer is one boot of a fake peer.
type Peer struct {
	w      *World
	name   string
	boot   int
	ready  bool
	gone   bool
	paused bool
	hangs  bool
	held   []func() // what waits until it goes on
	seq    uint64
	msgs   int
	asks   map[uint64]func(error)
	sleeps map[uint64]func(error) // ends of commands that sleep
	table  faulty.Table
	sees   map[string]string // others' states, by name
	queue  []message         // for those that are not reached
	shown  map[string]bool   // messages that it has shown
	nobody bool
}

type message struct{ from, to, id, text string }

// pair is what one peer knows of another one's being there.
type pair struct {
	there   bool
	version int
}

// driver drives one boot.
type driver struct {
	p    *Peer
	boot int
	last *uint64 // number on its link
	w    *World
}

// do calls f in the world's goroutine, if the boot still runs then; when it
// is paused, as soon as it goes on.
func (d driver) do(f func()) uint64 {
	*d.last++
	d.w.calls.Put(func() { d.run(f) })
	return *d.last
}

func (d driver) run(f func()) {
	switch p := d.p; {
	case p.gone || p.boot != d.boot || p.hangs:
	case p.paused:
		p.held = append(p.held, func() { d.run(f) })
	default:
		f()
	}
}

func (d driver) Command(line string) uint64 {
	id := *d.last + 1
	return d.do(func() { d.p.command(id, line) })
}

func (d driver) Cancel(id uint64) {
	d.w.calls.Put(func() { d.run(func() { d.p.wakeUp(id, errCancelled) }) })
}

func (d driver) Answer(id uint64, a testlink.Answer) {
	d.do(func() {
		for _, r := range a.Rows {
			d.p.record("told", fmt.Sprintf("%s %q %s", r.Kind, r.Text, r.Status), nil)
		}
		for _, f := range a.Filters {
			d.p.record("told", fmt.Sprintf("%s: filter of %s: %+v, seen %d", a.Scenario, f.Peer, f.Filter, f.Seen), nil)
		}
		d.p.asks[id](nil)
	})
}

func (d driver) Refuse(id uint64, why error) { d.do(func() { d.p.asks[id](why) }) }

func (d driver) Fence() uint64 {
	id := *d.last + 1
	return d.do(func() { d.p.say(testlink.Fenced{ID: id, Events: d.p.seq}) })
}

func (d driver) Faults(t faulty.Table, reset []string) uint64 {
	id := *d.last + 1
	return d.do(func() {
		d.p.table = t
		var parts []string
		for _, o := range t.Peers {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s to(%s) from(%s)", o.Name, o.Addr, o.To, o.From)))
		}
		for _, name := range reset {
			parts = append(parts, "reset "+name)
		}
		d.p.record("table", strings.Join(parts, "; "), nil)
		d.p.w.notice()
		var err error
		if r := d.p.w.rule("on", d.p.name, "faults"); r != nil {
			if r.verb == "nothing" {
				return
			}
			err = errors.New(r.text)
		}
		d.p.say(testlink.Faulted{ID: id, Err: err})
	})
}

func (p *Peer) say(body any) { p.w.deliver(coordinator.Message{Peer: p.name, Body: body}) }

func (p *Peer) record(stream, text string, fields map[string]any) {
	p.seq++
	p.recordAs(p.name, p.seq, stream, text, fields)
}

func (p *Peer) recordAs(name string, seq uint64, stream, text string, fields map[string]any) {
	e := journal.Event{
		V: journal.Version, Time: time.Now(), Peer: name, Boot: p.boot, Seq: seq, Lamport: seq,
		Type: stream, Text: text, Fields: fields,
	}
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	p.say(testlink.Recorded{Event: e, Line: line})
}

// end ends the boot.
func (p *Peer) end(state string, ok bool) {
	if p.gone {
		return
	}
	if ok {
		for _, id := range slices.Sorted(maps.Keys(p.sleeps)) {
			p.wakeUp(id, errCancelled)
		}
	}
	p.gone, p.ready, p.paused = true, false, false
	p.say(testlink.Closed{Err: testlink.ErrLost})
	gone := coordinator.Gone{State: state, OK: ok}
	if r := p.w.rule("leaves", p.name, "behind"); r != nil {
		gone.Problems = []string{r.text}
	}
	if !ok {
		gone.Stderr = []string{"last words of " + p.name}
	}
	p.say(gone)
	p.w.list()
	p.w.notice()
}

// command carries out one line, as the script of the world has it or as it
// stands.
func (p *Peer) command(id uint64, line string) {
	word, rest, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	finish := func(err error, output string) {
		r := testlink.Result{OK: err == nil, Output: output}
		if err != nil {
			r.Error = err.Error()
		}
		p.record("command", line, map[string]any{"ok": r.OK})
		p.say(testlink.Finished{ID: id, Result: r})
	}
	if r := p.w.rule("on", p.name, word); r != nil {
		switch r.verb {
		case "nothing":
			return
		case "fail":
			finish(errors.New(r.text), "")
			return
		case "ok":
			finish(nil, r.text)
			return
		case "gone":
			p.end(r.text, false)
			return
		case "after":
			p.w.later(r.at, func() { driver{p: p, boot: p.boot}.run(func() { p.carryOut(id, word, rest, finish) }) })
			return
		case "event", "gap", "forged", "hang":
			p.w.act(*r)
		}
	}
	p.carryOut(id, word, rest, finish)
}

func (p *Peer) carryOut(id uint64, word, rest string, finish func(error, string)) {
	switch word {
	case "init":
		p.ready = true
		p.w.list()
		p.w.arrived(p)
	case "msg":
		p.message(rest)
	case "chatmemberping":
		if p.sees[rest] != "alive" {
			finish(fmt.Errorf("no chat member %s", rest), "")
			return
		}
	case "script":
		word, rest, _ = strings.Cut(rest, " ")
		p.carryOut(id, word, rest, finish)
		return
	case "echo", "go":
		finish(nil, rest+"\n")
		return
	case "sleep":
		p.sleep(id, rest, finish)
		return
	case "testfilter":
		f := append(strings.SplitN(rest, " ", 3), "", "")
		n, _ := strconv.Atoi(f[1])
		p.ask(id, testlink.Asked{Filter: &testlink.Filter{Stream: f[0], Count: n, Pattern: f[2]}}, finish)
		return
	case testlink.AskSummary, testlink.AskRun, testlink.AskReset, testlink.AskPrepare, testlink.AskFilters, "nonsense":
		p.ask(id, testlink.Asked{Question: word}, finish)
		return
	case "quit":
		p.w.left(p)
		finish(nil, "")
		p.end("exit status 0", true)
		return
	case "exit":
		p.end("exit status 1", false)
		return
	default:
		finish(fmt.Errorf("unknown command %q", word), "")
		return
	}
	finish(nil, "")
}

var errCancelled = errors.New("cancelled")

// sleep ends a command after some seconds, or when it is cancelled.
func (p *Peer) sleep(id uint64, seconds string, finish func(error, string)) {
	n, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		finish(err, "")
		return
	}
	p.sleeps[id] = func(err error) { finish(err, "") }
	boot := p.boot
	p.w.later(time.Duration(n*float64(time.Second)), func() {
		driver{p: p, boot: boot}.run(func() { p.wakeUp(id, nil) })
	})
}

// wakeUp ends a command that sleeps.
func (p *Peer) wakeUp(id uint64, err error) {
	if end := p.sleeps[id]; end != nil {
		delete(p.sleeps, id)
		end(err)
	}
}

// ask asks, and ends the command with the answer.
func (p *Peer) ask(id uint64, q testlink.Asked, finish func(error, string)) {
	q.ID = id
	p.asks[id] = func(err error) { finish(err, "") }
	p.say(q)
}

// message sends a chat message to all that p has in its chat.
func (p *Peer) message(text string) {
	p.msgs++
	m := message{from: p.name, id: fmt.Sprintf("%s/%d/%d", p.name, p.boot, p.msgs), text: text}
	to := []string{}
	for _, name := range p.w.names {
		if s := p.sees[name]; s != "" && s != "left" {
			to = append(to, name)
		}
	}
	p.record("sent", text, map[string]any{"id": m.id, "to": to})
	for _, m.to = range to {
		if r := p.w.rule("on", p.name, "msg"); r != nil && r.text == m.to && r.verb == "lose" {
			continue
		} else if r != nil && r.text == m.to && r.verb == "twice" {
			p.w.peers[m.to].show(m, false)
			p.w.peers[m.to].shown = map[string]bool{}
		}
		if !p.w.reach(p, p.w.peers[m.to]) {
			p.queue = append(p.queue, m)
			continue
		}
		p.w.peers[m.to].show(m, false)
	}
}

func (p *Peer) show(m message, late bool) {
	driver{p: p, boot: p.boot}.run(func() {
		if p.shown[m.id] {
			return
		}
		p.shown[m.id] = true
		p.record("view", "<"+m.from+"> "+m.text, nil)
		p.record("chat", m.text, map[string]any{"from": m.from, "id": m.id, "late": late})
	})
}

// flush sends what waits for a peer that is back.
func (p *Peer) flush(to string) {
	p.queue = slices.DeleteFunc(p.queue, func(m message) bool {
		if m.to != to {
			return false
		}
		p.w.peers[to].show(m, true)
		return true
	})
}
