package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/run"
	"github.com/peerlab/peerlab/testserver/scenario"
)

const hello = `alice init
bob init
alice testfilter messagesView 1 <bob> test
bob testfilter messagesView 1 <alice> test
alice msg test
bob msg test
`

// play runs a file in virtual time. It returns the result and how long the
// run took.
func play(t *testing.T, file string, w *world, change func(*run.Config)) (*report.Result, time.Duration) {
	t.Helper()
	script, err := scenario.Parse("x.cmd", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	cfg := run.Config{Script: script, Engine: w, Recorder: &memory{}}
	if change != nil {
		change(&cfg)
	}
	began := time.Now()
	r, err := run.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r, time.Since(began)
}

func TestPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, took := play(t, hello, &world{}, nil)
		if r.Verdict != report.Passed || r.Count(report.KindCommand, report.OK) != 6 || r.Count(report.KindEvent, report.OK) != 2 {
			t.Errorf("\n%s", shown(r))
		}
		if took != 1500*time.Millisecond {
			t.Errorf("took %s: 1 s of stability and 500 ms of holding are all that may be waited for", took)
		}
		for _, p := range r.Peers {
			if !p.Expected || p.Exit != "killed at the end of the run" {
				t.Errorf("%+v", p)
			}
		}
	})
}

// ill is one behaviour of ill-behaved peers and what the run makes of it.
type ill struct {
	name   string
	file   string
	world  func() *world
	config func(*run.Config)
	want   report.Verdict
	text   []string
	least  time.Duration
	most   time.Duration
}

// only makes a world in which one command of one peer is special.
func only(name, word string, do func(p *fakePeer, id uint64)) func() *world {
	return func() *world {
		return &world{behave: func(p *fakePeer, id uint64, line string) bool {
			first, _, _ := strings.Cut(line, " ")
			if p.name != name || first != word {
				return false
			}
			do(p, id)
			return true
		}}
	}
}

func illBehaved() []ill {
	none := func() *world { return &world{} }
	nothing := func(*fakePeer, uint64) {}
	return []ill{
		{name: "empty file", file: "", world: none, want: report.Unknown, text: []string{"nothing was asserted"}},
		{name: "nothing asserted", file: "alice init\n", world: none, want: report.Unknown, text: []string{"nothing was asserted"}},
		{name: "a filter that expects nothing", file: "alice init\nalice testfilter messagesView 0 <bob>\n", world: none, want: report.Passed},
		{name: "failed command, others go on", file: "alice init\nalice nonsense\nalice testfilter view 0 x\n", world: none,
			want: report.Failed, text: []string{`command "alice nonsense" FAILED: unknown command`, `event "alice testfilter view 0 x" OK`}},
		{name: "count not reached", file: "alice init\nbob init\nalice testfilter messagesView 2 <bob> test\nbob msg test\n", world: none,
			want: report.Failed, text: []string{`expected 2, seen 1 ["1 x <bob> test"]`}, least: 11 * time.Second, most: 11 * time.Second},
		{name: "count exceeded during the hold", file: "alice init\nbob init\nalice testfilter messagesView 1 <bob> test\nbob msg test\n",
			world: only("bob", "msg", func(p *fakePeer, id uint64) {
				p.carryOut(id, "msg test")
				time.AfterFunc(400*time.Millisecond, func() { p.w.calls <- func() { p.w.peers[0].record("view", "<bob> test") } })
			}),
			want: report.Failed, text: []string{`expected 1, seen 2 ["2 x <bob> test"]`}},
		{name: "lines of a peer that is gone", file: "bob init\nbob testfilter view 0 x\nbob quit\nbob msg x\n", world: none,
			want: report.Unknown, text: []string{`command "bob quit" OK`, `command "bob msg x" MISSED: bob is gone since x.cmd:3`}},
		{name: "what a missed line may have brought", file: "alice init\nbob init\nalice testfilter view 1 <bob> test\nbob exit\nbob msg test\n", world: none,
			want: report.Unknown, text: []string{`command "bob msg test" MISSED`, `event "alice testfilter view 1 <bob> test" MISSED: expected 1, seen 0; a line that was missed`}},
		{name: "too much is wrong, whatever was missed", file: "alice init\nbob init\nalice testfilter view 0 <bob> test\nbob msg test\nbob exit\nbob msg test\n", world: none,
			want: report.Failed, text: []string{`event "alice testfilter view 0 <bob> test" FAILED: expected 0, seen 1`}},
		{name: "exit is expected", file: "alice init\nbob init\nalice testfilter view 0 x\nbob exit\n", world: none, want: report.Passed},
		{name: "quit that does not end", file: "alice testfilter view 0 x\nbob quit\n", world: only("bob", "quit", func(p *fakePeer, id uint64) { p.ok(id) }),
			want: report.Failed, text: []string{`command "bob quit" FAILED: the peer did not end: not within 30s`}},
		{name: "crash in a command", file: hello, world: only("bob", "msg", func(p *fakePeer, _ uint64) { p.end("exit status 2", false) }),
			want: report.Failed, text: []string{`command "bob msg test" FAILED: the peer ended: exit status 2`, "bob ended unexpectedly: exit status 2", "expected 1, seen 0"}, most: 11 * time.Second},
		{name: "crash between commands", file: hello, world: only("alice", "msg", func(p *fakePeer, id uint64) {
			p.w.peers[1].end("signal: killed", false)
			p.carryOut(id, "msg test")
		}), want: report.Failed, text: []string{`command "bob msg test" MISSED: bob is gone: signal: killed`, "bob ended unexpectedly"}},
		{name: "never answers", file: hello, world: only("alice", "msg", nothing),
			want: report.Failed, text: []string{`command "alice msg test" FAILED: no answer: not within 30s`, `command "bob msg test" OK`}, least: 33 * time.Second, most: 44 * time.Second},
		{name: "a stuck peer costs its deadline once", file: "alice init\nalice testfilter view 0 x\nalice msg a\nalice msg b\nalice msg c\n", world: only("alice", "msg", nothing),
			want: report.Failed, text: []string{`"alice msg b" MISSED: alice has not answered since x.cmd:3`}, most: 34 * time.Second},
		{name: "answers late", file: "alice init\nalice testfilter view 0 x\nalice msg a\nalice init\n", world: only("alice", "msg", func(p *fakePeer, id uint64) {
			time.AfterFunc(31*time.Second, func() { p.w.calls <- func() { p.ok(id) } })
		}), want: report.Failed, text: []string{`"alice msg a" FAILED: no answer`, `command "alice init" OK`}},
		{name: "never attaches", file: "alice init\nbob init\nalice init\n", world: func() *world {
			return &world{born: func(p *fakePeer) bool { return p.name == "alice" }}
		}, want: report.Broken, text: []string{"alice did not attach to the test server: not within 15s", `"bob init" OK`}, most: 31 * time.Second},
		{name: "cannot be started", file: hello, world: func() *world {
			return &world{born: func(p *fakePeer) bool {
				if p.name == "bob" {
					p.say(run.Gone{State: "exit status 1", Stderr: []string{"no such flag"}})
					p.gone = true
				}
				return p.gone
			}}
		}, want: report.Broken, text: []string{"bob could not be started: exit status 1"}},
		{name: "engine fails", file: hello, world: func() *world { return &world{err: errors.New("no port is free")} },
			want: report.Broken, text: []string{"no port is free"}, most: time.Second},
		{name: "lies about itself", file: hello, world: only("alice", "msg", func(p *fakePeer, id uint64) {
			p.w.peers[1].name, p.w.peers[1].seq = "alice", 100
			p.say(testlink.Recorded{})
			p.w.peers[1].name = "bob"
			p.carryOut(id, "msg test")
		}), want: report.Failed, text: []string{`alice sent an event of ""`}},
		{name: "gap in the journal", file: hello, world: only("alice", "msg", func(p *fakePeer, id uint64) {
			p.recordAt(7, "log", "x")
			p.carryOut(id, "msg test")
		}), want: report.Failed, text: []string{"journal of alice#1: event 7 follows where 1 was due"}},
		{name: "filter that was not announced", file: "alice init\nalice testfilter view 0 x\n", world: only("alice", "testfilter", func(p *fakePeer, id uint64) { p.ok(id) }),
			want: report.Failed, text: []string{"announced no filter"}},
		{name: "bad filter", file: "alice init\nalice testfilter view -1 x\n", world: none,
			want: report.Failed, text: []string{`FAILED: not a filter: a count of -1`, `event "alice testfilter view -1 x" MISSED`}},
		{name: "overflow", file: hello, world: only("alice", "msg", func(p *fakePeer, id uint64) {
			p.carryOut(id, "msg test")
			p.say(testlink.Closed{Err: testlink.ErrFailed})
		}), want: report.Failed, text: []string{"alice's events are not complete"}},
		{name: "not converged", file: hello, world: only("bob", "init", func(p *fakePeer, id uint64) { p.ok(id) }),
			want: report.Failed, text: []string{`inserted "await converged within 10s" FAILED: the peers have not converged: not within 10s ["alice does not see bob as a member" "bob is not ready"]`}},
		{name: "unsettled", file: hello, world: only("bob", "init", func(p *fakePeer, id uint64) {
			p.carryOut(id, "init")
			var flap func()
			flap = func() { // in the goroutine of the world, as all that touches a peer
				if p.gone {
					return
				}
				s := p.status()
				if p.seq++; p.seq%2 == 0 && len(s.Members) > 0 {
					s.Members[0].State = "suspect"
				}
				p.say(s)
				time.AfterFunc(700*time.Millisecond, func() { p.w.calls <- flap })
			}
			flap()
		}), want: report.Failed, text: []string{"did not stay so for 1s"}},
		{name: "budget", file: hello, world: only("alice", "msg", nothing), config: func(c *run.Config) { c.Budget = 5 * time.Second },
			want: report.Unknown, text: []string{`"alice msg test" MISSED: the budget of the run is used up`, `"bob msg test" MISSED: the budget`}, most: 5 * time.Second},
		{name: "leftovers and races", file: hello, world: only("bob", "msg", func(p *fakePeer, id uint64) {
			p.carryOut(id, "msg test")
			p.say(run.Gone{State: "x", Problems: []string{"data race"}})
			p.gone = true
		}), want: report.Failed, text: []string{"problem false: bob: data race"}},
	}
}

func TestIllBehaved(t *testing.T) {
	for _, tt := range illBehaved() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, took := play(t, tt.file, tt.world(), tt.config)
				if r.Verdict != tt.want || r.ExitStatus != tt.want.Status() {
					t.Errorf("verdict %s, status %d; want %s", r.Verdict, r.ExitStatus, tt.want)
				}
				mustContain(t, shown(r), tt.text...)
				if took < tt.least || tt.most > 0 && took > tt.most {
					t.Errorf("took %s, want %s to %s", took, tt.least, tt.most)
				}
				if t.Failed() {
					t.Logf("\n%s", shown(r))
				}
			})
		})
	}
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script, err := scenario.Parse("x.cmd", []byte(hello))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancel) // during the await
		m := &memory{}
		r, err := run.Run(ctx, run.Config{Script: script, Engine: &world{}, Recorder: m})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != report.Interrupted || r.ExitStatus != 130 || r.Count(report.KindEvent, report.OK) != 0 {
			t.Errorf("\n%s", shown(r))
		}
		if last := m.results[len(m.results)-1]; last.Verdict != report.Interrupted {
			t.Errorf("written: %s", last.Verdict)
		}
		if m.results[0].Verdict != report.Running {
			t.Errorf("first written: %s", m.results[0].Verdict)
		}
	})
}

func TestPeersMayAskForTheSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		play(t, "alice init\nalice nonsense\nalice testsummary\n", w, nil)
		rows := w.peers[0].answered.Rows
		if len(rows) != 3 || rows[0].Status != report.OK || rows[1].Status != report.Fail || rows[2].Status != report.Open {
			t.Errorf("rows %+v", rows)
		}
	})
}

func TestPeersMayAskForTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		play(t, "alice init\nbob init\nalice testfilter view 0 x\nalice testrun\n", w, nil)
		a := w.peers[0].answered
		if a.Scenario != "x" || len(a.Filters) != 1 || len(a.Rows) != 5 || a.Rows[3].Status != report.Open {
			t.Errorf("answer %+v", a)
		}
	})
}

// What a peer forgets is not judged, and what it saw before does not count for
// filters that come later.
func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const before = "alice init\nbob init\nalice testfilter view 2 <bob>\nbob msg one\nalice testreset\n"
		r, _ := play(t, before, &world{}, nil)
		if r.Verdict != report.Unknown || r.Count(report.KindEvent, report.Fail) != 0 {
			t.Errorf("without a filter:\n%s", shown(r))
		}
		r, _ = play(t, before+"alice testfilter view 1 <bob>\nbob msg two\n", &world{}, nil)
		if r.Verdict != report.Passed || r.Count(report.KindEvent, report.OK) != 1 {
			t.Errorf("with a later filter:\n%s", shown(r))
		}
	})
}

// A message that is still under way is waited for before a summary is given.
func TestExpectationsAreJudgedWhenNothingIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := only("bob", "msg", func(p *fakePeer, id uint64) {
			p.ok(id)
			time.AfterFunc(3*time.Second, func() { p.w.calls <- func() { p.w.peers[0].record("view", "<bob> test") } })
		})()
		const file = "alice init\nbob init\nalice testfilter view 1 <bob> test\nbob msg test\nalice testsummaryprepare\nalice testsummary\n"
		r, took := play(t, file, w, nil)
		if r.Verdict != report.Passed || took < 4*time.Second || took > 6*time.Second {
			t.Errorf("took %s\n%s", took, shown(r))
		}
		rows := w.peers[0].answered.Rows
		if last := rows[len(rows)-1]; last.Kind != report.KindEvent || last.Status != report.OK {
			t.Errorf("the filter's row is %+v", last)
		}
		r, took = play(t, file, &world{behave: func(p *fakePeer, id uint64, line string) bool {
			if line != "msg test" {
				return false
			}
			p.ok(id)
			return true
		}}, nil)
		if r.Verdict != report.Failed || took < 20*time.Second || took > 23*time.Second {
			t.Errorf("nothing comes: took %s, want 10 s to prepare and 10 s to judge\n%s", took, shown(r))
		}
	})
}

func TestAFullDiskIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script, _ := scenario.Parse("x.cmd", []byte(hello))
		_, err := run.Run(t.Context(), run.Config{Script: script, Engine: &world{}, Recorder: &memory{fail: errDisk}})
		if !errors.Is(err, errDisk) {
			t.Errorf("got %v", err)
		}
	})
}
