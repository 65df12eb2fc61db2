package membership

import (
	"cmp"
	"slices"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

// State is how a member stands.
type State string

// The states of a member. Foreign members are told apart by Member.Foreign;
// one that left is lost, as memberlist does not tell how a node went and a
// stock node does not say it in our way.
const (
	Alive   State = "alive"
	Suspect State = "suspect"
	Lost    State = "lost"
	Left    State = "left"
)

// Info is what is known of another member.
type Info struct {
	Member extension.Member
	State  State
	Since  time.Time     // when it came into that state
	RTT    time.Duration // of the last answered probe; 0 if none was
}

// maxGone bounds how many lost and left members are remembered.
const maxGone = 256

// table knows the newest boot of each other member. It is a pure value:
// notices go in, announced changes come out.
type table struct {
	byKey  map[string]*entry // by key, see identify
	byNode map[string]string // memberlist's name of a newest boot to its key
}

type entry struct {
	Info
	node string // memberlist's name for this boot
}

func newTable() table {
	return table{byKey: map[string]*entry{}, byNode: map[string]string{}}
}

func (e *entry) here() bool { return e.State == Alive || e.State == Suspect }

// apply changes the table and tells what is to be announced. Notices of self,
// and of boots that a newer one has superseded, change nothing.
func (t *table) apply(n notice, self extension.Member) []extension.Change {
	if n.kind == nodeJoined || n.kind == nodeUpdated {
		return t.alive(n, self)
	}
	e := t.byKey[t.byNode[n.node]]
	if e == nil || e.node != n.node {
		return nil
	}
	switch n.kind {
	case nodeAnswered:
		e.RTT = n.rtt
		if e.State == Suspect {
			e.enter(Alive, n.at)
		}
	case nodeSuspect:
		if e.State == Alive {
			return e.change(Suspect, extension.Suspect, n.at)
		}
	case nodeLeaving:
		if e.here() {
			return t.gone(e, Left, extension.Left, n.at)
		}
	case nodeGone:
		if e.here() {
			return t.gone(e, Lost, extension.Lost, n.at)
		}
	}
	return nil
}

// alive is a join or an update of a node: a newcomer, a new boot, a lost
// member that is back, one that says that it leaves, or nothing new.
func (t *table) alive(n notice, self extension.Member) []extension.Change {
	m, key, leaving := identify(n)
	if key == self.ID {
		return nil // ourselves, or an old boot of ours
	}
	old := t.byKey[key]
	if old != nil && m.Boot < old.Member.Boot {
		return nil // a ghost
	}
	kind := extension.Joined
	switch {
	case old == nil || old.State == Left && !leaving:
	case old.node == n.node && old.here():
		kind = 0
	case old.node == n.node && old.State == Left:
		return nil // it repeats that it leaves
	default:
		kind = extension.Back
	}
	changes := t.release(n, key)
	e := t.put(key, n, m)
	if kind != 0 {
		changes = append(changes, e.change(Alive, kind, n.at)...)
	}
	if leaving {
		changes = append(changes, t.gone(e, Left, extension.Left, n.at)...)
	}
	return changes
}

// release takes a node from a member that it was until now: its metadata says
// that it is somebody else. No honest node does that.
func (t *table) release(n notice, key string) (changes []extension.Change) {
	old := t.byNode[n.node]
	if old == "" || old == key {
		return nil
	}
	if e := t.byKey[old]; e.here() {
		changes = e.change(Lost, extension.Lost, n.at)
	}
	delete(t.byKey, old)
	delete(t.byNode, n.node)
	return changes
}

// put makes n the newest boot under key, and keeps what is known of it if it
// is the same boot.
func (t *table) put(key string, n notice, m extension.Member) *entry {
	e := t.byKey[key]
	if e == nil || e.node != n.node {
		if e != nil {
			delete(t.byNode, e.node)
		}
		e = &entry{node: n.node}
		t.byKey[key], t.byNode[n.node] = e, key
	}
	state, since, rtt := e.State, e.Since, e.RTT
	e.Info = Info{Member: m, State: state, Since: since, RTT: rtt}
	if state == Suspect {
		e.enter(Alive, n.at) // it refuted the suspicion
	}
	return e
}

// identify reads a node's metadata. The key is the id of a peer, and for a
// foreign member something that no id is, made of its node name.
func identify(n notice) (m extension.Member, key string, leaving bool) {
	d, err := decodeMeta(n.meta)
	if err != nil {
		return extension.Member{Name: n.node, Addr: n.addr, Foreign: true}, "foreign " + n.node, false
	}
	id := d.ID.String()
	return extension.Member{Name: d.Name, ID: id, Boot: d.Boot, Addr: n.addr}, id, d.Leaving
}

func (e *entry) enter(s State, at time.Time) { e.State, e.Since = s, at }

func (e *entry) change(s State, k extension.Kind, at time.Time) []extension.Change {
	e.enter(s, at)
	return []extension.Change{{Kind: k, Member: e.Member}}
}

// gone is the change of a member that is here and will not be any more.
func (t *table) gone(e *entry, s State, k extension.Kind, at time.Time) []extension.Change {
	t.forgetOldest()
	return e.change(s, k, at)
}

// forgetOldest makes room among the members that are gone.
func (t *table) forgetOldest() {
	var gone []string
	for key, e := range t.byKey {
		if !e.here() {
			gone = append(gone, key)
		}
	}
	if len(gone) < maxGone {
		return
	}
	oldest := slices.MinFunc(gone, func(a, b string) int {
		return t.byKey[a].Since.Compare(t.byKey[b].Since)
	})
	delete(t.byNode, t.byKey[oldest].node)
	delete(t.byKey, oldest)
}

func (t *table) present() []extension.Member {
	var ms []extension.Member
	for _, e := range t.byKey {
		if e.here() {
			ms = append(ms, e.Member)
		}
	}
	slices.SortFunc(ms, func(a, b extension.Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return ms
}

func (t *table) all() []Info {
	var all []Info
	for _, e := range t.byKey {
		all = append(all, e.Info)
	}
	return all
}

func (t *table) nodeName(m extension.Member) string {
	for _, e := range t.byKey {
		if e.Member == m {
			return e.node
		}
	}
	return ""
}
