package trust_test

import "testing"

// TestBrokenScenarios are files that show nothing, or cannot hold, or are no
// scenarios. None passes.
func TestBrokenScenarios(t *testing.T) {
	t.Parallel()
	const one, two = "peers alice\ntimeout 500ms\n", "peers alice bob\ntimeout 500ms\nall init\nawait converged within 15s\n"
	try(t, []trial{
		// They assert nothing.
		{name: "empty", file: "", want: unknown, says: []string{"nothing was asserted"}},
		{name: "comments only", file: "# nothing\n\n# at all\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "peers only", file: one, want: unknown, says: []string{"nothing was asserted"}},
		{name: "commands only", file: one + "alice init\nalice msg hello\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "commands only, in the original form", file: "alice init\nbob init\nalice msg hello\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "sleeps only", file: one + "sleep 100ms\nsleep 100ms\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "phases only", file: one + "phase \"one\"\nphase \"two\"\nmark m\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "all may fail", file: one + "? alice nonsense\n? alice init\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "assertions elsewhere", file: one + "alice init\n[engine:sim] alice expect chat \"x\"\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "assertions in a branch of no peer", file: one + "alice init\n[!engine:local] par {\nalice expect chat \"x\"\n}\n", want: unknown, says: []string{"nothing was asserted"}},
		{name: "a check with nothing to look at", file: one + "alice init\ncheck delivery\n", want: []int{1, 2}, says: []string{"x.cmd:4"}},

		// They cannot hold.
		{name: "wrong count", file: two + "alice msg x\nbob expect chat \"x\" count == 2\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "count of none", file: two + "alice msg x\nbob expect chat \"x\" count == 0\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "too late", file: two + "alice msg x\nbob expect chat \"x\" since now\n", want: failed, says: []string{"x.cmd:6"}},
		{name: "another phase", file: two + "alice msg x\nbob expect chat \"x\"\nphase \"later\"\nbob expect chat \"x\"\n", want: failed, says: []string{"x.cmd:8"}},
		{name: "wrong stream", file: two + "alice msg x\nbob expect member \"x\"\n", want: failed, says: []string{"x.cmd:6"}},
		{name: "part of the text", file: two + "alice msg hello\nbob expect chat \"hell\"\n", want: failed, says: []string{"x.cmd:6", "hello"}},
		{name: "wrong field", file: two + "alice msg x\nbob expect chat from:charly\n", want: failed, says: []string{"x.cmd:6"}},
		{name: "own messages", file: two + "alice msg x\nall expect chat \"x\"\n", want: failed, says: []string{"x.cmd:6", "alice"}},
		{name: "never, and it was", file: two + "alice msg x\nbob never chat \"x\" for 100ms\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "never, and it comes", file: two + "par {\nbob never chat \"x\" for 1s since now\nrepeat 1 {\nsleep 300ms\nalice msg x\n}\n}\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "stable, and it is not", file: two + "par {\nalice stable members.count >= 2 for 2s\nbob quit\n}\n", want: failed, says: []string{"x.cmd:6", "alice"}},
		{name: "await a stranger", file: two + "alice await view(bob) == absent\n", want: failed, says: []string{"x.cmd:5", "view(bob) is alive"}},
		{name: "await too few", file: two + "alice await members.count >= 3\n", want: failed, says: []string{"x.cmd:5"}},
		{name: "converged without init", file: "peers alice bob\ntimeout 500ms\nalice init\nalice await members == alice,bob\n", want: failed, says: []string{"x.cmd:4"}},
		{name: "converged, and nobody is ready", file: one + "await converged\n", want: []int{1, 2}, says: []string{"x.cmd:3", "no peer is ready"}},
		{name: "converged inside a partition", file: two + "fault partition alice | bob {\nalice await view(bob) == dead within 20s\nawait converged within 2s\n}\n", want: failed, says: []string{"x.cmd:7"}},
		{name: "a command fails", file: two + "alice chatmemberping nobody\nbob expect member /joined/ since start\n", want: failed, says: []string{"x.cmd:5", "nobody"}},
		{name: "a command that must fail succeeds", file: two + "! alice msg x\n", want: failed, says: []string{"x.cmd:5"}},
		{name: "one of two fails", file: "peers alice bob\nalice init\n! all chatmembers\n", want: failed, says: []string{"x.cmd:3", "alice"}},
		{name: "unknown command", file: one + "alice nonsense\n", want: failed, says: []string{"x.cmd:3", "nonsense"}},
		{name: "wrong output", file: two + "alice chatmembers\nstdout \"charly\"\n", want: failed, says: []string{"x.cmd:6"}},
		{name: "output of a command before", file: two + "alice chatmembers\nalice nodename\nstdout \"bob\"\n", want: failed, says: []string{"x.cmd:"}},
		{name: "a background fails", file: two + "bg b: alice expect chat \"x\" within 200ms\njoin b\n", want: failed, says: []string{"x.cmd:5"}},
		{name: "a background is forgotten", file: two + "bg b: alice expect chat \"x\" within 20s\nbob msg y\n", want: []int{1, 2}, says: []string{"x.cmd:5"}},
		{name: "a branch fails", file: two + "par {\nalice expect chat \"x\" within 5s\nbob chatmemberping nobody\n}\n", want: failed, says: []string{"x.cmd:7"}},
		{name: "a loop fails at its end", file: two + "for x in all {\nbob chatmemberping $x\n}\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "the cleanup fails", file: two + "alice expect member \"joined bob\"\ncleanup { all nonsense }\n", want: failed, says: []string{"x.cmd:6"}},
		{name: "it passes and was to fail", file: "fails \"a bug\"\n" + two + "alice expect member \"joined bob\"\n", want: failed, says: []string{"expected to fail"}},
		{name: "it is unknown and was to fail", file: "fails \"a bug\"\n" + one + "alice init\n", want: unknown, says: []string{"UNKNOWN"}},
		{name: "budget", file: one + "alice init\nsleep 20s\nalice expect chat \"x\"\n", flags: []string{"--budget", "1s"}, want: []int{1, 2}, says: []string{"budget"}},

		// Peers that are not there any more, or not yet.
		{name: "all, with nobody left", file: two + "kill alice,bob\nall msg x\n", want: []int{1, 2}, says: []string{"x.cmd:6"}},
		{name: "expect of all, with nobody left", file: two + "kill alice,bob\nall expect member /joined/\n", want: []int{1, 2}, says: []string{"x.cmd:6"}},
		{name: "never of all, with nobody left", file: two + "kill alice,bob\nall never chat \"x\" for 100ms\n", want: []int{1, 2}, says: []string{"x.cmd:6"}},
		{name: "expect after the end", file: two + "kill bob\nalice msg x\nbob expect chat \"x\"\n", want: failed, says: []string{"x.cmd:7", "bob"}},
		{name: "never after the end", file: two + "kill bob\nbob never chat \"x\" for 100ms\n", want: []int{1, 2}, says: []string{"x.cmd:6", "bob"}},
		{name: "await after the end", file: two + "kill bob\nbob await members.count >= 1\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "a command after the end", file: two + "alice expect member \"joined bob\"\nkill bob\nbob msg x\n", want: []int{1, 2}, says: []string{"x.cmd:7", "bob"}},
		{name: "a command to the paused", file: two + "pause bob\nbob msg x\n", want: []int{1, 2}, says: []string{"x.cmd:6", "bob"}},
		{name: "resume of one who runs", file: two + "resume bob\n", want: failed, says: []string{"x.cmd:5", "bob"}},
		{name: "killed twice", file: two + "kill bob\nkill bob\n", want: failed, says: []string{"x.cmd:6", "bob"}},
		{name: "it ends by itself", file: two + "bob exit\nalice expect member \"joined bob\"\nbob msg x\n", want: []int{1, 2}, says: []string{"x.cmd:7", "bob"}},

		// The original form.
		{name: "a filter that is not reached", file: "alice init\nbob init\nalice testfilter messagesView 1 <bob> x\nbob msg y\n", want: failed, says: []string{"testfilter messagesView 1 <bob> x"}},
		{name: "a filter that is exceeded", file: "alice init\nbob init\nalice testfilter messagesView 1 <bob> x\nbob msg x\nbob msg x\n", want: failed, says: []string{"testfilter messagesView 1 <bob> x"}},
		{name: "a filter of one who never starts", file: "alice init\nbob init\ncharly testfilter messagesView 1 <bob> x\nbob msg x\n", want: failed, says: []string{"charly testfilter"}},
		{name: "a filter of one who has gone", file: "alice init\nbob init\nalice testfilter messagesView 1 <bob> x\nalice quit\nbob msg x\n", want: []int{1, 2}, says: []string{"alice testfilter"}},
		{name: "a filter that is none", file: "alice init\nalice testfilter messagesView many <bob> x\n", want: failed, says: []string{"x.cmd:2"}},
		{name: "a filter of a negative count", file: "alice init\nalice testfilter messagesView -1 <bob> x\n", want: failed, says: []string{"x.cmd:2"}},

		// They are no scenarios.
		{name: "never for no time", file: two + "bob never chat \"x\" for 0s\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "stable for no time", file: two + "bob stable members.count >= 1 for 0s\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a peer that is not declared", file: two + "charly msg x\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a peer twice", file: "peers alice alice\n", want: broken, says: []string{"x.cmd:1"}},
		{name: "no end of a block", file: two + "par {\nalice msg x\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "an end too many", file: two + "}\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a pattern without an end", file: two + "bob expect chat \"x\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a pattern that is none", file: two + "bob expect chat /(/\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a count that is none", file: two + "bob expect chat \"x\" count = 1\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a count below none", file: two + "bob expect chat \"x\" count == -1\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a mark that is none", file: two + "bob expect chat \"x\" since mark:m\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a background that is none", file: two + "join b\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a variable that is none", file: two + "bob chatmemberping $nobody\n", want: []int{1, 3}, says: []string{"x.cmd:5"}},
		{name: "output of nothing", file: one + "stdout \"x\"\n", want: []int{1, 3}, says: []string{"x.cmd:3"}},
		{name: "no time", file: two + "await converged within soon\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a time below none", file: two + "await converged within -1s\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "repeated never", file: two + "repeat 0 {\nbob expect chat \"x\"\n}\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a checker that is none", file: two + "check everything\n", want: broken, says: []string{"x.cmd:5"}},
		{name: "a partition with itself", file: two + "fault partition alice | alice\n", want: failed, says: []string{"x.cmd:5", "one and the same"}},
		{name: "statements in the original form", file: "alice init\nawait converged\n", want: broken, says: []string{"x.cmd:2", "peers"}},
	})
}
