// Package faulty is a network with injected faults: a netx.Network around
// another one that drops, delays, doubles, reorders, slows down and cuts what
// one host exchanges with others, packets and streams alike, per pair and
// direction, in user space.
//
// A Table says what holds. What becomes of a packet is a pure function of the
// table's seed, the two names and the packet's number on that link, so the
// n-th packet of a link always meets the same fate, whoever else draws.
//
// Nothing is applied twice where two hosts hold tables that mirror each other.
// The host that sends a packet applies everything to it; the one that receives
// drops it for a cut only. The host that dials a stream applies everything to
// both directions of it; the one that accepts holds it back for a cut only. If
// a host holds a table Alone, it applies everything to what it receives and
// accepts, too. It knows an accepted stream by the address that netx.Endpoint
// tells it; one that does not say where it comes from, as memberlist's own, is
// refused while a peer at its IP address is cut off.
//
// Through a cut no packet passes. Streams are not broken: bytes and ends are
// held back, writes block when the buffer is full, deadlines pass as always,
// and a dial waits; when the cut ends, what was held arrives in order. Streams
// lose nothing and keep their order under all rules. The faults live in the
// process: when it is killed, the kernel ends its streams, cut or not.
//
// The package must not know of peers, membership or chat: names are labels
// here, and what counts is the one address of each host.
package faulty

import (
	"net/netip"
	"time"
)

// Rule is what happens to what goes one way between two peers. The zero value
// lets everything pass at once.
type Rule struct {
	Cut     bool          `json:"cut,omitempty"`        // nothing passes; streams stay open and stand still
	Latency time.Duration `json:"latency_ns,omitempty"` // added to each packet and to each part of a stream
	Jitter  time.Duration `json:"jitter_ns,omitempty"`  // up to so much more, drawn for each
	Loss    float64       `json:"loss,omitempty"`       // probability, 0 to 1; a stream is late instead, as TCP is
	Dup     float64       `json:"dup,omitempty"`        // probability; packets only
	Reorder float64       `json:"reorder,omitempty"`    // probability of being held back behind later ones; packets only
	Rate    int64         `json:"rate,omitempty"`       // bits per second; 0 is no bound
}

// Table is what holds for one host. The zero value is a network without
// faults.
type Table struct {
	Seed  uint64 `json:"seed,omitempty"`
	Self  string `json:"self,omitempty"` // our name in the draws
	Peers []Peer `json:"peers,omitempty"`
	// Alone says that the others do not hold tables that mirror this one, so
	// that this host has to refuse what they begin too.
	Alone bool `json:"alone,omitempty"`
}

// Peer is another host and what holds between it and us.
type Peer struct {
	Name string         `json:"name"`
	Addr netip.AddrPort `json:"addr"` // its one address
	To   Rule           `json:"to,omitzero"`
	From Rule           `json:"from,omitzero"`
}
