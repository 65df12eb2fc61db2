package trace

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"
	"unicode"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/vclock"
)

// shivizHead begins a log for ShiViz: the expression that takes an event apart,
// and an empty one for what separates executions, of which there is one.
const shivizHead = `(?<host>\S+) (?<clock>{.*})\n(?<event>.*)` + "\n\n"

// entry is one event of an export.
type entry struct {
	process string
	count   uint64 // its number in the journal
	rank    uint64 // Lamport time: where it is written
	clock   vclock.Clock
	text    string
}

// ShiViz writes events as a log for ShiViz, which draws them as a diagram of
// space and time, and returns how many. Each boot of a peer is a host.
//
// ShiViz takes a log only if each host's own entry counts 1, 2, 3 and every
// entry refers to an event that is there. Journals are cut, by a kill or by
// their bound, and a journal of one peer has no events of the others. So the
// events are numbered anew, and an entry of a clock becomes the number of
// events in the log that it covers: the order among them stays what it was.
// Of peers whose journals are not there, the messages that were received of
// them stand in. Probes are left out.
func ShiViz(w io.Writer, events iter.Seq2[journal.Event, error]) (int, error) {
	all, err := entries(events)
	if err != nil {
		return 0, err
	}
	renumber(all)
	slices.SortStableFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.process, b.process), cmp.Compare(a.count, b.count))
	})
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(shivizHead) // the writer keeps its first error
	for _, e := range all {
		fmt.Fprintf(out, "%s %s\n%s\n", e.process, e.clock.AppendJSON(nil), e.text)
	}
	return len(all), out.Flush()
}

// entries makes entries of events, and of the sendings of messages that no
// event stands for.
func entries(events iter.Seq2[journal.Event, error]) ([]*entry, error) {
	var all, guests []*entry
	own := map[string]bool{}
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		if e.Type == journal.TypeProbe {
			continue
		}
		p := point(e)
		own[p.Process] = true
		all = append(all, &entry{p.Process, p.Count, p.Lamport, p.Clock.Clock.Copy(), line(e.Type + " " + e.Text)})
		if m, ok := messageOf(e); ok && e.Type == journal.TypeChat && m.Sent.Count > 0 {
			guests = append(guests, &entry{m.Sent.Process, m.Sent.Count, e.Lamport - 1, m.Sent.Clock.Clock, line(journal.TypeSent + " " + m.Text)})
		}
	}
	seen := map[string]bool{}
	for _, g := range guests {
		key := fmt.Sprint(g.process, "/", g.count)
		if !own[g.process] && !seen[key] {
			seen[key] = true
			all = append(all, g)
		}
	}
	return all, nil
}

// line makes text one line.
func line(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}

// renumber counts the events of each process from 1 and makes the clocks fit.
func renumber(all []*entry) {
	hosts := map[string][]*entry{}
	for _, e := range all {
		hosts[e.process] = append(hosts[e.process], e)
	}
	for _, list := range hosts {
		slices.SortStableFunc(list, func(a, b *entry) int { return cmp.Compare(a.count, b.count) })
		for i := len(list) - 2; i >= 0; i-- { // a message may have overtaken an earlier one
			list[i].rank = min(list[i].rank, list[i+1].rank)
		}
	}
	for _, list := range hosts {
		var before vclock.Clock // of the event before: without a clock of its own, an event is after that
		for i, e := range list {
			for _, t := range e.clock {
				known := hosts[t.Process]
				n := sort.Search(len(known), func(i int) bool { return known[i].count > t.Count })
				if n > 0 && t.Process != e.process {
					before.Raise(t.Process, uint64(n))
				}
			}
			before.Raise(e.process, uint64(i+1))
			e.clock = before.Copy()
		}
	}
}
