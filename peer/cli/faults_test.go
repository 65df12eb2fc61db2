package cli_test

import (
	"strings"
	"testing"
	"time"
)

// TestPartitionOfAProcess cuts real peers from each other by hand, on one side
// only. Each loses the other; what they write meanwhile arrives once when the
// partition ends, and nobody has to do anything for that.
func TestPartitionOfAProcess(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	bob := u.start("bob")
	bob.expect("ready as bob")
	alice := u.start("alice", "--dev")
	alice.expect("ready as alice")
	bob.expect("<joined> alice")
	alice.send("msg before")
	bob.expect("<alice> before")

	alice.send("net partition alice | bob")
	alice.expect("fault 1: partition alice | bob")
	start := time.Now()
	alice.send("msg from alice, apart")
	bob.send("msg from bob, apart")
	alice.expect("<lost> bob")
	bob.expect("<lost> alice")
	lost := time.Since(start)

	alice.send("net heal")
	alice.expect("healed 1")
	start = time.Now()
	bob.expect("<alice> from alice, apart")
	alice.expect("<bob> from bob, apart")
	t.Logf("lost after %v, whole again after %v", lost, time.Since(start))
	alice.send("msg after")
	bob.expect("<alice> after")
	for _, p := range []*process{alice, bob} {
		p.mu.Lock()
		if n := strings.Count(strings.Join(p.lines, "\n"), ", apart"); n != 1 {
			t.Errorf("what was written in the partition is shown %d times in\n%s", n, strings.Join(p.lines, "\n"))
		}
		p.mu.Unlock()
	}
	for _, p := range []*process{alice, bob} {
		p.send("quit")
		if got := p.status(); got != 0 {
			t.Errorf("status %d, want 0", got)
		}
	}
}
