package cli_test

import (
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// TestStockNode lets a peer join a memberlist node that knows nothing of
// peers, by its address alone.
func TestStockNode(t *testing.T) {
	t.Parallel()
	c := memberlist.DefaultLANConfig()
	c.Name = "vanilla"
	c.BindAddr, c.BindPort, c.AdvertisePort = "127.0.0.1", 0, 0
	c.LogOutput = io.Discard
	joined := make(chan string, 8) // more than there are members
	c.Events = stockEvents(joined)
	m, err := memberlist.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Shutdown(); err != nil {
			t.Error(err)
		}
	}()
	alice := newUser(t).start("alice", "--join", m.LocalNode().Address())
	alice.expect("ready as alice", 5*time.Second)
	alice.send("members")
	alice.expect("vanilla      alive, foreign", 5*time.Second)
	for name := range within(t, joined, 5*time.Second) {
		if strings.HasPrefix(name, "alice~1.") {
			break
		}
	}
	alice.send("msg anybody here")
	alice.expect("nobody else is in the chat", 5*time.Second)
	alice.send("quit")
	if got := alice.status(5 * time.Second); got != 0 {
		t.Errorf("alice quit with status %d", got)
	}
}

// stockEvents hears who joins a stock node.
type stockEvents chan string

func (e stockEvents) NotifyJoin(n *memberlist.Node) { e <- n.Name }
func (stockEvents) NotifyLeave(*memberlist.Node)    {}
func (stockEvents) NotifyUpdate(*memberlist.Node)   {}

// within yields what comes until a time has passed, which is a failure.
func within(t *testing.T, c <-chan string, d time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		deadline := time.After(d)
		for {
			select {
			case v := <-c:
				if !yield(v) {
					return
				}
			case <-deadline:
				t.Fatalf("it did not come within %s", d)
			}
		}
	}
}
