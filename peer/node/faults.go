package node

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/membership"
)

// ErrNoFault is matched when a fault is to be healed that is not in force.
var ErrNoFault = errors.New("no such fault")

// Faults are the faults that somebody at this peer has set between it and
// others, by their names. They hold for what this peer sends and receives; the
// others know nothing of them. A name stands for the address that its member
// has now: when it comes back elsewhere, the faults follow.
//
// All methods may be called from several goroutines.
type Faults struct {
	node    *Node
	network *faulty.Network

	mu   sync.Mutex // guards the fields below
	set  []Fault    // in force, in the order in which they were set
	last int        // the number of the last one
}

// Fault is one fault.
type Fault struct {
	Number int // from 1
	Text   string
	Peers  map[string]Between // by name
}

// Between is what holds between this peer and another one.
type Between struct{ To, From faulty.Rule }

// Names are the names of the other peers, sorted.
func (f Fault) Names() []string { return slices.Sorted(maps.Keys(f.Peers)) }

// Faults are the peer's faults; nil if its network takes none.
func (n *Node) Faults() *Faults { return n.faults }

func newFaults(n *Node) *Faults {
	if n.cfg.Faults == nil {
		return nil
	}
	return &Faults{node: n, network: n.cfg.Faults}
}

// Set puts a fault in force beside those that are; text says what it is. The
// caller does not change peers afterwards.
func (f *Faults) Set(text string, peers map[string]Between) (Fault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault := Fault{Number: f.last + 1, Text: text, Peers: peers}
	f.set = append(f.set, fault)
	if err := f.apply(); err != nil {
		f.set = f.set[:len(f.set)-1]
		return Fault{}, err
	}
	f.last++
	f.record(fault, "set")
	return fault, nil
}

// Heal ends a fault, all of them if number is 0, and returns those that it has
// ended. An error matches ErrNoFault.
func (f *Faults) Heal(number int) ([]Fault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var healed, left []Fault
	for _, fault := range f.set {
		if number == 0 || fault.Number == number {
			healed = append(healed, fault)
		} else {
			left = append(left, fault)
		}
	}
	if len(healed) == 0 && number != 0 {
		return nil, fmt.Errorf("%w: %d", ErrNoFault, number)
	}
	f.set = left
	if err := f.apply(); err != nil {
		return nil, err
	}
	for _, fault := range healed {
		f.record(fault, "healed")
	}
	return healed, nil
}

// Reset breaks the open streams with these members, and returns how many.
func (f *Faults) Reset(text string, names []string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.apply(); err != nil { // so that the network knows all names
		return 0, err
	}
	n, err := f.network.Reset(names)
	f.node.journal.Record(journal.TypeNet, text, map[string]any{"state": "reset", "peers": names, "streams": n})
	return n, err
}

// All are the faults in force, in the order in which they were set.
func (f *Faults) All() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.set)
}

// Links are the members for which a rule holds, with what all faults together
// make of it, sorted by name.
func (f *Faults) Links() []faulty.Peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(f.peers(), func(p faulty.Peer) bool {
		return p.To == (faulty.Rule{}) && p.From == (faulty.Rule{})
	})
}

// refresh follows a change of the membership.
func (f *Faults) refresh() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.set) == 0 {
		return
	}
	if err := f.apply(); err != nil {
		logger := f.node.log("net")
		logger.Error().Err(err).Msg("faults do not follow the membership")
	}
}

// apply puts what is set in force. mu is held.
func (f *Faults) apply() error {
	return f.network.Set(faulty.Table{Self: f.node.cfg.Name, Alone: true, Peers: f.peers()})
}

// peers are the members that have an address, and what holds for each. Of two
// with one name or one address the one that is in the group counts, and of two
// that are not, the last one that was. mu is held.
func (f *Faults) peers() []faulty.Peer {
	members := f.node.Status().Members
	slices.SortStableFunc(members, func(a, b membership.Info) int {
		return cmp.Or(cmp.Compare(absence(a), absence(b)), b.Since.Compare(a.Since))
	})
	names, addrs := map[string]bool{}, map[netip.AddrPort]bool{}
	var peers []faulty.Peer
	for _, m := range members {
		name, addr := m.Member.Name, m.Member.Addr
		if names[name] || addrs[addr] || !addr.IsValid() || addr.Port() == 0 {
			continue
		}
		names[name], addrs[addr] = true, true
		p := faulty.Peer{Name: name, Addr: addr}
		for _, fault := range f.set {
			b := fault.Peers[name]
			p.To, p.From = faulty.Combine(p.To, b.To), faulty.Combine(p.From, b.From)
		}
		peers = append(peers, p)
	}
	slices.SortFunc(peers, func(a, b faulty.Peer) int { return cmp.Compare(a.Name, b.Name) })
	return peers
}

// absence is 0 for a member that is in the group, and more for others.
func absence(m membership.Info) int {
	switch m.State {
	case membership.Alive, membership.Suspect:
		return 0
	case membership.Lost:
		return 1
	}
	return 2
}

func (f *Faults) record(fault Fault, state string) {
	f.node.journal.Record(journal.TypeNet, fault.Text, map[string]any{"fault": fault.Number, "state": state, "peers": fault.Names()})
}
