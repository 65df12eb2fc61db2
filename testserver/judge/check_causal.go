package judge

import (
	"fmt"

	"github.com/peerlab/peerlab/internal/journal"
)

// causal is the checker of that name. It needs no clocks: what a sender knew
// is what it had sent and shown before, in the order of its own journal.
type causal struct {
	processes map[process]*steps
	sent      map[string]bool
	order     []process // by their first event, so that the outcome is always the same
}

// process is one boot of a peer.
type process struct {
	peer string
	boot int
}

// steps are what one process sent and showed, in order.
type steps struct {
	list []step
	next int
}

type step struct {
	sent bool
	shownMessage
}

func (c *causal) Add(e journal.Event) {
	id := messageID(e)
	if id == "" || e.Type != typeSent && e.Type != journal.TypeChat {
		return
	}
	p := process{e.Peer, e.Boot}
	if c.processes == nil {
		c.processes, c.sent = map[process]*steps{}, map[string]bool{}
	}
	if e.Type == typeSent {
		c.sent[id] = true
	}
	if c.processes[p] == nil {
		c.processes[p] = &steps{}
		c.order = append(c.order, p)
	}
	s := c.processes[p]
	s.list = append(s.list, step{e.Type == typeSent, shownMessage{e.Peer, e.Boot, sender(e), id, e.Text, isLate(e)}})
}

// knowledge is how many messages of each sender are known, by its number.
type knowledge []int32

func (k knowledge) merge(o knowledge) {
	for i, n := range o {
		k[i] = max(k[i], n)
	}
}

// sending is a message with what its sender knew.
type sending struct {
	sender int
	number int32 // of the sender's, from 0
	knows  knowledge
	text   string
}

// Outcome goes through all processes at once, each as far as the senders of
// what it shows have been gone through.
func (c *causal) Outcome() Outcome {
	number := map[process]int{}
	for i, p := range c.order {
		number[p] = i
		c.processes[p].next = 0
	}
	r := &causalRun{c: c, messages: map[string]*sending{}, out: Outcome{}}
	for _, p := range c.order {
		r.readers = append(r.readers, &reader{sender: number[p], knows: make(knowledge, len(c.order)), seen: map[string]bool{}})
	}
	for r.round() {
	}
	return r.out
}

type causalRun struct {
	c        *causal
	messages map[string]*sending
	readers  []*reader
	out      Outcome
}

// reader is how far one process has come.
type reader struct {
	sender int
	sent   int32
	knows  knowledge // what it has sent and shown, and all that lies behind that
	seen   map[string]bool
	shown  []*sending // to find which effect came before its cause
}

// round goes on with all processes, and tells whether one could.
func (r *causalRun) round() bool {
	moved := false
	for i, p := range r.c.order {
		s := r.c.processes[p]
		for s.next < len(s.list) && r.take(r.readers[i], s.list[s.next]) {
			s.next++
			moved = true
		}
	}
	return moved
}

// take goes one step; false means that its cause has to come first.
func (r *causalRun) take(rd *reader, st step) bool {
	if st.sent {
		rd.knows[rd.sender] = rd.sent + 1
		knows := append(knowledge(nil), rd.knows...)
		knows[rd.sender] = rd.sent
		r.messages[st.id] = &sending{rd.sender, rd.sent, knows, st.text}
		rd.sent++
		return true
	}
	m := r.messages[st.id]
	switch {
	case m == nil:
		return !r.c.sent[st.id] // who sent it has recorded nothing: it is passed over
	case rd.seen[st.id]:
		return true // shown twice, which is another checker's business
	}
	rd.seen[st.id] = true
	r.out.Looked++
	if !st.late {
		if e := rd.effect(m); e != nil {
			r.out.Wrong = append(r.out.Wrong, fmt.Sprintf("%s showed %q of %s after %q, whose sender knew it", st.at, st.text, st.from, e.text))
		}
	}
	rd.knows.merge(m.knows)
	rd.knows[m.sender] = max(rd.knows[m.sender], m.number+1)
	rd.shown = append(rd.shown, m)
	return true
}

// effect is a message that was shown before, and that m is a cause of.
func (rd *reader) effect(m *sending) *sending {
	if rd.knows[m.sender] <= m.number {
		return nil
	}
	for _, e := range rd.shown {
		if e.knows[m.sender] > m.number {
			return e
		}
	}
	return nil
}
