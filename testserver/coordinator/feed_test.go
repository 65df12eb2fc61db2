package coordinator_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// feeder feeds a run what a case has in its file "fed", a line at a time:
//
//	alice echo hello       a statement
//	heal 2                 undoes fault 2
//	look TYPE REASON       looks at the journal, and finds each event of a type wrong
//	wait 2s                feeds nothing for a while
//
// "\n" stands for the end of a line within a statement, or a reason.
type feeder struct {
	lines []string
	taken []time.Duration // when; -1 for never
	told  []string        // what became of it
	began time.Time
	over  chan struct{}
}

func newFeeder(fed string) *feeder {
	f := &feeder{began: time.Now(), over: make(chan struct{})}
	for line := range strings.Lines(fed) {
		f.lines = append(f.lines, strings.ReplaceAll(strings.TrimSpace(line), `\n`, "\n"))
		f.taken, f.told = append(f.taken, -1), append(f.told, "nothing is told")
	}
	return f
}

// run feeds all lines, and returns when they are taken or the run is over.
func (f *feeder) run(feed chan<- coordinator.Fed) {
	defer close(feed)
	for i, line := range f.lines {
		if word, rest, _ := strings.Cut(line, " "); word == "wait" {
			f.pause(i, rest)
			continue
		}
		one := fedOf(i+1, line)
		one.Done = func(o coordinator.Outcome) { f.told[i] = f.outcome(o) }
		select {
		case feed <- one:
			f.taken[i] = time.Since(f.began)
		case <-f.over:
			return
		}
	}
}

func (f *feeder) pause(i int, length string) {
	d, err := time.ParseDuration(length)
	if err != nil {
		panic(err)
	}
	f.taken[i], f.told[i] = time.Since(f.began), ""
	select {
	case <-time.After(d):
	case <-f.over:
	}
}

func fedOf(number int, line string) coordinator.Fed {
	st := language.Statement{Text: line, Pos: language.Pos{File: "fed", Line: number}}
	word, rest, _ := strings.Cut(line, " ")
	if n, err := strconv.Atoi(rest); word == "heal" && err == nil {
		return coordinator.Fed{Statement: st, Heal: n}
	}
	if word == "look" {
		typ, reason, _ := strings.Cut(rest, " ")
		st.Text = "look " + typ
		return coordinator.Fed{Statement: st, Look: looks(typ, reason)}
	}
	if strings.Contains(line, "\n") {
		return coordinator.Fed{Statement: blockOf(st)}
	}
	st.Deferred = true
	return coordinator.Fed{Statement: st}
}

// blockOf is a statement with a body, of alice and bob.
func blockOf(st language.Statement) language.Statement {
	script, err := language.Parse("fed", []byte("peers alice bob\n"+st.Text+"\n"))
	if err != nil {
		panic(err)
	}
	return script.Body[0]
}

// looks finds each event of a type wrong.
func looks(typ, reason string) func([]journal.Event) error {
	return func(all []journal.Event) error {
		var wrong []string
		for _, e := range all {
			if e.Type == typ {
				wrong = append(wrong, fmt.Sprintf("%s of %s", e.Text, e.Peer))
			}
		}
		if wrong == nil {
			return nil
		}
		return fmt.Errorf("%s\n%s", reason, strings.Join(wrong, "\n"))
	}
}

// outcome is an Outcome in words, with when it was told.
func (f *feeder) outcome(o coordinator.Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "told at %s", time.Since(f.began))
	for _, row := range o.Rows {
		fmt.Fprintf(&b, "; %s %s", row.Status, row.Text)
	}
	if o.Fault != 0 {
		fmt.Fprintf(&b, "; fault %d", o.Fault)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Outputs)) {
		fmt.Fprintf(&b, "; %s printed %q", name, o.Outputs[name])
	}
	return b.String()
}

func (f *feeder) String() string {
	var b strings.Builder
	for i, line := range f.lines {
		switch {
		case f.taken[i] < 0:
			fmt.Fprintf(&b, "fed %d: not taken: %q\n", i+1, line)
		case f.told[i] != "":
			fmt.Fprintf(&b, "fed %d: taken at %s: %q: %s\n", i+1, f.taken[i], line, strings.ReplaceAll(f.told[i], "\n", `\n`))
		}
	}
	return b.String()
}

// playFed plays a scenario that is fed too, and returns what became of that.
func playFed(t testing.TB, file, world, fed string, change func(*coordinator.Config)) (*report.Result, *memory, string) {
	f, feed, done := newFeeder(fed), make(chan coordinator.Fed), make(chan struct{})
	go func() {
		defer close(done)
		f.run(feed)
	}()
	r, m := play(t, file, world, func(c *coordinator.Config) {
		c.Feed = feed
		change(c)
	})
	close(f.over)
	<-done
	return r, m, f.String()
}

// What is looked at has all that the peers have said until then.
func TestLookIsSettled(t *testing.T) {
	row := func(world string) (last report.Row) {
		synctest.Test(t, func(t *testing.T) {
			r, _, _ := playFed(t, "peers alice bob\nall init\n", world, "look odd wrong\n", func(c *coordinator.Config) { c.World = lagging{c.World, lag} })
			last = r.Rows[len(r.Rows)-1]
		})
		return last
	}
	quiet := row("")
	if quiet.Status != report.OK {
		t.Fatal(quiet)
	}
	before := time.Duration(quiet.StartMS*float64(time.Millisecond)) - lag/2
	if got := row(fmt.Sprintf("at %s bob event odd x", before)); got.Status != report.Fail || got.Wrong != "wrong" {
		t.Errorf("%s: %s", got.Status, got.Wrong)
	}
}

// The fault of an error of one line has nothing seen.
func TestLookWithOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := make(chan coordinator.Fed, 1)
		feed <- coordinator.Fed{
			Look: func([]journal.Event) error { return errors.New("wrong") },
			Done: func(o coordinator.Outcome) {
				if row := o.Rows[0]; row.Wrong != "wrong" || row.Seen != nil {
					t.Errorf("%+v", row)
				}
			},
		}
		close(feed)
		if r, _ := play(t, "peers alice\n", "", func(c *coordinator.Config) { c.Feed = feed }); r.Verdict != report.Failed {
			t.Errorf("\n%s", shown(r))
		}
	})
}
