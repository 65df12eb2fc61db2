package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/cli"
	"github.com/peerlab/peerlab/repl"
)

// strange are arguments that hardly any command can use.
func strange() []string {
	return []string{
		"-1", "-0.5s", "99999999999999999999999", "1e400", "NaN", "0x", "''", "--no-such-flag", "--", "%s%n%d",
		`'\u202e[31m'`, "'a\u202eb'", "'a\x1b[31mb'", "../../../../etc/passwd/x", "nobody", "'; quit'",
	}
}

// maxAnswer is how long an error may be that repeats a huge argument, in bytes.
const maxAnswer = 4 << 10

// refused checks an answer that must be one error, or may be one.
func refused(t *testing.T, line string, answer []string, must bool) {
	t.Helper()
	errs := 0
	for _, l := range answer {
		if strings.HasPrefix(l, "error: ") {
			errs++
			if len(l) > maxAnswer {
				t.Errorf("%.60q: an error of %d bytes", line, len(l))
			}
		}
		for _, inside := range []string{"failed inside", "goroutine ", "panic:", "runtime error", "%!"} {
			if strings.Contains(l, inside) {
				t.Errorf("%.60q prints %.300q", line, l)
			}
		}
	}
	if errs > 1 || must && errs == 0 {
		t.Errorf("%.60q: %d errors: %.300q", line, errs, answer)
	}
}

// wrongLines are lines that a command must refuse, by what it says of itself.
func wrongLines(c *repl.Command) (all []string) {
	if c.MinArgs > 0 {
		all = append(all, c.Name)
	}
	all = append(all, c.Name+" \x00", c.Name+" \xff\xfe", c.Name+" "+strings.Repeat("x", repl.MaxLine))
	if c.Raw {
		return all
	}
	all = append(all, c.Name+" 'open", c.Name+` x\`)
	if c.MaxArgs != repl.Any {
		all = append(all, c.Name+strings.Repeat(" x", c.MaxArgs+1), c.Name+strings.Repeat(" x", 1000))
	}
	if !c.Query {
		all = append(all, c.Name+" --json")
	}
	return all
}

// oddLines are lines that a command may refuse or not: strange values for
// each argument, and after each word that completion proposes.
func oddLines(c *repl.Command) (all []string) {
	if c.MaxArgs == 0 && !c.Raw {
		return nil
	}
	for _, v := range append(strange(), strings.Repeat("x", repl.MaxLine-100)) {
		all = append(all, c.Name+strings.Repeat(" "+v, min(max(c.MinArgs, 1), 1+len(v)/2)))
	}
	if c.Complete == nil {
		return all
	}
	for i, word := range c.Complete(nil) {
		if i == 12 {
			break
		}
		for _, v := range strange() {
			all = append(all, c.Name+" "+repl.Quote(word.Text)+" "+v)
		}
	}
	return all
}

// TestEveryCommandMeetsBadInput gives every command of the table what it can
// not use, in a real peer, which must be a live member after each of them.
func TestEveryCommandMeetsBadInput(t *testing.T) {
	t.Parallel()
	shell, err := cli.Shell()
	if err != nil {
		t.Fatal(err)
	}
	u := newUser(t)
	alice := u.startIn(t.TempDir(), "alice", "--dev")
	alice.expect("ready as alice")
	bob := u.start("bob")
	bob.expect("ready as bob")
	ids := func() string { return strings.Join(alice.ask("localnode"), "\n") }
	before := ids()
	for _, c := range shell.Table().Commands() {
		for _, line := range wrongLines(c) {
			refused(t, line, alice.ask(line), true)
		}
		for _, line := range oddLines(c) {
			if strings.Contains(line, "\n") {
				t.Fatalf("%q has several lines", line)
			}
			refused(t, line, alice.ask(line), false)
		}
		members := alice.ask("members")
		if !slices.ContainsFunc(members, func(l string) bool { return strings.HasPrefix(l, "alice (you)  alive") }) || ids() != before {
			t.Fatalf("after %s alice is no member as before:\n%s\n%s\n%s", c.Name, strings.Join(members, "\n"), before, ids())
		}
	}
	bob.send("msg still there")
	alice.expect("<bob> still there")
	alice.send("quit")
	if got := alice.status(); got != 1 {
		t.Errorf("alice ended with status %d; commands failed, want 1", got)
	}
}

// TestUnknownCommands are words that are no command, of any length and kind.
func TestUnknownCommands(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	alice := u.start("alice", "--bare")
	for _, line := range append(strange(), "membersx", "MEMBERS", "/", "//", "/ members", "\x00", "\xff", "é", "\x1b[A",
		strings.Repeat("y", repl.MaxLine-1), strings.Repeat("z", repl.MaxLine+1), strings.Repeat("'", 1001), "@bob hi") {
		refused(t, line, alice.ask(line), true)
	}
	for _, line := range []string{"", "   ", "\t", "#", "# members", ";;;", "\r"} {
		if answer := alice.ask(line); len(answer) > 0 {
			t.Errorf("%q answers %q", line, answer)
		}
	}
}

func TestScriptFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		want    string // the beginning of its last line; empty for none
		fails   bool
	}{
		"empty":           {"", "", false},
		"comments only":   {"# one\n\n   # two\n", "", false},
		"no last newline": {"echo one", "one", false},
		"CR LF":           {"echo one\r\necho two\r\n", "two", false},
		"byte order mark": {"\ufeffecho one\n", "one", false},
		"a BOM only":      {"\ufeff", "", false},
		"UTF-16":          {"\xff\xfee\x00c\x00h\x00o\x00", "error: execute", true},
		"recursion":       {"execute recursion.cmd\n", "error: ", true},
		"a line of 1 MB":  {"echo one\necho " + strings.Repeat("x", 1<<20) + "\n", "error: a.cmd:2: ", true},
		"binary":          {"echo one\n\x00\x01\x02\n", "error: a.cmd:2: ", true},
		"a failure":       {"echo one\nnonsense\necho two\n", "error: a.cmd:2: ", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := "a.cmd"
			if name == "recursion" {
				file = "recursion.cmd"
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			alice := newUser(t).startIn(dir, "alice", "--bare")
			answer := alice.ask("execute " + file)
			refused(t, name, answer, c.fails)
			last := ""
			if len(answer) > 0 {
				last = answer[len(answer)-1]
			}
			if c.want == "" != (last == "") || name != "UTF-16" && !strings.HasPrefix(last, c.want) {
				t.Errorf("the last line is %.300q, want %q", last, c.want)
			}
			alice.in.Close()
			if got, want := alice.status(), map[bool]int{true: 1}[c.fails]; got != want {
				t.Errorf("status %d, want %d", got, want)
			}
			script := newUser(t).startIn(dir, "alice", "--bare", "--script", file)
			script.in.Close()
			if got, want := script.status(), map[bool]int{true: 1}[c.fails]; got != want {
				t.Errorf("as --script: status %d, want %d", got, want)
			}
			script.mu.Lock()
			defer script.mu.Unlock()
			for _, l := range script.lines {
				if len(l) > maxAnswer || strings.Contains(l, "goroutine ") {
					t.Errorf("as --script it prints %.300q", l)
				}
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		dir := t.TempDir()
		alice := newUser(t).startIn(dir, "alice", "--bare")
		for _, name := range []string{"missing.cmd", ".", "/", "a/b/c", "/dev/null/x", fmt.Sprintf("%q", strings.Repeat("x", 5000))} {
			refused(t, name, alice.ask("execute "+name), true)
		}
	})
}

// TestDamagedConfigurations loads files that are no saved configuration. Each
// is refused with its name, left as it is, and changes nothing.
func TestDamagedConfigurations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	alice := newUser(t).startIn(dir, "alice", "--bare")
	before := alice.ask("showconfig")
	if len(before) < 5 {
		t.Fatalf("showconfig prints %q", before)
	}
	if answer := alice.ask("saveconfig good.json"); len(answer) > 0 && strings.HasPrefix(answer[0], "error") {
		t.Fatalf("saveconfig: %q", answer)
	}
	good, err := os.ReadFile(filepath.Join(dir, "good.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty": "", "text": "this is none\n", "binary": "\x00\xff", "null": "null", "a list": "[]", "a number": "7",
		"other version": `{"v":99}`, "half": string(good[:len(good)/2]), "twice": string(good) + string(good),
		"huge": strings.Repeat(" ", 5<<20) + "x", "deep": strings.Repeat("[", 1<<20),
		"wrong type": strings.Replace(string(good), `"`, `"x`, 3),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "bad.json")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			answer := alice.ask("loadconfig bad.json")
			refused(t, name, answer, true)
			if !strings.Contains(strings.Join(answer, "\n"), "bad.json") {
				t.Errorf("the file is not named: %q", answer)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != content {
				t.Errorf("the file is %.100q now, %v", now, err)
			}
			if now := alice.ask("showconfig"); !slices.Equal(now, before) {
				t.Errorf("the configuration has changed:\n%s", strings.Join(now, "\n"))
			}
		})
	}
}
