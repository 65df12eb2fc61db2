package node_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLeaveIsShortAndHeard: a leave lasts as long as the word needs, and
// everybody hears it, however many leave at once.
func TestLeaveIsShortAndHeard(t *testing.T) {
	for _, c := range []struct {
		leavers, rounds int
		within          time.Duration
	}{
		{1, 20, 100 * time.Millisecond},
		{4, 5, 700 * time.Millisecond}, // one that has gone answers no more
		{10, 2, 700 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(c.leavers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				alice := l.start("alice", withChat(t))
				alice.init()
				for round := range c.rounds {
					var peers []*peer
					for i := range c.leavers {
						p := l.start(fmt.Sprint("p", i), withChat(t))
						p.init()
						peers = append(peers, p)
					}
					l.until(10*time.Second, "all see alice, and she them", func() bool { return strings.Count(alice.sees(), "alive") == c.leavers })
					start := time.Now()
					for _, p := range peers {
						p.stop()
					}
					for _, p := range peers {
						p.end()
					}
					if took := time.Since(start); took > c.within {
						t.Errorf("round %d: the leave took %s", round, took)
					}
					l.until(time.Second, "all have left", func() bool { return strings.Count(alice.sees(), "left") == c.leavers })
				}
				time.Sleep(time.Minute)
				for i := range c.leavers {
					if n := alice.saw(fmt.Sprintf("<left> p%d is leaving", i)); n != c.rounds {
						t.Errorf("alice saw p%d leave %d times of %d", i, n, c.rounds)
					}
				}
				alice.quit()
			})
		})
	}
}
