package judge

import (
	"fmt"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
)

// Views is what the peers of a run see of each other. The zero value is not
// ready: use NewViews.
type Views struct {
	peers   map[string]*sight
	names   []string // sorted
	version uint64
	lately  time.Time // of the last change
}

// sight is what one peer sees, and whether it should be seen.
type sight struct {
	name     string
	standing Standing
	view     view
	changed  time.Time
}

// Standing is what is known of a peer beside what it says.
type Standing struct {
	Running bool // its present boot can be driven
	Inited  bool // its present boot has done init
	Paused  bool
}

// NewViews returns Views without peers.
func NewViews() *Views { return &Views{peers: map[string]*sight{}} }

func (v *Views) sight(name string) *sight {
	p := v.peers[name]
	if p == nil {
		p = &sight{name: name}
		v.peers[name] = p
		i, _ := slices.BinarySearch(v.names, name)
		v.names = slices.Insert(v.names, i, name)
	}
	return p
}

// Stand notes how a peer stands. What a boot that has ended saw is forgotten.
func (v *Views) Stand(name string, s Standing, now time.Time) {
	p := v.sight(name)
	if s == p.standing {
		return
	}
	p.standing = s
	if !s.Running {
		p.view = view{}
	}
	v.change(p, now)
}

// Status notes what the peer sees now.
func (v *Views) Status(name string, s testlink.Status, now time.Time) {
	p := v.sight(name)
	if now := viewOf(s); now.equal(p.view) {
		return
	}
	p.view = viewOf(s)
	v.change(p, now)
}

func (v *Views) change(p *sight, now time.Time) {
	p.changed, v.lately = now, now
	v.version++
}

// Version changes whenever anything does by which convergence is judged.
func (v *Views) Version() uint64 { return v.version }

// Live are the peers that should see each other, sorted: those that run, are
// not paused and do not leave, and have done init or say that they are ready.
// A group that is not nil says of whom.
func (v *Views) Live(group []string) []string {
	var live []string
	for _, p := range v.live(group) {
		live = append(live, p.name)
	}
	return live
}

func (v *Views) live(group []string) []*sight {
	var live []*sight
	for _, name := range v.names {
		p := v.peers[name]
		counts := p.standing.Running && !p.standing.Paused && !p.view.closing && (p.view.ready || p.standing.Inited)
		if counts && (group == nil || slices.Contains(group, name)) {
			live = append(live, p)
		}
	}
	return live
}

// Converged tells since when the live peers see each other as they are: the
// members of each are exactly the live peers, at their present boot and
// address; its chat members, if its chat is open, exactly those whose chat is
// open. Foreign nodes are ignored. A group that is not nil has converged when
// it is so with its live peers alone. Without live peers nobody has converged.
func (v *Views) Converged(group []string) (since time.Time, ok bool) {
	live := v.live(group)
	if len(live) == 0 {
		return time.Time{}, false
	}
	for _, p := range live { // numbers first: most of the time somebody sees too few
		if len(p.view.members) != len(live)-1 {
			return time.Time{}, false
		}
	}
	for _, p := range live {
		if p.lacks(live) != nil {
			return time.Time{}, false
		}
	}
	if group == nil {
		return v.lately, true
	}
	for _, name := range group {
		if p := v.peers[name]; p != nil && p.changed.After(since) {
			since = p.changed
		}
	}
	return since, true
}

// Missing says what keeps the peers from having converged; nil for nothing.
func (v *Views) Missing(group []string) []string {
	live := v.live(group)
	if len(live) == 0 {
		return []string{"no peer is ready"}
	}
	var found []string
	for _, p := range live {
		found = append(found, p.lacks(live)...)
	}
	return found
}

// lacks says what p does not see as it is.
func (p *sight) lacks(live []*sight) []string {
	if !p.view.ready {
		return []string{fmt.Sprintf("%s is not ready", p.name)}
	}
	members, chat := map[string]Node{}, map[string]Node{}
	for _, o := range live {
		if o != p {
			members[o.name] = o.view.self
			if o.view.chatOpen {
				chat[o.name] = o.view.self
			}
		}
	}
	found := differences(p.name, "as a member", p.view.members, members)
	if p.view.chatOpen {
		found = append(found, differences(p.name, "in the chat", p.view.chat, chat)...)
	}
	return found
}

// differences compares what a peer sees with what is there.
func differences(who, where string, seen []Node, want map[string]Node) []string {
	var found []string
	met := map[string]bool{}
	for _, n := range seen {
		w, there := want[n.Name]
		switch {
		case !there:
			found = append(found, fmt.Sprintf("%s sees %s %s, which is not live", who, n.Name, where))
		case met[n.Name]:
			found = append(found, fmt.Sprintf("%s sees %s twice %s", who, n.Name, where))
		case !sameNode(n, w):
			found = append(found, fmt.Sprintf("%s sees %s %s as %s, it is %s", who, n.Name, where, describe(n), describe(w)))
		}
		met[n.Name] = true
	}
	for _, name := range sortedKeys(want) {
		if !met[name] {
			found = append(found, fmt.Sprintf("%s does not see %s %s", who, name, where))
		}
	}
	return found
}
