package coordinator

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/report"
)

// self is the name under which the test server records.
const self = "testserver"

// TypeLife is the type of events about the life of peers, of which the test
// server knows: text "start alice", "gone alice", "kill alice", "pause alice";
// fields name, and number, that of the boot; of a start also state, "attached";
// of "gone" also state, how it ended, and expected, whether that was asked for.
const TypeLife = "life"

// own records an event of the test server's own in the journal of the run.
func (m *Machine) own(typ, text string, fields map[string]any) {
	m.seq++
	e := journal.Event{
		V: journal.Version, Time: m.now, Peer: self, Boot: 1, Seq: m.seq, Lamport: m.seq,
		Type: typ, Text: text, Fields: fields,
	}
	line, err := json.Marshal(e)
	if err != nil {
		m.problem(report.Problem{Harness: true, Text: "the run's own journal: " + err.Error()})
		return
	}
	m.work.Journal = append(m.work.Journal, line)
	if err := m.store.Add(self, e); err != nil {
		m.problem(report.Problem{Harness: true, Text: "the run's own journal: " + err.Error()})
	}
}

// ownScript records that a statement has ended.
func (m *Machine) ownScript(row *report.Row) {
	at := m.result.Started.Add(time.Duration(row.StartMS * float64(time.Millisecond)))
	m.own(journal.TypeScript, row.Text, map[string]any{
		"file": row.File, "line": row.Line, "phase": row.Phase, "kind": row.Kind, "status": row.Status,
		"started": at.Format(time.RFC3339Nano), "row": m.indexOf(row),
	})
}

// indexOf is the number of a row in the result; the newest are the likeliest.
func (m *Machine) indexOf(row *report.Row) int {
	for i := len(m.rows) - 1; i >= 0; i-- {
		if m.rows[i] == row {
			return i
		}
	}
	return len(m.rows) + slices.IndexFunc(m.events, func(e *event) bool { return &e.row == row })
}

// ownNet records that a fault begins or ends. links are the pairs between
// which nothing passes, "a>b"; peers are all that it touches.
func (m *Machine) ownNet(f *fault, state string) {
	var peers, cuts, touched []string
	for _, l := range f.links {
		peers = append(peers, l.from, l.to)
		pair := l.from + ">" + l.to
		touched = append(touched, pair)
		if l.rule.Cut {
			cuts = append(cuts, pair)
		}
	}
	slices.Sort(peers)
	fields := map[string]any{"fault": f.number, "state": state, "peers": orNone(slices.Compact(peers))}
	if touched != nil {
		fields["links"], fields["cuts"] = touched, orNone(cuts)
	}
	m.own(journal.TypeNet, f.text, fields)
}

// orNone makes an empty list of none, as JSON has it.
func orNone(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
