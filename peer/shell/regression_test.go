package shell_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// The tests of this file are named after faults that a shell for peers once
// had, one each. Those that need a test server are with the runner: "a failing
// command was retried for ever", "only OK was reported", "a hard exit blocked
// the run", "a filter that expects 0 could never pass", and "expectations were
// judged while messages were under way".

// pair is alice, who is looked at, and bob, both ready.
func pair(t *testing.T, change func(*shell.Config)) (alice, bob *peer) {
	t.Helper()
	r := newRoom(t)
	bob, alice = r.peer("bob", nil), r.peer("alice", change)
	bob.must("init")
	alice.must("init")
	bob.until("bob knows alice", func() bool { return strings.Contains(bob.must("chatmembers"), "alice") })
	return alice, bob
}

func dev(c *shell.Config) { c.Dev, c.System = true, echoes }

func TestBroadcastItemsReachOtherPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t, nil)
		alice.must("broadcastadd colour dark blue")
		if got := bob.must("broadcastlist"); got != "colour dark blue\n" {
			t.Errorf("bob lists %q", got)
		}
		bob.must("broadcastdel colour")
		if got := alice.must("broadcastlist --json"); got != "[]\n" {
			t.Errorf("alice lists %q", got)
		}
	})
}

// Every command that help names runs: unknown ones are told otherwise.
func TestHelpNamesWhatThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		for _, c := range p.Table().Commands() {
			if c.Name == "quit" || c.Name == "exit" || c.Name == "init" {
				continue
			}
			if _, err := p.run(c.Name); errors.Is(err, repl.ErrUnknown) {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
		for _, name := range []string{"broadcastlist", "chatping"} {
			if !strings.Contains(p.must("help commands"), name) {
				t.Errorf("%s is not in the help", name)
			}
		}
	})
}

func TestHelpFitsAScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		for _, c := range p.Table().Commands() {
			for line := range strings.Lines(p.must("help " + c.Name)) {
				if len([]rune(line)) > 81 {
					t.Errorf("help %s has a line that is too long: %s", c.Name, line)
				}
			}
		}
		lines := strings.Split(p.must("help"), "\n")
		if len(lines) > 24 {
			t.Errorf("help has %d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
		for _, l := range lines {
			if len([]rune(l)) > 80 {
				t.Errorf("help has a line of %d columns: %s", len([]rune(l)), l)
			}
		}
	})
}

func TestChatLeaveSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, _ := pair(t, nil)
		alice.steps([]step{
			{"chatleave", "the chat is closed\n", ""},
			{"chatleave", "the chat is closed\n", ""},
			{"chatmembers", "", ".*chatstart.*"},
			{"chatstart", "the chat is open\n", ""},
			{"chatmembers", "bob\n", ""},
		})
	})
}

func TestLoadedConfigurationKeepsTheChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t, nil)
		alice.steps([]step{
			{"memberlistconfigure GossipNodes 5 ProbeInterval 800ms", ".*GossipNodes +5 +changed.*", ""},
			{"saveconfig x.json", "saved to memory:/x.json\n", ""},
			{"memberlistdelete", "there is no member\n", ""},
			{"loadconfig x.json", "loaded x.json\n", ""},
			{"memberlistcreate; memberliststart; bootstrapjoin; memberlistjoin; chatstart", ".*the chat is open\n", ""},
			{"msg hello", "delivered to 1\n", ""},
			{"showconfig", ".*GossipNodes +5 +changed.*ProbeInterval +800ms +changed.*", ""},
		})
		if got := bob.must("msg hello back"); got != "delivered to 1\n" {
			t.Errorf("bob's message: %q", got)
		}
	})
}

// TestSaveConfigReplacesConfigurationsOnly: what is something else stays.
func TestSaveConfigReplacesConfigurationsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		for name, raw := range map[string]string{"notes.txt": "remember the milk\n", "other.json": `{"v":1,"kind":"x"}`, "empty.json": ""} {
			if err := p.files.WriteFile(name, []byte(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := p.run("saveconfig " + name)
			got, _ := p.files.ReadFile(name)
			if raw == "" {
				if err != nil || len(got) == 0 {
					t.Errorf("%s: %v, %q", name, err, got)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "another name") || string(got) != raw {
				t.Errorf("%s: %v; it has %q now", name, err, got)
			}
		}
		p.must("saveconfig new.json")
		p.must("memberlistconfigure GossipNodes 5")
		p.must("saveconfig new.json")
		if got, _ := p.files.ReadFile("new.json"); !strings.Contains(string(got), `"GossipNodes": "5"`) {
			t.Errorf("it has not been replaced: %s", got)
		}
	})
}

func TestDamagedConfigurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		before := p.must("showconfig")
		for name, raw := range map[string]string{"damaged.json": "{", "later.json": `{"v":9}`, "other.json": `{"v":1,"kind":"x"}`} {
			if err := p.files.WriteFile(name, []byte(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := p.run("loadconfig " + name); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "saveconfig") {
				t.Errorf("%s: %v; want its name and what to do", name, err)
			}
		}
		if _, err := p.run("loadconfig missing.json"); err == nil || !strings.Contains(err.Error(), "missing.json") {
			t.Errorf("a missing file: %v", err)
		}
		if got := p.must("showconfig"); got != before {
			t.Errorf("the configuration is now\n%s", got)
		}
	})
}

func TestShellTakesAnyNumberOfArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", func(c *shell.Config) {
			c.Dev = true
			c.System = func(ctx context.Context, command string, stdout, stderr io.Writer) (int, error) {
				switch command {
				case "fail":
					_, _ = io.WriteString(stderr, "bad \x1b[31m\nthings")
					return 7, nil
				case "missing":
					return 0, errors.New("no such thing")
				case "hang":
					<-ctx.Done()
					return 0, ctx.Err()
				}
				_, err := io.WriteString(stdout, command+"\n")
				return 0, err
			}
		})
		long := strings.Repeat(" word", 100)
		p.steps([]step{
			{"shell a b c d e", "a b c d e\nexit status 0\n", ""},
			{"shell one" + long, "one" + long + "\nexit status 0\n", ""},
			{"shell 'a;  b' # c | d", "'a;  b' # c \\| d\nexit status 0\n", ""},
			{"shell fail", `stderr: bad \\x1b\[31m` + "\nstderr: things\n", "exit status 7"},
			{"shell missing", "", "shell: no such thing"},
			{"shell", "", "usage: shell COMMAND.*"},
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Execute(ctx, "shell hang", io.Discard); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a command that was ended: %v", err)
		}
	})
}

func TestChatStopBeforeChatStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		p.steps([]step{
			{"chatstop", "the chat is closed\n", ""},
			{"memberlistcreate; chatstop", "created .*the chat is closed\n", ""},
			{"memberliststart; chatstop; chatstop", "live .*the chat is closed\n", ""},
			{"init; chatstop; chatstop; chatleave", "ready .*the chat is closed\n", ""},
			{"chatstart", "the chat is open\n", ""},
		})
	})
}

// A chat that is closed without a word and opened soon has never been away.
func TestChatStopSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t, nil)
		var views []string
		bob.node.Journal().Attach(func(e journal.Event, _ []byte) {
			if e.Type == journal.TypeView {
				views = append(views, e.Text)
			}
		})
		alice.must("chatstop")
		time.Sleep(2 * time.Second)
		alice.must("chatstart")
		alice.must("msg here")
		synctest.Wait()
		if got := strings.Join(views, "; "); got != "<alice> here" {
			t.Errorf("bob was shown %q", got)
		}
		alice.must("chatstop")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if got := strings.Join(views, "; "); got != "<alice> here; <left> alice is leaving" {
			t.Errorf("in the end bob was shown %q", got)
		}
	})
}

// Who loses others leaves their records alone: they expire by themselves.
func TestPartitionLeavesBootstrapRecordsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t, nil)
		bob.must("memberlistshutdowntransport") // bob and alice lose each other
		bob.must("memberlistcreate; bootstrapjoin")
		alice.until("alice has lost bob", func() bool { return strings.Contains(alice.must("members"), "lost") })
		time.Sleep(20 * time.Second)
		for _, p := range []*peer{alice, bob} {
			if got := p.must("bootstrappeers"); !strings.Contains(got, "alice") || !strings.Contains(got, "bob") {
				t.Errorf("%s finds the list\n%s", p.node.Name(), got)
			}
		}
	})
}

func TestDevelopmentCommandsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", func(c *shell.Config) { c.System = echoes })
		p.must("init")
		for _, line := range []string{"shell echo hello", "play", "dump status x.json", "bootstrapreset", "mode go"} {
			out, err := p.run(line)
			if !errors.Is(err, shell.ErrNotDev) || !strings.Contains(err.Error(), "--dev") || out != "" {
				t.Errorf("%s: %q, %v", line, out, err)
			}
		}
		if names, _ := p.files.List("."); len(names) > 0 {
			t.Errorf("files were written: %q", names)
		}
	})
}

func TestDump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, _ := pair(t, dev)
		_, err := alice.run("dump nothing x.json")
		if err == nil || !strings.Contains(err.Error(), "status, settings, members, nodes, bootstrap, remembered, journal") {
			t.Errorf("an unknown name: %v", err)
		}
		for _, v := range alice.node.Values() {
			alice.must("dump " + v.Name + " x.json")
			raw, err := alice.files.ReadFile("x.json")
			var d struct {
				V          int
				Peer, Name string
				Value      any
			}
			if err := errors.Join(err, json.Unmarshal(raw, &d)); err != nil || d.V != 1 || d.Peer != "alice" || d.Name != v.Name {
				t.Errorf("%s: %v\n%s", v.Name, err, raw)
			}
			for _, secret := range []string{"secret", "token", "PRIVATE"} {
				if bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(secret))) {
					t.Errorf("%s has a %s in it:\n%s", v.Name, secret, raw)
				}
			}
		}
		if got, _ := alice.Complete("/dump s", 7); len(got) != 2 {
			t.Errorf("Tab proposes %v", got)
		}
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t, nil)
		alice.steps([]step{
			{"chatping bob", "bob answered in \\S+s\n", ""},
			{"chatping nobody", "", "nobody is not in the group: bob"},
			{"chatping alice", "", "alice is this peer.*"},
			{"chatping", "", "usage: chatping NAME.*"},
		})
		bob.must("chatstop")
		alice.must("chatping bob") // membership answers without a chat
		bob.must("memberlistshutdowntransport")
		if _, err := alice.run("chatping bob"); err == nil || !strings.Contains(err.Error(), "members tells") {
			t.Errorf("a ping to nobody: %v", err)
		}
		alice.must("memberlistdelete")
		alice.steps([]step{{"chatping bob", "", ".*not started.*init.*"}})
	})
}

// What makes no sense is an error that says what to do, whatever came before.
func TestWhatMakesNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		const notStarted, ended = ".*not started.*init.*", ".*ended.*init, or memberlistcreate.*"
		p.steps([]step{
			{"memberlistleave", "", notStarted},
			{"memberlistshutdown", "", notStarted},
			{"memberlistshutdowntransport", "", notStarted},
			{"memberlistdelete", "there is no member\n", ""},
			{"memberlistupdate", "", notStarted},
			{"memberlisthealthscore --json", "", notStarted},
			{"showmemberlist", "", notStarted},
			{"bootstraprefill", "", ".*bootstrapjoin.*"},
			{"init", "ready .*", ""},
			{"memberlistshutdown", "shut down.*", ""},
			{"memberlistleave", "", ended},
			{"memberlistupdate", "", ended},
			{"memberliststart", "", ended},
			{"memberlistjoin 10.0.0.9:1", "", ended},
			{"bootstrapjoin", "", ended},
			{"chatstart", "", ended},
			{"memberlist", "", notStarted},
			{"msg hello", "", ".*chatstart.*"},
			{"init", "ready .*", ""},
			{"msg hello", "nobody else.*", ""},
		})
		for _, line := range []string{
			"memberlistleave soon", "memberlistleave 0", "memberlistleave -1", "memberlistleave 11", "memberlistleave 1 2", "memberlistupdate NaN",
			"bootstrapconfig 3", "bootstrapconfig three 4", "bootstrapconfig -1 4", "bootstrapconfig 3 5000", "bootstrapconfig 1 2 3",
			"bootstrapswitch", "loadconfig", "saveconfig a b", "memberlistdelete now", "chatstop now", "showmemberlist x",
		} {
			if out, err := p.run(line); !errors.Is(err, repl.ErrUsage) || out != "" {
				t.Errorf("%s: %q, %v; want its usage line", line, out, err)
			}
		}
	})
}

func TestOfferedByHarness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &harness{}
		p := newRoom(t).peer("alice", func(c *shell.Config) { c.Harness = h })
		p.steps([]step{
			{"testfilter messagesView 2 <bob> hello", "", ""},
			{"testlocalfilters", "PEER .*\nalice +messagesView +2 +2 +<bob> hello\n", ""},
			{"testrun", "scenario  default\nlines     1 of 2 done\nfilters   1 of 1 have their counts\nleft      alice msg x\n", ""},
			{"testrun --json", `.*"left": \[.*`, ""},
			{"testsummaryprepare", "1 of 1 filter as expected; testsummary has the results\n", ""},
			{"testreset", "forgot 1 filter\n", ""},
			{"testreset", "forgot 0 filters\n", ""},
		})
	})
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		for _, line := range []string{"testlocalfilters", "testrun --json", "testreset", "testsummaryprepare"} {
			p.steps([]step{{line, "", "this peer takes part in no test.*"}})
		}
	})
}
