// Package judge decides what holds in a run: whether the peers have
// converged, and whether their filters are satisfied. It is a state machine
// over what the peers say: no sockets, no goroutines, no clock; time comes in
// as an argument. Nothing that was said is forgotten, so an assertion misses
// nothing that happened before it was made.
package judge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
)

// Judge holds what is known of one run. It is not safe for several
// goroutines. The zero value is not ready: use New.
type Judge struct {
	peers   map[string]*peer
	names   []string  // sorted
	filters []*filter // by number; nil for one that was forgotten
	gaps    journal.Gaps
	holds   bool      // the peers have converged ...
	since   time.Time // ... and this has not changed since
}

// peer is what one peer said.
type peer struct {
	name   string
	inited bool // its init succeeded
	gone   bool
	view   view
	lines  map[string][]string // by stream
}

// New returns a Judge of a run with these peers.
func New(names []string) *Judge {
	j := &Judge{peers: map[string]*peer{}, names: slices.Sorted(slices.Values(names))}
	for _, n := range names {
		j.peers[n] = &peer{name: n, lines: map[string][]string{}}
	}
	return j
}

// Inited notes that the peer's init has succeeded: from now on it must be
// seen for the peers to have converged, until it leaves.
func (j *Judge) Inited(name string, now time.Time) {
	j.peers[name].inited = true
	j.reconsider(now)
}

// Gone notes that the peer has ended.
func (j *Judge) Gone(name string, now time.Time) {
	j.peers[name].gone = true
	j.reconsider(now)
}

// Status notes what the peer sees now.
func (j *Judge) Status(name string, s testlink.Status, now time.Time) {
	p := j.peers[name]
	v := viewOf(s)
	if v.equal(p.view) {
		return
	}
	p.view = v
	if v.closing {
		p.inited = false
	}
	j.reconsider(now)
}

// Record notes an event of the peer's journal. The error tells that it is
// not what comes next in that journal.
func (j *Judge) Record(name string, e journal.Event) error {
	if e.Peer != name {
		return fmt.Errorf("%s sent an event of %q", name, e.Peer)
	}
	p := j.peers[name]
	p.lines[e.Type] = append(p.lines[e.Type], e.Text)
	for _, f := range j.filters {
		if f != nil && f.Peer == name && f.takes(e.Type, e.Text) {
			f.Seen++
		}
	}
	j.gaps.Add(e)
	return nil
}

// Gaps tells where events are missing in the journals; nil for nowhere.
func (j *Judge) Gaps() error { return j.gaps.Err() }

// Converged tells whether the peers have converged, and since when nothing
// about that has changed.
//
// Live are the peers that are ready, and those whose init succeeded, until
// they leave or end. Every live peer's members must be exactly the live peers
// at their boot and address, and its chat members exactly those whose chat is
// open. Foreign nodes do not count. Nobody has converged if nobody is live.
func (j *Judge) Converged() (since time.Time, ok bool) { return j.since, j.holds }

// Missing says what keeps the peers from having converged; nil for nothing.
func (j *Judge) Missing() []string {
	live := j.live()
	if len(live) == 0 {
		return []string{"no peer is ready"}
	}
	var found []string
	for _, p := range live {
		found = append(found, p.lacks(live)...)
	}
	return found
}

// Live tells whether there is any peer that others should see.
func (j *Judge) Live() bool { return len(j.live()) > 0 }

func (j *Judge) reconsider(now time.Time) {
	j.holds, j.since = j.converged(), now
}

// converged looks at numbers first: it is asked at every change, and most of
// the time somebody sees too few.
func (j *Judge) converged() bool {
	live := j.live()
	for _, p := range live {
		if len(p.view.members) != len(live)-1 {
			return false
		}
	}
	for _, p := range live {
		if p.lacks(live) != nil {
			return false
		}
	}
	return len(live) > 0
}

// live are the peers that should see each other.
func (j *Judge) live() []*peer {
	var live []*peer
	for _, n := range j.names {
		p := j.peers[n]
		if !p.gone && !p.view.closing && (p.view.ready || p.inited) {
			live = append(live, p)
		}
	}
	return live
}

// lacks says what p does not see as it is.
func (p *peer) lacks(live []*peer) []string {
	if !p.view.ready {
		return []string{p.name + " is not ready"}
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

// Matrix says who sees whom: one line per peer.
func (j *Judge) Matrix() []string {
	var lines []string
	for _, n := range j.names {
		p := j.peers[n]
		switch {
		case p.gone:
			lines = append(lines, n+": gone")
		case !p.view.ready:
			lines = append(lines, n+": not ready")
		default:
			chat := "closed"
			if p.view.chatOpen {
				chat = listed(p.view.chat)
			}
			lines = append(lines, fmt.Sprintf("%s: members %s; chat %s", n, listed(p.view.members), chat))
		}
	}
	return lines
}

func listed(nodes []Node) string {
	if len(nodes) == 0 {
		return "nobody"
	}
	var names []string
	for _, n := range nodes {
		name := n.Name
		if n.State != "" && n.State != "alive" {
			name += "(" + n.State + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// ErrFilter is matched by the error for a filter that cannot be judged.
var ErrFilter = errors.New("not a filter")
