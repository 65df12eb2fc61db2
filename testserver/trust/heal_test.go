package trust_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// falsehood is a line of heal.cmd made false.
type falsehood struct {
	line, with string
	want       []int
	blame      string // what of heal.cmd the report names instead of that line; empty for the line itself
	without    string // phase that can be left out, for it takes long
	lie, liar  string // told instead of another line
	nth        int    // of several lines that are the same, from 0
	rare       bool   // it takes long
}

const (
	first  = `phase "everybody hears everybody, once"`
	second = `phase "split, then whole again"`
)

// falsehoods has at least one for each line that says something. A line that
// sets something up is made false by what is built on it.
func falsehoods() []falsehood {
	return []falsehood{
		{line: "peers alice bob charly", with: "peers alice bob", want: broken, blame: "fault partition alice | bob,charly {"},
		{line: "timeout 5s", with: "timeout 0s", want: broken},
		{line: "all init", with: "! all init", want: failed},
		{line: "await converged within 5s", with: "await converged within 10ms", want: failed},
		{line: "all msg hello", with: "! all msg hello", want: failed},
		{line: "all msg hello", with: "alice,bob msg hello", want: failed, blame: `all expect chat "hello" count == 2`},
		{line: `all expect chat "hello" count == 2`, with: `all expect chat "hello" count == 1`, want: failed},
		{line: `all expect chat "hello" count == 2`, with: `all expect chat "hello" count == 3 within 500ms`, want: failed},
		{line: `all never chat "hello" for 500ms since now`, with: `all never chat "hello" for 500ms`, want: failed},
		{line: "! bob chatmemberping nobody", with: "bob chatmemberping nobody", want: failed},
		{line: "! bob chatmemberping nobody", with: "! bob chatmemberping alice", want: failed},
		{line: `stderr "no chat member"`, with: `stderr "no such thing"`, want: failed},

		{line: "fault partition alice | bob,charly {", with: "fault link alice <-> bob,charly latency 1ms {", want: failed, blame: "alice await members == alice within 20s", without: first, rare: true},
		{line: "alice await members == alice within 20s", with: "alice await members == bob within 1s", want: failed, without: first},
		{line: "bob   await members == bob,charly within 20s", with: "bob   await members == charly within 1s", want: failed, without: first, rare: true},
		{line: "bob msg while apart", with: "! bob msg while apart", want: failed, without: first, rare: true},
		{line: `alice never chat "while apart" for 2s`, with: `alice never chat "while apart" for 2s`, lie: "apart comes", liar: "alice", want: failed, without: first},
		{line: "await converged within 15s", with: "await converged within 10ms", want: failed, without: first, rare: true},
		{line: `alice expect chat "while apart" count == 1 within 10s`, with: `alice expect chat "while apart" count == 2 within 1s`, want: failed, without: first, rare: true},
		{line: `alice expect chat "while apart" count == 1 within 10s`, with: `alice expect chat "while apart" count == 1 within 1s`, lie: "apart is lost", liar: "alice", want: failed, without: first, rare: true},

		{line: "kill charly", with: "kill bob", want: failed, blame: "alice,bob await view(charly) == dead within 15s", without: second},
		{line: "alice,bob await view(charly) == dead within 15s", with: "alice,bob await view(charly) == absent within 1s", want: failed, without: second},
		{line: `alice,bob expect member "dead charly" count == 1`, with: `alice,bob expect member "dead charly" count == 2 within 1s`, want: failed, without: second, rare: true},
		{line: "restart charly", with: "resume charly", want: failed, without: second},
		{line: "await converged within 15s", nth: 1, with: "await converged within 10ms", want: failed, without: second, rare: true},
		{line: "check delivery", with: "check delivery", lie: "hello of somebody else", liar: "bob", want: failed, without: second},
		{line: "cleanup { all quit }", with: "cleanup { ! all quit }", want: failed, without: second},
	}
}

// TestEachLineMadeFalse makes each line of heal.cmd false: the run is red, and
// the report names that line.
func TestEachLineMadeFalse(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "scripts", "scenario", "heal.cmd"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	open := said(lines)
	var trials []trial
	for _, f := range falsehoods() {
		at := find(t, lines, f.line, f.nth)
		delete(open, at)
		made := without(lines, f.without)
		made[at] = f.with
		blamed := at
		if f.blame != "" {
			blamed = find(t, lines, f.blame, 0)
		}
		trials = append(trials, trial{
			name: strings.TrimSpace(fmt.Sprintf("line %d %s %s", at+1, f.with, f.lie)), file: strings.Join(made, "\n"),
			lie: f.lie, liar: f.liar, rare: f.rare, want: f.want, says: []string{fmt.Sprintf("x.cmd:%d", blamed+1)},
		})
	}
	for at := range open {
		t.Errorf("line %d of heal.cmd was not made false: %s", at+1, lines[at])
	}
	try(t, trials)
}

// said are the numbers of the lines that say something, from 0.
func said(lines []string) map[int]bool {
	all := map[int]bool{}
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if l != "" && l != "}" && l[0] != '#' && !strings.HasPrefix(l, "phase ") {
			all[i] = true
		}
	}
	return all
}

// find is the nth line that begins with what is searched.
func find(t *testing.T, lines []string, what string, nth int) int {
	t.Helper()
	for i, l := range lines {
		if l = strings.TrimSpace(l); l == what || strings.HasPrefix(l, what+" ") {
			if nth == 0 {
				return i
			}
			nth--
		}
	}
	t.Fatalf("heal.cmd has no line %q", what)
	return 0
}

// without is a copy without the statements of a phase, but for the first ones
// that all others need. No line changes its number.
func without(lines []string, phase string) []string {
	made := append([]string(nil), lines...)
	inside := false
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "phase ") {
			inside = l == phase
		}
		if inside && l != "all init" && l != "await converged within 5s" && l != "all msg hello" {
			made[i] = ""
		}
	}
	return made
}
