package judge_test

import (
	"slices"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/language"
)

// said is an event of a peer about a message.
func said(peer, kind, text string, fields map[string]any) journal.Event {
	return journal.Event{V: 1, Time: at(2), Peer: peer, Boot: 1, Seq: 1, Type: kind, Text: text, Fields: fields}
}

// What is shown has to be what was sent, whichever of the two is known first.
func TestDeliveryFindsWhatWasChanged(t *testing.T) {
	sent := said("a", "sent", "hello", map[string]any{"id": "1", "to": []string{"b"}})
	shown := func(text, from string) journal.Event {
		return said("b", "chat", text, map[string]any{"id": "1", "from": from})
	}
	tests := []struct {
		name   string
		events []journal.Event
		wrong  []string
	}{
		{"as it was", []journal.Event{sent, shown("hello", "a")}, nil},
		{"as it was, known first", []journal.Event{shown("hello", "a"), sent}, nil},
		{"another text", []journal.Event{sent, shown("hullo", "a")}, []string{`b showed "hullo" of a, which was sent as "hello" of a`}},
		{"another sender", []journal.Event{sent, shown("hello", "c")}, []string{`b showed "hello" of c, which was sent as "hello" of a`}},
		{"another text, known first", []journal.Event{shown("hullo", "a"), sent}, []string{`b showed "hullo" of a, which was sent as "hello" of a`}},
		{"another sender, known first", []journal.Event{shown("hello", "c"), sent}, []string{`b showed "hello" of c, which was sent as "hello" of a`}},
		{"the same message twice", []journal.Event{sent, said("a", "sent", "again", map[string]any{"id": "1", "to": []string{"c"}}), shown("hello", "a")},
			[]string{`a has recorded "again" as sent, as the same message as "hello" of a`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := checker(t, language.CheckDelivery)
			for _, e := range append(journalOf(t, "0 start a\n0 start b\n0 start c"), tt.events...) {
				c.Add(e)
			}
			if o := c.Outcome(); !slices.Equal(o.Wrong, tt.wrong) || o.Open != nil || o.Looked != 1+len(tt.wrong) {
				t.Errorf("looked at %d, wrong %q, open %q", o.Looked, o.Wrong, o.Open)
			}
		})
	}
}

// What only the test server can know, only the test server can say: a peer
// that claims it excuses nothing.
func TestPeersCannotSpeakForTheTestServer(t *testing.T) {
	claims := map[string]journal.Event{
		"an end":                     said("b", "life", "kill b", nil),
		"a pause":                    said("b", "life", "pause b", nil),
		"a fault":                    said("b", "net", "partition", map[string]any{"fault": 1.0, "state": "set", "links": []string{"a>b"}, "cuts": []string{"a>b"}}),
		"a leave that is no command": said("b", "chat", "quit", nil),
		"a fault of another type":    {V: 1, Time: at(2), Peer: "testserver", Boot: 1, Seq: 9, Type: "script", Text: "x", Fields: map[string]any{"fault": 1.0, "state": "set", "cuts": []string{"a>b"}}},
	}
	for name, claim := range claims {
		t.Run(name, func(t *testing.T) {
			c := checker(t, language.CheckDelivery)
			for _, e := range append(journalOf(t, "0 start a\n0 start b\n1 a sends a1 to b"), claim) {
				c.Add(e)
			}
			if o := c.Outcome(); len(o.Open) != 1 {
				t.Errorf("excused: %q", o.Open)
			}
			c = checker(t, language.CheckMembership)
			for _, e := range append(journalOf(t, "0 start a\n0 start b"), claim, said("a", "member", "dead b", nil)) {
				c.Add(e)
			}
			if o := c.Outcome(); len(o.Wrong) != 1 {
				t.Errorf("excused: %q", o.Wrong)
			}
		})
	}
}

// More of what the checkers have to tell from each other.
func TestCheckersAtTheEdges(t *testing.T) {
	const three = "0 start a\n0 start b\n0 start c\n"
	const false30 = "a called b dead, which ran, with no fault between them in the 30s before"
	tests := []struct {
		name    string
		what    language.Checker
		journal string
		wrong   []string
		open    []string
	}{
		{"several from nowhere are in order", language.CheckDelivery, three + "1 a sends a1\n2 c shows a3\n2 b shows a2\n2 b shows a4",
			nil, []string{`b showed "a2", which a has not recorded as sent`, `b showed "a4", which a has not recorded as sent`, `c showed "a3", which a has not recorded as sent`}},
		{"of one boot of two", language.CheckDelivery, three + "1 gone a\n2 start a\n3 a sends a1\n4 b shows a9", nil, nil},
		{"ended while paused", language.CheckDelivery, three + "1 pause b\n2 gone b\n3 start b\n4 a sends a1 to b", nil, []string{`b has not shown "a1" of a`}},
		{"an end that is noted twice", language.CheckMembership, three + "20 kill b\n40 gone b\n40.5 start b\n65 a says dead b", []string{false30}, nil},
		{"a fault one way, the other one", language.CheckMembership, three + "50 slow 1 a b\n99 a says dead b", nil, nil},
		{"what one boot sent does not count for the next", language.CheckCausal, three + "1 a sends a1\n2 b shows a1\n2 gone b\n2 start b\n2 b sends b1\n3 c shows b1\n3 c shows a1", nil, nil},
		{"own messages are causes", language.CheckCausal, three + "1 a sends a1\n2 a sends a2\n3 b shows a2\n3 b sends b1\n4 c shows b1\n5 c shows a2\n", []string{`c showed "a2" of a after "b1", whose sender knew it`}, nil},
		{"of three of one sender", language.CheckCausal, three + "1 a sends a1\n1 a sends a2\n1 a sends a3\n2 b shows a1\n2 b shows a3\n2 b shows a2", []string{`b showed "a2" of a after "a3", whose sender knew it`}, nil},
		{"other events are no steps", language.CheckCausal, three + "1 a sends a1\n1 b says joined a\n2 b shows a1\n3 b does msg\n3 b sends b1\n4 c shows a1\n4 c shows b1", nil, nil},
	}
	for _, tt := range tests {
		t.Run(string(tt.what)+"/"+tt.name, func(t *testing.T) {
			c := checker(t, tt.what)
			for _, e := range journalOf(t, tt.journal) {
				c.Add(e)
			}
			if o := c.Outcome(); !slices.Equal(o.Wrong, tt.wrong) || !slices.Equal(o.Open, tt.open) {
				t.Errorf("wrong %q, open %q", o.Wrong, o.Open)
			}
		})
	}
}
