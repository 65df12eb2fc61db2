package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Statements that no file can have, because the parser is against them: what
// feeds a run may be made by hand. Each fails with a reason, or has its
// defaults.
func TestStatementsMadeByHand(t *testing.T) {
	named := func(name string) language.Targets {
		return language.Targets{Text: name, Terms: []language.Target{{Kind: language.Named, Name: name}}}
	}
	one := func(target language.Target) language.Targets {
		return language.Targets{Text: "?", Terms: []language.Target{target}}
	}
	alice, nobody, zoe := named("alice"), language.Targets{Text: "?"}, named("zoe")
	anyOfZoe := one(language.Target{Kind: language.Any, N: 1, Of: &zoe})
	othersOfZoe := one(language.Target{Kind: language.Others, Of: &zoe})
	broken := language.Term{Kind: language.Regexp, Text: "("}
	odd := language.Pattern{Text: "/(/", Terms: []language.Term{broken}}
	member := language.Predicate{Text: "members == zoe", Subject: language.Members, Names: zoe}
	const (
		isNobody  = "nobody to ask: ? is nobody"
		noZoe     = "zoe does not run yet: spawn it first"
		noPattern = "FAILED: /(/ is no regular expression: error parsing regexp: missing closing ): `(`"
		noRegexp  = "FAILED: /(/ is no regular expression: error parsing regexp: missing closing ): `(?m)(`"
	)
	tests := []struct {
		name string
		do   language.Action
		want string
	}{
		{"no last command", language.Output{Pattern: language.Term{Text: "x"}}, "FAILED: there is no last command"},
		{"a command", language.Command{Targets: alice, Line: "echo x"}, "OK: "},
		{"output that cannot be compiled", language.Output{Pattern: broken}, noRegexp},
		{"command of nobody", language.Command{Targets: nobody, Line: "echo x"}, "FAILED: " + isNobody},
		{"expect of nobody", language.Expect{Targets: nobody, Stream: "view"}, "FAILED: " + isNobody},
		{"expect without a count, in vain", language.Expect{Targets: alice, Stream: "view"}, "FAILED: alice: expected count >= 1, seen 0"},
		{"expect without a count", language.Expect{Targets: alice, Stream: "command"}, "OK: "},
		{"expect that cannot be compiled", language.Expect{Targets: alice, Stream: "view", Pattern: odd}, noPattern},
		{"never that cannot be compiled", language.Never{Targets: alice, Stream: "view", Pattern: odd}, noPattern},
		{"never of somebody unknown", language.Never{Targets: zoe, Stream: "view"}, "FAILED: " + noZoe},
		{"await of somebody unknown", language.Await{Targets: zoe}, "FAILED: " + noZoe},
		{"await that names somebody unknown", language.Await{Targets: alice, Predicate: member}, "FAILED: " + noZoe},
		{"stable of somebody unknown", language.Stable{Targets: zoe}, "FAILED: " + noZoe},
		{"stable that names somebody unknown", language.Stable{Targets: alice, Predicate: member}, "FAILED: " + noZoe},
		{"converged of somebody unknown", language.Converged{Group: &zoe}, "FAILED: " + noZoe},
		{"an unknown checker", language.Check{What: "spelling"}, "FAILED: there is no checker \"spelling\""},
		{"join of nothing", language.Join{Name: "x"}, "FAILED: nothing called x was begun in the background"},
		{"for each of nobody", language.For{Var: "x", Targets: nobody}, "FAILED: " + isNobody},
		{"an unknown group", language.Command{Targets: one(language.Target{Kind: language.Grouped, Name: "db"})}, "FAILED: there is no group db"},
		{"an unknown target", language.Command{Targets: one(language.Target{Kind: 77})}, "FAILED: a target of kind 77 is none"},
		{"any of somebody unknown", language.Command{Targets: anyOfZoe}, "FAILED: " + noZoe},
		{"others of somebody unknown", language.Command{Targets: othersOfZoe}, "FAILED: " + noZoe},
		{"others of all", language.Command{Targets: one(language.Target{Kind: language.Others})}, "FAILED: " + isNobody},
		{"spawn of all", language.Life{Verb: language.Spawn, Targets: one(language.Target{Kind: language.All})}, "FAILED: only peers that are named can be spawned"},
		{"nothing", nil, "FAILED: this test server does not know what to do with <nil>"},
		{"nemesis of no kind", language.Nemesis{Every: 1, For: 1}, "OK: "},
		{"fault of one with himself", language.Fault{Kind: language.FaultLink, A: alice, B: alice}, "FAILED: a fault is between peers, and these are one and the same"},
	}
	synctest.Test(t, func(t *testing.T) {
		feed := make(chan coordinator.Fed)
		go func() {
			defer close(feed)
			for _, tt := range tests {
				st := language.Statement{Text: tt.name, Do: tt.do}
				feed <- coordinator.Fed{Statement: st, Done: func(o coordinator.Outcome) {
					if len(o.Rows) != 1 || o.Rows[0].Status+": "+o.Rows[0].Wrong != tt.want {
						t.Errorf("%s:\n got %+v\nwant %s", tt.name, o.Rows, tt.want)
					}
				}}
			}
		}()
		r, _ := play(t, "peers alice bob\n", "", func(c *coordinator.Config) { c.Feed = feed })
		if r.Verdict != report.Failed || len(r.Rows) != len(tests) {
			t.Errorf("%s, %d rows of %d", r.Verdict, len(r.Rows), len(tests))
		}
	})
}

// The words of conditions that a run knows by itself.
func TestWordsOfConditions(t *testing.T) {
	for _, short := range []bool{true, false} {
		held := map[string]bool{"engine:sim": true, "engine:": false, "engine:local": false, "GOOS:" + runtime.GOOS: true, runtime.GOOS: false, "GOOS:plan10": false, "short": short, "race": coordinator.Raced, "x": false}
		synctest.Test(t, func(t *testing.T) {
			for word, holds := range held {
				script, err := language.Parse("x.cmd", []byte("peers alice\nalice echo x\n"))
				if err != nil {
					t.Fatal(err)
				}
				script.Body[0].Conditions = []language.Condition{{Word: word}}
				r, _ := play(t, "peers alice\n", "", func(c *coordinator.Config) { c.Script, c.Short = script, short })
				if (r.Rows[0].Status == report.OK) != holds {
					t.Errorf("short %t: %q: %s, want %t", short, word, r.Rows[0].Status, holds)
				}
			}
		})
	}
}

// unwilling is a Recorder that cannot write results from the n-th on.
type unwilling struct {
	memory
	from, n int
}

func (u *unwilling) WriteResult(r *report.Result) error {
	if u.n++; u.n >= u.from {
		return errDisk
	}
	return u.memory.WriteResult(r)
}

// A result that cannot be written is told. The peers are not started for
// nothing.
func TestResultsThatCannotBeWritten(t *testing.T) {
	for from := 1; from <= 3; from++ {
		synctest.Test(t, func(t *testing.T) {
			cfg, _ := setup(t, hello, "")
			w, u := &watched{World: cfg.World}, &unwilling{from: from}
			cfg.World, cfg.Recorder = w, u
			r, err := coordinator.Run(t.Context(), cfg)
			if !errors.Is(err, errDisk) || r == nil {
				t.Fatalf("from %d on: %v, %v", from, r, err)
			}
			if started := len(w.orders) > 0; started != (from > 1) || (r.Verdict == report.Running) == started {
				t.Errorf("from %d on: %s, %d orders", from, r.Verdict, len(w.orders))
			}
		})
	}
}

// While a run goes on, its result is written when rows are decided, at most
// four times a second.
func TestResultsInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		_, m := play(t, "peers alice\nrepeat 30 { sleep 50ms\n}\n", "", func(c *coordinator.Config) {
			c.OnRow = func(report.Row) { at = append(at, time.Since(began)) }
		})
		if len(at) != 30 || len(m.results) != 7 { // the first, one each 300 ms, the last
			t.Errorf("%d rows, %d results", len(at), len(m.results))
		}
		for i, r := range m.results[1 : len(m.results)-1] {
			if want := 50 + int64(i)*300; r.DurationMS != want || len(r.Rows) != int(want/50)+1 || r.Verdict != report.Running {
				t.Errorf("result %d after %d ms with %d rows, %s", i+1, r.DurationMS, len(r.Rows), r.Verdict)
			}
		}
	})
}

// Phases say when they began and ended, those too that were not reached.
func TestPhases(t *testing.T) {
	phases := func(script string) string {
		var b strings.Builder
		synctest.Test(t, func(t *testing.T) {
			r, _ := play(t, script, "", nil)
			for _, p := range r.Phases {
				fmt.Fprintf(&b, "%q line %d: %g to %g\n", p.Title, p.Line, p.StartMS, p.EndMS)
			}
		})
		return b.String()
	}
	const head = "peers alice\nsleep 1s\nphase \"two\"\nsleep 2s\n"
	tests := []struct{ name, tail, want string }{
		{"two", "", "\"\" line 0: 0 to 1000\n\"two\" line 3: 1000 to 3000\n"},
		{"cleanup", "cleanup { sleep 3s }\n", "\"\" line 0: 0 to 1000\n\"two\" line 3: 1000 to 3000\n\"cleanup\" line 5: 3000 to 6000\n"},
		{"not reached", "alice nonsense\nphase \"three\"\nsleep 1s\ncleanup { sleep 1s }\n", "\"\" line 0: 0 to 1000\n\"two\" line 3: 1000 to 3000\n\"three\" line 6: 3000 to 3000\n\"cleanup\" line 8: 3000 to 4000\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := phases(head + tt.tail); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// What somebody sees who watches, from the first peer that starts to the row
// that fails.
func TestObservedStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []string
		for _, world := range []string{"start bob nothing\n", ""} {
			play(t, "peers alice bob\nalice init\nsleep 1s\nbob nonsense\ncleanup { sleep 1s }\n", world, func(c *coordinator.Config) {
				c.Start = 500 * time.Millisecond
				c.Observe = func(s coordinator.Snapshot) { all = append(all, standing(s)) }
			})
		}
		want := []string{
			`"" 0 rows, 0 failed: alice starting 0 bob starting 0`,
			`"" 0 rows, 0 failed: alice running 1 bob starting 0`,
			`"sleep 1s" 3 rows, 0 failed: alice running 1 bob starting 0`,
			`"" 4 rows, 0 failed: alice running 1 bob starting 0`,
			`"" 0 rows, 0 failed: alice starting 0 bob starting 0`,
			`"sleep 1s" 1 rows, 0 failed: alice ready 1 bob running 1`,
			`"bob nonsense" 2 rows, 0 failed: alice ready 1 bob running 1`,
			`"sleep 1s" 3 rows, 1 failed: alice ready 1 bob running 1`,
			`"" 4 rows, 1 failed: alice ready 1 bob running 1`,
		}
		if all = slices.Compact(all); !slices.Equal(all, want) {
			t.Errorf("%s", strings.Join(all, "\n"))
		}
	})
}

// standing is a snapshot as a line.
func standing(s coordinator.Snapshot) string {
	out := fmt.Sprintf("%q %d rows, %d failed:", s.Line, s.Rows, s.Failed)
	for _, p := range s.Peers {
		out += fmt.Sprintf(" %s %s %d", p.Name, p.State, p.Boot)
	}
	return out
}

// What a peer wrote before it ended is kept, if nobody had asked for its end.
func TestLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := play(t, "peers alice bob\nkill alice\nsleep 2s\n", "at 1s bob gone exit status 2", nil)
		if a, b := r.Peers[0], r.Peers[1]; a.Stderr != nil || !slices.Equal(b.Stderr, []string{"last words of bob"}) {
			t.Errorf("%+v\n%+v", a, b)
		}
	})
}

// At most a hundred problems are kept.
func TestManyProblems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := play(t, "peers alice\nsleep 2s\n", strings.Repeat("at 1s alice overflow\n", 120), nil)
		if len(r.Problems) != 100 {
			t.Errorf("%d problems", len(r.Problems))
		}
	})
}

// second is a world in whose peers' second boots init is another command.
type second struct {
	coordinator.World
	init string
}

func (w second) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	return w.World.Run(ctx, func(m coordinator.Message) {
		if o, is := m.Body.(testlink.Opened); is && o.Hello.Boot == 2 {
			m.Link = replaced{m.Link, w.init}
		}
		deliver(m)
	})
}

// replaced is a driver that runs another command instead of init.
type replaced struct {
	coordinator.Driver
	init string
}

func (d replaced) Command(line string) uint64 {
	if line == "init" {
		line = d.init
	}
	return d.Driver.Command(line)
}

// A restart is over when all that were ready are ready again, and fails when
// they do not become so.
func TestRestartWhoseInitFails(t *testing.T) {
	tests := []struct{ name, init, status, wrong string }{
		{"as before", "init", report.OK, ""},
		{"fails", "nonsense", report.Fail, `init of alice: the test server does not know the question "nonsense"`},
		{"does nothing", "echo x", report.Fail, "init has succeeded, and not all are ready after 30s"},
		{"ends the peer", "exit", report.Fail, "init of alice: the peer ended: exit status 1"},
		{"the peer ends before it is ready", "echo end", report.Fail, "alice is gone: exit status 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				world := ""
				if tt.init == "echo end" {
					world = "at 3s alice gone exit status 4\nat 3s bob gone exit status 4"
				}
				r, _ := play(t, "peers alice bob charly\nalice,bob init\nsleep 1s\nrestart all\nall echo x\n", world, func(c *coordinator.Config) {
					c.World = second{c.World, tt.init}
				})
				if row := r.Rows[2]; row.Status != tt.status || row.Wrong != tt.wrong {
					t.Errorf("%s: %s", row.Status, row.Wrong)
				}
			})
		})
	}
}

// What was printed is kept up to a bound, and the end of it is shown where it
// is wrong.
func TestLongOutput(t *testing.T) {
	alice := language.Targets{Text: "alice", Terms: []language.Target{{Kind: language.Named, Name: "alice"}}}
	lines := language.Command{Targets: alice, Raw: true, Line: "echo 1\n2\n3\n4\n5\n6\n7"}
	last := []string{"3", "4", "5", "6", "7"}
	full := strings.Repeat("x", 4<<10)
	rows := map[string]report.Row{}
	synctest.Test(t, func(t *testing.T) {
		feed := make(chan coordinator.Fed, 4)
		for _, st := range []language.Statement{
			{Text: "wrong", Do: lines, Outcome: language.MustFail},
			{Text: "not there", Do: language.Output{Pattern: language.Term{Text: "8"}}},
			{Text: "full", Do: language.Command{Targets: alice, Raw: true, Line: "echo " + full[1:]}},
			{Text: "fuller", Do: language.Command{Targets: alice, Raw: true, Line: "echo " + full}},
		} {
			feed <- coordinator.Fed{Statement: st, Done: func(o coordinator.Outcome) { rows[o.Rows[0].Text] = o.Rows[0] }}
		}
		close(feed)
		play(t, "peers alice\n", "", func(c *coordinator.Config) { c.Feed = feed })
	})
	if got := rows["wrong"].Seen; !slices.Equal(got, last) {
		t.Errorf("of a command: %q", got)
	}
	if got := rows["not there"].Seen; !slices.Equal(got, last) {
		t.Errorf("of its output: %q", got)
	}
	if rows["full"].Output != full[1:]+"\n" || rows["fuller"].Output != "..."+full[1:]+"\n" {
		t.Errorf("%d and %d bytes", len(rows["full"].Output), len(rows["fuller"].Output))
	}
}
