package scenario_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/scenario"
)

// try is how go test runs a test. It prints nothing of its own.
func try(name string, test func(*testing.T)) {
	verbose := flag.Lookup("test.v").Value
	before := verbose.String()
	defer func() { _ = verbose.Set(before) }()
	_ = verbose.Set("false")
	all := func(string, string) (bool, error) { return true, nil }
	if testing.RunTests(all, []testing.InternalTest{{Name: name, F: test}}) {
		fmt.Println(name, "passed")
	}
}

// A scenario that stands in the test. Without an option peers live in virtual
// time: this takes a few milliseconds.
func ExampleRun() {
	TestHello := func(t *testing.T) {
		scenario.Run(t, scenario.Script("hello.cmd", `
peers alice bob
all init
await converged
alice msg hello
bob expect chat "hello" count == 1
bob never chat "hello" for 1m since now
`))
	}
	try("TestHello", TestHello)
	// Output: TestHello passed
}

// One scenario for several sizes, by a parameter.
func ExampleParam() {
	TestSizes := func(t *testing.T) {
		for _, n := range []string{"2", "5"} {
			scenario.Run(t, scenario.Param("N", n), scenario.Script("sizes.cmd", `
peers p[1..$N]
all init
await converged
all await members.count == $N
`))
		}
	}
	try("TestSizes", TestSizes)
	// Output: TestSizes passed
}

// The same statements as methods.
func ExampleNew() {
	TestHello := func(t *testing.T) {
		s := scenario.New(t, "alice", "bob", "charly")
		alice := s.Peer("alice")
		s.All().Run("init")
		s.AwaitConverged(5 * time.Second)
		alice.Run("msg hello")
		s.Others(alice).Expect("chat", scenario.Text("hello"), scenario.Field("from", "alice"), scenario.Count(1))
	}
	try("TestHello", TestHello)
	// Output: TestHello passed
}

// A partition, healed, and a crash.
func ExampleScenario_Partition() {
	TestHeal := func(t *testing.T) {
		s := scenario.New(t, "alice", "bob", "charly")
		alice, others := s.Peer("alice"), s.Peer("bob,charly")
		s.All().Run("init")
		s.AwaitConverged(5 * time.Second)

		s.Phase("apart")
		cut := s.Partition(alice, others)
		others.Await("members == bob,charly", 20*time.Second)
		s.Peer("bob").Run("msg while apart")
		alice.Never("chat", time.Second, scenario.Text("while apart"))

		cut.Heal()
		s.AwaitConverged(15 * time.Second)
		alice.Expect("chat", scenario.Text("while apart"), scenario.Count(1))
		s.CheckDelivery()
	}
	try("TestHeal", TestHeal)
	// Output: TestHeal passed
}

// A check in Go over the journals of all peers: here, how long the membership
// took to notice a crash, in virtual time.
func ExampleScenario_Check() {
	TestCrash := func(t *testing.T) {
		s := scenario.New(t, "alice", "bob", "charly")
		s.All().Run("init")
		s.AwaitConverged(5 * time.Second)
		s.Peer("charly").Kill()
		s.Peer("alice,bob").Expect("member", scenario.Text("dead charly"))
		s.Check("noticed within ten seconds", func(events []scenario.Event) error {
			var killed time.Time
			for _, e := range events {
				switch {
				case e.Type == "life" && e.Text == "kill charly":
					killed = e.Time
				case e.Type == "member" && e.Text == "dead charly" && e.Time.Sub(killed) > 10*time.Second:
					return fmt.Errorf("%s has noticed after %s", e.Peer, e.Time.Sub(killed))
				}
			}
			return nil
		})
	}
	try("TestCrash", TestCrash)
	// Output: TestCrash passed
}
