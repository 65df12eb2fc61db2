package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/scenario"
)

func TestMain(m *testing.M) { scenario.Main(m) }

const heal = "../../scripts/scenario/heal.cmd"

func TestFileInVirtualTime(t *testing.T) {
	var took time.Duration
	for range 3 { // one of them at least gets the tenth of a processor that it takes
		began := time.Now()
		scenario.Run(t, scenario.File(heal))
		if took = time.Since(began); took <= 8*time.Second {
			return
		}
	}
	t.Errorf("it took %s, as if time were real", took)
}

func TestSteps(t *testing.T) {
	s := scenario.New(t, "alice", "bob", "charly")
	alice, bob, charly := s.Peer("alice"), s.Peer("bob"), s.Peer("charly")

	s.Phase("everybody hears everybody, once")
	s.All().Run("init")
	s.AwaitConverged(5 * time.Second)
	s.All().Run("msg it costs $5, \"or\" $x \\ /")
	s.All().Expect("chat", scenario.Text("it costs $5, \"or\" $x \\ /"), scenario.Count(2))
	s.Peer("alice,charly").Expect("chat", scenario.Match(`\$5.*/$`), scenario.Field("from", "bob"), scenario.Count(1))
	s.All().Never("chat", 500*time.Millisecond, scenario.Match("costs"), scenario.SinceNow())
	bob.Fails("chatmemberping nobody", "no chat member")
	if got := alice.Output("echo a $"); got != "a $" {
		t.Errorf("output %q", got)
	}

	s.Phase("split, then whole again")
	cut := s.Partition(alice, s.Peer("bob,charly"))
	slow := s.Link(bob, charly, "latency 10ms")
	alice.Await("members == alice", 20*time.Second)
	bob.Await("members == bob,charly", 20*time.Second)
	m := s.Mark()
	bob.Run("msg while apart")
	alice.Never("chat", 2*time.Second, scenario.Text("while apart"))
	cut.Heal()
	slow.Heal()
	s.AwaitConverged(15 * time.Second)
	alice.Expect("chat", scenario.Text("while apart"), scenario.Count(1), scenario.Since(m), scenario.Within(10*time.Second))

	s.Phase("lives")
	charly.Kill()
	s.Peer("alice,bob").Await("view(charly) == dead", 15*time.Second)
	charly.Restart()
	s.Spawn("dave")
	s.Peer("dave").Run("init")
	s.AwaitConverged(15 * time.Second)
	s.Any(1, s.Others(alice)).Stable("members.count == 4", time.Second)
	s.CheckDelivery()
	s.CheckOrder()
	sent := 0
	s.Check("four have spoken", func(events []scenario.Event) error {
		for _, e := range events {
			if e.Type == "sent" {
				sent++
			}
		}
		if sent != 4 {
			return fmt.Errorf("%d messages were sent", sent)
		}
		return nil
	})
}

func TestScriptWithParametersOnProcesses(t *testing.T) {
	scenario.Run(t, scenario.Engine("local"), scenario.Param("TEXT", "hello"), scenario.Script("say.cmd", `
peers alice bob
all init
await converged
alice msg ${TEXT}
bob expect chat "$TEXT" count == 1
`))
}
