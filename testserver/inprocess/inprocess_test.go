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
		t.Errorf("%s, want %s\n%s\n%s", r.Verdict, want, text.String(), strings.Join(rec.journal, "\n"))
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
