package judge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
)

// seen is what a sees: "bob bob2:dead zoe:foreign".
func seen(members, chat string) testlink.Status {
	read := func(list string) []testlink.Node {
		all := []testlink.Node{}
		for _, f := range strings.Fields(list) {
			name, state, _ := strings.Cut(f, ":")
			n := testlink.Node{Name: name, State: state}
			if state == "foreign" {
				n.State, n.Foreign = "alive", true
			}
			all = append(all, n)
		}
		return all
	}
	s := testlink.Status{Ready: true, Self: testlink.Node{Name: "a", Addr: "127.0.0.1:1"}, Members: read(members), Present: map[string][]testlink.Node{}, Health: 2}
	if chat != "-" {
		s.Present["chat"] = read(chat)
	}
	return s
}

func TestHolds(t *testing.T) {
	with := func(s testlink.Status, change func(*testlink.Status)) testlink.Status {
		change(&s)
		return s
	}
	p := func(subject language.Subject, op language.Op) language.Predicate {
		return language.Predicate{Subject: subject, Op: op}
	}
	count := func(op language.Op, n int) language.Predicate {
		return language.Predicate{Subject: language.MembersCount, Op: op, N: n}
	}
	view := func(op language.Op, state language.State) language.Predicate {
		return language.Predicate{Subject: language.View, Op: op, State: state}
	}
	health := func(op language.Op, n int) language.Predicate {
		return language.Predicate{Subject: language.Health, Op: op, N: n}
	}
	eq, ne := language.Equal, language.NotEqual
	tests := []struct {
		name   string
		status testlink.Status
		p      language.Predicate
		want   string // names
		peer   string
		ok     bool
		seen   string
	}{
		{"members", seen("b", ""), p(language.Members, eq), "b a", "", true, "members: a b"},
		{"members, each once", seen("b b", ""), p(language.Members, eq), "b a a", "", true, "members: a b"},
		{"a suspect is a member", seen("b:suspect", ""), p(language.Members, eq), "a b", "", true, "members: a b"},
		{"dead, left and foreign ones are not", seen("b:dead c:left d:foreign", ""), p(language.Members, eq), "a", "", true, "members: a"},
		{"missing and too many", seen("b c", ""), p(language.Members, eq), "a c d", "", false, "members: a b c; missing: d; too many: b"},
		{"not equal", seen("b", ""), p(language.Members, ne), "a", "", true, "members: a b"},
		{"not equal, and is", seen("", ""), p(language.Members, ne), "a", "", false, "members: a"},
		{"it leaves", with(seen("b", ""), func(s *testlink.Status) { s.Closing = true }), p(language.Members, eq), "b", "", true, "members: b"},
		{"it is not there yet", testlink.Status{Self: testlink.Node{Name: "a"}}, p(language.Members, eq), "", "", true, "members: nobody"},
		{"it has an address", testlink.Status{Self: testlink.Node{Name: "a", Addr: "x"}}, p(language.Members, eq), "a", "", true, "members: a"},
		{"it is ready", testlink.Status{Ready: true, Self: testlink.Node{Name: "a"}}, p(language.Members, eq), "a", "", true, "members: a"},
		{"chat", seen("b c", "b"), p(language.Chat, eq), "a b", "", true, "chat: a b"},
		{"chat lacks", seen("b c", "b"), p(language.Chat, eq), "a b c", "", false, "chat: a b; missing: c"},
		{"chat is closed", seen("b c", "-"), p(language.Chat, eq), "a", "", false, "chat is closed; chat: nobody; missing: a"},
		{"nobody is in it", seen("b c", "-"), p(language.Chat, eq), "", "", true, "chat is closed; chat: nobody"},
		{"count", seen("b c", ""), count(language.AtLeast, 3), "", "", true, "3 members: a b c"},
		{"count is too low", seen("b c", ""), count(language.MoreThan, 3), "", "", false, "3 members: a b c"},
		{"alive", seen("b", ""), view(eq, language.Alive), "", "b", true, "view(b) is alive"},
		{"alive in words", seen("b:alive", ""), view(eq, language.Alive), "", "b", true, "view(b) is alive"},
		{"suspect", seen("b:suspect", ""), view(eq, language.Suspect), "", "b", true, "view(b) is suspect"},
		{"dead", seen("b:dead", ""), view(eq, language.Dead), "", "b", true, "view(b) is dead"},
		{"not dead", seen("b:dead", ""), view(ne, language.Dead), "", "b", false, "view(b) is dead"},
		{"left is absent", seen("b:left", ""), view(eq, language.Absent), "", "b", true, "view(b) is absent"},
		{"never known", seen("", ""), view(eq, language.Absent), "", "b", true, "view(b) is absent"},
		{"a foreign one of that name", seen("b:foreign", ""), view(eq, language.Absent), "", "b", true, "view(b) is absent"},
		{"an old boot is dead, a new one alive", seen("b:dead b", ""), view(eq, language.Alive), "", "b", true, "view(b) is alive"},
		{"the other way round", seen("b:alive b:dead", ""), view(eq, language.Dead), "", "b", false, "view(b) is alive"},
		{"left and suspect", seen("b:left b:suspect", ""), view(eq, language.Suspect), "", "b", true, "view(b) is suspect"},
		{"itself", seen("", ""), view(eq, language.Alive), "", "a", true, "view(a) is alive"},
		{"itself, not there yet", testlink.Status{Self: testlink.Node{Name: "a"}}, view(eq, language.Absent), "", "a", true, "view(a) is absent"},
		{"listed", seen("", ""), p(language.Bootstrap, eq), "", "x", true, "bootstrap lists x y"},
		{"not listed", seen("", ""), p(language.Bootstrap, eq), "", "z", false, "bootstrap lists x y"},
		{"not listed, as wanted", seen("", ""), p(language.Bootstrap, ne), "", "z", true, "bootstrap lists x y"},
		{"health", seen("", ""), health(language.AtMost, 2), "", "", true, "health is 2"},
		{"bad health", seen("", ""), health(language.AtMost, 1), "", "", false, "health is 2"},
		{"nothing of the kind", seen("", ""), p("colour", eq), "", "", false, `"colour" is nothing that a peer has`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := judge.State{Status: tt.status, Listed: []string{"y", "x"}}
			want := strings.Fields(tt.want)
			before := slices.Clone(want)
			ok, got := s.Holds(tt.p, want, tt.peer)
			if ok != tt.ok || got != tt.seen {
				t.Errorf("%v, %q", ok, got)
			}
			if !slices.Equal(want, before) {
				t.Errorf("the names were changed: %q", want)
			}
		})
	}
}

func TestManyNamesAreCounted(t *testing.T) {
	var names []string
	for i := range 21 {
		names = append(names, string(rune('b'+i)))
	}
	s := judge.State{Status: seen(strings.Join(names[:19], " "), "")}
	if _, got := s.Holds(language.Predicate{Subject: language.MembersCount}, nil, ""); got != "20 members: a "+strings.Join(names[:19], " ") {
		t.Errorf("%q", got)
	}
	s = judge.State{Status: seen(strings.Join(names, " "), "")}
	if _, got := s.Holds(language.Predicate{Subject: language.MembersCount}, nil, ""); got != "22 members: a "+strings.Join(names[:19], " ")+" and 2 more" {
		t.Errorf("%q", got)
	}
}
