package coordinator

import (
	"maps"
	"slices"
	"time"

	"github.com/peerlab/peerlab/testserver/report"
)

// Snapshot is how a run stands, for somebody who watches it.
type Snapshot struct {
	Scenario string
	Phase    string
	Line     string // of the file, that runs now: "x.cmd:12: all msg hello"
	Faults   []string
	Elapsed  time.Duration
	Budget   time.Duration
	Rows     int // decided until now
	Failed   int // of them
	Peers    []PeerSnapshot
}

// PeerSnapshot is how a peer stands.
type PeerSnapshot struct {
	Name    string
	State   string // starting, running, ready, paused, gone
	Boot    int
	Members int // whom it sees, itself included
	Chat    int
	Command string // that it runs now; empty for none
}

// Snapshot is how the run stands now.
func (m *Machine) Snapshot() Snapshot {
	s := Snapshot{
		Scenario: m.cfg.Script.Name, Faults: m.inForce(), Budget: m.cfg.Budget,
		Phase: m.result.Phases[len(m.result.Phases)-1].Title, Elapsed: m.now.Sub(m.result.Started),
	}
	for _, r := range m.rows {
		switch r.Status {
		case report.Open:
			if s.Line == "" {
				s.Line = r.Text
			}
			continue
		case report.Fail:
			s.Failed++
		}
		s.Rows++
	}
	for _, name := range m.names {
		p := m.peers[name]
		sees := m.sees(p)
		s.Peers = append(s.Peers, PeerSnapshot{
			Name: name, State: p.state(), Boot: p.hello.Boot, Members: len(sees.Members()), Chat: len(sees.Chat()),
			Command: p.command(),
		})
	}
	return s
}

// command is the line that the peer runs now: it runs them in order. A boot
// that is gone runs none.
func (p *peer) command() string {
	if len(p.calls) == 0 {
		return ""
	}
	return p.calls[slices.Min(slices.Collect(maps.Keys(p.calls)))].line
}

func (p *peer) state() string {
	switch {
	case p.gone != nil:
		return "gone"
	case p.paused:
		return "paused"
	case p.link == nil:
		return "starting"
	case p.status.Ready:
		return "ready"
	}
	return "running"
}
