package coordinator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
)

// journalOf is the run's own part of the journal as lines.
func journalOf(t testing.TB, m *memory) string {
	t.Helper()
	var b strings.Builder
	for _, line := range m.journal {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Peer != "testserver" {
			continue
		}
		fmt.Fprintf(&b, "%d %s %q", e.Seq, e.Type, e.Text)
		for _, k := range slices.Sorted(maps.Keys(e.Fields)) {
			fmt.Fprintf(&b, " %s=%v", k, e.Fields[k])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// toldTo is what peers were told of the run, as lines.
func toldTo(t testing.TB, m *memory) string {
	t.Helper()
	var b strings.Builder
	for _, line := range m.journal {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Type == "told" {
			fmt.Fprintf(&b, "told %s: %s\n", e.Peer, e.Text)
		}
	}
	return b.String()
}
