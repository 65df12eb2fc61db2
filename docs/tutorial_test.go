//go:build unix

package docs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// budget bounds one command of a document; building a program is the longest.
const budget = 2 * time.Minute

// player does what a document says, in a folder of its own, as a user of its
// own: the peers of one document never meet those of another.
type player struct {
	t         *testing.T
	dir       string // where the commands of the document begin
	cwd       string // where they are now
	env       []string
	last      int // status of the last command
	terminals map[string]*terminal
	patience  time.Duration // of terminals; 0 is the usual one
}

func newPlayer(t *testing.T, dir string, env ...string) *player {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs a POSIX shell, for which the tutorial is written: run it on Unix")
	}
	user := t.TempDir()
	for _, sub := range []string{"run", "state", "bin", "tmp", "home"} {
		if err := os.Mkdir(filepath.Join(user, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	at := func(sub string) string { return filepath.Join(user, sub) }
	env = append([]string{
		"PATH=" + at("bin") + string(os.PathListSeparator) + os.Getenv("PATH"), "GOBIN=" + at("bin"),
		"HOME=" + at("home"), "TMPDIR=" + at("tmp"), "XDG_RUNTIME_DIR=" + at("run"), "XDG_STATE_HOME=" + at("state"),
		"GOFLAGS=-buildvcs=false", "GOPROXY=off", "GOSUMDB=off", "LC_ALL=C.UTF-8",
		"GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOCACHE=" + goEnv(t, "GOCACHE"), "GOTOOLCHAIN=local",
	}, env...)
	return &player{t: t, dir: dir, cwd: dir, env: env, terminals: map[string]*terminal{}}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	childtest.Needs(t, "go")
	out, err := exec.Command("go", "env", name).Output()
	value := strings.TrimSpace(string(out))
	if err != nil || value == "" {
		t.Fatalf("go env: %s is %q, %v", name, value, err)
	}
	return value
}

// play runs the blocks of a document.
func (p *player) play(list []block) {
	p.t.Helper()
	for _, b := range list {
		p.t.Logf("line %d: %s %s", b.line, b.language, b.name)
		switch {
		case b.language == "console" && b.name != "":
			p.terminal(b.name).run(b)
		case b.language == "console":
			p.console(b)
		case b.name != "":
			p.write(b)
		case len(b.lines) > 0 && aPrompt.MatchString(b.lines[0]):
			p.t.Fatalf("line %d: a block with commands must be marked console", b.line)
		}
	}
}

// terminal returns the terminal of that name, opened when it is first used.
func (p *player) terminal(name string) *terminal {
	p.t.Helper()
	if p.terminals[name] == nil {
		p.terminals[name] = openTerminal(p.t, name, p.cwd, p.env)
		p.terminals[name].patience = max(patience, p.patience)
	}
	return p.terminals[name]
}

func (p *player) write(b block) {
	p.t.Helper()
	file := filepath.Join(p.cwd, filepath.FromSlash(b.name))
	if err := os.WriteFile(file, []byte(strings.Join(b.lines, "\n")+"\n"), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// console runs the commands of a block and compares what they print.
func (p *player) console(b block) {
	p.t.Helper()
	for i := 0; i < len(b.lines); {
		command, ok := strings.CutPrefix(b.lines[i], "$ ")
		if !ok {
			p.t.Fatalf("line %d: %q does not begin with a prompt", b.line+1+i, b.lines[i])
		}
		i++
		from := i
		for i < len(b.lines) && !strings.HasPrefix(b.lines[i], "$ ") {
			i++
		}
		out := p.sh(command)
		if err := compare(out, b.lines[from:i]); err != nil {
			p.t.Fatalf("line %d: %s: %v; it printed\n%s", b.line+from, command, err, out)
		}
	}
}

// sh runs one command and returns all that it prints. The folder and the
// status last from one to the next.
func (p *player) sh(command string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), budget)
	defer cancel()
	where := filepath.Join(p.t.TempDir(), "where")
	cmd := exec.CommandContext(ctx, "sh", "-c", fmt.Sprintf("trap 'pwd >%s' EXIT\n(exit %d)\n%s", where, p.last, command))
	cmd.Dir, cmd.Env = p.cwd, p.env
	cmd.WaitDelay = time.Second
	out, err := childtest.CombinedOutput(cmd)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatalf("%s: %v", command, err)
	}
	p.last = cmd.ProcessState.ExitCode()
	if cwd, err := os.ReadFile(where); err == nil {
		p.cwd = strings.TrimSpace(string(cwd))
	}
	return string(out)
}

// compare tells how an output differs from what was promised.
func compare(out string, promised []string) error {
	var got []string
	for line := range strings.Lines(out) {
		got = append(got, strings.TrimRight(line, "\n"))
	}
	for i := 0; i < len(promised); i++ {
		if promised[i] == "..." {
			skipped, err := skip(got, promised[i+1:])
			if err != nil {
				return err
			}
			got = skipped
			continue
		}
		switch {
		case len(got) == 0:
			return fmt.Errorf("%q is missing", promised[i])
		case !same(got[0], promised[i]):
			return fmt.Errorf("it printed %q where %q was promised", got[0], promised[i])
		}
		got = got[1:]
	}
	if len(got) > 0 {
		return fmt.Errorf("it printed %q beyond what was promised", got[0])
	}
	return nil
}

// skip drops lines up to the first of rest; without any, all.
func skip(got, rest []string) ([]string, error) {
	if len(rest) == 0 {
		return nil, nil
	}
	for i := range got {
		if same(got[i], rest[0]) {
			return got[i:], nil
		}
	}
	return nil, fmt.Errorf("%q is missing", rest[0])
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name, out, promised string
		ok                  bool
	}{
		{"equal", "a\nb\n", "a\nb", true},
		{"too little", "a\n", "a\nb", false},
		{"too much", "a\nb\n", "a", false},
		{"other", "a\n", "b", false},
		{"left out", "a\nb\nc\n", "a\n...\nc", true},
		{"left out to the end", "a\nb\nc\n", "...", true},
		{"left out in vain", "a\nb\n", "...\nc", false},
	} {
		if err := compare(test.out, strings.Split(test.promised, "\n")); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// used tells the go command that a test depends on files which only other
// processes open, so that it does not take its result from the cache.
func used(t *testing.T, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for _, f := range files {
		if _, err := os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTemplateTutorial(t *testing.T) {
	t.Parallel()
	used(t, filepath.Join("..", "repl", "template", "*.go"))
	p := newPlayer(t, t.TempDir(), "PEERLAB="+root(t), "GOWORK=off")
	p.play(blocks(t, filepath.Join("..", "repl", "template", "README.md")))
}

func TestTutorial(t *testing.T) {
	t.Parallel()
	used(t, filepath.Join("..", "*", "main.go"))
	p := newPlayer(t, root(t))
	p.play(blocks(t, "tutorial.md"))
}

// TestScenarios plays the examples of a document at the same time: each begins
// with a file, and none needs another one.
func TestScenarios(t *testing.T) {
	t.Parallel()
	used(t, filepath.Join("..", "testserver", "*", "*.go"))
	list := blocks(t, "scenarios.md")
	p := newPlayer(t, root(t))
	p.play(list[:1]) // what the examples are run with
	for i := 1; i < len(list); {
		from := i
		for i++; i < len(list) && (list[i].name == "" || list[i].language == "console"); i++ {
		}
		t.Run(orElse(list[from].name, "before the first one"), func(t *testing.T) {
			t.Parallel()
			one := *p
			one.t, one.cwd = t, t.TempDir()
			one.play(list[from:i])
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
