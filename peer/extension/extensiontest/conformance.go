package extensiontest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/repl"
)

// Run checks that an extension keeps the contract of package extension. The
// function must return a new, closed extension at each call.
func Run(t *testing.T, fresh func() extension.Extension) {
	checks := []struct {
		name string
		f    func(*testing.T, func() extension.Extension)
	}{
		{"declares itself", checkDeclared},
		{"commands fail clearly while closed", checkClosed},
		{"ready alone and in company", checkReady},
		{"ends in time without goroutines", checkEnd},
		{"ends in time among the dead", checkEndAmongDead},
		{"runs again", checkAgain},
		{"closes what it accepted", checkAccepted},
		{"strangers do not disturb it", checkGarbage},
		{"foreign nodes do not disturb it", checkForeign},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.f(t, fresh) })
		})
	}
}

func checkDeclared(t *testing.T, fresh func() extension.Extension) {
	e := fresh()
	if n := e.Name(); n == "" || strings.ToLower(n) != n || strings.ContainsAny(n, " \t/") {
		t.Errorf("name %q is not a lower-case word", n)
	}
	seen := map[string]bool{}
	for _, c := range e.Commands() {
		if c.Run == nil || c.Name == "" || c.Group == "" || c.Summary == "" || len(c.Summary) > 60 || strings.HasSuffix(c.Summary, ".") {
			t.Errorf("command %q is not declared in full", c.Name)
		}
		if seen[c.Name] {
			t.Errorf("command %q twice", c.Name)
		}
		seen[c.Name] = true
	}
}

// call runs a command with plausible arguments.
func call(c repl.Command) (string, error) {
	var out bytes.Buffer
	args := make([]string, max(c.MinArgs, 1))
	for i := range args {
		args[i] = fmt.Sprint("a", i)
	}
	if c.MaxArgs != repl.Any && len(args) > c.MaxArgs && !c.Raw {
		args = args[:c.MaxArgs]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := c.Run(ctx, &repl.Call{Name: c.Name, Args: args, Text: strings.Join(args, " "), Out: &out})
	return out.String(), err
}

func checkClosed(t *testing.T, fresh func() extension.Extension) {
	e := fresh()
	check := func(when string) {
		for _, c := range e.Commands() {
			out, err := call(c)
			if err == nil {
				t.Errorf("%s: %s succeeded: %q", when, c.Name, out)
			} else if !strings.Contains(err.Error(), "not open") {
				t.Errorf("%s: %s does not say that it is not open: %v", when, c.Name, err)
			}
		}
	}
	check("before the first run")
	p := NewWorld(t).Peer("alice")
	p.Start(e)
	p.Ready()
	p.Leave()
	check("after a run")
}

func checkReady(t *testing.T, fresh func() extension.Extension) {
	w := NewWorld(t)
	for _, name := range []string{"alice", "bob", "charly"} {
		p := w.Peer(name)
		p.Start(fresh())
		p.Ready()
	}
}

// endRun closes the extension of a peer and checks time and goroutines.
func endRun(t *testing.T, p *Peer, before int) {
	t.Helper()
	start := time.Now()
	if err := p.Close(); err != nil {
		t.Errorf("the orderly end is an error: %v", err)
	}
	if d := time.Since(start); d > 1500*time.Millisecond {
		t.Errorf("the end took %v", d)
	}
	synctest.Wait()
	if after, stacks := goroutines(); before > 0 && after > before {
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks)
	}
}

// goroutines counts those of the bubble, by their stacks: the runtime's own
// count is of the whole program, and has those that are just ending.
func goroutines() (n int, stacks string) {
	buf := make([]byte, 1<<20)
	stacks = string(buf[:runtime.Stack(buf, true)])
	first, _, _ := strings.Cut(stacks, "\n") // our own: "goroutine 7 [running, synctest bubble 5]:"
	_, bubble, _ := strings.Cut(first, ", ")
	return strings.Count(stacks, bubble), stacks
}

func checkEnd(t *testing.T, fresh func() extension.Extension) {
	w := NewWorld(t)
	a, b, c := w.Peer("alice"), w.Peer("bob"), w.Peer("charly")
	before, _ := goroutines()
	for _, p := range []*Peer{a, b, c} {
		p.Start(fresh())
		p.Ready()
	}
	time.Sleep(3 * time.Second)
	endRun(t, a, 0)
	endRun(t, b, 0)
	endRun(t, c, before)
}

func checkEndAmongDead(t *testing.T, fresh func() extension.Extension) {
	w := NewWorld(t)
	a, b, c, d := w.Peer("alice"), w.Peer("bob"), w.Peer("charly"), w.Peer("dora")
	for _, p := range []*Peer{a, b, c, d} {
		p.Start(fresh())
		p.Ready()
	}
	b.Stop()
	c.Crash()
	w.Partition([]*Peer{a}, []*Peer{d})
	time.Sleep(100 * time.Millisecond)
	endRun(t, a, 0)
}

func checkAgain(t *testing.T, fresh func() extension.Extension) {
	w := NewWorld(t)
	a, b := w.Peer("alice"), w.Peer("bob")
	ext := fresh()
	a.Start(ext)
	b.Start(fresh())
	b.Ready()
	for range 3 {
		a.Ready()
		endRun(t, a, 0)
		a.Open(ext)
	}
	a.Ready()
}

func checkAccepted(t *testing.T, fresh func() extension.Extension) {
	a := NewWorld(t).Peer("alice")
	ext := fresh()
	a.Start(ext)
	a.Ready()
	mine, its := Pipe()
	ext.Accept(its)
	time.Sleep(10 * time.Millisecond)
	endRun(t, a, 0)
	checkOver(t, mine)
}

// checkOver checks that the other end of a stream was closed.
func checkOver(t *testing.T, s extension.Stream) {
	t.Helper()
	s.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Errorf("an accepted stream is still open: %v", err)
	}
	s.Close()
}

func checkGarbage(t *testing.T, fresh func() extension.Extension) {
	w := NewWorld(t)
	a, b := w.Peer("alice"), w.Peer("bob")
	ext := fresh()
	a.Start(ext)
	a.Ready()
	for _, junk := range []string{"", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\xff", 1<<16), "\x00\x00\x00", "\x05\x01\x63\x03bob"} {
		mine, its := Pipe()
		ext.Accept(its)
		mine.SetWriteDeadline(time.Now().Add(time.Second))
		mine.Write([]byte(junk)) // it may be cut short: the other side closes
		time.Sleep(15 * time.Second)
		checkOver(t, mine)
	}
	b.Start(fresh())
	b.Ready()
}

func checkForeign(t *testing.T, fresh func() extension.Extension) {
	w := NewWorld(t)
	a := w.Peer("alice")
	ext := fresh()
	a.Start(ext)
	a.Ready()
	stock := extension.Member{Name: "node-7", Foreign: true}
	for _, k := range []extension.Kind{extension.Joined, extension.Suspect, extension.Lost, extension.Back, extension.Left} {
		ext.Changed(extension.Change{Kind: k, Member: stock})
		time.Sleep(3 * time.Second)
	}
	if got := a.Present(); len(got) != 0 {
		t.Errorf("a foreign node takes part: %v", got)
	}
}
