package coordinator

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// peer is one peer as the machine knows it, over all its boots.
type peer struct {
	name    string
	started bool   // it was ever started
	start   *order // its last start
	link    Driver
	hello   testlink.Hello
	gone    *Gone // how the last boot has ended; nil while there is one
	status  testlink.Status
	addr    netip.AddrPort

	leaving string // where the script asked it to end, "x.cmd:3"
	ended   bool   // by the script, so that it is not among all
	paused  bool
	inited  bool   // this boot has done init
	stuck   string // the line that it has not answered
	lost    error  // why its link ended, while the peer may still live
	atEnd   bool   // it was gone only when the script was done
	silent  bool   // it has not answered a fence, and said nothing since
	failing bool   // it could not be started, which was said

	forgotten int // events before this position do not count for its filters

	calls  map[uint64]*call
	fences map[uint64]*bool
	pushes map[uint64]*push
	table  faulty.Table // that it was given last
}

func newPeer(name string) *peer {
	return &peer{name: name, calls: map[uint64]*call{}, fences: map[uint64]*bool{}, pushes: map[uint64]*push{}}
}

// call is a command under way.
type call struct {
	id     uint64
	line   string
	result *testlink.Result
	gone   *Gone
	batch  *int // how many of them have not ended
}

func (c *call) end() {
	if c.batch != nil {
		*c.batch--
		c.batch = nil
	}
}

// runs tells whether the peer can be driven now, paused or not.
func (p *peer) runs() bool { return p.link != nil && p.gone == nil && p.lost == nil }

// call runs a line in the peer's shell.
func (p *peer) call(line string, batch *int) *call {
	c := &call{id: p.link.Command(line), line: line, batch: batch}
	*batch++
	p.calls[c.id] = c
	return c
}

func (p *peer) finished(f testlink.Finished) {
	if c := p.calls[f.ID]; c != nil {
		delete(p.calls, f.ID)
		c.result = &f.Result
		c.end()
		p.stuck = ""
	}
}

func (m *Machine) fenced(p *peer, f testlink.Fenced) {
	m.complete(p, f.Events)
	if sign := p.fences[f.ID]; sign != nil {
		*sign = true
		delete(p.fences, f.ID)
	}
}

// complete finds what is missing behind the last event that came.
func (m *Machine) complete(p *peer, events uint64) {
	if err := m.store.Complete(p.name, events); err != nil {
		m.problem(report.Problem{Text: err.Error()})
	}
}

// opened begins a boot of the peer that can be driven. The faults that hold
// for it are the first thing that it is told.
func (m *Machine) opened(p *peer, link Driver, h testlink.Hello) {
	p.link, p.hello, p.lost, p.gone = link, h, nil, nil
	p.status, p.addr, p.table = testlink.Status{}, netip.AddrPort{}, faulty.Table{}
	p.inited, p.stuck, p.silent = false, "", false
	m.lives++
	m.store.Begin(p.name, h.Boot)
	m.stand(p)
	m.own("life", "start "+p.name, map[string]any{"name": p.name, "number": h.Boot, "state": "attached"})
	m.pushTable(p, nil)
}

// stand tells how the peer stands to those that judge by it.
func (m *Machine) stand(p *peer) {
	m.views.Stand(p.name, judge.Standing{Running: p.link != nil && p.gone == nil, Inited: p.inited, Paused: p.paused}, m.now)
	m.lives++
}

func (m *Machine) recorded(p *peer, e testlink.Recorded) {
	m.work.Journal = append(m.work.Journal, e.Line)
	if err := m.store.Add(p.name, e.Event); err != nil {
		m.problem(report.Problem{Text: err.Error()})
	}
}

func (m *Machine) status(p *peer, s testlink.Status) {
	p.status = s
	m.views.Status(p.name, s, m.now)
	m.lives++
	if addr, err := netip.ParseAddrPort(s.Self.Addr); err == nil && addr != p.addr {
		p.addr = addr
		m.pushTables(nil, nil)
	}
}

func (m *Machine) closed(p *peer, c testlink.Closed) {
	if c.Events != nil {
		m.complete(p, *c.Events)
	}
	p.lost = c.Err
	if p.lost == nil {
		p.lost = errors.New("its link was closed")
		return
	}
	if !errors.Is(p.lost, testlink.ErrClosed) && !errors.Is(p.lost, testlink.ErrLost) {
		m.problem(report.Problem{Text: fmt.Sprintf("%s's events are not complete: %v", p.name, p.lost)})
	}
}

// gone notes the end of a boot, and whether anybody had asked for it.
func (m *Machine) gone(p *peer, g Gone) {
	attached := p.link != nil
	p.gone, p.atEnd, p.link, p.paused = &g, m.ending, nil, false
	expected := m.ending || p.leaving != ""
	p.ended = p.ended || expected
	for _, c := range p.calls {
		c.gone = &g
		c.end()
	}
	for _, f := range p.fences {
		*f = true
	}
	for _, f := range p.pushes {
		f.done = true
	}
	clear(p.calls)
	clear(p.fences)
	clear(p.pushes)
	m.stand(p)
	m.own("life", "gone "+p.name, map[string]any{"name": p.name, "number": p.hello.Boot, "state": g.State, "expected": expected})
	for _, text := range g.Problems {
		m.problem(report.Problem{Text: p.name + ": " + text, Details: g.Stderr})
	}
	switch {
	case expected:
	case !attached:
		p.failing = true
		m.problem(report.Problem{Harness: true, Text: fmt.Sprintf("%s could not be started: %s", p.name, g.State), Details: g.Stderr})
	default:
		m.problem(report.Problem{Text: fmt.Sprintf("%s ended unexpectedly: %s", p.name, g.State)})
	}
}

func (p *peer) report() report.Peer {
	out := report.Peer{Name: p.name, PID: p.hello.PID, Boot: p.hello.Boot, Expected: true, Exit: "not started"}
	if p.gone != nil {
		out.Exit = p.gone.State
		out.Expected = p.leaving != "" || p.atEnd
		if !out.Expected {
			out.Stderr = p.gone.Stderr
		}
	}
	return out
}

// why says why the peer cannot be asked now; empty if it can.
func (p *peer) why() string {
	switch {
	case !p.started:
		return fmt.Sprintf("%s does not run yet: spawn it first", p.name)
	case p.gone != nil && p.leaving != "":
		return fmt.Sprintf("%s is gone since %s", p.name, p.leaving)
	case p.gone != nil:
		return fmt.Sprintf("%s is gone: %s", p.name, p.gone.State)
	case p.link == nil:
		return fmt.Sprintf("%s has not attached", p.name)
	case p.lost != nil:
		return fmt.Sprintf("%s cannot be driven: %v", p.name, p.lost)
	case p.paused:
		return fmt.Sprintf("%s is paused", p.name)
	case p.stuck != "":
		return fmt.Sprintf("%s has not answered since %s", p.name, p.stuck)
	}
	return ""
}

// sees is what predicates are about.
func (m *Machine) sees(p *peer) judge.State {
	return judge.State{Status: p.status, Listed: m.listed}
}

// targets are the peers that are meant, each once.
func (b *branch) targets(t language.Targets, pos language.Pos) ([]string, error) {
	var found []string
	for _, term := range t.Terms {
		some, err := b.target(term, pos)
		if err != nil {
			return nil, err
		}
		for _, name := range some {
			if !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("nobody to ask: %s is nobody", t.Text)
	}
	return found, nil
}

func (b *branch) target(t language.Target, pos language.Pos) ([]string, error) {
	m := b.m
	switch t.Kind {
	case language.Named:
		if m.peers[t.Name] == nil {
			return nil, fmt.Errorf("%s does not run yet: spawn it first", t.Name)
		}
		return []string{t.Name}, nil
	case language.Grouped:
		for _, g := range m.cfg.Script.Groups {
			if g.Name == t.Name {
				return g.Peers, nil
			}
		}
		return nil, fmt.Errorf("there is no group %s", t.Name)
	case language.All:
		return m.all(), nil
	case language.Others:
		of, err := b.of(t, pos)
		return slices.DeleteFunc(m.all(), func(n string) bool { return slices.Contains(of, n) }), err
	case language.Any:
		of, err := b.of(t, pos)
		if err == nil && len(of) < t.N {
			err = fmt.Errorf("any(%d, %s): there are %d only", t.N, t.Of.Text, len(of))
		}
		if err != nil {
			return nil, err
		}
		m.drawn[pos]++
		return draw(of, t.N, m.cfg.Seed, uint64(pos.Line), uint64(pos.Col), m.drawn[pos]), nil
	}
	return nil, fmt.Errorf("a target of kind %d is none", t.Kind)
}

func (b *branch) of(t language.Target, pos language.Pos) ([]string, error) {
	if t.Of == nil {
		return b.m.all(), nil
	}
	return b.targets(*t.Of, pos)
}

// all are the peers that run and are not paused, as the script made it: who
// ended by himself is among them.
func (m *Machine) all() []string {
	var all []string
	for _, name := range m.names {
		if p := m.peers[name]; p.started && !p.ended && !p.paused {
			all = append(all, name)
		}
	}
	return all
}

// only returns the names that are those of peers which can be driven and are not paused.
func (m *Machine) drivable(names []string) []*peer {
	var found []*peer
	for _, name := range names {
		if p := m.peers[name]; p.runs() && !p.paused {
			found = append(found, p)
		}
	}
	return found
}

// fenceTime is how long a fence waits for a peer that says nothing.
const fenceTime = time.Second

// fence waits until everything that the peers have said so far is here. Who
// is paused, or has been silent at the last fence, is not waited for.
func (b *branch) fence(names []string) {
	var asked []*peer
	var signs []*bool
	for _, p := range b.m.drivable(names) {
		sign := new(bool)
		p.fences[p.link.Fence()] = sign
		if !p.silent {
			asked, signs = append(asked, p), append(signs, sign)
		}
	}
	i := 0
	err := b.wait(b.m.now.Add(fenceTime), func() bool {
		for i < len(signs) && *signs[i] {
			i++
		}
		return i == len(signs)
	})
	if errors.Is(err, errTime) {
		for j, p := range asked {
			p.silent = p.silent || !*signs[j]
		}
	}
}

// hungTime is how long a peer may take to answer when the script is over.
const hungTime = 5 * time.Second

// lastFence waits for what the peers still say about the script, and finds
// those whose link hangs.
func (b *branch) lastFence() {
	signs := map[string]*bool{}
	for _, p := range b.m.drivable(b.m.names) {
		if p.stuck != "" {
			continue // its line has failed
		}
		sign := new(bool)
		p.fences[p.link.Fence()] = sign
		signs[p.name] = sign
	}
	_ = b.wait(b.m.now.Add(hungTime), func() bool {
		for _, s := range signs {
			if !*s {
				return false
			}
		}
		return true
	})
	for _, name := range slices.Sorted(maps.Keys(signs)) {
		if p := b.m.peers[name]; !*signs[name] && p.runs() && b.m.worldErr == nil {
			b.m.problem(report.Problem{Text: fmt.Sprintf("%s hangs: it has said nothing for %s, not even that its journal is complete", name, hungTime)})
		}
	}
}

// matrixNow says who sees whom.
func (m *Machine) matrixNow() []string {
	return report.Matrix(m.names, func(viewer, other string) report.Sight {
		v := m.peers[viewer]
		if v.link == nil {
			return report.Sight{Blind: true}
		}
		s := m.sees(v)
		return report.Sight{State: string(s.View(other)), Chat: slices.Contains(s.Chat(), other)}
	})
}
