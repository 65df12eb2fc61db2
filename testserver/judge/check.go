package judge

import (
	"fmt"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/language"
)

// Checker looks at the whole journal of a run, its own events among them, in
// the order in which they came.
type Checker interface {
	Add(e journal.Event)
	// Outcome is what holds until now. More events may follow.
	Outcome() Outcome
}

// Outcome is what a Checker has found.
type Outcome struct {
	Looked int      // how much there was to look at; with nothing, nothing is shown
	Wrong  []string // what is wrong, whatever comes
	Open   []string // what is wrong unless the events come that are missing
}

// NewChecker returns the checker of that name.
//
// Delivery: each message that a peer recorded as sent is shown by all to whom
// it is owed, and by each boot of them once. A message is owed no more when its
// sender or its receiver has ended since, has left the chat or the group, or
// was not there when it was sent: what is still under way then may be lost. It
// is waited for while a fault separates the two, or one of them is paused. A
// message that nobody recorded as sent is wrong too, unless the journal of its
// sender was cut off.
//
// Order: of one sender each boot of a receiver shows messages in the order in
// which they were sent, those that come late too.
//
// Causal: no boot of a peer shows a message after another one that was sent by
// somebody who had shown or sent the first. A cause that is marked late may
// follow its effect, for the reader is told.
//
// Membership: whoever is called dead by a peer had ended or been paused, or a
// fault had touched the two, or the peer itself had ended or been paused,
// within the 30 seconds before.
//
// What became of peers, and which faults there were, only the test server can
// say. Faults that a peer makes itself, with its own net commands, excuse
// nothing: scenarios use `fault`.
func NewChecker(what language.Checker) (Checker, error) {
	switch what {
	case language.CheckDelivery:
		return newDelivery(), nil
	case language.CheckOrder:
		return &order{}, nil
	case language.CheckCausal:
		return &causal{}, nil
	case language.CheckMembership:
		return &membership{h: newHistory()}, nil
	}
	return nil, fmt.Errorf("there is no checker %q", what)
}

// messageID is the name of the message that an event is about; empty for none.
func messageID(e journal.Event) string {
	id, _ := e.Fields["id"].(string)
	return id
}

func sender(e journal.Event) string {
	from, _ := e.Fields["from"].(string)
	return from
}

func isLate(e journal.Event) bool {
	late, _ := e.Fields["late"].(bool)
	return late
}

// list is a field that is a list of texts, from memory or from JSON.
func list(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		var all []string
		for _, one := range v {
			if s, is := one.(string); is {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}
