package trace

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/internal/vclock"
)

// Relation is how the sendings of two messages stand to each other, and why.
type Relation struct {
	Order  vclock.Order
	Reason string // one line
}

// Relate tells whether message a was sent before message b was, in the sense
// of what could have caused what.
func Relate(a, b Message) Relation {
	if o := sameSender(a, b); o != vclock.Unknown {
		return Relation{o, fmt.Sprintf("both are of %s, who numbered them %s and %s", a.From, number(a), number(b))}
	}
	for _, m := range []Message{a, b} {
		if m.Sent.Count == 0 {
			return Relation{vclock.Unknown, fmt.Sprintf("the clock with which %q was sent is not known here", m.Text)}
		}
	}
	o := vclock.Relate(a.Sent, b.Sent)
	switch o {
	case vclock.Before:
		return Relation{o, knew(b, a)}
	case vclock.After:
		return Relation{o, knew(a, b)}
	case vclock.Concurrent:
		return Relation{o, knew(b, a) + "; " + knew(a, b)}
	}
	return Relation{o, "clocks of that time are not whole here: too many peers were known"}
}

// knew says what the sender of m knew of another message's sender.
func knew(m, other Message) string {
	p := other.Sent.Process
	return fmt.Sprintf("%s knew %d events of %s when it sent %q, and %q is number %d of them",
		m.Sent.Process, m.Sent.Clock.Clock.Count(p), p, m.Text, other.Text, other.Sent.Count)
}

// sameSender orders messages of one sender, by their ids alone.
func sameSender(a, b Message) vclock.Order {
	ida, boota, na, oka := split(a.ID)
	idb, bootb, nb, okb := split(b.ID)
	switch {
	case !oka || !okb || ida != idb:
		return vclock.Unknown
	case boota == bootb && na == nb:
		return vclock.Equal
	case boota < bootb || boota == bootb && na < nb:
		return vclock.Before
	}
	return vclock.After
}

// split takes an id apart.
func split(id string) (peer string, boot, n uint64, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 {
		return "", 0, 0, false
	}
	boot, err := strconv.ParseUint(parts[1], 10, 64)
	n, err2 := strconv.ParseUint(parts[2], 10, 64)
	return parts[0], boot, n, err == nil && err2 == nil
}

// number is what tells the messages of one sender apart.
func number(m Message) string {
	_, rest, _ := strings.Cut(m.ID, "/")
	return rest
}
