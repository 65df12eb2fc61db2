package judge_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
)

func anything(*journal.Event) bool { return true }

// stored is a store in which a, boot 1, has recorded "stream text" lines.
func stored(t *testing.T, lines ...string) *judge.Store {
	t.Helper()
	s := judge.NewStore()
	s.Begin("a", 1)
	for i, l := range lines {
		stream, text, _ := strings.Cut(l, " ")
		if err := s.Add("a", journal.Event{Peer: "a", Boot: 1, Seq: uint64(i + 1), Type: stream, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestTheEndOfAJournalIsNotLost(t *testing.T) {
	for _, tt := range []struct {
		name     string
		recorded []uint64 // as the peer says, one time after another
		want     string   // the last one's error
	}{
		{"complete", []uint64{3}, ""},
		{"one is missing", []uint64{4}, "gap in a journal: journal of a, boot 1: it has recorded 4 events, and the last that came is 3"},
		{"one too many", []uint64{2}, "gap in a journal: journal of a, boot 1: it has recorded 2 events, and the last that came is 3"},
		{"no count", []uint64{0}, "gap in a journal: journal of a, boot 1: it has recorded 0 events, and the last that came is 3"},
		{"told once", []uint64{4, 4}, ""},
		{"late", []uint64{3, 3, 5}, "gap in a journal: journal of a, boot 1: it has recorded 5 events, and the last that came is 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stored(t, "x 1", "x 2", "x 3")
			var err error
			for _, n := range tt.recorded {
				err = s.Complete("a", n)
			}
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, judge.ErrGap) || err.Error() != tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			s.Begin("a", 2)
			if err := s.Complete("a", 0); err != nil {
				t.Errorf("a new boot: %v", err)
			}
		})
	}
	if err := judge.NewStore().Complete("nobody", 7); err != nil {
		t.Errorf("who has not begun: %v", err)
	}
}

func TestStoreTakesWhatComesNextOnly(t *testing.T) {
	type event struct {
		peer string
		boot int
		seq  uint64
	}
	tests := []struct {
		name   string
		begin  []int // boots of a, before the events
		events []event
		want   string // the last one's error
		is     error
		kept   int
	}{
		{"in order", []int{1}, []event{{"a", 1, 1}, {"a", 1, 2}}, "", nil, 2},
		{"no boot yet", nil, []event{{"a", 1, 1}}, "forged event: a, which runs as boot 0, sent an event of a, boot 1", judge.ErrForged, 0},
		{"somebody else's", []int{1}, []event{{"b", 1, 1}}, "forged event: a, which runs as boot 1, sent an event of b, boot 1", judge.ErrForged, 0},
		{"nobody's", []int{1}, []event{{"", 1, 1}}, "forged event: a, which runs as boot 1, sent an event of nobody, boot 1", judge.ErrForged, 0},
		{"an older boot", []int{1, 2}, []event{{"a", 1, 1}}, "forged event: a, which runs as boot 2, sent an event of a, boot 1", judge.ErrForged, 0},
		{"a boot that never started", []int{1}, []event{{"a", 2, 1}}, "forged event: a, which runs as boot 1, sent an event of a, boot 2", judge.ErrForged, 0},
		{"not from the first", []int{1}, []event{{"a", 1, 2}}, "gap in a journal: journal of a, boot 1: event 2 follows where 1 was due", judge.ErrGap, 1},
		{"left out", []int{1}, []event{{"a", 1, 1}, {"a", 1, 3}}, "gap in a journal: journal of a, boot 1: event 3 follows where 2 was due", judge.ErrGap, 2},
		{"twice", []int{1}, []event{{"a", 1, 1}, {"a", 1, 1}}, "gap in a journal: journal of a, boot 1: event 1 follows where 2 was due", judge.ErrGap, 2},
		{"told once", []int{1}, []event{{"a", 1, 2}, {"a", 1, 5}}, "", nil, 2},
		{"each boot begins at 1", []int{1, 2}, []event{{"a", 2, 1}}, "", nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := judge.NewStore()
			for _, b := range tt.begin {
				s.Begin("a", b)
			}
			var err error
			for _, e := range tt.events {
				err = s.Add("a", journal.Event{Peer: e.peer, Boot: e.boot, Seq: e.seq, Type: "x"})
			}
			if text := fmt.Sprint(err); err == nil && tt.want != "" || err != nil && text != tt.want || !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if n := s.Count("a", "x", anything, 0, -1); n != tt.kept || len(s.Events()) != tt.kept || s.Position("a") != tt.kept {
				t.Errorf("%d kept, %d in all, at %d; want %d", n, len(s.Events()), s.Position("a"), tt.kept)
			}
		})
	}
}

// A gap in one boot is told, though there was one in the boot before.
func TestEachBootHasItsOwnGap(t *testing.T) {
	s := judge.NewStore()
	for boot := 1; boot <= 2; boot++ {
		s.Begin("a", boot)
		if err := s.Add("a", journal.Event{Peer: "a", Boot: boot, Seq: 2}); !errors.Is(err, judge.ErrGap) {
			t.Errorf("boot %d: %v", boot, err)
		}
	}
}

func TestCount(t *testing.T) {
	s := stored(t, "x 1", "y 1", "x 2", "x 1", "y 2")
	one := func(e *journal.Event) bool { return e.Text == "1" }
	tests := []struct {
		peer, stream string
		match        judge.Match
		since, until int
		want         int
	}{
		{"a", "x", anything, 0, -1, 3},
		{"a", "x", one, 0, -1, 2},
		{"a", "x", anything, 1, -1, 2},
		{"a", "x", anything, 2, -1, 2},
		{"a", "x", anything, 3, -1, 1},
		{"a", "x", anything, 4, -1, 0},
		{"a", "x", anything, 0, 0, 0},
		{"a", "x", anything, 0, 1, 1},
		{"a", "x", anything, 0, 3, 2},
		{"a", "x", anything, 0, 4, 3},
		{"a", "x", anything, 1, 3, 1},
		{"a", "y", anything, 0, -1, 2},
		{"a", "z", anything, 0, -1, 0},
		{"b", "x", anything, 0, -1, 0},
	}
	for _, tt := range tests {
		if got := s.Count(tt.peer, tt.stream, tt.match, tt.since, tt.until); got != tt.want {
			t.Errorf("%s %s [%d, %d): %d, want %d", tt.peer, tt.stream, tt.since, tt.until, got, tt.want)
		}
	}
	if c := s.Cut(); len(c) != 1 || c["a"] != 5 {
		t.Errorf("cut %v", c)
	}
	if p := s.Position("b"); p != 0 {
		t.Errorf("b stands at %d", p)
	}
}

func TestLast(t *testing.T) {
	s := stored(t, "x 1", "y 1", "x 2", "x 3", "y 2")
	texts := func(es []journal.Event) string {
		var all []string
		for _, e := range es {
			all = append(all, e.Type+e.Text)
		}
		return strings.Join(all, " ")
	}
	for _, tt := range []struct {
		peer, stream string
		since, n     int
		want         string
	}{
		{"a", "x", 0, 2, "x2 x3"}, {"a", "", 0, 2, "x3 y2"}, {"a", "", 0, 9, "x1 y1 x2 x3 y2"},
		{"a", "y", 2, 9, "y2"}, {"a", "y", 1, 9, "y1 y2"}, {"b", "", 0, 9, ""},
	} {
		if got := texts(s.Last(tt.peer, tt.stream, tt.since, tt.n)); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func TestWatch(t *testing.T) {
	s := stored(t, "x 1", "x 2")
	calls := 0
	w := s.Watch("a", "x", func(e *journal.Event) bool { return e.Text != "2" }, 0, func() { calls++ })
	late := s.Watch("a", "x", anything, 3, nil)
	add := func(seq uint64, stream, text string) {
		if err := s.Add("a", journal.Event{Peer: "a", Boot: 1, Seq: seq, Type: stream, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	add(3, "x", "1")
	if w.Seen() != 2 || calls != 1 || late.Seen() != 0 {
		t.Errorf("after one more: %d seen, %d calls; late: %d", w.Seen(), calls, late.Seen())
	}
	add(4, "x", "2")
	add(5, "y", "1")
	if w.Seen() != 2 || calls != 1 || late.Seen() != 1 {
		t.Errorf("after others: %d seen, %d calls; late: %d", w.Seen(), calls, late.Seen())
	}
	s.Unwatch(w)
	add(6, "x", "1")
	if w.Seen() != 2 || calls != 1 || late.Seen() != 2 {
		t.Errorf("after the end: %d seen, %d calls; late: %d", w.Seen(), calls, late.Seen())
	}
}

func TestCompile(t *testing.T) {
	e := journal.Event{Text: "<bob> hello", Fields: map[string]any{"from": "bob", "late": false, "n": 3.0, "big": 1e21, "half": 0.5, "i": 7}}
	tests := []struct {
		name  string
		terms []language.Term
		want  bool
	}{
		{"no terms", nil, true},
		{"the whole text", []language.Term{{Kind: language.Exact, Text: "<bob> hello"}}, true},
		{"not the whole text", []language.Term{{Kind: language.Exact, Text: "hello"}}, false},
		{"expanded", []language.Term{{Kind: language.Exact, Text: "<SELF> hello"}}, true},
		{"expression", []language.Term{{Kind: language.Regexp, Text: "hel+o$"}}, true},
		{"other expression", []language.Term{{Kind: language.Regexp, Text: "^hello"}}, false},
		{"text field", []language.Term{{Kind: language.Field, Field: "from", Text: "bob"}}, true},
		{"other value", []language.Term{{Kind: language.Field, Field: "from", Text: "alice"}}, false},
		{"no such field", []language.Term{{Kind: language.Field, Field: "to", Text: ""}}, false},
		{"truth", []language.Term{{Kind: language.Field, Field: "late", Text: "false"}}, true},
		{"number", []language.Term{{Kind: language.Field, Field: "n", Text: "3"}}, true},
		{"large number", []language.Term{{Kind: language.Field, Field: "big", Text: "1000000000000000000000"}}, true},
		{"fraction", []language.Term{{Kind: language.Field, Field: "half", Text: "0.5"}}, true},
		{"whole number from memory", []language.Term{{Kind: language.Field, Field: "i", Text: "7"}}, true},
		{"all hold", []language.Term{{Kind: language.Field, Field: "from", Text: "bob"}, {Kind: language.Regexp, Text: "hello"}}, true},
		{"one does not", []language.Term{{Kind: language.Field, Field: "from", Text: "bob"}, {Kind: language.Regexp, Text: "hi"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := judge.Compile(language.Pattern{Terms: tt.terms}, func(s string) string { return strings.ReplaceAll(s, "SELF", "bob") })
			if err != nil || m(&e) != tt.want {
				t.Errorf("%v, %v", m(&e), err)
			}
		})
	}
	for _, bad := range []language.Term{{Kind: language.Regexp, Text: "("}, {Kind: 99}} {
		if _, err := judge.Compile(language.Pattern{Terms: []language.Term{bad}}, nil); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestClosest(t *testing.T) {
	s := stored(t, "chat hello", "chat help", "chat xhello", "chat hello", "view v", "chat zzz", "chat yyy")
	tests := []struct {
		name, peer, stream string
		since              int
		pattern            string
		n                  int
		want               []string
	}{
		{"the most like first", "a", "chat", 0, "hello", 3, []string{"2 x hello", "1 x xhello", "1 x help", "and 2 other texts"}},
		{"all of them", "a", "chat", 4, "zz", 3, []string{"1 x zzz", "1 x yyy"}},
		{"nothing since then", "a", "view", 5, "v", 3, []string{"nothing on view (1 before that); a recorded on: chat"}},
		{"never anything", "a", "member", 0, "v", 3, []string{"nothing on member; a recorded on: chat, view"}},
		{"nobody", "b", "chat", 0, "v", 3, []string{"nothing on chat; b recorded nothing at all"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.Closest(tt.peer, tt.stream, tt.since, tt.pattern, tt.n); !slices.Equal(got, tt.want) {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}
