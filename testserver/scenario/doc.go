// Package scenario runs scenarios with many peers inside go test.
//
// A test can run a file of the scenario language as it is:
//
//	func TestHeal(t *testing.T) {
//		scenario.Run(t, scenario.File("testdata/heal.cmd"))
//	}
//
// or say the same in Go, where a step is a method, and what the language does
// not have is Go:
//
//	func TestHello(t *testing.T) {
//		s := scenario.New(t, "alice", "bob")
//		s.All().Run("init")
//		s.AwaitConverged(5 * time.Second)
//		s.Peer("alice").Run("msg hello")
//		s.Peer("bob").Expect("chat", scenario.Text("hello"), scenario.Count(1))
//		s.Check("nobody is suspected", func(events []scenario.Event) error { ... })
//	}
//
// There is one engine: a method makes a statement of the language, which the
// test server's coordinator carries out, judges and reports like a line of a
// file. docs/scenarios.md teaches the language, and says what statements mean.
//
// # Where peers live
//
// Without an option peers live in the process of the test, on a simulated
// network and in virtual time: a scenario of minutes takes a fraction of a
// second, and nothing has to be built or set up. Peers there cannot be paused,
// since a goroutine has no SIGSTOP, and they cannot crash the test. Time stands
// still between the steps of a test: what the test does meanwhile takes none.
// Such a test must not itself be in a testing/synctest bubble.
//
// With Engine("local") each peer is a process. The test binary serves as their
// program if TestMain says so:
//
//	func TestMain(m *testing.M) { scenario.Main(m) }
//
// With Peer(path) they are processes of the program at path, one built with the
// race detector for example.
//
// # Failures
//
// What does not hold fails the test with the report that testserver run prints,
// which begins with the place in the file, or in the test for a method. A
// method that fails ends its test, as t.Fatal does: what follows would be about
// another state than the one that was meant. So methods belong to the goroutine
// of the test. A run that ends as unknown fails the test, too: because it
// asserted nothing, or did not reach everything.
//
// The directory of a run with its journals and report.html goes to Out; without
// that to the artifacts of the test if go test -artifacts keeps them, or else
// to a temporary directory, which is kept when the test fails, and named.
package scenario
