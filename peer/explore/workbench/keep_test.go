//go:build unix

package workbench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// TestWhatIsKept has commands, files and a whole session that outlive the line in
// which they were made.
func TestWhatIsKept(t *testing.T) {
	peer := built(t)
	t.Run("a command for ever", func(t *testing.T) { keptForEver(t, peer) })
	t.Run("a file that is edited", func(t *testing.T) { edited(t, peer) })
	t.Run("a file in an editor", func(t *testing.T) { inEditor(t, peer) })
	t.Run("the lesson", func(t *testing.T) { lesson(t, peer) })
	t.Run("the document", func(t *testing.T) { inDocument(t, peer) })
	t.Run("a new process", func(t *testing.T) { rebooted(t, peer) })
}

// keptForEver keeps a command and puts its file, as it is, into package shell:
// the tests of the commands run it.
func keptForEver(t *testing.T, peer string) {
	dir := t.TempDir()
	args := []string{"alice", "--dev"}
	for _, line := range []string{
		`go visits := 0`,
		`go type greeting struct{ to string }; func (g greeting) text() string { return strings.ToUpper(g.to) + "!" }`,
		`go func count(n int) string { visits++; return fmt.Sprint(n, " of ", len(members())) }`,
		`go func greet(ctx context.Context, args []string) error { if len(args) == 0 { return errors.New("whom?") }; for i, a := range args { fmt.Println(greeting{a}.text(), count(i+1)) }; _, err := room.Members(); println(peer.Name(), ml.NumMembers(), visits); return err }`,
		`keep -o ` + dir + ` greet greet whom you name`,
		`greet bob`,
		`keep -o ` + dir + ` greet`,
	} {
		args = append(args, "-c", line)
	}
	out, err := run(t, environment(t), peer, args...)
	if err != nil || !strings.Contains(out, "BOB! 1 of 1\nalice 1 1\n") || !strings.Contains(out, "As variables begin: visits") {
		t.Fatalf("%v\n%s", err, out)
	}
	file := filepath.Join(dir, "greet_command.go")
	target, err := filepath.Abs("../../shell/greet_command.go")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]map[string]string{"Replace": {target: file}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	test := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-timeout", "2m", "-v",
		"-run", "^(TestKeptCommands|TestTableIsWhole|TestHelp.*|TestScripts|TestQueriesInJSON)$", "github.com/peerlab/peerlab/peer/shell")
	said, err := childtest.CombinedOutput(test)
	text, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatal(readErr)
	}
	for _, want := range []string{"greet bob\n", "BOB! 1 of 2\n", "alice 2 1\n", "--- PASS: TestKeptCommands/greet", "--- PASS: TestTableIsWhole", "--- PASS: TestScripts "} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the tests do not print %q", want)
		}
	}
	if err != nil || t.Failed() {
		t.Fatalf("%v\n%s\n%s", err, text, said)
	}
}

// lesson types what play tells.
func lesson(t *testing.T, peer string) {
	env := environment(t)
	told, err := run(t, env, peer, "alice", "--dev", "-c", "play")
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	t.Chdir(t.TempDir())
	alice := pipeTo(t, env, peer, "alice", "--dev")
	if n := alice.follow(told); n < 10 {
		t.Errorf("only %d steps in\n%s", n, told)
	}
	for _, want := range []string{"1 :: int", `"hello alice" :: string`, "greet is a command now: greet [...]", "greet_command.go makes it",
		"  say hello to those who are there", "hello alice [good morning]", "greet is a command now", "lottery.go runs whenever it is saved",
		"lines compiled and loaded: ", "leaving, to be back at once", "ready as alice", "greet is a command now"} {
		alice.hears(want)
	}
	if raw, err := os.ReadFile("greet_command.go"); err != nil || !strings.Contains(string(raw), `"\tgreet good morning"`) {
		t.Errorf("the file is %q, %v", raw, err)
	}
	alice.say("quit")
	alice.sound()
}

// inDocument types what docs/explore.md says of it.
func inDocument(t *testing.T, peer string) {
	raw, err := os.ReadFile("../../../docs/explore.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(raw), "\n## Keep what you made\n")
	section, _, _ = strings.Cut(section, "\n## ")
	env := environment(t)
	bob := pipeTo(t, env, peer, "bob")
	bob.hears("ready as bob")
	t.Chdir(t.TempDir())
	alice := pipeTo(t, env, peer, "alice", "--dev")
	bob.hears("alice has joined")
	if n := alice.follow(section); n < 7 {
		t.Errorf("only %d lines in\n%s", n, section)
	}
	bob.hears("<alice> I have rolled ")
	for _, want := range []string{"dice is a command now", "dice_command.go makes it one of every peer", "lottery.go runs whenever it is saved",
		"more since the first", "leaving, to be back at once", "dice is a command now"} {
		alice.hears(want)
	}
	alice.say("dice", "quit")
	bob.hears("<alice> I have rolled ")
	bob.hears("<left> alice")
	alice.sound()
}

// follow types the indented lines of a text, but for those of the system's shell,
// and counts them.
func (p *piped) follow(text string) (lines int) {
	for line := range strings.Lines(text) {
		if typed, ok := strings.CutPrefix(line, "    "); ok && !strings.HasPrefix(typed, "$") {
			lines++
			p.say(strings.TrimSpace(typed))
		}
	}
	return lines
}

// sound fails if anything that was heard is an error.
func (p *piped) sound() {
	p.t.Helper()
	if seen := strings.Join(p.seen, "\n"); strings.Contains(seen, "error:") || strings.Contains(seen, "not replayed") {
		p.t.Errorf("something fails:\n%s", seen)
	}
}

// piped is a peer that is driven through pipes.
type piped struct {
	t    *testing.T
	pid  int
	in   io.Writer
	out  chan string
	seen []string
}

func pipeTo(t *testing.T, env []string, peer string, args ...string) *piped {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, peer, args...)
	cmd.Env = env
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	p := &piped{t: t, pid: cmd.Process.Pid, in: in, out: make(chan string, 10_000)}
	go func() {
		defer close(p.out)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			p.out <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close() // it leaves
		if err := cmd.Wait(); err != nil && ctx.Err() != nil {
			t.Errorf("%s did not leave", args[0])
		}
		cancel()
		_ = r.Close()
	})
	return p
}

// open counts the open files of the peer, where the system tells.
func (p *piped) open() int {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	if err != nil {
		return 0
	}
	return len(all)
}

func (p *piped) say(lines ...string) {
	p.t.Helper()
	for _, l := range lines {
		if _, err := io.WriteString(p.in, l+"\n"); err != nil {
			p.t.Fatal(err)
		}
	}
}

// hears waits for a line with a text in it, and returns that.
func (p *piped) hears(text string) string {
	p.t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case line, more := <-p.out:
			if !more {
				p.t.Fatalf("the end before %q; there was\n%s", text, strings.Join(p.seen, "\n"))
			}
			p.seen = append(p.seen, line)
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			p.t.Fatalf("no %q; there was\n%s", text, strings.Join(p.seen, "\n"))
		}
	}
}

// edited runs a file at every save, in a peer that can do other things
// meanwhile, and makes a command of it.
func edited(t *testing.T, peer string) {
	alice := pipeTo(t, environment(t), peer, "alice", "--dev")
	alice.say("go x := 41", "edit try")
	path, _, _ := strings.Cut(alice.hears("runs whenever it is saved"), " ")
	save := func(body string) {
		t.Helper()
		text := "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"time\"\n)\n\n" + body + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("func run(ctx context.Context) error {\n\tfor { fmt.Println(\"x is\", x); time.Sleep(time.Second / 10) }\n}")
	alice.hears("x is 41")
	alice.hears("x is 41")
	alice.say("go x + 1")
	alice.hears("42 :: int")
	save("func run(ctx context.Context) error {\n\tfmt.Println(y)\n\treturn nil\n}")
	alice.hears("(try.go was stopped)")
	alice.hears("error: try.go:10:14: undefined: y")
	save("func run(ctx context.Context) error {\n\tvar m map[int]int\n\tm[1] = 2\n\treturn nil\n}")
	alice.hears("error: try.go: panic: assignment to entry in nil map at try.go:11")
	save("func run(ctx context.Context, args []string) error {\n\tfmt.Println(\"with\", args, len(members()))\n\treturn nil\n}")
	alice.hears("with [] 1")
	alice.hears("(try.go has run")
	before := alice.open()
	for n := range 5 {
		save("func run(ctx context.Context) error {\n\tfmt.Fprintln(os.Stdout, \"again\", " + strconv.Itoa(n) + ")\n\treturn nil\n}")
		alice.hears("again " + strconv.Itoa(n))
		alice.hears("(try.go has run")
	}
	if now := alice.open(); now > before+2 {
		t.Errorf("%d files are open, before there were %d", now, before)
	}
	save("func run(ctx context.Context, args []string) error {\n\tfmt.Println(\"with\", args, len(members()))\n\treturn nil\n}")
	alice.hears("(try.go has run")
	alice.say("keep -n try", "try a 'b c'")
	alice.hears("try is a command now")
	alice.hears("with [a b c] 1")
	alice.say("edit", "edit -c", "edit")
	alice.hears("try.go is not watched any more")
	alice.hears(path)
	alice.hears("try.go is not watched any more")
	alice.say("quit")
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

// inEditor has a file in an editor at a terminal.
func inEditor(t *testing.T, peer string) {
	dir := t.TempDir()
	script, mark := filepath.Join(dir, "editor"), filepath.Join(dir, "mark")
	body := func(say string) string {
		return `printf 'package main\nfunc run(ctx context.Context) error { fmt.Println("` + say + `"); return os.WriteFile("` + mark + `", nil, 0o600) }\n' > "$1"` + "\n"
	}
	text := "#!/bin/sh\necho editing\n" + body("first") + "until test -e " + mark + "; do sleep 0.1; done\nread go\n" + body("second")
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VISUAL", "")
	t.Setenv("EDITOR", script)
	k := sitDown(t, peer, "alice", "--dev")
	k.shows("Go is ready")
	k.types("/edit\r")
	k.shows("editing")
	for deadline := time.Now().Add(time.Minute); !exists(mark); time.Sleep(20 * time.Millisecond) { // nobody tells when a file comes
		if time.Now().After(deadline) {
			t.Fatal("the first text was not run")
		}
	}
	k.types("\r")
	k.shows("first\n(scratch.go ")
	k.shows("second\n(scratch.go has run")
	k.types("still a prompt\r")
	k.shows("chat> still a prompt\n")
	k.types("/quit\r")
}

// rebooted starts a peer anew: it is the same to the others, and has its names
// again.
func rebooted(t *testing.T, peer string) {
	env := environment(t)
	bob := pipeTo(t, env, peer, "bob")
	bob.hears("ready as bob")
	alice := pipeTo(t, env, peer, "alice", "--dev")
	bob.hears("alice has joined")
	alice.say(
		`go x := 41`,
		`go func old() int { return x }`,
		`go type pair struct{ a, b int }; func (p pair) sum() int { return p.a + p.b + old() }`,
		`go import str "strings"`,
		`go const top = 3; func even(n int) bool { return n == 0 || odd(n-1) }; func odd(n int) bool { return n != 0 && even(n-1) }`,
		`go x := "text"`,
		`go x = "later"`,
		`go fmt.Println("once only")`,
		`go func hello(ctx context.Context, args []string) error { fmt.Println(str.ToUpper(x), pair{1, 2}.sum(), even(top)); return nil }`,
		`keep -n hello say hello`,
		`hello`,
		`vars -mem`,
		`edit lottery`,
	)
	alice.hears("LATER 44 false")
	alice.hears("lines compiled and loaded: ")
	path, _, _ := strings.Cut(alice.hears("runs whenever it is saved"), " ")
	text := "package main\n\nimport \"context\"\n\nfunc run(ctx context.Context, args []string) error { println(\"drawn\", len(args)); return nil }\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	alice.hears("drawn 0")
	alice.say(
		`keep -n lottery`,
		`lottery 1`,
		`reboot`,
		`go fmt.Println("read ahead", x)`,
	)
	alice.hears("drawn 1")
	alice.hears("leaving, to be back at once")
	bob.hears("<left> alice is leaving")
	bob.hears("<joined> alice is back")
	alice.hears("ready as alice")
	alice.hears("hello is a command now")
	alice.hears("read ahead text")
	alice.say("lottery 1 2")
	alice.hears("drawn 2")
	alice.say("hello", "help hello", "vars -mem", "go peer.Member(\"alice\")", "quit")
	alice.hears("TEXT 44 false")
	alice.hears("say hello")
	alice.hears("lines compiled and loaded: ")
	alice.hears("alice, true :: lab.Member, bool")
	for _, line := range alice.seen {
		if strings.Contains(line, "not replayed") || strings.HasPrefix(line, "error:") {
			t.Errorf("alice says %q", line)
		}
	}
	if n := strings.Count(strings.Join(alice.seen, "\n"), "once only"); n != 1 {
		t.Errorf("a statement has run %d times", n)
	}
}
