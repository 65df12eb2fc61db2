package shell_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/shell"
)

func forDevelopment(c *shell.Config) { c.Dev = true }

// sees is the state in which p sees a member.
func (p *peer) sees(name string) string {
	for _, m := range p.node.Status().Members {
		if m.Member.Name == name {
			return string(m.State)
		}
	}
	return "absent"
}

// within waits for what must come true, and returns how long it took.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(start)
}

// One of three peers cuts itself off, and none of the others knows of it. Both
// sides lose each other, and are one again when it heals.
func TestPartitionOfALivePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		bob, charly, alice := r.peer("bob", nil), r.peer("charly", nil), r.peer("alice", forDevelopment)
		for _, p := range []*peer{bob, charly, alice} {
			p.must("init")
		}
		within(t, 5*time.Second, "the group", func() bool {
			return alice.sees("bob") == "alive" && charly.sees("alice") == "alive" && bob.sees("alice") == "alive"
		})
		alice.must("net partition alice | bob,charly")
		lost := within(t, 20*time.Second, "both sides lose each other", func() bool {
			return alice.sees("bob") == "lost" && alice.sees("charly") == "lost" && bob.sees("alice") == "lost" && charly.sees("alice") == "lost"
		})
		alice.must("msg while apart")
		time.Sleep(time.Minute)
		if alice.sees("bob") != "lost" || bob.sees("alice") != "lost" || bob.sees("charly") != "alive" {
			t.Errorf("in a long partition alice sees bob %s, bob sees alice %s and charly %s", alice.sees("bob"), bob.sees("alice"), bob.sees("charly"))
		}
		if out := bob.must("bootstrappeers"); !strings.Contains(out, "alice") || !strings.Contains(out, "bob") {
			t.Errorf("the bootstrap list has lost somebody: %s", out)
		}
		alice.must("net heal")
		healed := within(t, 10*time.Second, "the group is one again", func() bool {
			return alice.sees("bob") == "alive" && alice.sees("charly") == "alive" && bob.sees("alice") == "alive" && charly.sees("alice") == "alive"
		})
		t.Logf("lost after %v, whole again after %v", lost, healed)
	})
}

func TestNetErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		bob, alice := r.peer("bob", nil), r.peer("alice", forDevelopment)
		bob.must("init")
		alice.must("init")
		usage := "usage: net .*"
		alice.steps([]step{
			{"net partition alice | charly", "", "this peer knows no charly; it knows bob"},
			{"net partition alice | bobb", "", "this peer knows no bobb; did you mean bob\\?"},
			{"net partition bob | charly", "", usage + "this peer, alice, is on no side.*"},
			{"net partition alice,bob | alice", "", usage + "alice is on two sides.*"},
			{"net partition alice", "", usage + "one side only.*"},
			{"net partition", "", usage},
			{"net partition alice |", "", usage + "no name.*"},
			{"net partition alice,bob | all", "", ".*nobody on the other side"},
			{"net oneway alice <-> bob", "", usage + "net oneway alice -> bob.*"},
			{"net oneway alice -> bob latency 5ms", "", usage + `"latency" is too much.*`},
			{"net reset alice -> bob", "", usage + "net reset alice <-> bob.*"},
			{"net link alice bob", "", usage + "net link alice <-> bob.*"},
			{"net link alice <-> bob", "", usage + "property of the link is missing.*"},
			{"net link alice <-> bob latency 5", "", usage + `"5" is no value of latency.*`},
			{"net link alice <->", "", usage},
			{"net heel", "", usage + "did you mean heal\\?.*"},
			{"net nonsense", "", usage + "use partition, .*"},
			{"net heal 1", "", "no such fault: 1: net show .*"},
			{"net heal 1 2", "", usage},
			{"net heal x", "", usage},
			{"net show 1", "", usage},
			{"net heal --json", "", usage + "only show.*"},
			{"net show", "no fault is in force\n", ""},
		})
		bob.steps([]step{{"net", "", ".*--dev.*"}})
		charly := r.peer("charly", func(c *shell.Config) { c.Dev, c.Harness = true, &harness{} })
		charly.steps([]step{{"net heal", "", "no faults can be set here: the test server .*"}})
	})
}

// Rules add up, each is told and recorded, and each can be healed alone.
func TestNetShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		bob, alice := r.peer("bob", nil), r.peer("alice", forDevelopment)
		bob.must("init")
		alice.must("init")
		var events []journal.Event
		alice.node.Journal().Attach(func(e journal.Event, _ []byte) {
			if e.Type == journal.TypeNet {
				events = append(events, e)
			}
		})
		alice.must("net link bob -> alice latency 5ms loss 50%")
		alice.must("net link alice <-> bob latency 10ms loss 50%")
		var shown struct {
			Faults []struct {
				Fault int
				Text  string
				Peers []string
			}
			Links []struct{ Peer, Addr, To, From string }
		}
		if err := json.Unmarshal([]byte(alice.must("net show --json")), &shown); err != nil {
			t.Fatal(err)
		}
		if len(shown.Faults) != 2 || shown.Faults[1].Fault != 2 || shown.Faults[1].Text != "link alice <-> bob latency 10ms loss 50%" || !slices.Equal(shown.Faults[0].Peers, []string{"bob"}) {
			t.Errorf("the faults are %+v", shown.Faults)
		}
		if len(shown.Links) != 1 || shown.Links[0].To != "latency 10ms loss 50%" || shown.Links[0].From != "latency 15ms loss 75%" {
			t.Errorf("the links are %+v", shown.Links)
		}
		alice.must("net heal 1")
		alice.must("net reset alice <-> bob")
		alice.must("net heal")
		var got []string
		for _, e := range events {
			got = append(got, fmt.Sprint(e.Text, " ", e.Fields["fault"], " ", e.Fields["state"], " ", e.Fields["peers"]))
		}
		want := []string{
			"link bob -> alice latency 5ms loss 50% 1 set [bob]",
			"link alice <-> bob latency 10ms loss 50% 2 set [bob]",
			"link bob -> alice latency 5ms loss 50% 1 healed [bob]",
			"reset alice <-> bob <nil> reset [bob]",
			"link alice <-> bob latency 10ms loss 50% 2 healed [bob]",
		}
		if !slices.Equal(got, want) {
			t.Errorf("recorded are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A member that comes back at another address meets the fault there too.
func TestFaultsFollowAMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		bob, alice := r.peer("bob", nil), r.peer("alice", forDevelopment)
		bob.must("init")
		alice.must("init")
		before := alice.must("net link alice <-> bob latency 50ms") + alice.must("net show")
		bob.must("memberlistleave")
		bob.must("memberlistdelete")
		other, err := r.net.Host("10.0.0.2").Listen(t.Context(), bob.node.Status().Self.Addr.String())
		if err == nil {
			defer other.Close() // its port is taken now
		}
		bob.must("init")
		addr := bob.node.Status().Self.Addr.String()
		within(t, 10*time.Second, "bob is back", func() bool { return alice.sees("bob") == "alive" })
		if after := alice.must("net show"); !strings.Contains(after, addr) || strings.Contains(before, addr) {
			t.Errorf("bob is at %s now; before was\n%safter\n%s", addr, before, after)
		}
	})
}
