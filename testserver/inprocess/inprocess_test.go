package inprocess_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/coordinator/worldtest"
	"github.com/peerlab/peerlab/testserver/inprocess"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// bubble runs a test in virtual time, and lets what memberlist leaves behind
// come to rest.
func bubble(t *testing.T, test func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(2 * time.Minute) })
		test(t)
	})
}

func TestWorld(t *testing.T) {
	worldtest.Run(t, worldtest.Config{
		New:    func(*testing.T) coordinator.World { return inprocess.New(inprocess.Config{}) },
		Around: bubble,
		Lists:  true,
	})
}

// recorder keeps what a run has written down.
type recorder struct {
	journal []string
}

func (r *recorder) Journal(line []byte) error {
	r.journal = append(r.journal, string(line))
	return nil
}

func (*recorder) WriteResult(*report.Result) error { return nil }

// play runs a scenario in a bubble, and reports it if it does not end as
// wanted.
func play(t *testing.T, path, source string, want report.Verdict) (r *report.Result, took time.Duration) {
	t.Helper()
	script, err := language.Parse(path, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	bubble(t, func(t *testing.T) {
		rec := &recorder{}
		began := time.Now()
		r, err = coordinator.Run(t.Context(), coordinator.Config{
			Script: script, World: inprocess.New(inprocess.Config{Seed: 1}), Recorder: rec, Seed: 1,
			Result: report.Result{Engine: "inprocess", Started: began},
		})
		took = time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict == want {
			return
		}
		var text strings.Builder
		if err := report.Terminal(&text, r, report.All); err != nil {
			t.Error(err)
		}
		t.Errorf("%s, want %s\n%s\n%s", r.Verdict, want, text.String(), strings.Join(rec.journal[max(0, len(rec.journal)-40):], "\n"))
	})
	return r, took
}

func TestTheScenarioOfTheReadme(t *testing.T) {
	path := filepath.Join("..", "..", "scripts", "scenario", "default.cmd")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wall := time.Now()
	r, took := play(t, path, string(source), report.Passed)
	if n := r.Count(report.KindEvent, report.OK); n != 6 {
		t.Errorf("%d filters are OK, want 6", n)
	}
	t.Logf("%s of virtual time in %s", took, time.Since(wall))
}

// full is the example of the full form.
const full = `peers alice bob charly
timeout 5s                                    # default deadline of waits

phase "everybody hears everybody, once"
all init
await converged within 5s
all msg hello
all expect chat "hello" count == 2            # messages received from others
all never chat "hello" for 500ms since now
! bob chatmemberping nobody                   # must fail
stderr "no chat member"

phase "split, then whole again"
fault partition alice | bob,charly {
  alice await members == alice within 20s
  bob   await members == bob,charly within 20s
  bob msg while apart
  alice never chat "while apart" for 2s
}
await converged within 15s
alice expect chat "while apart" count == 1 within 10s

phase "a crash is noticed, once"
kill charly
alice,bob await view(charly) == dead within 15s
alice,bob expect member "dead charly" count == 1
restart charly
await converged within 15s
check delivery
cleanup { all quit }
`

func TestTheFullForm(t *testing.T) {
	wall := time.Now()
	_, took := play(t, "full.cmd", full, report.Passed)
	t.Logf("%s of virtual time in %s", took, time.Since(wall))
}

// lives has the statements about lives of peers, their files, and the service
// of the run.
const lives = `peers alice bob charly
timeout 10s

phase "files"
all execute hello.txt
stdout "how do you do"

phase "leaving and coming back"
all init
await converged
stop bob
alice await view(bob) == absent
alice expect member "left bob"
restart bob
await converged
restart fresh charly
await converged
alice expect member "dead charly" count == 0
all msg here
all expect chat "here" count == 2

phase "a service that fails"
alice await bootstrap contains bob
fault bootstrap down {
  ! alice bootstrap
  alice msg who needs it
  bob expect chat "who needs it" count == 1
}
alice bootstrap

phase "one more"
spawn dora
dora init
await converged
alice await members.count == 4
dora testfilter messagesView 1 <alice> welcome
alice msg welcome
dora expect chat "welcome" count == 1
check delivery

-- hello.txt --
echo how do you do
`

func TestLives(t *testing.T) { play(t, "lives.cmd", lives, report.Passed) }

// TestAFalseLineIsFound makes lines of the example false, each at a time.
func TestAFalseLineIsFound(t *testing.T) {
	for _, tt := range []struct{ line, instead string }{
		{`all expect chat "hello" count == 2`, `all expect chat "hello" count == 3`},
		{`! bob chatmemberping nobody`, `! bob chatmemberping alice`},
		{`stderr "no chat member"`, `stderr "all is well"`},
		{`alice await members == alice within 20s`, `alice await members == bob,charly within 20s`},
		{`bob   await members == bob,charly within 20s`, `bob   await members == bob within 20s`},
		{`alice never chat "while apart" for 2s`, `charly never chat "while apart" for 2s`},
		{`alice expect chat "while apart" count == 1 within 10s`, `alice expect chat "while apart" count == 2 within 10s`},
		{`alice,bob await view(charly) == dead within 15s`, `alice,bob await view(charly) == absent within 15s`},
		{`alice,bob expect member "dead charly" count == 1`, `alice,bob expect member "left charly" count == 1`},
	} {
		t.Run(tt.instead, func(t *testing.T) {
			before, _, found := strings.Cut(full, tt.line)
			if !found {
				t.Fatalf("no line %q", tt.line)
			}
			r, _ := play(t, "full.cmd", strings.Replace(full, tt.line, tt.instead, 1), report.Failed)
			line := strings.Count(before, "\n") + 1
			for _, row := range r.Rows {
				if row.Status == report.Fail {
					if row.Line != line {
						t.Errorf("the first failure is line %d, %s; want line %d", row.Line, row.Text, line)
					}
					return
				}
			}
			t.Errorf("no row has failed: %s", r.Why)
		})
	}
}
