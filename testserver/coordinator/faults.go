package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// fault is one that is in force.
type fault struct {
	number int
	text   string // in the language's words, without "fault"
	links  []link
	ail    *language.ServiceFault
	block  bool
}

// link is what holds one way between two peers.
type link struct {
	from, to string
	rule     faulty.Rule
}

// push is a table of faults under way to a peer.
type push struct {
	done bool
	err  error
}

func (p *peer) faulted(f testlink.Faulted) {
	if one := p.pushes[f.ID]; one != nil {
		one.done, one.err = true, f.Err
		delete(p.pushes, f.ID)
	}
}

// inForce names the faults that hold now.
func (m *Machine) inForce() []string {
	var all []string
	for _, f := range m.faults {
		all = append(all, f.text)
	}
	return all
}

// tableOf is what holds for a peer: all faults that touch it, combined. Hosts
// whose address is not known yet are not in it.
func (m *Machine) tableOf(p *peer) faulty.Table {
	t := faulty.Table{Seed: m.cfg.Seed, Self: p.name}
	rules := map[string]*faulty.Peer{}
	entry := func(name string) *faulty.Peer {
		if rules[name] == nil {
			rules[name] = &faulty.Peer{Name: name}
		}
		return rules[name]
	}
	for _, f := range m.faults {
		for _, l := range f.links {
			switch p.name {
			case l.from:
				e := entry(l.to)
				e.To = faulty.Combine(e.To, l.rule)
			case l.to:
				e := entry(l.from)
				e.From = faulty.Combine(e.From, l.rule)
			}
		}
	}
	for _, name := range m.names {
		if e := rules[name]; e != nil && m.peers[name].addr.IsValid() {
			e.Addr = m.peers[name].addr
			t.Peers = append(t.Peers, *e)
		}
	}
	return t
}

// pushTable gives a peer its table, if that has changed or streams are to be
// reset; nil for neither.
func (m *Machine) pushTable(p *peer, reset []string) *push {
	if !p.runs() {
		return nil
	}
	t := m.tableOf(p)
	if slices.Equal(t.Peers, p.table.Peers) && len(reset) == 0 {
		return nil
	}
	p.table = t
	one := &push{}
	p.pushes[p.link.Faults(t, reset)] = one
	return one
}

// pushTables gives all peers their tables. reset names whose open streams to
// whom are to break.
func (m *Machine) pushTables(reset map[string][]string, ask func(*peer, *push)) {
	for _, name := range m.names {
		p := m.peers[name]
		one := m.pushTable(p, reset[name])
		if one != nil && ask != nil && !p.paused {
			ask(p, one)
		}
	}
}

// pushTime is how long a peer may take to put faults in force.
const pushTime = 10 * time.Second

// inPlace gives all peers their tables and waits until they are in force. Who
// is paused gets his before he goes on.
func (b *branch) inPlace(reset map[string][]string) error {
	var peers []*peer
	var pushes []*push
	b.m.pushTables(reset, func(p *peer, one *push) { peers, pushes = append(peers, p), append(pushes, one) })
	i := 0
	err := b.wait(b.m.now.Add(pushTime), func() bool {
		for i < len(pushes) && (pushes[i].done || peers[i].paused) {
			i++
		}
		return i == len(pushes)
	})
	for j, one := range pushes {
		switch {
		case one.err != nil:
			return fmt.Errorf("%s takes no faults: %w", peers[j].name, one.err)
		case !one.done && errors.Is(err, errTime):
			return fmt.Errorf("%s has not put its faults in force for %s", peers[j].name, pushTime)
		}
	}
	return err
}

// begin puts a fault in force.
func (b *branch) begin(st language.Statement, do language.Fault) (*fault, error) {
	m := b.m
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(st.Text, "fault")), "{"))
	f := &fault{text: text, block: do.Block}
	if do.Kind == language.FaultBootstrap {
		f.ail = &do.Service
		m.force(f, nil)
		return f, b.ail()
	}
	reset, err := b.links(f, do, st.Pos)
	if err != nil {
		return nil, err
	}
	if do.Kind == language.FaultReset {
		m.lastFault++
		f.number = m.lastFault
		m.ownNet(f, "set")
		m.ownNet(f, "healed") // it is over as soon as it has happened
		return nil, b.inPlace(reset)
	}
	m.force(f, nil)
	return f, b.inPlace(nil)
}

// links finds the pairs that a fault touches, or for a reset whose streams to
// whom break.
func (b *branch) links(f *fault, do language.Fault, pos language.Pos) (reset map[string][]string, err error) {
	all := do.Sides
	if do.Kind != language.FaultPartition {
		all = []language.Targets{do.A, do.B}
	}
	var sides [][]string
	for _, t := range all {
		names, err := b.targets(t, pos)
		if err != nil {
			return nil, err
		}
		sides = append(sides, names)
	}
	reset = map[string][]string{}
	for i, one := range sides {
		for _, two := range sides[i+1:] {
			for _, pair := range pairs(one, two) {
				x, y := pair[0], pair[1]
				f.links = append(f.links, link{x, y, do.Rule})
				if do.Both {
					f.links = append(f.links, link{y, x, do.Rule})
				}
				reset[x], reset[y] = append(reset[x], y), append(reset[y], x)
			}
		}
	}
	if len(f.links) == 0 {
		return nil, errors.New("a fault is between peers, and these are one and the same")
	}
	return reset, nil
}

// pairs are all of one with all of two, but nobody with himself.
func pairs(one, two []string) [][2]string {
	var all [][2]string
	for _, x := range one {
		for _, y := range two {
			if x != y {
				all = append(all, [2]string{x, y})
			}
		}
	}
	return all
}

// force adds a fault to those in force, or takes one away.
func (m *Machine) force(add, remove *fault) {
	if add != nil {
		m.lastFault++
		add.number = m.lastFault
		m.faults = append(m.faults, add)
		m.ownNet(add, "set")
	}
	if i := slices.Index(m.faults, remove); i >= 0 {
		m.faults = slices.Delete(m.faults, i, i+1)
		m.ownNet(remove, "healed")
	}
}

// ail tells the bootstrap service what ails it: the worst of all faults.
func (b *branch) ail() error {
	var all language.ServiceFault
	for _, f := range b.m.faults {
		if f.ail != nil {
			all.Down = all.Down || f.ail.Down
			all.Slow = max(all.Slow, f.ail.Slow)
			all.Errors = max(all.Errors, f.ail.Errors)
		}
	}
	return b.carriedOut(b.m.do(Order{Verb: Ail, Ail: all}))
}

// end takes faults out of force, at all peers.
func (b *branch) end(faults ...*fault) error {
	service := false
	for _, f := range faults {
		b.m.force(nil, f)
		service = service || f.ail != nil
	}
	err := b.inPlace(nil)
	if service {
		err = errors.Join(err, b.ail())
	}
	return err
}

// fault breaks the network until somebody heals it.
func (b *branch) fault(st language.Statement, do language.Fault, row *report.Row) {
	row.Expected = "the fault is in force at all that it concerns"
	if _, err := b.begin(st, do); err != nil {
		fail(row, err.Error())
		return
	}
	row.Status = report.OK
}

// faultBlock breaks the network while its body runs.
func (b *branch) faultBlock(st language.Statement, do language.Fault) error {
	var f *fault
	err := b.step(st, report.KindStep, func(row *report.Row) {
		row.Expected = "the fault is in force at all that it concerns"
		var err error
		if f, err = b.begin(st, do); err != nil {
			fail(row, err.Error())
			return
		}
		row.Status = report.OK
	})
	if err == nil {
		err = b.statements(st.Body)
	}
	if f == nil {
		return err
	}
	var undone error
	b.shielded(func() { undone = b.end(f) })
	if undone != nil && err == nil {
		return b.step(st, report.KindStep, func(row *report.Row) { fail(row, "the fault could not be undone: "+undone.Error()) })
	}
	return err
}

// heal undoes the faults that have no block.
func (b *branch) heal(row *report.Row) {
	row.Expected = "no fault is in force but those of blocks"
	open := slices.DeleteFunc(slices.Clone(b.m.faults), func(f *fault) bool { return f.block })
	if err := b.end(open...); err != nil {
		fail(row, err.Error())
		return
	}
	row.Status = report.OK
}

// healAll undoes everything, for the cleanup.
func (b *branch) healAll() {
	if len(b.m.faults) == 0 || b.m.worldErr != nil {
		return
	}
	if err := b.end(slices.Clone(b.m.faults)...); err != nil {
		b.m.problem(report.Problem{Text: "at the end the faults could not be undone: " + err.Error()})
	}
}
