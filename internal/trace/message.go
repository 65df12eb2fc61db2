// Package trace answers questions about what journals say of the order of
// things: how two messages stand to each other, and what the whole looks like
// as a diagram of space and time.
//
// Everything is a function of events, of one peer's journal or of many. The
// package knows neither peers nor runs; what it cannot know from the events it
// was given it says to be unknown.
package trace

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/vclock"
)

// Sentinels of looking for a message.
var (
	// ErrNoMessage is matched when there is none like that.
	ErrNoMessage = errors.New("no such message")
	// ErrAmbiguous is matched when several are meant; the error lists them.
	ErrAmbiguous = errors.New("several messages are meant")
)

// Message is a message of the chat, as its sender's journal has it, or a
// receiver's.
type Message struct {
	ID   string // ID of the peer, boot of the member, number: unique
	From string // the sender's name
	Text string

	// Sent is the event of its sending. Where its clock is not known, Count
	// is 0 and all of the clock is dropped.
	Sent vclock.Event
}

// Short is its id with the sender's name in it: "bob/1/3".
func (m Message) Short() string {
	_, rest, _ := strings.Cut(m.ID, "/")
	return m.From + "/" + rest
}

// Messages finds the messages in a journal, each once, in the order in which
// they were sent or shown there. It stops at the first error.
func Messages(events iter.Seq2[journal.Event, error]) ([]Message, error) {
	var all []Message
	seen := map[string]bool{}
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		if m, ok := messageOf(e); ok && !seen[m.ID] {
			seen[m.ID] = true
			all = append(all, m)
		}
	}
	return all, nil
}

// messageOf returns the message that an event sends, or receives.
func messageOf(e journal.Event) (Message, bool) {
	m := Message{Text: e.Text}
	m.ID, _ = e.Fields["id"].(string)
	switch e.Type {
	case journal.TypeSent:
		m.From = e.Peer
		m.Sent = point(e)
	case journal.TypeChat:
		m.From, _ = e.Fields["from"].(string)
		m.Sent = sending(e, m.From)
	}
	return m, m.ID != "" && m.From != ""
}

// process is the name of a boot of a peer in clocks.
func process(peer string, boot int) string { return fmt.Sprintf("%s#%d", peer, boot) }

// point is an event of a journal as logical time has it.
func point(e journal.Event) vclock.Event {
	p := vclock.Event{Process: process(e.Peer, e.Boot), Count: e.Seq, Lamport: e.Lamport, Clock: vclock.Cut{Clock: e.Clock}}
	if e.Clock == nil {
		p.Clock.Dropped = 1
	}
	return p
}

// sending is the event of sending what e has received. The sender's boot is
// the last one in its clock: nobody knows of a later boot of himself.
func sending(e journal.Event, from string) vclock.Event {
	p := vclock.Event{Process: from, Clock: vclock.Cut{Dropped: 1}}
	c, ok := e.Sending()
	if !ok {
		return p
	}
	last := 0
	for _, t := range c {
		name, number, _ := strings.Cut(t.Process, "#")
		if boot, err := strconv.Atoi(number); err == nil && name == from && boot > last {
			last = boot
			p = vclock.Event{Process: t.Process, Count: t.Count, Clock: vclock.Cut{Clock: c}}
		}
	}
	return p
}

// Find returns the message that a person means: by its id, long or short; or
// by its text, or a part of it that no other text has, and then the latest
// with that text. ErrNoMessage and ErrAmbiguous tell why it cannot.
func Find(all []Message, what string) (Message, error) {
	for _, match := range []func(Message) bool{
		func(m Message) bool { return m.ID == what || m.Short() == what },
		func(m Message) bool { return m.Text == what },
		func(m Message) bool { return what != "" && strings.Contains(m.Text, what) },
	} {
		if found := latest(all, match); len(found) == 1 {
			return found[0], nil
		} else if len(found) > 1 {
			return Message{}, ambiguous(what, found)
		}
	}
	return Message{}, fmt.Errorf("%w: %q is neither an id nor a text here", ErrNoMessage, what)
}

// latest returns the matching messages, of each text of each sender the last
// one.
func latest(all []Message, match func(Message) bool) []Message {
	var found []Message
	for _, m := range slices.Backward(all) {
		twin := func(o Message) bool { return o.From == m.From && o.Text == m.Text }
		if match(m) && !slices.ContainsFunc(found, twin) {
			found = append(found, m)
		}
	}
	slices.Reverse(found)
	return found
}

// shown is how many candidates an error lists.
const shown = 5

func ambiguous(what string, found []Message) error {
	var names []string
	for _, m := range found[:min(shown, len(found))] {
		names = append(names, fmt.Sprintf("%s %q", m.Short(), m.Text))
	}
	more := ""
	if n := len(found) - shown; n > 0 {
		more = fmt.Sprintf(", and %d more", n)
	}
	return fmt.Errorf("%w by %q: %s%s; give one by its id", ErrAmbiguous, what, strings.Join(names, ", "), more)
}
