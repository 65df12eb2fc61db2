package judge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

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

func TestViewsConverged(t *testing.T) {
	type step = func(*judge.Views)
	status := func(sec int, s testlink.Status) step {
		return func(v *judge.Views) { v.Status(s.Self.Name, s, at(sec)) }
	}
	stand := func(sec int, name string, s judge.Standing) step {
		return func(v *judge.Views) { v.Stand(name, s, at(sec)) }
	}
	with := func(s testlink.Status, change func(*testlink.Status)) testlink.Status {
		change(&s)
		return s
	}
	runs := judge.Standing{Running: true}
	two := []step{stand(1, "a", runs), stand(1, "b", runs), status(1, sees("a", "b", "b")), status(2, sees("b", "a", "a"))}
	and := func(more ...step) []step { return append(slices.Clone(two), more...) }
	three := and(stand(1, "c", runs), status(3, sees("c", "", "")))
	tests := []struct {
		name    string
		steps   []step
		group   []string
		since   int // 0: not converged
		missing []string
	}{
		{"nobody has said anything", nil, nil, 0, []string{"no peer is ready"}},
		{"nobody is ready", []step{stand(1, "a", runs)}, nil, 0, []string{"no peer is ready"}},
		{"one alone", []step{stand(1, "a", runs), status(3, sees("a", "", ""))}, nil, 3, nil},
		{"two see each other", two, nil, 2, nil},
		{"the same status again changes nothing", and(status(5, sees("b", "a", "a"))), nil, 2, nil},
		{"the same standing changes nothing", and(stand(5, "a", runs)), nil, 2, nil},
		{"one does not run", and(stand(4, "b", judge.Standing{})), nil, 0,
			[]string{"a sees b as a member, which is not live", "a sees b in the chat, which is not live"}},
		{"one has ended and is forgotten", and(stand(4, "b", judge.Standing{}), status(6, sees("a", "", ""))), nil, 6, nil},
		{"a new boot has not said anything", and(stand(4, "b", judge.Standing{}), stand(5, "b", runs)), nil, 0,
			[]string{"a sees b as a member, which is not live", "a sees b in the chat, which is not live"}},
		{"a new boot has done init", and(stand(4, "b", judge.Standing{}), stand(5, "b", judge.Standing{Running: true, Inited: true})), nil, 0,
			[]string{"a sees b as a member as boot 1 at 127.0.0.1:b, it is boot 0 at ", "a sees b in the chat, which is not live", "b is not ready"}},
		{"one is paused", and(stand(4, "b", judge.Standing{Running: true, Paused: true}), status(6, sees("a", "", ""))), nil, 6, nil},
		{"one goes on", and(stand(4, "b", judge.Standing{Running: true, Paused: true}), stand(6, "b", runs)), nil, 6, nil},
		{"one-sided", and(status(4, sees("b", "", ""))), nil, 0, []string{"b does not see a as a member", "b does not see a in the chat"}},
		{"chat is behind", and(status(4, sees("a", "b", ""))), nil, 0, []string{"a does not see b in the chat"}},
		{"a closed chat is not expected", and(status(4, sees("a", "b", "")), status(5, sees("b", "a", "-"))), nil, 5, nil},
		{"a closed chat that is still seen", and(status(5, sees("b", "a", "-"))), nil, 0, []string{"a sees b in the chat, which is not live"}},
		{"leaving", and(status(4, with(sees("b", "a", "a"), func(s *testlink.Status) { s.Closing = true })), status(5, sees("a", "", ""))), nil, 5, nil},
		{"an older boot", and(status(3, with(sees("b", "a", "a"), func(s *testlink.Status) { s.Self.Boot = 2 }))), nil, 0,
			[]string{"a sees b as a member as boot 1 at 127.0.0.1:b, it is boot 2 at 127.0.0.1:b", "a sees b in the chat as boot 1 at 127.0.0.1:b, it is boot 2 at 127.0.0.1:b"}},
		{"another address", and(status(3, with(sees("b", "a", "a"), func(s *testlink.Status) { s.Self.Addr = "127.0.0.1:9" }))), nil, 0,
			[]string{"a sees b as a member as boot 1 at 127.0.0.1:b, it is boot 1 at 127.0.0.1:9", "a sees b in the chat as boot 1 at 127.0.0.1:b, it is boot 1 at 127.0.0.1:9"}},
		{"foreign nodes do not count", and(status(3, with(sees("a", "b", "b"), func(s *testlink.Status) {
			s.Members = append(s.Members, judge.Node{Name: "x", Foreign: true})
		}))), nil, 2, nil},
		{"dead ones do not count", and(status(3, with(sees("a", "b", "b"), func(s *testlink.Status) {
			s.Members = append(s.Members, judge.Node{Name: "x", State: "dead"})
		}))), nil, 2, nil},
		{"a suspicion starts the second anew", and(status(7, with(sees("a", "b", "b"), func(s *testlink.Status) { s.Members[0].State = "suspect" }))), nil, 7, nil},
		{"a stranger", and(status(3, sees("a", "b x", "b"))), nil, 0, []string{"a sees x as a member, which is not live"}},
		{"twice", and(status(3, sees("a", "b b", "b"))), nil, 0, []string{"a sees b twice as a member"}},
		{"a group without the others", three, []string{"a", "b"}, 2, nil},
		{"the others of it", three, []string{"c"}, 3, nil},
		{"a group that is too small", three, []string{"a"}, 0, []string{"a sees b as a member, which is not live", "a sees b in the chat, which is not live"}},
		{"all of them", three, nil, 0, []string{
			"a does not see c as a member", "a does not see c in the chat", "b does not see c as a member", "b does not see c in the chat",
			"c does not see a as a member", "c does not see b as a member", "c does not see a in the chat", "c does not see b in the chat"}},
		{"a group of nobody", two, []string{"z"}, 0, []string{"no peer is ready"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judge.NewViews()
			for _, s := range tt.steps {
				s(v)
			}
			since, ok := v.Converged(tt.group)
			missing := v.Missing(tt.group)
			if ok != (tt.since > 0) || !slices.Equal(missing, tt.missing) {
				t.Fatalf("converged: %v; missing: %q", ok, missing)
			}
			if want := at(tt.since); ok && !since.Equal(want) || !ok && !since.Equal(time.Time{}) {
				t.Errorf("since %v, want %v", since, want)
			}
		})
	}
}

func TestViewsVersion(t *testing.T) {
	v := judge.NewViews()
	steps := []struct {
		do      func()
		changes bool
	}{
		{func() { v.Stand("a", judge.Standing{Running: true}, at(1)) }, true},
		{func() { v.Stand("a", judge.Standing{Running: true}, at(2)) }, false},
		{func() { v.Status("a", sees("a", "", ""), at(3)) }, true},
		{func() { v.Status("a", sees("a", "", ""), at(4)) }, false},
		{func() { v.Stand("a", judge.Standing{}, at(5)) }, true},
	}
	for i, s := range steps {
		before := v.Version()
		s.do()
		if (v.Version() != before) != s.changes {
			t.Errorf("step %d: version %d after %d", i, v.Version(), before)
		}
	}
	if got := v.Live(nil); got != nil {
		t.Errorf("live: %q", got)
	}
}

func TestLive(t *testing.T) {
	v := judge.NewViews()
	for _, name := range []string{"c", "a", "b"} {
		v.Stand(name, judge.Standing{Running: true, Inited: true}, at(1))
	}
	if got := v.Live(nil); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("live: %q", got)
	}
	if got := v.Live([]string{"c", "b"}); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("live of a group: %q", got)
	}
}
