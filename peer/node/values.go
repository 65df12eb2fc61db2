package node

import (
	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/peer/membership"
)

// Value is something inside a peer that a developer may want to look at. No
// key, token or secret is among them.
type Value struct {
	Name string
	Help string // what it is, one short phrase
	Get  func() (any, error)
}

// Values are the values that a peer lets be looked at. What Get returns can be
// encoded as JSON and belongs to the caller.
func (n *Node) Values() []Value {
	return []Value{
		{"status", "where the peer stands", func() (any, error) { return n.Status(), nil }},
		{"settings", "the configuration of the next member", func() (any, error) { return n.Settings(), nil }},
		{"members", "what is known of other members", func() (any, error) { return append([]membership.Info{}, n.Status().Members...), nil }},
		{"nodes", "the members as memberlist knows them", n.nodes},
		{"bootstrap", "the service, and the last list it gave", func() (any, error) { return n.listing(), nil }},
		{"remembered", "the peers of the last time", func() (any, error) { return n.discovery.Remembered() }},
		{"journal", "how far the journal is", func() (any, error) { return n.position(), nil }},
	}
}

func (n *Node) nodes() (any, error) {
	g, err := n.Membership()
	if err != nil {
		return nil, err
	}
	return g.Nodes()
}

type listing struct {
	URL    string           `json:"url"`
	Hosted bool             `json:"hosted"`
	Listed bool             `json:"listed"` // we want to be on the list
	Last   *bootstrap.Group `json:"last"`   // null if none was given
}

func (n *Node) listing() listing {
	var l listing
	l.URL, l.Hosted = n.discovery.Service()
	l.Listed = n.discovery.Listed()
	if g, ok := n.discovery.Last(); ok {
		l.Last = &g
	}
	return l
}

type position struct {
	Peer    string `json:"peer"`
	Boot    int    `json:"boot"` // of the process
	Seq     uint64 `json:"seq"`  // of the last event
	Lamport uint64 `json:"lamport"`
}

func (n *Node) position() position {
	p := position{Peer: n.cfg.Name, Boot: n.cfg.Identity.Boot}
	p.Seq, p.Lamport = n.journal.Position()
	return p
}
