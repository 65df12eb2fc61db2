package shell_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// room is a simulated machine room for peers with shells, in a bubble.
type room struct {
	t       *testing.T
	net     *netsim.Net
	runtime files.FS
	next    int
}

// newRoom gives memberlist's timers time to end when the test has.
func newRoom(t *testing.T) *room {
	t.Cleanup(func() { time.Sleep(2 * time.Minute) })
	return &room{t: t, net: netsim.New(), runtime: files.Mem()}
}

// peer is a running node with a shell.
type peer struct {
	*repl.Shell
	t     *testing.T
	node  *node.Node
	book  *logbook.Book
	files files.FS

	mu       sync.Mutex
	commands []journal.Event
}

func (r *room) peer(name string, change func(*shell.Config)) *peer {
	r.t.Helper()
	r.next++
	ip := fmt.Sprintf("10.0.0.%d", r.next)
	data := files.Mem()
	id, err := identity.Open(data, r.next, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	p := &peer{t: r.t, book: logbook.New(zerolog.InfoLevel), files: files.Mem()}
	network := faulty.New(r.net.Host(ip))
	p.node, err = node.New(node.Config{
		Name: name, Identity: id, Network: network, Faults: network, Bind: ip + ":0",
		Rendezvous: r.runtime, PID: r.next, Data: data, Extensions: extensions(r.t), Log: p.book.Logger,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	p.node.Journal().Attach(p.keep)
	cfg := shell.Config{
		Node: p.node, Book: p.book,
		Open: func(name string) (io.ReadCloser, error) {
			raw, err := p.files.ReadFile(name)
			return io.NopCloser(bytes.NewReader(raw)), err
		},
		Place: func(name string) (files.FS, string, error) {
			if !path.IsAbs(name) {
				return p.files, name, nil
			}
			return nil, "", errors.New("not there")
		},
	}
	if change != nil {
		change(&cfg)
	}
	if p.Shell, err = shell.New(cfg); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.node.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, id.Close(), p.book.Off()); err != nil {
			r.t.Errorf("%s ended: %v", name, err)
		}
	})
	return p
}

func extensions(t *testing.T) []extension.Extension {
	t.Helper()
	c, err := chat.New(chat.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := broadcast.New(broadcast.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return []extension.Extension{c, b}
}

func (p *peer) keep(e journal.Event, _ []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Type == journal.TypeCommand {
		p.commands = append(p.commands, e)
	}
}

// run executes one line and returns its output.
func (p *peer) run(line string) (string, error) {
	var out bytes.Buffer
	err := p.Execute(p.t.Context(), line, &out)
	return out.String(), err
}

// must is run for what has to succeed.
func (p *peer) must(line string) string {
	p.t.Helper()
	out, err := p.run(line)
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.node.Name(), line, err)
	}
	return out
}

func (p *peer) until(what string, ok func() bool) {
	p.t.Helper()
	for start := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			p.t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// step is a line with what must come of it: a pattern for the output, or one
// for the error.
type step struct{ line, out, err string }

func (p *peer) steps(steps []step) {
	p.t.Helper()
	for _, s := range steps {
		out, err := p.run(s.line)
		switch {
		case s.err != "":
			if err == nil || !regexp.MustCompile("(?s)^"+s.err+"$").MatchString(err.Error()) {
				p.t.Errorf("%s: error %v, want %s", s.line, err, s.err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				p.t.Errorf("%s: the error has more than one line: %v", s.line, err)
			}
		case err != nil:
			p.t.Errorf("%s: %v", s.line, err)
		}
		if !regexp.MustCompile("(?s)^" + s.out + "$").MatchString(out) {
			p.t.Errorf("%s prints\n%s\nwant\n%s", s.line, out, s.out)
		}
	}
}

func TestBeforeInit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		p := r.peer("alice", nil)
		const notStarted = ".*not started.*init.*"
		p.steps([]step{
			{"memberlist", "", notStarted},
			{"members --json", "", notStarted},
			{"memberliststart", "", notStarted},
			{"memberlistjoin 10.0.0.9:1", "", notStarted},
			{"bootstrapjoin", "", notStarted},
			{"chatstart", "", notStarted},
			{"chatleave", "the chat is closed\n", ""},
			{"msg hello", "", ".*chat.*"},
			{"broadcastadd k v", "", ".*"},
			{"localnode", "name     alice\nid       .*\nboot     1\nnode     \ngroup    lab\naddress  \nstate    not created\nready    false\n", ""},
			{"bootstrap", "service  http://10.0.0.1:\\d+ \\(hosted by this peer\\)\ngroup    lab, revision 0\nlimits   maxpeers .*\npeers    0 listed, 0 on standby\n", ""},
			{"bootstrappeers", "no peer is listed yet\n", ""},
			{"bootstrappeers --json", "\\[\\]\n", ""},
			{"testfilters", "", "this peer takes part in no test.*"},
			{"testsummary --json", "", "this peer takes part in no test.*"},
			{"testfilter messagesView 1 <bob>", "", "this peer takes part in no test.*"},
		})
	})
}

func TestStepByStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		bob := r.peer("bob", nil)
		bob.must("init")
		p := r.peer("alice", nil)
		p.steps([]step{
			{"memberlistconfigure probeinterval 500ms", "FIELD +VALUE.*ProbeInterval +500ms +changed\n.*", ""},
			{"memberlistcreate", "created at 10.0.0.2:\\d+\n", ""},
			{"memberlistcreate", "created at 10.0.0.2:\\d+\n", ""},
			{"memberlistconfigure SuspicionMult 3", "the member that is there keeps its configuration.*SuspicionMult +3 +changed\n.*", ""},
			{"localnode", ".*state    created\nready    false\n", ""},
			{"bootstrapjoin", "NAME +ADDRESS +BOOT +LEASE\nbob +10.0.0.1:\\d+ +1 +.*\nalice +10.0.0.2:\\d+ +1 +1m30s\n", ""},
			{"memberliststart", "live as alice~1\\.[0-9a-f]{6}\n", ""},
			{"memberliststart", "live as alice~1\\.[0-9a-f]{6}\n", ""},
			{"memberlistjoin", "joined; 1 address answered\n", ""},
			{"chatstart", "the chat is open\n", ""},
			{"chatmembers", ".*bob.*", ""},
			{"msg hello", ".*1.*\n", ""},
			{"chatleave", "the chat is closed\n", ""},
			{"msg hello", "", ".*chatstart.*"},
			{"chatleave", "the chat is closed\n", ""},
			{"chatstart", "the chat is open\n", ""},
			{"chatstart", "the chat is open\n", ""},
			{"memberlistjoin 10.0.9.9:1", "", ".*10.0.9.9:1.*"},
		})
	})
}

func TestAfterInit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		p, bob := r.peer("alice", nil), r.peer("bob", nil)
		p.steps([]step{
			{"init", "ready as alice at 10.0.0.1:\\d+ in group lab after .*; 0 other members\n", ""},
			{"init", "ready already\n", ""},
			{"memberlistjoin", "nobody to join yet\n", ""},
		})
		if got := bob.must("init"); !strings.HasSuffix(got, "; 1 other member\n") {
			t.Errorf("bob's init prints %q", got)
		}
		p.until("alice knows bob", func() bool { return strings.Contains(p.must("chatmembers"), "bob") })
		p.steps([]step{
			{"memberlist", "NAME +STATE +SINCE +RTT +ADDRESS\nalice \\(you\\) +alive +- +- +10.0.0.1:\\d+\nbob +alive +\\S+ +\\S+ +10.0.0.2:\\d+\n", ""},
			{"/members", "NAME .*", ""},
			{"localnode", "name     alice\n.*state    alive\nready    true\n", ""},
			{"bootstrappeers", "NAME .*\nalice .*\nbob .*\n", ""},
			{"bootstrap", ".*peers    2 listed, 0 on standby\n", ""},
			{"msg hello; msg again", ".*1.*", ""},
			{"chatmemberping bob", ".*bob.*", ""},
			{"chatmemberping nobody", "", ".*nobody.*"},
		})
	})
}

func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		for _, line := range []string{
			"init now", "exit now", "localnode me", "memberlist all", "memberlistcreate x", "memberliststart x", "chatstart x",
			"memberlistconfigure ProbeInterval", "memberlistjoin nowhere", "memberlistjoin 10.0.0.1:", "bootstrapjoin x", "bootstrap x",
			"log on", "log loud", "log off now", "log level", "log level chat", "log tail x", "log tail 0", "log tail -3", "log tail 1 2",
			"testfilter messagesView", "testfilter messagesView x <bob>", "testfilter messagesView -1 <bob>", "testfilters x",
			"init --json", "log --json", "chatstart --json",
		} {
			out, err := p.run(line)
			name, _, _ := strings.Cut(line, " ")
			if !errors.Is(err, repl.ErrUsage) || !strings.HasPrefix(err.Error(), "usage: "+name) || strings.Contains(err.Error(), "\n") || out != "" {
				t.Errorf("%s: %q, %v; want its usage line", line, out, err)
			}
		}
		for line, want := range map[string]string{
			"memberlistconfigure NoField 1":         `no field "NoField"`,
			"memberlistconfigure ProbeInterval 1ns": "out of range",
			"log level nothing debug":               `no component "nothing"`,
			"log level chat loud":                   `no log level "loud"`,
			"log on /elsewhere":                     "not there",
		} {
			if _, err := p.run(line); err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, repl.ErrUsage) {
				t.Errorf("%s: %v, want %s", line, err, want)
			}
		}
	})
}

// Every query prints one JSON value, or fails, whatever it says without.
func TestQueriesInJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		p, bob := r.peer("alice", func(c *shell.Config) { c.Harness = &harness{} }), r.peer("bob", nil)
		bob.must("init")
		p.must("init")
		p.must("broadcastadd colour blue")
		broken := r.peer("charly", forDevelopment) // faults are its own, without a test server
		queries := 0
		for _, c := range p.Table().Commands() {
			if !c.Query {
				continue
			}
			queries++
			p := p
			if c.Group == "net" {
				p = broken
			}
			out := p.must(c.Name + " --json")
			var v any
			if err := json.Unmarshal([]byte(out), &v); err != nil || v == nil || !strings.HasSuffix(out, "\n") {
				t.Errorf("%s --json prints %q: %v", c.Name, out, err)
			}
			if plain := p.must(c.Name); json.Valid([]byte(plain)) {
				t.Errorf("%s prints JSON unasked: %q", c.Name, plain)
			}
		}
		if queries < 8 {
			t.Errorf("only %d queries", queries)
		}
		var rows []struct {
			Name, ID, Addr, State string
			Self                  bool
			Boot                  int
		}
		if err := json.Unmarshal([]byte(p.must("memberlist --json")), &rows); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 2 || !rows[0].Self || rows[0].Name != "alice" || rows[1].Name != "bob" || rows[1].State != "alive" || rows[1].Boot != 1 || rows[1].ID == "" {
			t.Errorf("the members are %+v", rows)
		}
	})
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		p.steps([]step{
			{"log", "log is off, level info\n", ""},
			{"log on x.log", "log is on memory:/x.log, level info\n", ""},
			{"log level chat debug", "log is on memory:/x.log, level info, chat debug\n", ""},
			{"log level all disabled", "log is on memory:/x.log, level disabled\n", ""},
			{"log tail 2", ".*log level chat debug.*\n.*log level all disabled.*\n", ""},
			{"log off", "log is off, level disabled\n", ""},
			{"log tail", "(.*\n)?.*log off.*\n", ""},
		})
		raw, _ := p.files.ReadFile("x.log")
		for _, want := range []string{"log on", "log level chat debug", "log level all disabled", "log off"} {
			if !strings.Contains(string(raw), `"message":"`+want+`"`) {
				t.Errorf("the switch %q is not in the log:\n%s", want, raw)
			}
		}
	})
}

func TestWithoutFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", func(c *shell.Config) { c.Place, c.Open = nil, nil })
		p.steps([]step{
			{"log on x.log", "", "this peer has no files"},
			{"execute x.cmd", "", ".*reads no files.*"},
		})
	})
}

func TestQuitAndExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		if out, err := p.run("quit"); !errors.Is(err, repl.ErrQuit) || out != "" {
			t.Errorf("quit: %q, %v", out, err)
		}
		if out, err := p.run("exit"); !errors.Is(err, repl.ErrExit) || out != "" {
			t.Errorf("exit: %q, %v", out, err)
		}
		for _, e := range p.commands {
			if e.Fields["ok"] != true {
				t.Errorf("%s is recorded as failed: %v", e.Text, e.Fields)
			}
		}
	})
}

func TestEachCommandIsInTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		var long strings.Builder
		for i := range 4000 {
			fmt.Fprintf(&long, "echo %d\n", i)
		}
		if err := p.files.WriteFile("long.cmd", []byte(long.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = p.run("echo one; sleep 1.5")
		_, _ = p.run("/memberlist")
		_, _ = p.run("nonsense here")
		_, _ = p.run(`echo "open`)
		_, _ = p.run(`init "open`)
		_, _ = p.run("execute long.cmd")
		want := []struct {
			text   string
			ok     bool
			output string
		}{
			{"echo one; sleep 1.5", true, "one; sleep 1.5\n"}, // echo is raw
			{"memberlist", false, ""},
			{"nonsense here", false, ""},
			{`echo "open`, true, "\"open\n"},
			{`init "open`, false, ""},
		}
		if len(p.commands) < len(want)+1 {
			t.Fatalf("%d commands are recorded", len(p.commands))
		}
		for i, w := range want {
			e := p.commands[i]
			if e.Text != w.text || e.Fields["ok"] != w.ok || e.Fields["output"] != w.output {
				t.Errorf("recorded %q %v, want %+v", e.Text, e.Fields, w)
			}
			if _, failed := e.Fields["error"].(string); failed == w.ok {
				t.Errorf("%q has the error %v", e.Text, e.Fields["error"])
			}
		}
		p.commands = nil
		p.must("sleep 1.5")
		if e := p.commands[0]; e.Fields["duration"] != 1.5 {
			t.Errorf("the duration is %v, want 1.5 s", e.Fields["duration"])
		}
		p.commands = nil
		p.must("execute long.cmd")
		if n := len(p.commands); n != 4001 {
			t.Errorf("a script of 4000 commands left %d events", n)
		}
		if out := p.commands[4000].Fields["output"].(string); len(out) != 16<<10 || !strings.HasPrefix(out, "0\n1\n") {
			t.Errorf("%d bytes of its output are kept", len(out))
		}
		p.commands = nil
		p.must("echo x " + strings.Repeat("é", 100<<10))
		if e := p.commands[0]; len(e.Text) > 64<<10 || !strings.HasPrefix(e.Text, "echo x é") || strings.ContainsRune(e.Text, '\ufffd') || e.Fields["cut"] != true {
			t.Errorf("a long line left %d bytes, cut: %v", len(e.Text), e.Fields["cut"])
		}
		p.commands = nil
		_, _ = p.run("trace " + strings.Repeat("x", 100<<10))
		if text := p.commands[0].Fields["error"].(string); len(text) > 16<<10 {
			t.Errorf("%d bytes of an error are kept", len(text))
		}
	})
}

// harness is a test server in memory.
type harness struct{ filters []testlink.Filter }

func (h *harness) Register(_ context.Context, f testlink.Filter) error {
	h.filters = append(h.filters, f)
	return nil
}

func (h *harness) Ask(_ context.Context, question string) (testlink.Answer, error) {
	if question == testlink.AskSummary {
		return testlink.Answer{Rows: []testlink.Row{{Kind: "event", Text: "<bob> \x1b[31mtest", Status: "OK"}}}, nil
	}
	a := testlink.Answer{Scenario: "default"}
	if question == testlink.AskRun {
		a.Rows = []testlink.Row{{Kind: "command", Text: "alice init", Status: "OK"}, {Kind: "command", Text: "alice msg x"}, {Kind: "event", Text: "f"}}
	}
	if question == testlink.AskReset {
		defer func() { h.filters = nil }()
	}
	for _, f := range h.filters {
		a.Filters = append(a.Filters, testlink.FilterStatus{Peer: "alice", Filter: f, Seen: 2})
	}
	return a, nil
}

func TestHarness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", func(c *shell.Config) { c.Harness = &harness{} })
		p.steps([]step{
			{"testfilters --json", "\\[\\]\n", ""},
			{"testfilter messagesView 0 <bob> hello  world", "", ""},
			{"testfilters", "PEER +STREAM +EXPECTED +SEEN +PATTERN\nalice +messagesView +0 +2 +<bob> hello world\n", ""},
			{"testsummary", `event "<bob> .*x1b\[31mtest" OK` + "\n", ""},
		})
	})
}

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		hold := p.Mode().Hold
		for line, want := range map[string]string{
			"help":                "or type /help",
			"members":             "or type /members",
			"Members":             "or type /members",
			"exit":                "/quit",
			"quit":                "or type /quit",
			"msg hello":           "or type /msg",
			"help me please":      "or type /help",
			"ls":                  "/help",
			"ls -l":               "/help",
			"cd ..":               "/help",
			"git status":          "/help",
			"go build ./...":      "/help",
			"join 10.0.0.1:7":     "/help",
			"who":                 "/help",
			":q":                  "/help",
			"exit()":              "/help",
			"1+1":                 "sums",
			"(1 + 2) * 3 =":       "sums",
			"-1+2":                "sums",
			"hello":               "",
			"hello help":          "",
			"helpful":             "",
			"-1":                  "",
			"2024 was fine":       "",
			"10":                  "",
			"3.14":                "",
			"1 or 2":              "",
			"who wants tea?":      "",
			"go home":             "",
			"join us at five":     "",
			"start without me":    "",
			"top of the morning":  "",
			"man, that was close": "",
			"? what is this":      "or type /?", // a lone "?" is help before anybody asks
			"lsd":                 "",
			"":                    "",
		} {
			got := hold(line)
			if (want == "") != (got == "") || !strings.Contains(got, want) {
				t.Errorf("%q is held with %q, want %q", line, got, want)
			}
			if got != "" && (!strings.HasPrefix(got, "send ") || !strings.Contains(got, "press Enter again")) {
				t.Errorf("%q is held with %q; want the question", line, got)
			}
		}
		if got := hold("ls \x1b[2J\u202e"); strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("the question has escapes: %q", got)
		}
	})
}

func TestModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		p, bob := r.peer("alice", nil), r.peer("bob", nil)
		bob.must("init")
		p.must("init")
		if m := p.Mode(); m.Name != "chat" || m.Prompt() != "alice chat> " {
			t.Errorf("the first mode is %s with the prompt %q", m.Name, m.Prompt())
		}
		p.commands = nil
		var out bytes.Buffer
		if err := p.Mode().Run(t.Context(), `hello; "quit`, &out); err != nil || !strings.Contains(out.String(), "1") {
			t.Errorf("a bare line: %q, %v", &out, err)
		}
		if len(p.commands) != 1 || p.commands[0].Text != `msg hello; "quit` {
			t.Errorf("a bare line is recorded as %v", p.commands)
		}
		p.must("mode cmd")
		if m := p.Mode(); m.Run != nil || m.Prompt() != "alice cmd> " {
			t.Errorf("mode cmd has the prompt %q", m.Prompt())
		}
	})
}

func TestConfigIsRequired(t *testing.T) {
	if _, err := shell.New(shell.Config{}); err == nil {
		t.Error("a shell without a node")
	}
}

// Help shows every command, with its group, and completion what fits.
func TestTableIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRoom(t).peer("alice", nil)
		help := p.must("help commands")
		var groups []string
		for _, c := range p.Table().Commands() {
			if !strings.Contains(help, c.Name) {
				t.Errorf("help does not show %s", c.Name)
			}
			if out := p.must("help " + c.Name); !strings.Contains(out, c.Summary) {
				t.Errorf("help %s does not say %q", c.Name, c.Summary)
			}
			if !slices.Contains(groups, c.Group) {
				groups = append(groups, c.Group)
			}
			if c.Complete == nil {
				continue
			}
			for n := range 4 {
				_ = c.Complete(make([]string, n))
			}
		}
		if got := strings.TrimSuffix(strings.Join(groups, " "), " kept"); got != "cli bootstrap memberlist chat broadcast net test journal development go script" {
			t.Errorf("the groups are %s", got)
		}
		for line, want := range map[string]string{"/log ": "level", "/log level ": "membership", "/log level all ": "trace", "/memberlistconfigure ": "ProbeInterval"} {
			all, _ := p.Complete(line, len(line))
			if !slices.ContainsFunc(all, func(c repl.Candidate) bool { return c.Text == want }) {
				t.Errorf("Tab after %q does not propose %s: %v", line, want, all)
			}
		}
	})
}
