package cli_test

import (
	"io"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// TestStockNode lets a peer join a memberlist node that knows nothing of
// peers, by its address alone.
func TestStockNode(t *testing.T) {
	c := memberlist.DefaultLANConfig()
	c.Name = "vanilla"
	c.BindAddr, c.BindPort, c.AdvertisePort = "127.0.0.1", 0, 0
	c.LogOutput = io.Discard
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
	if n := m.NumMembers(); n != 2 {
		t.Errorf("the stock node knows %d members, want itself and alice", n)
	}
	alice.send("msg anybody here")
	alice.expect("nobody else is in the chat", 5*time.Second)
	alice.send("quit")
	if got := alice.status(5 * time.Second); got != 0 {
		t.Errorf("alice quit with status %d", got)
	}
}
