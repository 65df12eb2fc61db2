package judge

import (
	"fmt"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

// runner is who records what the test server knows.
const runner = "testserver"

// span is a stretch of time; one without an end lasts.
type span struct{ from, to time.Time }

func (s span) lasts() bool { return s.to.IsZero() }

// touches tells whether the span has anything in common with the time between
// from and to, both included.
func (s span) touches(from, to time.Time) bool {
	return !s.from.After(to) && (s.lasts() || !s.to.Before(from))
}

// history is what became of peers and of the links between them, as the test
// server recorded it.
type history struct {
	boots  map[string][]span // in which a peer ran
	pauses map[string][]span
	breaks map[string]time.Time // when it last left the chat or the group, by a command
	faults map[string]*linkFault
	past   []*linkFault // that are healed
}

// linkFault is a fault between peers.
type linkFault struct {
	span
	links, cuts map[pair]bool
}

// pair is one way between two peers.
type pair struct{ from, to string }

func newHistory() *history {
	return &history{boots: map[string][]span{}, pauses: map[string][]span{}, breaks: map[string]time.Time{}, faults: map[string]*linkFault{}}
}

func (h *history) add(e journal.Event) {
	switch {
	case e.Peer == runner && e.Type == "life":
		h.life(e)
	case e.Peer == runner && e.Type == journal.TypeNet:
		h.net(e)
	case e.Type == journal.TypeCommand && leaves(e.Text):
		h.breaks[e.Peer] = e.Time
	}
}

// leaves tells whether a command takes its peer out of the chat.
func leaves(line string) bool {
	word, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "/"), " ")
	switch word {
	case "chatleave", "chatstop", "memberlistleave", "memberlistshutdown", "quit", "exit":
		return true
	}
	return false
}

func (h *history) life(e journal.Event) {
	what, name, _ := strings.Cut(e.Text, " ")
	switch what {
	case "start":
		h.boots[name] = append(closed(h.boots[name], e.Time), span{from: e.Time})
	case "kill", "stop", "gone":
		h.boots[name] = closed(h.boots[name], e.Time)
		h.pauses[name] = closed(h.pauses[name], e.Time)
	case "pause":
		h.pauses[name] = append(h.pauses[name], span{from: e.Time})
	case "resume":
		h.pauses[name] = closed(h.pauses[name], e.Time)
	}
}

// closed ends the last span, if it lasts.
func closed(all []span, at time.Time) []span {
	if n := len(all); n > 0 && all[n-1].lasts() {
		all[n-1].to = at
	}
	return all
}

func (h *history) net(e journal.Event) {
	number := fmt.Sprint(e.Fields["fault"])
	if e.Fields["state"] == "healed" {
		if f := h.faults[number]; f != nil {
			f.to = e.Time
			h.past = append(h.past, f)
			delete(h.faults, number)
		}
		return
	}
	h.faults[number] = &linkFault{span: span{from: e.Time}, links: pairs(e.Fields["links"]), cuts: pairs(e.Fields["cuts"])}
}

// pairs reads "alice>bob".
func pairs(v any) map[pair]bool {
	all := map[pair]bool{}
	for _, text := range list(v) {
		from, to, _ := strings.Cut(text, ">")
		all[pair{from, to}] = true
	}
	return all
}

// known tells whether the peer is one of the run.
func (h *history) known(name string) bool { return len(h.boots[name]) > 0 }

// since tells since when the peer has been there without a break: running,
// and in the chat. ok is false if it does not run now.
func (h *history) since(name string) (at time.Time, ok bool) {
	all := h.boots[name]
	if len(all) == 0 || !all[len(all)-1].lasts() {
		return time.Time{}, false
	}
	at = all[len(all)-1].from
	if b := h.breaks[name]; b.After(at) {
		at = b
	}
	return at, true
}

func (h *history) paused(name string) bool {
	all := h.pauses[name]
	return len(all) > 0 && all[len(all)-1].lasts()
}

// separated tells whether a fault lets nothing pass between the two now, in
// one direction at least.
func (h *history) separated(a, b string) bool {
	for _, f := range h.faults {
		if f.cuts[pair{a, b}] || f.cuts[pair{b, a}] {
			return true
		}
	}
	return false
}

// touched tells whether a fault was between the two at any time from from to to.
func (h *history) touched(a, b string, from, to time.Time) bool {
	is := func(f *linkFault) bool {
		return (f.links[pair{a, b}] || f.links[pair{b, a}]) && f.touches(from, to)
	}
	for _, f := range h.faults {
		if is(f) {
			return true
		}
	}
	for _, f := range h.past {
		if is(f) {
			return true
		}
	}
	return false
}

// disturbed tells whether the peer ended or was paused at any time from from
// to to, or does not run at to.
func (h *history) disturbed(name string, from, to time.Time) bool {
	runs := false
	for _, b := range h.boots[name] {
		if !b.lasts() && !b.to.Before(from) && !b.to.After(to) {
			return true
		}
		runs = runs || b.touches(to, to)
	}
	for _, p := range h.pauses[name] {
		if p.touches(from, to) {
			return true
		}
	}
	return !runs
}
