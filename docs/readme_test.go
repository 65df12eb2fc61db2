//go:build unix

package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs the commands of the README. What would serve for ever, or
// needs addresses of other machines, is checked for its flags.
func TestReadme(t *testing.T) {
	t.Parallel()
	p := newPlayer(t, root(t), "PEERLAB_OUT="+t.TempDir())
	commands := 0
	for _, b := range indented(t, filepath.Join("..", "README.md")) {
		if !isCommand(b.lines[0]) {
			p.scenario(b)
			continue
		}
		for i, line := range b.lines {
			p.readme(b.line+i, line)
			commands++
		}
	}
	if commands < 5 {
		t.Errorf("%d commands found", commands)
	}
}

// Comments of the README, and words that begin its commands.
var (
	aComment = regexp.MustCompile(`\s+#.*$`)
	aCommand = regexp.MustCompile(`^(go|printf|peer|testserver|bootstrap-server|make|echo) `)
)

func isCommand(line string) bool { return aCommand.MatchString(line) }

// readme runs one command of the README, or has its flags looked at.
func (p *player) readme(line int, command string) {
	p.t.Helper()
	command = aComment.ReplaceAllString(command, "")
	switch {
	case command == "go test work":
		return // this test is a part of it
	case command == "go run ./peer demo":
		command += " </dev/null"
	case strings.HasPrefix(command, "printf "), strings.HasPrefix(command, "go run ./testserver run "):
	case strings.HasPrefix(command, "go run ./"):
		command += " --help"
	default:
		p.t.Errorf("README.md:%d: %q is not known to the test: say there how it is checked", line, command)
		return
	}
	if out := p.sh(command); p.last != 0 {
		p.t.Errorf("README.md:%d: %s ends with %d:\n%s", line, command, p.last, out)
	}
	p.last = 0
}

// scenario runs what the README shows of the language.
func (p *player) scenario(b block) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "readme.cmd")
	at := *p
	at.cwd = filepath.Dir(file)
	at.write(block{name: "readme.cmd", lines: b.lines})
	if out := p.sh("go run ./testserver run " + file); p.last != 0 {
		p.t.Errorf("README.md:%d: the scenario ends with %d:\n%s", b.line, p.last, out)
	}
	p.last = 0
}
