package membership

import (
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/peerlab/peerlab/peer/guard"
)

// A leave is told twice: to people and to memberlist.
//
// First a word goes to every member, who answers it; it is said again to those
// that do not answer. Whoever has answered shows a leave, whatever memberlist
// tells it afterwards. The word must be heard before memberlist's own: of what
// arrives at once memberlist handles the last first, and the death of a node,
// which is how it tells a leave, looks like a loss. Members that leave, too,
// need not answer: their own word says that nobody has to wait for them.
//
// Then memberlist leaves by a broadcast, and waits until its gossip has sent
// that often enough: at one packet in each interval between two members, nearly
// a second. But it lets broadcasts travel with whatever it sends; so meanwhile
// we ping those that have answered. Before its death goes our metadata, which
// says that we leave, for those that the word has not reached.

const (
	hearing  = 500 * time.Millisecond // how long answers are waited for
	sayAgain = 50 * time.Millisecond  // when the word is said again to those that are silent
	askAgain = time.Millisecond       // when a member that has answered is pinged again
	maxAsked = 32                     // how many members are pinged: more than memberlist tells itself

	// metaWait is how long the metadata of who leaves is waited for where
	// everybody has heard the word. memberlist does not always tell that it is
	// out: not if that was before it began to listen for it.
	metaWait = 20 * time.Millisecond
)

// sayGoodbye leaves. It returns when the word is out, or wait has passed.
func (g *Group) sayGoodbye(list *memberlist.Memberlist, wait time.Duration) error {
	by := time.Now().Add(wait)
	others := g.others()
	if len(others) == 0 {
		return nil
	}
	g.tell(list, others, min(hearing, wait/2))
	asked, silent := g.listeners(others)
	if len(asked) == 0 && !silent {
		by = time.Now() // all of them are leaving
	}
	out, ended := make(chan struct{}), make(chan struct{})
	if err := g.spawn(func(list *memberlist.Memberlist) {
		defer close(ended)
		g.spread(list, asked, out)
	}); err != nil {
		return err
	}
	patience := time.Until(by) / 2
	if !silent {
		patience = min(patience, metaWait) // all know it already
	}
	_ = g.update(g.ctx, list, max(patience, time.Millisecond)) // our metadata says that we leave
	err := list.Leave(max(time.Until(by), time.Millisecond))
	close(out)
	if err == nil {
		<-ended
	}
	if !silent {
		return nil // everybody has heard it
	}
	return err
}

// others are the nodes that memberlist lists, without us, in random order. Its
// own list changes while it is read.
func (g *Group) others() (nodes []memberlist.Node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, a := range g.listing {
		if name != g.NodeName() {
			nodes = append(nodes, memberlist.Node{Name: name, Addr: a.Addr().AsSlice(), Port: a.Port()})
		}
	}
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes
}

// tell says the word to the others, and again to those that owe an answer. It
// returns when nobody does, or wait has passed.
func (g *Group) tell(list *memberlist.Memberlist, others []memberlist.Node, wait time.Duration) {
	heard := g.expectAnswers()
	end := time.NewTimer(wait)
	defer end.Stop()
	again := time.NewTicker(sayAgain)
	defer again.Stop()
	word := goodbye(g.NodeName())
	for to := others; ; to = g.owing(others) {
		for i := range to {
			_ = list.SendBestEffort(&to[i], word) // it is said again
		}
		select {
		case <-heard:
			return
		case <-end.C:
			return
		case <-g.ctx.Done():
			return
		case <-again.C:
		}
	}
}

// expectAnswers begins to keep who owes us an answer: the peers that are in the
// group. The channel closes when nobody does any more.
func (g *Group) expectAnswers() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silent, g.heard = map[string]bool{}, make(chan struct{})
	for _, e := range g.table.byKey {
		if e.here() && !e.Member.Foreign {
			g.silent[e.node] = true
		}
	}
	if len(g.silent) == 0 {
		close(g.heard)
	}
	return g.heard
}

// answered is told that a node owes us no answer any more: it has answered, or
// it is leaving or gone itself. g.mu is held.
func (g *Group) answered(node string) {
	if !g.silent[node] {
		return
	}
	delete(g.silent, node)
	if len(g.silent) == 0 {
		close(g.heard)
	}
}

// owing are those of the nodes that owe us an answer.
func (g *Group) owing(nodes []memberlist.Node) []memberlist.Node {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(nodes), func(n memberlist.Node) bool { return !g.silent[n.Name] })
}

// listeners are those of the nodes that are in the group, and not silent;
// silent tells whether others are.
func (g *Group) listeners(nodes []memberlist.Node) (asked []memberlist.Node, silent bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range nodes {
		if g.isHere(n) && !g.silent[n.Name] && len(asked) < maxAsked {
			asked = append(asked, n)
		}
	}
	return asked, len(g.silent) > 0
}

// isHere tells whether a node is in the group, and has not said that it leaves.
// g.mu is held.
func (g *Group) isHere(n memberlist.Node) bool {
	e := g.table.byKey[g.table.byNode[n.Name]]
	return e != nil && e.node == n.Name && e.here()
}

func (g *Group) stays(n memberlist.Node) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isHere(n)
}

// spread pings the nodes again and again until out is closed. It returns when
// those that were pinged have answered, or have had the time to: half a second,
// so one that leaves, too, and would end meanwhile, is not pinged while another
// one stays.
func (g *Group) spread(list *memberlist.Memberlist, nodes []memberlist.Node, out <-chan struct{}) {
	var asking sync.WaitGroup
	for _, n := range nodes {
		asking.Go(func() {
			defer guard.Catch(g.run)
			g.askUntil(list, n, out, func() bool { return g.stays(n) || !slices.ContainsFunc(nodes, g.stays) })
		})
	}
	asking.Wait()
}

// askUntil pings one node until out is closed, it does not answer, or it is of no
// use any more.
func (g *Group) askUntil(list *memberlist.Memberlist, n memberlist.Node, out <-chan struct{}, useful func() bool) {
	pause := time.NewTicker(askAgain)
	defer pause.Stop()
	for useful() {
		if _, err := list.Ping(n.Name, &net.UDPAddr{IP: n.Addr, Port: int(n.Port)}); err != nil {
			return // it hears of it from others
		}
		select {
		case <-out:
			return
		case <-pause.C:
		}
	}
}

// answer tells a member that leaves that its word was heard, unless we leave
// ourselves.
func (g *Group) answer(node string) {
	g.mu.Lock()
	list, addr := g.list, g.listing[node]
	g.mu.Unlock()
	if list == nil || !addr.IsValid() || g.leaving.Load() {
		return
	}
	to := memberlist.Node{Name: node, Addr: addr.Addr().AsSlice(), Port: addr.Port()}
	_ = list.SendBestEffort(&to, heardFrom(g.NodeName())) // it says it again
}

// The messages that members send each other directly: a letter for
// what it says, the version, and the sender's node name.
const (
	goodbyeMagic = "G\x01" // the sender leaves; memberlist reports a leaving and a dead member alike
	heardMagic   = "H\x01" // the sender has heard that we leave
)

func goodbye(node string) []byte   { return []byte(goodbyeMagic + node) }
func heardFrom(node string) []byte { return []byte(heardMagic + node) }

// parseWord returns what a direct message says, and of which node; ok is false
// for one of another version.
func parseWord(b []byte) (kind noticeKind, node string, ok bool) {
	if node, ok = strings.CutPrefix(string(b), goodbyeMagic); ok {
		return nodeLeaving, node, true
	}
	node, ok = strings.CutPrefix(string(b), heardMagic)
	return nodeHeard, node, ok
}
