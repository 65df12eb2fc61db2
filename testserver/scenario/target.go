package scenario

import (
	"fmt"
	"strings"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
)

// Target is one peer or several, for steps that they do or that are about
// them.
type Target struct {
	s    *Scenario
	text string
}

// Peer is one peer, or several: a name, "alice,bob", "p[1..9]".
func (s *Scenario) Peer(name string) Target { return Target{s, name} }

// All are all peers that run and are not paused.
func (s *Scenario) All() Target { return Target{s, "all"} }

// Others are all but these.
func (s *Scenario) Others(but Target) Target { return Target{s, "others(" + but.text + ")"} }

// Any are n of these, drawn from the seed.
func (s *Scenario) Any(n int, of Target) Target {
	return Target{s, fmt.Sprintf("any(%d, %s)", n, of.text)}
}

// Run runs a line in the shells of the targets, all at once. It succeeds at
// each of them.
func (x Target) Run(line string) {
	x.s.t.Helper()
	x.s.Do(x.text + " " + line)
}

// Output runs a line at one peer and returns what it prints, without the last
// newline.
func (x Target) Output(line string) string {
	x.s.t.Helper()
	o := x.s.do(x.text + " " + line)
	if len(o.Outputs) != 1 {
		x.s.t.Fatalf("Output is for one peer; %s are %d", x.text, len(o.Outputs))
	}
	for _, text := range o.Outputs {
		return text
	}
	return ""
}

// Fails runs a line that must fail, with an error that contains the text.
func (x Target) Fails(line, text string) {
	x.s.t.Helper()
	x.s.Do("! " + x.text + " " + line)
	x.s.Do("stderr " + quoted(text))
}

// Expect waits until events on a stream have come that are as the terms say:
// one or more, since the phase began, within ten seconds, if they do not say
// otherwise.
func (x Target) Expect(stream string, terms ...Term) {
	x.s.t.Helper()
	x.s.Do(x.text + " expect " + stream + question(terms))
}

// Never watches for a while, and fails at the first event that is as the terms
// say, also at one that came earlier in this phase.
func (x Target) Never(stream string, during time.Duration, terms ...Term) {
	x.s.t.Helper()
	terms = append(terms, Term{after: " for " + during.String(), rank: rankTime})
	x.s.Do(x.text + " never " + stream + question(terms))
}

// Await waits until a state holds at each target: "members == alice,bob",
// "view(bob) == dead", "members.count >= 3".
func (x Target) Await(predicate string, within time.Duration) {
	x.s.t.Helper()
	x.s.Do(x.text + " await " + predicate + " within " + within.String())
}

// Stable fails if a state does not hold at any time of the span.
func (x Target) Stable(predicate string, during time.Duration) {
	x.s.t.Helper()
	x.s.Do(x.text + " stable " + predicate + " for " + during.String())
}

// Kill ends the targets by force.
func (x Target) Kill() { x.s.t.Helper(); x.s.Do("kill " + x.text) }

// Stop ends them in order.
func (x Target) Stop() { x.s.t.Helper(); x.s.Do("stop " + x.text) }

// Restart starts them again with their data, and returns when they are ready;
// it stops those that run.
func (x Target) Restart() { x.s.t.Helper(); x.s.Do("restart " + x.text) }

// RestartFresh starts them again without their data.
func (x Target) RestartFresh() { x.s.t.Helper(); x.s.Do("restart fresh " + x.text) }

// Pause lets them stand still. Only processes can.
func (x Target) Pause() { x.s.t.Helper(); x.s.Do("pause " + x.text) }

// Resume lets them go on.
func (x Target) Resume() { x.s.t.Helper(); x.s.Do("resume " + x.text) }

// Fault is one that is in force.
type Fault struct {
	s      *Scenario
	number int
	text   string
}

// Fault breaks the network in the words of the language: "oneway alice -> bob".
func (s *Scenario) Fault(words string) *Fault {
	s.t.Helper()
	o := s.do("fault " + words)
	return &Fault{s, o.Fault, words}
}

// Partition lets nothing pass between the sides.
func (s *Scenario) Partition(sides ...Target) *Fault {
	s.t.Helper()
	var texts []string
	for _, side := range sides {
		texts = append(texts, side.text)
	}
	return s.Fault("partition " + strings.Join(texts, " | "))
}

// Link makes the way between two sides a bad one, in both directions:
// "latency 200ms jitter 50ms", "loss 5% dup 1%", "rate 64kbit".
func (s *Scenario) Link(a, b Target, what string) *Fault {
	s.t.Helper()
	return s.Fault("link " + a.text + " <-> " + b.text + " " + what)
}

// Heal undoes the fault. What is not healed is so at the end of the test.
func (f *Fault) Heal() {
	f.s.t.Helper()
	if f.number == 0 {
		f.s.t.Fatalf("fault %s is nothing that lasts", f.text)
	}
	f.s.step(coordinator.Fed{Statement: language.Statement{Text: "heal " + f.text}, Heal: f.number})
}
