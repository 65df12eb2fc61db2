package shell_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/internal/trace"
	"github.com/peerlab/peerlab/peer/session"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

func TestTraceAsksBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		alice, bob := r.peer("alice", nil), r.peer("bob", nil)
		bob.must("init")
		alice.must("init")
		alice.must("msg hello")
		bob.must("msg hello")
		bob.must("msg hello alice")
		synctest.Wait()
		for line, want := range map[string]error{
			`trace relation hello "hello alice"`:      trace.ErrAmbiguous,
			"trace relation nothing hello":            trace.ErrNoMessage,
			"trace relation alice/1/1":                repl.ErrUsage,
			"trace export":                            repl.ErrUsage,
			"trace somehow a b":                       repl.ErrUsage,
			`trace relation alice/1/1 "hello alice"`:  nil,
			"trace relation bob/1/1 bob/1/2 --json":   nil,
			"trace relation alice/1/1 bob/1/1 --json": nil,
		} {
			if out, err := alice.run(line); !errors.Is(err, want) {
				t.Errorf("%s: %v, and %s", line, err, out)
			}
		}
		var got struct {
			M1, M2           struct{ ID, From, Text string }
			Relation, Reason string
		}
		out := alice.must("trace relation alice/1/1 bob/1/2 --json")
		if err := json.Unmarshal([]byte(out), &got); err != nil || got.M1.From != "alice" || got.M2.Text != "hello alice" || got.Relation != "before" || !strings.Contains(got.Reason, "bob#1 knew") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

func TestSaveLeavesFilesOfOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		p := r.peer("alice", nil)
		if _, err := p.run("save x.cmd"); !errors.Is(err, session.ErrEmpty) {
			t.Errorf("at the very beginning: %v", err)
		}
		r.peer("bob", nil).must("init")
		p.must("init")
		p.must("msg hello")
		if err := p.files.WriteFile("mine.cmd", []byte("peers alice\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := p.run("save mine.cmd"); err == nil || !strings.Contains(err.Error(), "no saved session") {
			t.Errorf("over another file: %v", err)
		}
		if raw, _ := p.files.ReadFile("mine.cmd"); string(raw) != "peers alice\n" {
			t.Errorf("the file is %q now", raw)
		}
		p.must("save x.cmd")
		first, _ := p.files.ReadFile("x.cmd")
		p.must("msg once more")
		p.must("save x.cmd")
		second, _ := p.files.ReadFile("x.cmd")
		if !strings.Contains(string(first), "alice msg hello\nbob expect chat") || strings.Contains(string(first), "once more") || !strings.Contains(string(second), "once more") {
			t.Errorf("saved first\n%s\nand then\n%s", first, second)
		}
		nowhere := r.peer("charly", func(c *shell.Config) { c.Place = nil })
		nowhere.must("init")
		for _, line := range []string{"save x.cmd", "trace export x.log"} {
			if _, err := nowhere.run(line); err == nil || !strings.Contains(err.Error(), "no files") {
				t.Errorf("%s without files: %v", line, err)
			}
		}
	})
}
