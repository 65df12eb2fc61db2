package coordinator

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// order is one of the world's orders under way.
type order struct {
	done bool
	err  error
}

// do gives an order to the world.
func (m *Machine) do(o Order) *order {
	m.lastOrder++
	o.ID = m.lastOrder
	one := &order{}
	m.orders[o.ID] = one
	m.cfg.World.Do(o)
	return one
}

func (m *Machine) done(d Done) {
	if o := m.orders[d.ID]; o != nil {
		o.done, o.err = true, d.Err
		delete(m.orders, d.ID)
	}
}

// orderTime is how long the world may take for an order. It has bounds of its
// own for what it does to a peer; this one is for a world that does not answer.
const orderTime = 30 * time.Second

// carriedOut waits for orders to be done, and returns the first error.
func (b *branch) carriedOut(orders ...*order) error {
	err := b.wait(b.m.now.Add(orderTime), func() bool {
		for _, o := range orders {
			if !o.done {
				return false
			}
		}
		return true
	})
	for _, o := range orders {
		if o.done && o.err != nil {
			return o.err
		}
	}
	if errors.Is(err, errTime) {
		return fmt.Errorf("nothing has come of it for %s", orderTime)
	}
	return err
}

// start begins a boot of a peer.
func (m *Machine) start(p *peer, fresh bool, files []language.File) *order {
	p.started, p.ended, p.leaving, p.gone, p.failing = true, false, "", nil, false
	p.link, p.lost, p.paused = nil, nil, false
	m.stand(p)
	p.start = m.do(Order{Verb: Start, Peer: p.name, Fresh: fresh, Files: files})
	return p.start
}

// attached waits until the peers can be driven, and says which one cannot.
func (b *branch) attached(peers []*peer) string {
	m := b.m
	err := b.wait(m.now.Add(m.cfg.Start), func() bool {
		for _, p := range peers {
			if p.link == nil && p.gone == nil && !p.failing && !p.unstarted() {
				return false
			}
		}
		return true
	})
	for _, p := range peers {
		switch {
		case p.gone != nil:
			return p.why()
		case p.link == nil && p.unstarted():
			m.unattached(p, fmt.Sprintf("could not be started: %v", p.start.err))
			return fmt.Sprintf("%s could not be started: %v", p.name, p.start.err)
		case p.link == nil && (p.failing || errors.Is(err, errTime)):
			m.unattached(p, fmt.Sprintf("did not attach to the test server: not within %s", m.cfg.Start))
			return fmt.Sprintf("%s did not attach: not within %s", p.name, m.cfg.Start)
		case p.link == nil:
			return fmt.Sprintf("%s did not attach: %v", p.name, err)
		}
	}
	return ""
}

// unattached says once that a peer that was to be started has not come.
func (m *Machine) unattached(p *peer, why string) {
	if !p.failing {
		p.failing, p.stuck = true, "its start"
		m.problem(report.Problem{Harness: true, Text: p.name + " " + why})
	}
}

// unstarted tells whether the world could not start the boot that is due.
func (p *peer) unstarted() bool { return p.start != nil && p.start.done && p.start.err != nil }

// allAttached waits for the peers of the peers line.
func (b *branch) allAttached() bool {
	var peers []*peer
	for _, name := range b.m.cfg.Script.Peers {
		peers = append(peers, b.m.peers[name])
	}
	return b.attached(peers) == ""
}

// life changes whether peers run, all targets at once.
func (b *branch) life(st language.Statement, do language.Life, row *report.Row) {
	row.Expected = fmt.Sprintf("%s %s", do.Verb, do.Targets.Text)
	names, err := b.subjects(do, st.Pos)
	if err == nil {
		err = b.live(do.Verb, do.Fresh, names, place(st.Pos))
	}
	if err != nil {
		fail(row, err.Error())
		return
	}
	row.Status = report.OK
}

// subjects are the peers whose life changes. Spawn makes them known.
func (b *branch) subjects(do language.Life, pos language.Pos) ([]string, error) {
	if do.Verb != language.Spawn {
		return b.targets(do.Targets, pos)
	}
	var names []string
	for _, t := range do.Targets.Terms {
		if t.Kind != language.Named {
			return nil, fmt.Errorf("only peers that are named can be spawned")
		}
		if p := b.m.peers[t.Name]; p != nil && p.started {
			return nil, fmt.Errorf("%s was there already: restart it", t.Name)
		} else if p == nil {
			b.m.add(t.Name)
		}
		names = append(names, t.Name)
	}
	return names, nil
}

// live carries out one verb for peers, all at once.
func (b *branch) live(verb language.Verb, fresh bool, names []string, where string) error {
	for _, name := range names {
		if why := b.m.peers[name].refuses(verb); why != "" {
			return errors.New(why)
		}
	}
	switch verb {
	case language.Spawn:
		return b.bring(names, false, false)
	case language.Restart:
		return b.restart(names, fresh, where)
	}
	var orders []*order
	for _, name := range names {
		p := b.m.peers[name]
		b.m.own("life", fmt.Sprintf("%s %s", verb, name), map[string]any{"name": name, "number": p.hello.Boot})
		switch verb {
		case language.Kill, language.Stop:
			p.leaving, p.ended = where, true
		case language.Pause:
			p.paused = true
		}
		b.m.stand(p)
		orders = append(orders, b.m.do(Order{Verb: Verb(verb), Peer: name}))
	}
	err := b.carriedOut(orders...)
	for i, name := range names {
		p := b.m.peers[name]
		p.changed(verb, orders[i].done && orders[i].err == nil)
		b.m.stand(p)
		if verb == language.Stop && err == nil && p.gone != nil && !p.gone.OK {
			err = fmt.Errorf("%s did not end in order: %s", name, p.gone.State)
		}
	}
	return err
}

// changed notes how a verb has ended. Who was not ended by it is still one of
// all, and ends unexpectedly if he ends later.
func (p *peer) changed(verb language.Verb, done bool) {
	switch {
	case (verb == language.Kill || verb == language.Stop) && p.gone == nil:
		p.leaving, p.ended = "", false
	case verb == language.Resume && done, verb == language.Pause && !done:
		p.paused = false
	}
}

// refuses says why a verb makes no sense for a peer now.
func (p *peer) refuses(verb language.Verb) string {
	switch {
	case verb == language.Spawn || verb == language.Restart && p.started:
		return ""
	case !p.started || p.gone != nil || p.link == nil:
		return p.why()
	case verb == language.Pause && p.paused:
		return p.name + " is paused already"
	case verb == language.Resume && !p.paused:
		return p.name + " is not paused"
	}
	return ""
}

// restart starts peers again. Those that still run are stopped first.
func (b *branch) restart(names []string, fresh bool, where string) error {
	var running []string
	inited := map[string]bool{}
	for _, name := range names {
		p := b.m.peers[name]
		inited[name] = p.inited
		if p.gone == nil {
			running = append(running, name)
		}
	}
	if len(running) > 0 {
		if err := b.live(language.Stop, false, running, where); err != nil {
			return err
		}
	}
	for _, init := range []bool{true, false} {
		var some []string
		for _, name := range names {
			if inited[name] == init {
				some = append(some, name)
			}
		}
		if err := b.bring(some, fresh, init); err != nil {
			return err
		}
	}
	return nil
}

// bring starts peers, and has them do init if that is wanted. They are ready
// when it returns.
func (b *branch) bring(names []string, fresh, init bool) error {
	if len(names) == 0 {
		return nil
	}
	var orders []*order
	var peers []*peer
	for _, name := range names {
		p := b.m.peers[name]
		peers = append(peers, p)
		orders = append(orders, b.m.start(p, fresh, b.m.cfg.Script.Files))
	}
	if err := b.carriedOut(orders...); err != nil {
		return err
	}
	if why := b.attached(peers); why != "" {
		return errors.New(why)
	}
	if !init {
		return nil
	}
	answers := b.ask(names, func(string) string { return "init" }, language.Pos{})
	for i := range answers {
		if status, why := b.judgeAnswer(language.MustSucceed, "init", &answers[i]); status != report.OK {
			return fmt.Errorf("init of %s: %s", answers[i].peer.name, strings.TrimPrefix(why, answers[i].peer.name+" "))
		}
		b.followUp("init", &answers[i])
	}
	err := b.wait(b.m.now.Add(b.m.cfg.Command), func() bool {
		for _, p := range peers {
			if !p.status.Ready && p.gone == nil {
				return false
			}
		}
		return true
	})
	if errors.Is(err, errTime) {
		return fmt.Errorf("init has succeeded, and not all are ready after %s", b.m.cfg.Command)
	}
	for _, p := range peers {
		if err == nil && p.gone != nil {
			return errors.New(p.why())
		}
	}
	return err
}
