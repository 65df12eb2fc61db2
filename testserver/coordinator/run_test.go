package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/coordinator/fakeworld"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

const hello = `alice init
bob init
alice testfilter messagesView 1 <bob> test
bob testfilter messagesView 1 <alice> test
alice msg test
bob msg test
`

// setup parses a scenario and makes its world.
func setup(t testing.TB, file, world string) (coordinator.Config, *memory) {
	t.Helper()
	script, err := language.Parse("x.cmd", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	w, err := fakeworld.New(world)
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	return coordinator.Config{Script: script, World: w, Recorder: m}, m
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, m := setup(t, hello, "")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancel) // during the await
		r, err := coordinator.Run(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != report.Interrupted || r.ExitStatus != 130 || r.Count(report.KindEvent, report.OK) != 0 || r.DurationMS != 500 {
			t.Errorf("\n%s", shown(r))
		}
		for _, row := range r.Rows[4:] {
			if row.Status != report.Miss || row.Wrong != "the run was interrupted" {
				t.Errorf("%s: %s", report.RowLine(row), row.Wrong)
			}
		}
		if last := m.results[len(m.results)-1]; last.Verdict != report.Interrupted {
			t.Errorf("written: %s", last.Verdict)
		}
		if first := m.results[0]; first.Verdict != report.Running || first.ExitStatus != 2 || first.Schema != report.Schema {
			t.Errorf("first written: %+v", first)
		}
	})
}

// An interrupted script is tidied up after.
func TestInterruptedWithCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _ := setup(t, "peers alice bob\nall init\nfault partition alice | bob {\n  sleep 60s\n}\ncleanup { all quit }\n", "")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		r, err := coordinator.Run(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		last := r.Rows[len(r.Rows)-1]
		if r.Verdict != report.Interrupted || last.Text != "all quit" || last.Status != report.OK || last.Faults != nil {
			t.Errorf("\n%s", shown(r))
		}
	})
}

func TestAFullDiskIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, m := setup(t, hello, "")
		m.fail = errDisk
		r, err := coordinator.Run(t.Context(), cfg)
		if !errors.Is(err, errDisk) || strings.Count(err.Error(), "disk full") != 1 {
			t.Errorf("got %v", err)
		}
		if r == nil || r.Verdict != report.Passed {
			t.Errorf("the verdict is %v", r)
		}
	})
}

// brokenWorld ends by itself, with or without an error.
type brokenWorld struct {
	*fakeworld.World
	after time.Duration
	err   error
}

func (w brokenWorld) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	ctx, cancel := context.WithTimeout(ctx, w.after)
	defer cancel()
	return errors.Join(w.World.Run(ctx, deliver), w.err)
}

func TestAWorldThatEndsByItself(t *testing.T) {
	for _, err := range []error{nil, errors.New("no more memory")} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, _ := setup(t, "peers alice bob\nall init\nfault partition alice | bob {\n  sleep 60s\n}\ncleanup { all quit }\n", "")
				cfg.World = brokenWorld{cfg.World.(*fakeworld.World), 3 * time.Second, err}
				r, e := coordinator.Run(t.Context(), cfg)
				want := "the world has ended"
				if err != nil {
					want = err.Error()
				}
				if e != nil || r.Verdict != report.Broken || r.Why != want || r.DurationMS != 3000 {
					t.Errorf("%v after %d ms\n%s", e, r.DurationMS, shown(r))
				}
			})
		})
	}
}

// The same seed makes the same choices.
func TestSeed(t *testing.T) {
	play := func(seed uint64) (out string) {
		synctest.Test(t, func(t *testing.T) {
			r, _ := play(t, "peers p[1..9]\nrepeat 5 { any(3, all) echo $self\n}\nnemesis partition,kill every 3s for 30s\n", "", func(c *coordinator.Config) { c.Seed = seed })
			for _, row := range r.Rows {
				out += row.Output + "\n"
			}
		})
		return out
	}
	one, again, other := play(1), play(1), play(2)
	if one != again || one == other {
		t.Errorf("seed 1:\n%s\nagain:\n%s\nseed 2:\n%s", one, again, other)
	}
}

func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _ := setup(t, "peers alice bob\nphase \"one\"\nall init\nkill bob\npause alice\nfault partition alice | bob { sleep 2s\n}\n! bob x\n", "")
		var all []coordinator.Snapshot
		var times []time.Time
		cfg.Observe = func(s coordinator.Snapshot) { all, times = append(all, s), append(times, time.Now()) }
		if _, err := coordinator.Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if len(all) < 15 || len(all) > 25 {
			t.Errorf("told %d times in 2 s", len(all))
		}
		for i := range times[1:] {
			if d := times[i+1].Sub(times[i]); d < 100*time.Millisecond {
				t.Errorf("%s after the one before", d)
			}
		}
		s := all[len(all)/2]
		if s.Phase != "one" || s.Line != "sleep 2s" || !slices.Equal(s.Faults, []string{"partition alice | bob"}) || s.Budget != 5*time.Minute || s.Rows != 4 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
		want := []coordinator.PeerSnapshot{{Name: "alice", State: "paused", Boot: 1, Members: 2, Chat: 2}, {Name: "bob", State: "gone", Boot: 1, Members: 2, Chat: 2}}
		if !slices.Equal(s.Peers, want) {
			t.Errorf("%+v", s.Peers)
		}
	})
}

func TestOnRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		r, _ := play(t, hello, "", func(c *coordinator.Config) {
			c.OnRow = func(row report.Row) { told = append(told, report.RowLine(row)) }
		})
		var want []string
		for _, row := range r.Rows {
			want = append(want, report.RowLine(row))
		}
		if !slices.Equal(told, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Attached files are given to every boot.
func TestFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _ := setup(t, "peers alice\nrestart fresh alice\n-- a.txt --\nhello\n", "")
		w := &watched{World: cfg.World}
		cfg.World = w
		if _, err := coordinator.Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range w.orders {
			line := fmt.Sprintf("%s %s fresh=%v", o.Verb, o.Peer, o.Fresh)
			for _, f := range o.Files {
				line += fmt.Sprintf(" %s=%q", f.Name, f.Data)
			}
			got = append(got, line)
		}
		if want := []string{`start alice fresh=false a.txt="hello\n"`, `stop alice fresh=false`, `start alice fresh=true a.txt="hello\n"`}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// watched is a world that remembers its orders.
type watched struct {
	coordinator.World
	orders []coordinator.Order
}

func (w *watched) Do(o coordinator.Order) {
	w.orders = append(w.orders, o)
	w.World.Do(o)
}

// Faults of the bootstrap service are combined to what is worst, and undone.
func TestBootstrapFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _ := setup(t, "peers alice\nfault bootstrap slow 200ms\nfault bootstrap errors 20% {\n  fault bootstrap down { fault bootstrap slow 100ms\n  }\n}\nheal\n", "")
		w := &watched{World: cfg.World}
		cfg.World = w
		if _, err := coordinator.Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		var got []language.ServiceFault
		for _, o := range w.orders[1:] {
			if o.Verb != coordinator.Ail {
				t.Fatalf("%+v", o)
			}
			got = append(got, o.Ail)
		}
		slow := language.ServiceFault{Slow: 200 * time.Millisecond}
		errs, down := slow, slow
		errs.Errors = 0.2
		down.Errors, down.Down = 0.2, true
		healthy := language.ServiceFault{}
		after := slow
		after.Errors = 0.2
		if want := []language.ServiceFault{slow, errs, down, down, after, slow, healthy}; !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestSchedule(t *testing.T) {
	peers := []string{"a", "b", "c", "d"}
	n := language.Nemesis{Kinds: []string{"partition", "oneway", "link", "kill", "pause", "bootstrap"}, Every: 4 * time.Second, For: 400 * time.Second}
	all := coordinator.Schedule(7, 1, peers, n)
	if len(all) != 100 {
		t.Fatalf("%d strikes in 400 s, want one every 4 s", len(all))
	}
	kinds := map[string]int{}
	hit := map[string]bool{}
	for i, s := range all {
		kinds[s.Kind]++
		if s.At != time.Duration(i)*n.Every || s.For < time.Second || s.For > 3*time.Second {
			t.Errorf("strike %d: %+v", i, s)
		}
		for _, p := range append(slices.Clone(s.A), s.B...) {
			hit[p] = true
		}
		sides := [2]int{len(s.A), len(s.B)}
		switch s.Kind {
		case "partition":
			if sides[0] < 1 || sides[1] < 1 || sides[0]+sides[1] != 4 || !s.Rule.Cut || s.String() != "partition "+strings.Join(s.A, ",")+" | "+strings.Join(s.B, ",") {
				t.Errorf("%s: %+v", s, s)
			}
		case "oneway":
			if sides != [2]int{1, 1} || s.A[0] == s.B[0] || !s.Rule.Cut || s.String() != "oneway "+s.A[0]+" -> "+s.B[0] {
				t.Errorf("%s: %+v", s, s)
			}
		case "link":
			if sides != [2]int{1, 1} || s.A[0] == s.B[0] || s.Rule.Cut || s.Rule.Latency < 50*time.Millisecond || s.Rule.Latency >= 500*time.Millisecond ||
				s.Rule.Loss < 0.01 || s.Rule.Loss > 0.2 || s.String() != fmt.Sprintf("link %s <-> %s %s", s.A[0], s.B[0], s.Rule) {
				t.Errorf("%s: %+v", s, s)
			}
		case "kill", "pause":
			if sides != [2]int{1, 0} || s.String() != s.Kind+" "+s.A[0] {
				t.Errorf("%s: %+v", s, s)
			}
		case "bootstrap":
			if sides != [2]int{0, 0} || s.String() != "bootstrap down" {
				t.Errorf("%s: %+v", s, s)
			}
		}
	}
	if len(kinds) != 6 || len(hit) != 4 {
		t.Errorf("kinds %v, peers %v", kinds, hit)
	}
	if again := coordinator.Schedule(7, 1, peers, n); fmt.Sprint(again) != fmt.Sprint(all) {
		t.Error("the same seed has another schedule")
	}
	for _, other := range [][]coordinator.Strike{coordinator.Schedule(8, 1, peers, n), coordinator.Schedule(7, 2, peers, n)} {
		if fmt.Sprint(other) == fmt.Sprint(all) {
			t.Error("another seed, or another nemesis, has the same schedule")
		}
	}
	alone := coordinator.Schedule(7, 1, peers[:1], n)
	for _, s := range alone {
		if len(s.B) > 0 || s.Rule.Cut {
			t.Errorf("one alone: %+v", s)
		}
	}
	if short := coordinator.Schedule(7, 1, peers, language.Nemesis{Kinds: n.Kinds, Every: 4 * time.Second, For: 4500 * time.Millisecond}); len(short) != 2 || short[1].For > 500*time.Millisecond {
		t.Errorf("%+v", short)
	}
	if none := coordinator.Schedule(7, 1, peers, language.Nemesis{Kinds: n.Kinds, For: time.Second}); none != nil {
		t.Errorf("%+v", none)
	}
}
