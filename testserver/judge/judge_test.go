package judge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/judge"
)

var start = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func at(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }

func node(name string) judge.Node {
	return judge.Node{Name: name, ID: "id-" + name, Boot: 1, Addr: "127.0.0.1:" + name}
}

func nodes(names string) []judge.Node {
	all := []judge.Node{}
	for _, n := range strings.Fields(names) {
		all = append(all, node(n))
	}
	return all
}

// sees is the status of a ready peer; chat "-" means that it is closed.
func sees(self, members, chat string) testlink.Status {
	s := testlink.Status{Ready: true, Self: node(self), Members: nodes(members), Present: map[string][]testlink.Node{}}
	if chat != "-" {
		s.Present["chat"] = nodes(chat)
	}
	return s
}

func TestConverged(t *testing.T) {
	type step = func(*judge.Judge)
	status := func(sec int, s testlink.Status) step {
		return func(j *judge.Judge) { j.Status(s.Self.Name, s, at(sec)) }
	}
	with := func(s testlink.Status, change func(*testlink.Status)) testlink.Status {
		change(&s)
		return s
	}
	two := []step{status(1, sees("a", "b", "b")), status(2, sees("b", "a", "a"))}
	tests := []struct {
		name    string
		steps   []step
		since   int // 0: not converged
		missing string
	}{
		{"nobody has said anything", nil, 0, "no peer is ready"},
		{"one alone", []step{status(3, sees("a", "", ""))}, 3, ""},
		{"two see each other", two, 2, ""},
		{"the same status again changes nothing", append(two, status(5, sees("b", "a", "a"))), 2, ""},
		{"one-sided", []step{status(1, sees("a", "b", "b")), status(2, sees("b", "", ""))}, 0, "b does not see a as a member"},
		{"chat is behind", []step{status(1, sees("a", "b", "")), status(2, sees("b", "a", "a"))}, 0, "a does not see b in the chat"},
		{"a closed chat is not expected", []step{status(1, sees("a", "b", "")), status(2, sees("b", "a", "-"))}, 2, ""},
		{"a closed chat that is still seen", []step{status(1, sees("a", "b", "b")), status(2, sees("b", "a", "-"))}, 0, "a sees b in the chat, which is not live"},
		{"init is done and ready is not said yet", []step{status(1, sees("a", "", "")), func(j *judge.Judge) { j.Inited("b", at(2)) }}, 0, "b is not ready"},
		{"gone and still seen", append(two, func(j *judge.Judge) { j.Gone("b", at(4)) }), 0, "a sees b as a member, which is not live"},
		{"gone and forgotten", append(two, func(j *judge.Judge) { j.Gone("b", at(4)) }, status(6, sees("a", "", ""))), 6, ""},
		{"leaving", append(two, func(j *judge.Judge) { j.Inited("b", at(3)) },
			status(4, with(sees("b", "a", "a"), func(s *testlink.Status) { s.Closing = true })), status(5, sees("a", "", ""))), 5, ""},
		{"an older boot", append(two, status(3, with(sees("b", "a", "a"), func(s *testlink.Status) { s.Self.Boot = 2 }))), 0,
			"a sees b as a member as boot 1 at 127.0.0.1:b, it is boot 2 at 127.0.0.1:b"},
		{"another address", append(two, status(3, with(sees("b", "a", "a"), func(s *testlink.Status) { s.Self.Addr = "127.0.0.1:9" }))), 0, "it is boot 1 at 127.0.0.1:9"},
		{"foreign nodes do not count", append(two, status(3, with(sees("a", "b", "b"), func(s *testlink.Status) {
			s.Members = append(s.Members, judge.Node{Name: "x", Foreign: true})
		}))), 2, ""},
		{"lost ones do not count", append(two, status(3, with(sees("a", "b", "b"), func(s *testlink.Status) {
			s.Members = append(s.Members, judge.Node{Name: "x", State: "lost"})
		}))), 2, ""},
		{"a suspicion starts the second anew", append(two, status(7, with(sees("a", "b", "b"), func(s *testlink.Status) {
			s.Members[0].State = "suspect"
		}))), 7, ""},
		{"a stranger", append(two, status(3, sees("a", "b x", "b"))), 0, "a sees x as a member, which is not live"},
		{"twice", append(two, status(3, sees("a", "b b", "b"))), 0, "a sees b twice as a member"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := judge.New([]string{"b", "a"})
			for _, s := range tt.steps {
				s(j)
			}
			since, ok := j.Converged()
			missing := j.Missing()
			if ok != (tt.since > 0) || ok != (missing == nil) {
				t.Fatalf("converged: %v; missing: %q", ok, missing)
			}
			if ok && !since.Equal(at(tt.since)) {
				t.Errorf("since %v, want %v", since, at(tt.since))
			}
			if !ok && !strings.Contains(strings.Join(missing, "\n"), tt.missing) {
				t.Errorf("missing %q, want %q", missing, tt.missing)
			}
		})
	}
}

func record(t *testing.T, j *judge.Judge, peer, stream string, lines ...string) {
	t.Helper()
	for i, l := range lines {
		if err := j.Record(peer, journal.Event{Peer: peer, Boot: 1, Seq: uint64(i + 1), Type: stream, Text: l}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilters(t *testing.T) {
	view := []string{"<bob> test", "<bob> testing", "<bob>  test", "<charly> test", "note: <bob> test"}
	tests := []struct {
		name    string
		filter  testlink.Filter
		seen    int
		decided bool
	}{
		{"beginning, both names of the stream", testlink.Filter{Stream: "messagesView", Count: 2, Pattern: "<bob> test"}, 2, true},
		{"whole", testlink.Filter{Stream: "view", Count: 1, Pattern: "<bob> testing"}, 1, true},
		{"zero is reached at once", testlink.Filter{Stream: "view", Count: 0, Pattern: "<dora>"}, 0, true},
		{"too few", testlink.Filter{Stream: "view", Count: 3, Pattern: "<bob> test"}, 2, false},
		{"too many", testlink.Filter{Stream: "view", Count: 1, Pattern: "<bob> test"}, 2, true},
		{"another stream", testlink.Filter{Stream: "chat", Count: 1, Pattern: "<bob> test"}, 0, false},
	}
	for _, tt := range tests {
		for _, first := range []bool{true, false} {
			t.Run(tt.name, func(t *testing.T) {
				j := judge.New([]string{"alice", "bob"})
				if !first {
					record(t, j, "alice", "view", view...)
				}
				n, err := j.AddFilter("alice", tt.filter)
				if err != nil {
					t.Fatal(err)
				}
				if first {
					record(t, j, "alice", "view", view...)
				}
				record(t, j, "bob", "view", "<bob> test")
				if f := j.Filters()[n]; f.Seen != tt.seen || j.Decided() != tt.decided {
					t.Errorf("seen %d, decided %v; want %d, %v", f.Seen, j.Decided(), tt.seen, tt.decided)
				}
				j.Gone("alice", start)
				if !j.Decided() {
					t.Error("a peer that is gone is waited for")
				}
			})
		}
	}
}

func TestAddFilterErrors(t *testing.T) {
	for _, f := range []testlink.Filter{{Stream: "view", Count: -1, Pattern: "x"}, {Count: 1, Pattern: "x"}, {Stream: "view", Count: 1}} {
		if _, err := judge.New([]string{"a"}).AddFilter("a", f); !errors.Is(err, judge.ErrFilter) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestClosest(t *testing.T) {
	j := judge.New([]string{"alice"})
	n, _ := j.AddFilter("alice", testlink.Filter{Stream: "messagesView", Count: 1, Pattern: "<bob> test"})
	if got := j.Closest(n, 2); !slices.Equal(got, []string{"alice recorded nothing at all"}) {
		t.Errorf("%q", got)
	}
	record(t, j, "alice", "log", "x")
	if got := j.Closest(n, 2); !slices.Equal(got, []string{"nothing on view; alice recorded on: log"}) {
		t.Errorf("%q", got)
	}
	record(t, j, "alice", "view", "<joined> bob", "<bob> tset", "<bob> tset", "x <bob> test", "zzz")
	want := []string{"1 x x <bob> test", "2 x <bob> tset", "and 2 other lines"}
	if got := j.Closest(n, 2); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLiesAndGaps(t *testing.T) {
	j := judge.New([]string{"alice", "bob"})
	if err := j.Record("alice", journal.Event{Peer: "bob", Boot: 1, Seq: 1}); err == nil {
		t.Error("alice spoke for bob")
	}
	record(t, j, "alice", "view", "1", "2")
	if err := j.Gaps(); err != nil {
		t.Error(err)
	}
	_ = j.Record("alice", journal.Event{Peer: "alice", Boot: 1, Seq: 4})
	if err := j.Gaps(); err == nil || !strings.Contains(err.Error(), "alice#1: event 4 follows where 3 was due") {
		t.Errorf("gap: %v", err)
	}
}

func TestMatrix(t *testing.T) {
	j := judge.New([]string{"a", "b", "c"})
	j.Status("a", sees("a", "b", ""), start)
	j.Gone("c", start)
	want := []string{"a: members b; chat nobody", "b: not ready", "c: gone"}
	if got := j.Matrix(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
