//go:build unix

package workbench_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hinshun/vt10x"

	"github.com/peerlab/peerlab/internal/childtest"
)

// keyboard is a peer on a pseudo-terminal of 80 columns and 24 rows.
type keyboard struct {
	t      *testing.T
	master *os.File
	pieces chan []byte
	screen vt10x.Terminal
	plain  string // all that came, without escapes
}

// escapes are what a screen obeys, and the returns that go with it.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")

func sitDown(t *testing.T, peer string, args ...string) *keyboard {
	t.Helper()
	cmd := exec.Command(peer, args...)
	cmd.Env = append(environment(t), "TERM=xterm", "NO_COLOR=1")
	master := childtest.StartOnTerminal(t, cmd, 24, 80)
	k := &keyboard{t: t, master: master, pieces: make(chan []byte), screen: vt10x.New(vt10x.WithSize(80, 24))}
	gone := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(k.pieces)
		for buf := make([]byte, 4096); ; {
			n, err := master.Read(buf)
			select {
			case k.pieces <- bytes.Clone(buf[:n]):
			case <-gone:
				return
			}
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		close(gone)
		reader.Wait()
		_ = master.Close()
	})
	return k
}

func (k *keyboard) types(keys string) {
	k.t.Helper()
	if _, err := k.master.WriteString(keys); err != nil {
		k.t.Fatal(err)
	}
}

// until reads what the peer shows until all is as it should be.
func (k *keyboard) until(what string, ok func() bool) {
	k.t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case piece, more := <-k.pieces:
			if !more {
				k.t.Fatalf("the peer has ended before %s:\n%s", what, k.screen)
			}
			_, _ = k.screen.Write(piece) // a model takes all
			k.plain += escapes.ReplaceAllString(string(piece), "")
		case <-deadline:
			k.t.Fatalf("no %s; the screen is\n%s", what, k.screen)
		}
	}
}

// shows waits until the screen has a text; blanks at the ends of rows do not
// count.
func (k *keyboard) shows(text string) {
	k.t.Helper()
	k.until(text, func() bool {
		rows := strings.Split(k.screen.String(), "\n")
		for i := range rows {
			rows[i] = strings.TrimRight(rows[i], " \x00")
		}
		return strings.Contains(strings.Join(rows, "\n"), text)
	})
}

// enter types a line and returns what came after Enter up to the next prompt,
// and how long that took.
func (k *keyboard) enter(line string) (answer string, took time.Duration) {
	k.t.Helper()
	k.types(line)
	from, start := len(k.plain), time.Now()
	k.types("\r")
	k.until("prompt after "+line, func() bool {
		_, answer, _ = strings.Cut(k.plain[from:], "\n")
		return strings.HasSuffix(answer, "> ")
	})
	return answer, time.Since(start)
}

// TestPrompt: what keys do while one types Go.
func TestPrompt(t *testing.T) {
	k := sitDown(t, built(t), "alice", "--dev")
	k.shows("Go is ready")
	k.enter("/mode go")
	for _, step := range []struct{ keys, want string }{
		{"strings.Split(", "Split(s string, sep string) []string"}, // a hint
		{"\"a b\", ", "\"a b\", sep string) []string"},
		{"\x15peer.Mem\t", "go> peer.Member"},
		{"\t", "Members()  func() []lab.Member"},
		{"\x15members()[0].nam\t\r", "\n\"alice\" :: string"}, // capital letters do not matter
		{"import \"encoding/js\t\"\r", "\njson is encoding/json"},
		{"for i := range 2 {\r", "\n...>"},
		{"fmt.Printl\t", "...> fmt.Println("}, // in the second line, too
		{"nixda)\r}\r", "undefined: nixda\n  fmt.Println(nixda)\n              ^"},
		{"\x1b[A", "go> for i := range 2 {⏎fmt.Println(nixda)⏎}"}, // what failed comes back whole
		{"\x15func f() {\rreturn 1", "...> return 1"},
		{"\x03", "^C\nalice go>"}, // and ctrl-C drops what is unfinished
		{"\x1b[200~func g(n int) int {\n\treturn n * 2\n}\ng(21)\n\x1b[201~\r", "\n42 :: int"},
		{"fmt.Println(\"round\"); for {}\r", "\nround"},
		{"\x03", "\ninterrupted"},
		{"g(1)\r", "\n2 :: int"},
	} {
		k.types(step.keys)
		k.shows(step.want)
	}
}

// TestSixtyLines measures how long answers take in a session as one has it.
func TestSixtyLines(t *testing.T) {
	if os.Getenv("PEERLAB_SOAK") == "" {
		t.Skip("measures: set PEERLAB_SOAK=1, or run make soak")
	}
	raw, err := os.ReadFile("testdata/sixty.txt")
	if err != nil {
		t.Fatal(err)
	}
	k := sitDown(t, built(t), "demo")
	k.shows("Go is ready")
	k.enter("/mode go")
	var all []time.Duration
	answer := ""
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		input, typed := strings.CutPrefix(line, "> ")
		switch {
		case strings.HasPrefix(line, "#"):
		case typed:
			var took time.Duration
			answer, took = k.enter(input)
			all = append(all, took)
		case !strings.Contains(answer, line):
			t.Errorf("%q is not in %q", line, answer)
		}
	}
	slices.Sort(all)
	p95 := all[len(all)*95/100]
	t.Logf("%d lines: p50 %s, p95 %s, at most %s", len(all), all[len(all)/2], p95, all[len(all)-1])
	if len(all) < 60 || p95 > 5*time.Second {
		t.Error("that does not feel like a prompt")
	}
}
