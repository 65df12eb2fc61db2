package suite_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/suite"
)

func parse(t *testing.T, source string) *language.Script {
	t.Helper()
	s, err := language.Parse("x.cmd", []byte(source))
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	return s
}

// says are the statements of a script in order, with the depth of their block.
func says(s *language.Script) string {
	var b strings.Builder
	b.WriteString(strings.Join(s.Peers, " ") + "\n" + s.Timeout.String() + "\n")
	var all func(body []language.Statement, indent string)
	all = func(body []language.Statement, indent string) {
		for _, st := range body {
			b.WriteString(indent + st.String() + strings.Repeat(" (inserted)", btoi(st.Inserted)) + "\n")
			all(st.Body, indent+"  ")
		}
	}
	all(s.Body, "")
	b.WriteString("cleanup\n")
	all(s.Cleanup, "")
	for _, g := range s.Groups {
		b.WriteString("group " + g.Name + strings.Join(g.Peers, ",") + "\n")
	}
	for _, f := range s.Files {
		b.WriteString(f.Name + ": " + string(f.Data) + "\n")
	}
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestSource writes every scenario that the project has down, and reads it
// again.
func TestSource(t *testing.T) {
	tried := 0
	try := func(name, source string) {
		s, err := language.Parse(name, []byte(source))
		if err != nil {
			return // made to be wrong
		}
		tried++
		again, err := language.Parse(name, []byte(suite.Source(s)))
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, suite.Source(s))
			return
		}
		if got, want := says(again), says(s); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		if s.Original != again.Original {
			t.Errorf("%s is in another form", name)
		}
	}
	for _, pattern := range []string{"../../scripts/scenario/*.cmd", "../language/testdata/golden/*.txtar", "../coordinator/testdata/*/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			try(file, string(data))
			for _, f := range txtar.Parse(data).Files {
				try(file+"/"+f.Name, string(f.Data))
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d scenarios were tried", tried)
	}
}

// has tells whether a script has all of these lines, whatever else there is.
func has(s *language.Script, lines ...string) bool {
	text := says(s)
	for _, l := range lines {
		if !strings.Contains(text, l+"\n") {
			return false
		}
	}
	return true
}

func TestShrink(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		same   func(*language.Script) bool
		want   string
		atMost int // how often it may ask
	}{
		"one line of many": {
			source: "peers alice bob charly\ntimeout 3s\nphase \"a\"\nall init\nawait converged\nphase \"b\"\n# why\nalice msg x\nbob expect chat \"x\"\ncharly sleep 1\nbob stable members.count == 3 for 1s\ncleanup { all quit }\n",
			same:   func(s *language.Script) bool { return has(s, `bob expect chat "x"`) },
			want:   "peers bob\ntimeout 3s\n\nbob expect chat \"x\"\n", atMost: 20,
		},
		"two that need each other": {
			source: "peers p[1..50]\nall init\np1 msg x\np[1..50] msg y\np7,p9 expect chat \"y\"\nphase \"end\"\n",
			same: func(s *language.Script) bool {
				return strings.Contains(says(s), "init") && strings.Contains(says(s), "p7 expect")
			},
			want: "peers p7\n\nall init\np7 expect chat \"y\"\n", atMost: 60,
		},
		"a block goes and leaves what is in it": {
			source: "peers alice bob\nrepeat 5 {\n  fault partition alice | bob {\n    par {\n      alice msg x\n      bob msg y\n    }\n  }\n}\n",
			same:   func(s *language.Script) bool { return strings.Contains(says(s), "alice msg x") },
			want:   "peers alice\n\nalice msg x\n", atMost: 20,
		},
		"a block that is needed stays": {
			source: "peers alice bob charly\nfault partition alice | bob,charly {\n  charly sleep 1\n  alice msg x\n}\nheal\n",
			same: func(s *language.Script) bool {
				return strings.Contains(says(s), "fault") && strings.Contains(says(s), "\n  alice msg x")
			},
			want: "peers alice bob\n\nfault partition alice | bob {\n  alice msg x\n}\n", atMost: 20,
		},
		"variables, groups, files, backgrounds": {
			source: "peers alice bob\ngroup g = alice,bob\ngroup h = bob\nlet x = alice members\nlet y = bob members\nbg load: repeat 3 {\n  bob msg a\n  alice msg b\n}\ng echo $x\njoin load within 3s\n-- a.txt --\nA\n-- b.txt --\nB\n",
			same: func(s *language.Script) bool {
				return strings.Contains(says(s), "echo $x") && strings.Contains(says(s), "bg load: repeat 3") && strings.Contains(says(s), "alice msg b") && strings.Contains(says(s), "b.txt")
			},
			want: "peers alice\ngroup g = alice\n\nlet x = alice members\nbg load: repeat 3 {\n  alice msg b\n}\ng echo $x\n-- b.txt --\nB\n", atMost: 60,
		},
		"the original form": {
			source: "alice init\nbob init\ncharly init\nalice testfilter messagesView 1 <bob> hi\nalice testfilter messagesView 1 <charly> hi\nbob msg charly\ncharly msg hi\n",
			same:   func(s *language.Script) bool { return has(s, "bob msg charly", "alice init") },
			want:   "alice init\nbob msg charly\n", atMost: 20,
		},
		"nothing goes": {
			source: "peers alice\nalice init\nalice members\n",
			same:   func(s *language.Script) bool { return has(s, "alice init", "alice members") },
			want:   "peers alice\n\nalice init\nalice members\n", atMost: 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := map[string]bool{}
			s := parse(t, c.source)
			got := suite.Shrink(t.Context(), s, func(s *language.Script) bool {
				if asked[s.Source] {
					t.Errorf("asked twice about\n%s", s.Source)
				}
				asked[s.Source] = true
				return c.same(s)
			})
			if text := suite.Source(got); text != c.want {
				t.Errorf("got\n%s\nwant\n%s", text, c.want)
			}
			if len(asked) > c.atMost {
				t.Errorf("asked %d times, at most %d are enough", len(asked), c.atMost)
			}
			if fresh := parse(t, c.source); says(fresh) != says(s) {
				t.Errorf("the script itself was changed:\n%s", says(s))
			}
		})
	}
}

// TestShrinkStops asks no more when its time is over, and does not trust the
// answer that it got then.
func TestShrinkStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	s := parse(t, "peers alice\nalice a\nalice b\nalice c\nalice d\nalice e\nalice f\nalice g\nalice h\n")
	got := suite.Shrink(ctx, s, func(s *language.Script) bool {
		if asked++; asked == 3 {
			cancel()
		}
		return has(s, "alice a")
	})
	if asked != 3 || suite.Source(got) != "peers alice\n\nalice a\nalice b\nalice c\nalice d\n" {
		t.Errorf("asked %d times, left is\n%s", asked, suite.Source(got))
	}
}

func TestSymptom(t *testing.T) {
	failed := func(text, wrong string) *report.Result {
		return &report.Result{Verdict: report.Failed, Rows: []report.Row{
			{Kind: report.KindCommand, Text: "all init", Status: report.OK},
			{Kind: report.KindAssert, Text: text, Wrong: wrong, Status: report.Fail},
			{Kind: report.KindAssert, Text: "later", Status: report.Fail},
		}}
	}
	peers := []string{"alice", "bob", "charly", "p1", "p2", "p3"}
	base := suite.Symptom(failed(`alice,bob expect chat "x" count == 2`, "bob: seen 1, expected 2 within 5s, since x.cmd:12"), peers)
	if !strings.Contains(base, "expect chat") || strings.Contains(base, "bob") {
		t.Errorf("symptom %q", base)
	}
	for name, c := range map[string]struct {
		r    *report.Result
		same bool
	}{
		"fewer peers, another time and place": {failed(`alice expect chat "x" count == 2`, "alice: seen 1, expected 2 within 4.99s, since y.cmd:3"), true},
		"a range":                             {failed(`p[1..3] expect chat "x" count == 2`, "p2: seen 1, expected 2 within 5s, since x.cmd:12"), true},
		"another count":                       {failed(`alice expect chat "x" count == 2`, "alice: seen 3, expected 2 within 5s, since x.cmd:12"), false},
		"another statement":                   {failed(`alice expect chat "y" count == 2`, "alice: seen 1, expected 2 within 5s, since x.cmd:12"), false},
		"a problem":                           {&report.Result{Verdict: report.Failed, Problems: []report.Problem{{Text: "bob ended unexpectedly"}}}, false},
		"passed":                              {&report.Result{Verdict: report.Passed}, false},
		"failed by passing":                   {&report.Result{Verdict: report.Failed}, false},
		"interrupted": {func() *report.Result {
			r := failed(`alice,bob expect chat "x" count == 2`, "bob: seen 1, expected 2 within 5s, since x.cmd:12")
			r.Verdict = report.Interrupted
			return r
		}(), false},
	} {
		if got := suite.Symptom(c.r, peers); (got == base) != c.same {
			t.Errorf("%s: %q against %q", name, got, base)
		}
	}
	one := suite.Symptom(&report.Result{Verdict: report.Failed, Problems: []report.Problem{{Text: "bob ended unexpectedly: signal: killed"}}}, peers)
	if one != "problem: _ ended unexpectedly: signal: killed" {
		t.Errorf("%q", one)
	}
}
