package membership_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/netx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stock is a plain memberlist node on loopback.
func stock(t *testing.T, name string) *memberlist.Memberlist {
	t.Helper()
	cfg := memberlist.DefaultLANConfig()
	cfg.Name, cfg.BindAddr, cfg.BindPort, cfg.AdvertiseAddr = name, "127.0.0.1", 0, "127.0.0.1"
	cfg.Logger = log.New(io.Discard, "", 0)
	list, err := memberlist.Create(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = list.Shutdown() })
	return list
}

func address(list *memberlist.Memberlist) string {
	n := list.LocalNode()
	return net.JoinHostPort(n.Addr.String(), fmt.Sprint(n.Port))
}

func names(list *memberlist.Memberlist) string {
	var all []string
	for _, n := range list.Members() {
		if n.Name != list.LocalNode().Name {
			all = append(all, n.Name)
		}
	}
	return strings.Join(all, ", ")
}

func realMember(t *testing.T, name string) *member {
	t.Helper()
	m := open(t, netx.Real{}, "127.0.0.1", name, nil)
	m.run()
	return m
}

func TestStockNodeJoinsUs(t *testing.T) {
	alice := realMember(t, "alice")
	node := stock(t, "stock node")
	if n, err := node.Join([]string{alice.Self().Addr.String()}); n != 1 || err != nil {
		t.Fatalf("the stock node joins: %d, %v", n, err)
	}
	until(t, 5*time.Second, "alice sees it", func() bool { return alice.sees() == "stock node alive, foreign" })
	if got := names(node); got != alice.NodeName() {
		t.Errorf("the stock node sees %q", got)
	}
	if m := alice.Members()[0]; !m.Foreign || m.ID != "" || m.Boot != 0 || m.Addr.String() != address(node) {
		t.Errorf("alice has %+v", m)
	}
	if rtt, err := alice.Ping(alice.Members()[0]); err != nil || rtt < 0 {
		t.Errorf("ping: %s, %v", rtt, err)
	}
	if err := node.Leave(5 * time.Second); err != nil {
		t.Error(err)
	}
	until(t, 5*time.Second, "it is gone", func() bool { return alice.announced() == "joined stock node, lost stock node" })
}

func TestWeJoinAStockNode(t *testing.T) {
	node := stock(t, "stock")
	alice := realMember(t, "alice")
	if n, err := alice.Join(t.Context(), []string{address(node)}); n != 1 || err != nil {
		t.Fatalf("join: %d, %v", n, err)
	}
	if got := alice.sees(); got != "stock alive, foreign" {
		t.Errorf("when join returns alice sees %q", got)
	}
	if err := alice.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, 5*time.Second, "the stock node sees that she left", func() bool { return names(node) == "" })
}

// Streams with a label and gossip streams share the one address.
func TestLabelledStreamsBesideGossip(t *testing.T) {
	alice, node := realMember(t, "alice"), stock(t, "stock")
	if _, err := node.Join([]string{alice.Self().Addr.String()}); err != nil {
		t.Fatal(err)
	}
	bob := realMember(t, "bob")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 2 {
		wg.Go(func() {
			for range 50 {
				if id, err := bob.ask(ctx, alice.Self().Addr); err != nil || id != alice.Self().ID {
					t.Errorf("a labelled stream: %q, %v", id, err)
				}
			}
		})
	}
	for range 20 {
		if _, err := node.Join([]string{alice.Self().Addr.String()}); err != nil {
			t.Error(err)
		}
		bob.join(alice)
	}
}
