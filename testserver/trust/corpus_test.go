package trust_test

import (
	"slices"
	"strings"
	"testing"
)

var failed, unknown, broken = []int{1}, []int{2}, []int{3}

// honest passes as long as nobody lies.
const honest = `peers alice bob
timeout 10s
all init
await converged within 15s
alice msg one
alice msg two
alice msg three
bob expect chat "two" count == 1
bob expect chat /./ count == 3
! bob chatmemberping nobody
stderr "no chat member nobody"
bob msg four
alice expect chat "four" count == 1
check order
check causal
check delivery
check membership
`

// causes passes as long as everybody shows causes first.
const causes = `peers alice bob charly
timeout 10s
all init
await converged within 15s
alice msg cause
bob expect chat "cause"
bob msg effect
charly expect chat "effect"
charly expect chat "cause"
check order
check delivery
check causal
`

// split passes as long as the faults are there.
const split = `peers alice bob
timeout 10s
all init
await converged within 15s
fault oneway alice -> bob
alice msg apart
bob never chat "apart" for 1s
heal
bob expect chat "apart" within 10s
`

func TestTheHonestPass(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"honest": honest, "causes": causes, "split": split} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, liar := range []string{"", "bob"} { // whose link goes through a liar that does not lie
				trial{file: file, lie: "truth", liar: liar, want: []int{0}, says: []string{"PASSED"}}.check(t)
			}
		})
	}
}

func TestLies(t *testing.T) {
	t.Parallel()
	trials := []trial{
		// The journal as such.
		{lie: "an event is dropped", want: failed, says: []string{"journal of bob"}},
		{lie: "the last events are dropped", want: failed, says: []string{"journal of bob", "and the last that came is"}},
		{lie: "the last, and their number", want: failed, says: []string{"journal of bob", "it has recorded 0 events"}},
		{lie: "an event is doubled", want: failed, says: []string{"journal of bob"}},
		{lie: "events change places", want: failed, says: []string{"journal of bob"}},
		{lie: "an event of another peer", want: failed, says: []string{"bob, which runs as boot 1, sent an event of mallory"}},
		{lie: "an event of the other peer", want: failed, says: []string{"bob, which runs as boot 1, sent an event of alice"}},
		{lie: "an event of another boot", want: failed, says: []string{"sent an event of bob, boot 7"}},
		{lie: "an event of the test server", want: failed, says: []string{"sent an event of testserver"}},
		{lie: "numbers go backwards", want: failed, says: []string{"journal of bob"}},
		{lie: "numbers jump", want: failed, says: []string{"journal of bob"}},
		{lie: "no number", want: failed, says: []string{"bob's events are not complete"}},
		{lie: "no type", want: failed, says: []string{"bob's events are not complete"}},
		{lie: "another version of the journal", want: failed, says: []string{"bob's events are not complete"}},
		{lie: "a time that is none", want: failed, says: []string{"bob's events are not complete"}},

		// What the application does.
		{lie: "a message is lost", hasty: true, want: failed, says: []string{`x.cmd:8`, "bob"}},
		{lie: "a message is shown twice", want: failed, says: []string{`x.cmd:8`, "bob"}},
		{lie: "a message comes as another one", want: failed, says: []string{`x.cmd:8`, "bob"}},
		{lie: "a message with another text", hasty: true, want: failed, says: []string{`x.cmd:8`, "bob"}},
		{lie: "a message of somebody else", hasty: true, want: failed, says: []string{"x.cmd:16", "mallory"}},
		{lie: "a message with another id", hasty: true, want: failed, says: []string{"x.cmd:16", "bob"}},
		{lie: "messages in another order", want: failed, says: []string{"x.cmd:14", "check order"}},
		{lie: "nothing was sent", hasty: true, liar: "alice", want: failed, says: []string{"x.cmd:16", "check delivery"}},
		{lie: "sent twice", hasty: true, liar: "alice", want: failed, says: []string{"x.cmd:16", "check delivery"}},
		{lie: "a false death", want: failed, says: []string{"x.cmd:17", "check membership"}},
		{lie: "accepted and not sent", hasty: true, liar: "alice", want: failed, says: []string{"x.cmd:8"}},
		{lie: "sent twice by the application", liar: "alice", want: failed, says: []string{"x.cmd:8"}},
		{lie: "an effect before its cause", liar: "charly", file: causes, want: failed, says: []string{"x.cmd:12", "check causal"}},

		// The ends of commands, and faults.
		{lie: "no result", hasty: true, liar: "alice", want: failed, says: []string{"x.cmd:6", "no answer"}},
		{lie: "a failure is called OK", want: failed, says: []string{"x.cmd:10"}},
		{lie: "a success is called failed", liar: "alice", want: failed, says: []string{"x.cmd:6"}},
		{lie: "another error", want: failed, says: []string{"x.cmd:11"}},
		{lie: "the result of another", hasty: true, liar: "alice", want: failed, says: []string{"x.cmd:6"}},
		{lie: "a result without any", hasty: true, liar: "alice", want: failed, says: []string{"alice"}},
		{lie: "init is called OK", hasty: true, want: failed, says: []string{"x.cmd:4", "bob is not ready"}},
		{lie: "faults are not set", file: split, liar: "alice,bob", want: failed, says: []string{"x.cmd:7", "bob"}},
		{lie: "faults are refused", file: split, liar: "alice", want: failed, says: []string{"x.cmd:5", "no faults today"}},
		{lie: "faults are not answered", rare: true, hasty: true, file: split, liar: "alice", want: failed, says: []string{"x.cmd:5", "alice"}},

		// What a peer sees.
		{lie: "too many members", hasty: true, want: failed, says: []string{"x.cmd:4", "bob sees ghost"}},
		{lie: "a member twice", hasty: true, want: failed, says: []string{"x.cmd:4", "bob sees alice twice"}},
		{lie: "no members", hasty: true, want: failed, says: []string{"x.cmd:4", "bob does not see alice"}},
		{lie: "members of another boot", hasty: true, want: failed, says: []string{"x.cmd:4", "bob sees alice"}},
		{lie: "members at another address", hasty: true, want: failed, says: []string{"x.cmd:4", "bob sees alice"}},
		{lie: "members with another id", hasty: true, want: failed, says: []string{"x.cmd:4", "bob sees alice"}},
		{lie: "members are foreign", hasty: true, want: failed, says: []string{"x.cmd:4", "bob does not see alice"}},
		{lie: "members are dead", hasty: true, want: failed, says: []string{"x.cmd:4", "bob does not see alice"}},
		{lie: "too many in the chat", hasty: true, want: failed, says: []string{"x.cmd:4", "bob sees ghost"}},
		{lie: "nobody in the chat", hasty: true, want: failed, says: []string{"x.cmd:4", "bob does not see alice"}},
		{lie: "never ready", hasty: true, want: failed, says: []string{"bob"}},
		{lie: "always leaving", hasty: true, want: failed, says: []string{"x.cmd:4", "bob"}},
		{lie: "itself at another address", hasty: true, want: failed, says: []string{"x.cmd:4", "bob"}},
		{lie: "itself of another boot", hasty: true, want: failed, says: []string{"x.cmd:4", "bob"}},
		{lie: "itself somebody else", hasty: true, want: failed, says: []string{"x.cmd:4", "bob"}},
		{lie: "ready too soon", hasty: true, want: failed, says: []string{"x.cmd:4", "bob does not see alice"}},
		{lie: "no status", hasty: true, want: failed, says: []string{"bob"}},
		{lie: "a status that flickers", hasty: true, want: failed, says: []string{"x.cmd:4"}},

		// The link.
		{lie: "silence", hasty: true, want: failed, liar: "alice", says: []string{"x.cmd:6", "alice"}},
		{lie: "fences are not answered", rare: true, want: failed, says: []string{"bob hangs"}},
		{lie: "the link is cut", liar: "alice", want: failed, says: []string{"x.cmd:6", "alice"}},
		{lie: "the link is closed", liar: "alice", want: failed, says: []string{"x.cmd:6", "alice"}},
		{lie: "the link gives up", liar: "alice", want: failed, says: []string{"alice's events are not complete"}},
		{lie: "garbage", liar: "alice", want: failed, says: []string{"alice's events are not complete"}},
		{lie: "half a message", liar: "alice", want: failed, says: []string{"alice's events are not complete"}},
		{lie: "two messages in one", liar: "alice", want: failed, says: []string{"alice's events are not complete"}},
		{lie: "an unknown message", liar: "alice", want: failed, says: []string{"alice's events are not complete", "applause"}},
		{lie: "a message of a server", liar: "alice", want: failed, says: []string{"alice's events are not complete"}},
		{lie: "a member too many", liar: "alice", want: failed, says: []string{"alice's events are not complete", "applause"}},
		{lie: "another version", liar: "alice", want: failed, says: []string{"alice's events are not complete", "version 99"}},
		{lie: "ten megabytes", liar: "alice", want: failed, says: []string{"x.cmd:6", "alice"}},
		{lie: "hello with another name", want: broken, says: []string{"bob could not be started", "the test server refused"}},
		{lie: "hello with the other name", want: broken, says: []string{"alice"}},
		{lie: "hello of no boot", want: []int{1, 3}, says: []string{"bob"}},
		{lie: "no hello", want: broken, says: []string{"bob"}},

		// The process.
		{lie: "a panic", liar: "alice", want: failed, says: []string{"x.cmd:6", "alice ended unexpectedly: exit status 2"}},
		{lie: "exit 0", liar: "alice", want: failed, says: []string{"x.cmd:6", "alice ended unexpectedly: exit status 0"}},
		{lie: "exit 1", liar: "alice", want: failed, says: []string{"x.cmd:6", "alice ended unexpectedly: exit status 1"}},
		{lie: "a data race", liar: "alice", want: failed, says: []string{"alice", "data race"}},
		{lie: "a child stays", liar: "alice", file: honest + "alice quit\n", want: failed, says: []string{"alice", "processes that it had started outlived it"}},
		{lie: "standstill", hasty: true, liar: "alice", want: failed, says: []string{"x.cmd:6", "alice"}},
		{lie: "exit 3 in the end", liar: "alice", file: honest + "stop alice\n", want: failed, says: []string{"alice", "exit status 3"}},
		{lie: "a panic in the end", liar: "alice", file: honest + "alice exit\n", want: failed, says: []string{"alice", "panic"}},
		{lie: "exit 3 at quit", liar: "alice", file: honest + "alice quit\n", want: failed, says: []string{"alice", "exit status 3"}},
	}
	all := lies()
	for _, elsewhere := range []string{"truth", "apart is lost", "apart comes", "hello of somebody else"} {
		delete(all, elsewhere)
	}
	for i, tr := range trials {
		tr.name = tr.lie
		if tr.file == "" {
			tr.file = honest
		}
		if tr.liar == "" {
			tr.liar = "bob"
		}
		if tr.hasty {
			tr.file = strings.NewReplacer("timeout 10s", "timeout 1500ms", "within 15s", "within 3s").Replace(tr.file)
		}
		if all[tr.lie] == nil {
			t.Errorf("there is no lie %q, or twice", tr.lie)
		}
		delete(all, tr.lie)
		trials[i] = tr
	}
	for name := range all {
		t.Errorf("nobody tells the lie %q", name)
	}
	try(t, slices.Clip(trials))
}
