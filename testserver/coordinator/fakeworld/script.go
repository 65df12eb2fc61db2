package fakeworld

import (
	"fmt"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// rule is one line of a world's script:
//
//	at 2s bob event view <alice> x     bob records an event two seconds after the start
//	at 2s bob gap                      a number is left out in bob's journal
//	at 2s bob forged view x            bob sends an event of somebody else
//	at 2s bob gone exit status 2       bob ends
//	at 2s bob hang                     nothing is heard of bob any more
//	at 2s bob overflow                 bob's link ends, with events missing
//	at 2s bob swallow                  bob records an event and does not tell it
//	at 2s bob closed                   bob closes its link in order
//	at 2s bob sees alice suspect       what bob sees changes
//	at 2s bob health 3
//	on bob msg nothing                 bob never answers a msg
//	on bob msg fail REASON             it fails
//	on bob msg ok OUTPUT               it succeeds and does nothing
//	on bob msg after 3s                it takes a while
//	on bob msg gone exit status 2      it ends bob
//	on bob msg event view <alice> x    as with "at", beside what it does
//	on bob msg lose charly             charly does not get it
//	on bob msg twice charly            charly shows it twice
//	on bob stop gone exit status 7     it does not end in order when it is told to
//	on bob faults nothing              bob does not say that faults are in force
//	start bob nothing                  bob does not attach
//	start bob gone exit status 1       bob cannot be started
//	order bob kill fail REASON         the order fails
//	order bob kill nothing             nothing comes of it
//	order - ail fail REASON            of the bootstrap service
//	leaves bob behind a process        what is told when bob has ended
//	broken REASON                      the world cannot be made
//
// Of several rules for one command the first counts.
type rule struct {
	when string // at, on, start, order, leaves, broken
	peer string
	at   time.Duration
	word string // of the command
	verb string
	text string
}

func parse(script string) ([]rule, error) {
	var rules []rule
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRule(line)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", line, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(line string) (r rule, err error) {
	next := func() string {
		word, rest, _ := strings.Cut(line, " ")
		line = strings.TrimSpace(rest)
		return word
	}
	r.when = next()
	switch r.when {
	case "at":
		if r.at, err = time.ParseDuration(next()); err != nil {
			return r, err
		}
		r.peer, r.verb = next(), next()
	case "on", "order":
		r.peer, r.word, r.verb = strings.TrimPrefix(next(), "-"), next(), next()
	case "start":
		r.peer, r.verb = next(), next()
	case "leaves":
		r.peer, r.word = next(), next()
	case "broken":
		r.verb = "broken"
	default:
		return r, fmt.Errorf("%q is no beginning of a rule", r.when)
	}
	r.text = line
	if r.verb == "after" {
		r.at, err = time.ParseDuration(r.text)
	}
	return r, err
}

// rule is the first one for a command, or nil.
func (w *World) rule(when, peer, word string) *rule {
	for i, r := range w.script {
		if r.when == when && r.peer == peer && r.word == word {
			return &w.script[i]
		}
	}
	return nil
}

// act does what a rule says, to a peer that is there.
func (w *World) act(r rule) {
	p := w.peers[r.peer]
	if p == nil || p.gone {
		return
	}
	first, rest, _ := strings.Cut(r.text, " ")
	switch r.verb {
	case "event":
		p.record(first, rest, nil)
	case "gap":
		p.seq++
		p.record("log", "after a gap", nil)
	case "swallow":
		p.seq++
	case "forged":
		p.recordAs("mallory", 1, first, rest, nil)
	case "gone":
		p.end(r.text, false)
	case "hang":
		p.hangs = true
	case "closed":
		p.say(testlink.Closed{Err: testlink.ErrClosed, Events: &p.seq})
	case "overflow":
		p.say(testlink.Closed{Err: testlink.ErrOverflow})
	case "sees":
		p.see(first, rest)
	case "health":
		s := testlink.Status{Ready: p.ready, Self: p.node()}
		if _, err := fmt.Sscan(r.text, &s.Health); err != nil {
			panic(err)
		}
		p.say(s)
	case "problem":
		p.say(coordinator.Gone{State: r.text})
	}
}
