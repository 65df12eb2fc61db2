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
	alice.expect("ready as alice")
	alice.send("members")
	alice.expect("vanilla      alive, foreign")
	for name := range arriving(t, joined) {
		if strings.HasPrefix(name, "alice~1.") {
			break
		}
	}
	alice.send("msg anybody here")
	alice.expect("nobody else is in the chat")
	alice.send("quit")
	if got := alice.status(); got != 0 {
		t.Errorf("alice quit with status %d", got)
	}
}

// stockEvents hears who joins a stock node.
type stockEvents chan string

func (e stockEvents) NotifyJoin(n *memberlist.Node) { e <- n.Name }
func (stockEvents) NotifyLeave(*memberlist.Node)    {}
func (stockEvents) NotifyUpdate(*memberlist.Node)   {}

// arriving yields what comes until patience is over, which is a failure.
func arriving(t *testing.T, c <-chan string) iter.Seq[string] {
	return func(yield func(string) bool) {
		deadline := time.After(patience)
		for {
			select {
			case v := <-c:
				if !yield(v) {
					return
				}
			case <-deadline:
				t.Fatalf("it did not come within %s", patience)
			}
		}
	}
}
