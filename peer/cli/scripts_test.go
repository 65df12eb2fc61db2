package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestShellScripts runs scripts/shell with real peers. What a line that begins
// with "#>" asks for must be printed, in that order.
func TestShellScripts(t *testing.T) {
	scripts, err := filepath.Glob("../../scripts/shell/*.cmd")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("scripts: %q, %v", scripts, err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			path, err := filepath.Abs(script)
			if err != nil {
				t.Fatal(err)
			}
			u := newUser(t)
			bob := u.start("bob")
			bob.expect("ready as bob")
			alice := u.startIn(t.TempDir(), "alice", "--dev", "--bare", "--script", path)
			alice.in.Close()
			if got := alice.status(); got != 0 {
				t.Errorf("status %d, want 0", got)
			}
			alice.inOrder(string(raw))
		})
	}
}

// inOrder checks what an ended process has printed against a script.
func (p *process) inOrder(script string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.lines
	for want := range strings.Lines(script) {
		pattern, ok := strings.CutPrefix(strings.TrimRight(want, "\n"), "#> ")
		if !ok {
			continue
		}
		re := regexp.MustCompile(pattern)
		for len(lines) > 0 && !re.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			p.t.Fatalf("no line %q where it is due in\n%s", pattern, strings.Join(p.lines, "\n"))
		}
		lines = lines[1:]
	}
}
