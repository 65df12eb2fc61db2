package membership

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// Node is a member as memberlist itself knows it: one boot of a peer, or a
// foreign node.
type Node struct {
	Node  string         `json:"node"` // memberlist's name: "alice~3.9f2c41"
	Addr  netip.AddrPort `json:"addr"`
	State string         `json:"state"`          // alive, suspect, or lost and left, which memberlist lists no longer
	Peer  string         `json:"peer,omitempty"` // what people call it; empty for a foreign node
	ID    string         `json:"id,omitempty"`
	Boot  int            `json:"boot,omitempty"`
	Ghost bool           `json:"ghost,omitempty"` // an old boot: a newer one of the same peer is known
	Self  bool           `json:"self,omitempty"`  // this boot of ourselves
}

// Nodes are all nodes that memberlist lists, ourselves and ghosts included,
// and those that the table remembers beyond that, sorted by memberlist's name.
func (g *Group) Nodes() ([]Node, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list == nil {
		return nil, ErrNotRunning
	}
	all := []Node{g.node(g.NodeName(), g.self.Addr)}
	for name, addr := range g.listing {
		if name == g.NodeName() {
			continue
		}
		all = append(all, g.node(name, addr))
	}
	for _, e := range g.table.byKey {
		if _, listed := g.listing[e.node]; !listed {
			all = append(all, Node{
				Node: e.node, Addr: e.Member.Addr, State: string(e.State),
				Peer: e.peerName(), ID: e.Member.ID, Boot: e.Member.Boot,
			})
		}
	}
	slices.SortFunc(all, func(a, b Node) int { return cmp.Compare(a.Node, b.Node) })
	return all, nil
}

// note keeps which nodes memberlist lists, by what it tells: what it hands out
// when it is asked changes under the hands of whoever reads it. g.mu is held.
func (g *Group) note(n notice) {
	switch n.kind {
	case nodeJoined, nodeUpdated:
		g.listing[n.node] = n.addr
	case nodeGone:
		delete(g.listing, n.node)
	}
}

// node describes what memberlist lists. g.mu is held.
func (g *Group) node(name string, addr netip.AddrPort) Node {
	n := Node{Node: name, Addr: addr, State: string(Alive), Self: name == g.NodeName()}
	if n.Self {
		n.Peer, n.ID, n.Boot = g.self.Name, g.self.ID, g.self.Boot
		if g.leaving.Load() {
			n.State = string(Left)
		}
		return n
	}
	if e := g.table.byKey[g.table.byNode[name]]; e != nil && e.node == name {
		n.State, n.Peer, n.ID, n.Boot = string(e.State), e.peerName(), e.Member.ID, e.Member.Boot
		return n
	}
	n.Ghost = true // only old boots, our own among them, are listed and not in the table
	n.Peer, n.Boot = splitNode(name)
	return n
}

func (e *entry) peerName() string {
	if e.Member.Foreign {
		return ""
	}
	return e.Member.Name
}

// splitNode takes memberlist's name of a boot apart; see meta.nodeName.
func splitNode(node string) (peer string, boot int) {
	m := nodePattern.FindStringSubmatch(node)
	if m == nil {
		return "", 0
	}
	_, _ = fmt.Sscan(m[2], &boot) // digits, by the pattern
	return m[1], boot
}
