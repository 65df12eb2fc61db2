package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

// typeSent is recorded by a sender: fields id, and to, the names to whom the
// message is owed.
const typeSent = "sent"

// owed is one message to one receiver.
type owed struct{ id, to string }

// sent is one message.
type sent struct {
	from, text string
	at         time.Time
	number     int // in the order in which they came
}

// showing is one message at one boot of a receiver.
type showing struct {
	id, at string
	boot   int
}

// delivery is the checker of that name.
type delivery struct {
	h       *history
	sent    map[string]sent
	senders map[string]bool // who records what it sends
	pending map[owed]bool
	shown   map[owed]bool
	times   map[showing]int
	strange map[string][]journal.Event // shown, and not recorded as sent yet
	done    int
	wrong   []string
}

func newDelivery() *delivery {
	return &delivery{
		h: newHistory(), sent: map[string]sent{}, senders: map[string]bool{}, pending: map[owed]bool{},
		shown: map[owed]bool{}, times: map[showing]int{}, strange: map[string][]journal.Event{},
	}
}

func (d *delivery) Add(e journal.Event) {
	d.h.add(e)
	id := messageID(e)
	switch {
	case id == "":
	case e.Type == typeSent:
		d.send(id, e)
	case e.Type == journal.TypeChat:
		d.show(id, e)
	}
}

func (d *delivery) send(id string, e journal.Event) {
	d.senders[e.Peer] = true
	if s, again := d.sent[id]; again {
		d.wrong = append(d.wrong, fmt.Sprintf("%s has recorded %q as sent, as the same message as %q of %s", e.Peer, e.Text, s.text, s.from))
		return
	}
	d.sent[id] = sent{e.Peer, e.Text, e.Time, len(d.sent)}
	for _, shown := range d.strange[id] {
		d.compare(d.sent[id], shown)
	}
	delete(d.strange, id)
	for _, to := range list(e.Fields["to"]) {
		if o := (owed{id, to}); d.shown[o] {
			d.done++
		} else {
			d.pending[o] = true
		}
	}
}

// compare finds what was changed on the way.
func (d *delivery) compare(s sent, e journal.Event) {
	if sender(e) != s.from || e.Text != s.text {
		d.wrong = append(d.wrong, fmt.Sprintf("%s showed %q of %s, which was sent as %q of %s", e.Peer, e.Text, sender(e), s.text, s.from))
	}
}

func (d *delivery) show(id string, e journal.Event) {
	s := showing{id, e.Peer, e.Boot}
	if d.times[s]++; d.times[s] == 2 {
		d.wrong = append(d.wrong, fmt.Sprintf("%s showed %q of %s twice", e.Peer, e.Text, sender(e)))
	}
	if s, ok := d.sent[id]; ok {
		d.compare(s, e)
	} else {
		d.strange[id] = append(d.strange[id], e)
	}
	o := owed{id, e.Peer}
	if d.pending[o] {
		delete(d.pending, o)
		d.done++
	}
	d.shown[o] = true
}

func (d *delivery) Outcome() Outcome {
	out := Outcome{Looked: d.done, Wrong: slices.Clone(d.wrong)}
	var lost []owed
	for o := range d.pending {
		if d.expected(o) {
			lost = append(lost, o)
		}
	}
	slices.SortFunc(lost, func(a, b owed) int {
		return cmp.Or(d.sent[a.id].number-d.sent[b.id].number, cmp.Compare(a.to, b.to))
	})
	for _, o := range lost {
		s := d.sent[o.id]
		out.Open = append(out.Open, fmt.Sprintf("%s has not shown %q of %s", o.to, s.text, s.from))
	}
	var strange []string
	for _, events := range d.strange {
		for _, e := range events {
			if from := sender(e); d.senders[from] && d.complete(from) {
				strange = append(strange, fmt.Sprintf("%s showed %q, which %s has not recorded as sent", e.Peer, e.Text, from))
			}
		}
	}
	slices.Sort(strange)
	out.Open = append(out.Open, strange...)
	out.Looked += len(out.Open) + len(d.wrong)
	return out
}

// expected tells whether a message that was not shown should have been by now.
func (d *delivery) expected(o owed) bool {
	s := d.sent[o.id]
	for _, name := range []string{s.from, o.to} {
		since, runs := d.h.since(name)
		if !runs || since.After(s.at) || d.h.paused(name) {
			return false
		}
	}
	return !d.h.separated(s.from, o.to)
}

// complete tells whether no boot of the peer has ended, so that nothing is
// missing in its journal.
func (d *delivery) complete(name string) bool {
	boots := d.h.boots[name]
	return len(boots) == 1 && boots[0].lasts()
}

// shownMessage is a message as one boot of a receiver showed it.
type shownMessage struct {
	at   string
	boot int
	from string
	id   string
	text string
	late bool
}

// order is the checker of that name.
type order struct {
	number map[string]int // of each message, in the order of its sender
	count  map[string]int
	shown  []shownMessage
}

func (o *order) Add(e journal.Event) {
	id := messageID(e)
	switch {
	case id == "":
	case e.Type == typeSent:
		if o.number == nil {
			o.number, o.count = map[string]int{}, map[string]int{}
		}
		o.count[e.Peer]++
		o.number[id] = o.count[e.Peer]
	case e.Type == journal.TypeChat:
		o.shown = append(o.shown, shownMessage{e.Peer, e.Boot, sender(e), id, e.Text, isLate(e)})
	}
}

func (o *order) Outcome() Outcome {
	type stream struct {
		at   string
		boot int
		from string
	}
	var out Outcome
	last := map[stream]shownMessage{}
	for _, m := range o.shown {
		number, ok := o.number[m.id]
		if !ok {
			continue
		}
		out.Looked++
		s := stream{m.at, m.boot, m.from}
		if before, any := last[s]; any && o.number[before.id] > number {
			out.Wrong = append(out.Wrong, fmt.Sprintf("%s showed %q of %s after %q, which was sent later", m.at, m.text, m.from, before.text))
			continue
		}
		last[s] = m
	}
	return out
}
