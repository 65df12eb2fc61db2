package shell_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/shell"
)

// withGolang gives a peer Go that needs no compiler: many share this process.
func withGolang(t *testing.T, p **peer) func(*shell.Config) {
	return func(c *shell.Config) {
		cfg := workbench.Config{Node: c.Node, Command: func(ctx context.Context, line string, out io.Writer) error { return (*p).Execute(ctx, line, out) }}
		for _, e := range c.Node.Extensions() {
			if room, ok := e.(*chat.Room); ok {
				cfg.Room = room
			}
		}
		w := workbench.New(cfg)
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		c.Dev, c.Go = true, w
	}
}

// TestGoWithoutACompiler types Go into simulated peers.
func TestGoWithoutACompiler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		var alice *peer
		alice = r.peer("alice", withGolang(t, &alice))
		bob := r.peer("bob", nil)
		fails(t, alice, `go ml.NumMembers()`, "there is none now")
		gives(t, alice, `go members()`, "[] :: []lab.Member")
		must(t, alice, "init")
		must(t, bob, "init")
		time.Sleep(5 * time.Second)
		for _, test := range []struct{ line, want string }{
			{`go len(members())`, "2 :: int"}, {`go ml.NumMembers() == len(members())`, "true :: bool"}, {`go members()[1].Name`, `"bob" :: string`},
			{`go m := members()[1]`, ""}, {`go m.Addr.Port() > 0`, "true :: bool"}, {`go m.State`, `"alive" :: string`}, {`go m`, "bob :: lab.Member"},
			{`go peer.Member("bob")`, "bob, true :: lab.Member, bool"}, {`go n := 3`, ""}, {`go n *= 14; n`, "42 :: int"}, {`go n := "shadow"; n`, `"shadow" :: string`},
			{`go d, err := room.Send(ctx, "hello"); d.Reached`, `["bob"] :: []string`}, {`go err == nil`, "true :: bool"}, {`go ml.LocalNode().Name == ml.Members()[0].Name || ml.NumMembers() == 2`, "true :: bool"},
			{`go peer.Command(ctx, "echo said")`, `"said\n", <nil> :: string, error`}, {`go time.Sleep(time.Hour)`, ""}, {`go fmt.Println("shown", n)`, "shown shadow"},
			{`go peer.Command(ctx, "go 1")`, `"", a line of Go runs already, and cannot wait for another :: string, error`},
		} {
			gives(t, alice, test.line, test.want)
		}
		for _, test := range []struct{ line, want string }{
			{`go len(members()) == 3`, "not true: len(members()) == 3"}, {`go nothing`, "undefined: nothing"}, {`go members()[7]`, "index out of range [7] with length 2 at ‹"},
			{`go slices.Max([]int{1})`, "this needs a compiler: this process cannot load what one makes: a peer in a process of its own, started with --dev, can"},
			{`go strings.SplitSeq2("x")`, "this needs a compiler"}, {`go func f() {}`, "this needs a compiler"}, {`go os.Exit(1)`, "this needs a compiler"}, {`import github.com/google/uuid`, "this needs a compiler"},
			{`doctor`, "a peer in a process of its own"},
		} {
			fails(t, alice, test.line, test.want)
		}
	})
}

// TestGoIsStopped stops what waits for ever, and leaves what cannot be stopped.
func TestGoIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		var alice *peer
		alice = r.peer("alice", withGolang(t, &alice))
		must(t, alice, "init")
		for line, want := range map[string]string{`go <-time.After(time.Hour)`: "stopped", `go time.Sleep(time.Hour)`: "stopped"} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			var out strings.Builder
			if err := alice.Execute(ctx, line, &out); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", line, err, want)
			}
			cancel()
		}
	})
}

func must(t *testing.T, p *peer, line string) {
	t.Helper()
	var out strings.Builder
	if err := p.Execute(t.Context(), line, &out); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
}

func gives(t *testing.T, p *peer, line, want string) {
	t.Helper()
	var out strings.Builder
	if err := p.Execute(t.Context(), line, &out); err != nil || strings.TrimSpace(out.String()) != want {
		t.Errorf("%s: %q, %v, want %q", line, out.String(), err, want)
	}
}

func fails(t *testing.T, p *peer, line, want string) {
	t.Helper()
	var out strings.Builder
	if err := p.Execute(t.Context(), line, &out); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %q, %v, want %q", line, out.String(), err, want)
	}
}
