package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/netx"
)

// RunService proves a service by its client, in real time. Each test uses a
// new group, so the service may be one that others use.
func RunService(t *testing.T, c *bootstrap.Client) {
	tests := []struct {
		name string
		run  func(*testing.T, *bootstrap.Client)
	}{
		{"a group nobody joined", testEmptyGroup},
		{"join is idempotent", testJoinTwice},
		{"a restart is the same peer", testRestart},
		{"a name has one holder", testNames},
		{"capacity is exact", testCapacity},
		{"the longest-joined are listed", testOrder},
		{"leave is one's own, and idempotent", testLeave},
		{"a free place is taken from standby", testPromotion},
		{"configuration", testConfig},
		{"reset keeps the configuration", testReset},
		{"wrong requests change nothing", testInvalid},
		{"no acknowledged join is lost", testAckedJoins},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, c) })
	}
}

func testEmptyGroup(t *testing.T, c *bootstrap.Client) {
	g := list(t, c, groupName(rand.Text()))
	if g.Revision != 0 || len(g.Peers) != 0 || g.Config != bootstrap.DefaultConfig() {
		t.Errorf("%+v, want an empty group with the default configuration at revision 0", g)
	}
}

func testJoinTwice(t *testing.T, c *bootstrap.Client) {
	group := groupName(rand.Text())
	first := join(t, c, group, Peer(1))
	renewal := Peer(1)
	renewal.Token = first.Lease.Token
	second := join(t, c, group, renewal)
	if second.Lease.Token != first.Lease.Token {
		t.Error("a renewal with its token got another token")
	}
	third := join(t, c, group, Peer(1)) // as after an answer that was lost
	for _, reply := range []bootstrap.JoinReply{first, second, third} {
		if !reply.Admitted || len(reply.Group.Peers) != 1 || reply.Group.Peers[0].Joined != 1 {
			t.Errorf("%+v, want the one peer, admitted, joined first", reply)
		}
	}
	stale := Peer(1)
	stale.Token = "of another service"
	if reply := join(t, c, group, stale); reply.Lease.Token == stale.Token || reply.Lease.Token == third.Lease.Token {
		t.Error("a renewal with an unknown token got no new one")
	}
	if third.Lease.Token == "" || third.Lease.RenewAfter <= 0 || !third.Lease.Expires.Equal(third.Group.Peers[0].Expires) {
		t.Errorf("lease %+v of %+v", third.Lease, third.Group)
	}
}

func testRestart(t *testing.T, c *bootstrap.Client) {
	group := groupName(rand.Text())
	join(t, c, group, Peer(1))
	join(t, c, group, Peer(2))
	again := Peer(1)
	again.Boot, again.Addr, again.Name = 2, "127.0.0.1:5000", "renamed"
	p := join(t, c, group, again).Group.Peers[0]
	if p.Boot != 2 || p.Addr != again.Addr || p.Name != again.Name || p.Joined != 1 {
		t.Errorf("%+v, want the new boot in the old place", p)
	}
	if _, err := c.Join(t.Context(), group, Peer(1)); !errors.Is(err, bootstrap.ErrConflict) {
		t.Errorf("older boot: %v, want ErrConflict", err)
	}
}

func testNames(t *testing.T, c *bootstrap.Client) {
	group := groupName(rand.Text())
	var mu sync.Mutex
	won := 0
	parallel(8, func(i int) {
		p := Peer(i)
		p.Name = "alice"
		_, err := c.Join(context.Background(), group, p)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			won++
		} else if e, ok := errors.AsType[*bootstrap.Error](err); !ok || !errors.Is(e, bootstrap.ErrNameTaken) || e.Free != "alice2" {
			t.Errorf("%v, want ErrNameTaken and alice2 free", err)
		}
	})
	if won != 1 {
		t.Errorf("%d peers hold one name", won)
	}
}

func testCapacity(t *testing.T, c *bootstrap.Client) {
	const joiners, listed, standby = 24, 5, 3
	for range 3 {
		group := newGroup(t, c, bootstrap.Config{MaxPeers: listed, MinRefillCandidates: standby})
		replies := make([]bootstrap.JoinReply, joiners)
		parallel(joiners, func(i int) {
			var err error
			if replies[i], err = c.Join(context.Background(), group, Peer(i)); err != nil {
				t.Error(err)
			}
		})
		count := func(is func(bootstrap.JoinReply) bool) (n int) {
			for _, r := range replies {
				if is(r) {
					n++
				}
			}
			return n
		}
		in := count(func(r bootstrap.JoinReply) bool { return r.Admitted })
		waiting := count(func(r bootstrap.JoinReply) bool { return r.Standby && !r.Admitted })
		leases := count(func(r bootstrap.JoinReply) bool { return r.Lease.Token != "" })
		if g := list(t, c, group); in != listed || waiting != standby || leases != in+waiting || len(g.Peers) != listed || g.Standby != standby {
			t.Errorf("%d admitted, %d on standby, %d leases; told %d and %d; want %d and %d", in, waiting, leases, len(g.Peers), g.Standby, listed, standby)
		}
		if empty := count(func(r bootstrap.JoinReply) bool { return len(r.Group.Peers) == 0 }); empty != 0 {
			t.Errorf("%d of the joiners got no list", empty)
		}
	}
}

func testOrder(t *testing.T, c *bootstrap.Client) {
	group := newGroup(t, c, bootstrap.Config{MaxPeers: 11, MinRefillCandidates: 11})
	for i := range 22 {
		join(t, c, group, Peer(i))
	}
	for i := range 22 { // whoever asks, and in whatever order
		p, err := c.Refill(t.Context(), group, Peer(21-i).ID)
		must(t, err)
		if want := 21-i < 11; p.Admitted != want || p.Standby == want {
			t.Errorf("peer %d: %+v, want admitted %v", 21-i, p, want)
		}
	}
	wantListed(t, c, group, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if _, err := c.Refill(t.Context(), group, "id-stranger"); !errors.Is(err, bootstrap.ErrNotFound) {
		t.Errorf("refill by a stranger: %v, want ErrNotFound", err)
	}
}

func testLeave(t *testing.T, c *bootstrap.Client) {
	ctx, group := t.Context(), groupName(rand.Text())
	first, second := join(t, c, group, Peer(1)), join(t, c, group, Peer(2))
	for _, token := range []string{"", "guessed", second.Lease.Token} {
		if err := c.Leave(ctx, group, Peer(1).ID, token); !errors.Is(err, bootstrap.ErrForbidden) {
			t.Errorf("leave with token %q: %v, want ErrForbidden", token, err)
		}
	}
	wantListed(t, c, group, 1, 2)
	must(t, c.Leave(ctx, group, Peer(1).ID, first.Lease.Token))
	wantListed(t, c, group, 2)
	must(t, c.Leave(ctx, group, Peer(1).ID, first.Lease.Token))
	must(t, c.Leave(ctx, group, "id-stranger", ""))
}

func testPromotion(t *testing.T, c *bootstrap.Client) {
	group := newGroup(t, c, bootstrap.Config{MaxPeers: 2, MinRefillCandidates: 2})
	leases := make([]string, 6)
	for i := 1; i <= 4; i++ {
		leases[i] = join(t, c, group, Peer(i)).Lease.Token
	}
	if got := join(t, c, group, Peer(5)); got.Admitted || got.Standby || got.Lease.Token != "" || len(got.Group.Peers) != 2 {
		t.Errorf("%+v, want the list and no place", got)
	}
	must(t, c.Leave(t.Context(), group, Peer(1).ID, leases[1]))
	wantListed(t, c, group, 2, 3)
	must(t, c.Leave(t.Context(), group, Peer(3).ID, leases[3]))
	wantListed(t, c, group, 2, 4)
	join(t, c, group, Peer(1)) // back, and the newest now
	join(t, c, group, Peer(5))
	must(t, c.Leave(t.Context(), group, Peer(2).ID, leases[2]))
	wantListed(t, c, group, 4, 1)
}

func testConfig(t *testing.T, c *bootstrap.Client) {
	ctx, group := t.Context(), groupName(rand.Text())
	for i := 1; i <= 5; i++ {
		join(t, c, group, Peer(i))
	}
	before, err := c.Config(ctx, group)
	must(t, err)
	shrunk := bootstrap.Config{MaxPeers: 2, MinRefillCandidates: 1}
	if got, err := c.SetConfig(ctx, group, shrunk, &before); err != nil || got != shrunk {
		t.Fatalf("%+v, %v", got, err)
	}
	wantListed(t, c, group, 1, 2)
	if _, err := c.SetConfig(ctx, group, before, &before); !errors.Is(err, bootstrap.ErrChanged) {
		t.Errorf("%v, want ErrChanged", err)
	}
	set := func(maxPeers, standby int) error {
		_, err := c.SetConfig(ctx, group, bootstrap.Config{MaxPeers: maxPeers, MinRefillCandidates: standby}, nil)
		return err
	}
	must(t, set(10, 1)) // grown: the one on standby moves up, the others are forgotten
	wantListed(t, c, group, 1, 2, 3)
	must(t, set(0, 0))
	wantListed(t, c, group)
	if got := join(t, c, group, Peer(1)); got.Admitted || got.Standby {
		t.Errorf("%+v in a group that lists nobody", got)
	}
	for _, wrong := range [][2]int{{-1, 0}, {0, -1}, {bootstrap.MaxPeers + 1, 0}, {1, bootstrap.MaxPeers + 1}} {
		if err := set(wrong[0], wrong[1]); !errors.Is(err, bootstrap.ErrInvalid) {
			t.Errorf("configuration %v: %v, want ErrInvalid", wrong, err)
		}
	}
}

func testReset(t *testing.T, c *bootstrap.Client) {
	config := bootstrap.Config{MaxPeers: 7, MinRefillCandidates: 3}
	group := newGroup(t, c, config)
	join(t, c, group, Peer(1))
	g, err := c.Reset(t.Context(), group)
	must(t, err)
	if len(g.Peers) != 0 || g.Config != config {
		t.Errorf("%+v, want no peers and configuration %+v", g, config)
	}
	wantListed(t, c, group)
}

func testInvalid(t *testing.T, c *bootstrap.Client) {
	group := groupName(rand.Text())
	tests := map[string]func(*bootstrap.JoinRequest){
		"id":           func(r *bootstrap.JoinRequest) { r.ID = "../peers" },
		"name":         func(r *bootstrap.JoinRequest) { r.Name = "Alice\x1b[2J" },
		"boot":         func(r *bootstrap.JoinRequest) { r.Boot = 0 },
		"address":      func(r *bootstrap.JoinRequest) { r.Addr = "example.org:80" },
		"port":         func(r *bootstrap.JoinRequest) { r.Addr = "127.0.0.1:0" },
		"unspecified":  func(r *bootstrap.JoinRequest) { r.Addr = "[::]:4000" },
		"negative TTL": func(r *bootstrap.JoinRequest) { r.TTL = -1e9 },
	}
	for name, spoil := range tests {
		r := Peer(1)
		spoil(&r)
		if _, err := c.Join(t.Context(), group, r); !errors.Is(err, bootstrap.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	wantListed(t, c, group)
}

// testAckedJoins lets clients come and go at once and compares what is left
// with what they were told.
func testAckedJoins(t *testing.T, c *bootstrap.Client) {
	ctx, group := context.Background(), groupName(rand.Text())
	const clients, each = 16, 3
	parallel(clients, func(n int) {
		for i := range each {
			p := Peer(n*each + i)
			reply, err := c.Join(ctx, group, p)
			if err != nil || !reply.Admitted {
				t.Errorf("join %+v, %v", reply.Placement, err)
				continue
			}
			if i == 0 {
				continue // stays
			}
			if err := c.Leave(ctx, group, p.ID, reply.Lease.Token); err != nil {
				t.Error(err)
			}
		}
	})
	g := list(t, c, group)
	for n := range clients {
		if !slices.ContainsFunc(g.Peers, func(p bootstrap.Peer) bool { return p.ID == Peer(n*each).ID }) {
			t.Errorf("peer %d joined, stayed, and is not listed", n*each)
		}
	}
	if len(g.Peers) != clients {
		t.Errorf("%d peers are left of %d that joined to stay", len(g.Peers), clients)
	}
}

// newGroup configures a group that no other test has.
func newGroup(t *testing.T, c *bootstrap.Client, config bootstrap.Config) string {
	t.Helper()
	group := groupName(rand.Text())
	_, err := c.SetConfig(t.Context(), group, config, nil)
	must(t, err)
	return group
}

func join(t *testing.T, c *bootstrap.Client, group string, r bootstrap.JoinRequest) bootstrap.JoinReply {
	t.Helper()
	reply, err := c.Join(t.Context(), group, r)
	must(t, err)
	return reply
}

func list(t *testing.T, c *bootstrap.Client, group string) bootstrap.Group {
	t.Helper()
	g, err := c.Group(t.Context(), group)
	must(t, err)
	return g
}

// wantListed checks that exactly these made-up peers are listed, in this order.
func wantListed(t *testing.T, c *bootstrap.Client, group string, numbers ...int) {
	t.Helper()
	var got, want []string
	for _, p := range list(t, c, group).Peers {
		got = append(got, p.ID)
	}
	for _, n := range numbers {
		want = append(want, Peer(n).ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

// serve puts a service on top of the store, in memory, until the test ends.
func serve(t testing.TB, store bootstrap.Store) *bootstrap.Client {
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: store})
	must(t, err)
	ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- netx.ServeHTTP(ctx, ln, h) }()
	t.Cleanup(func() {
		stop()
		must(t, <-served)
	})
	c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: "http://127.0.0.1:1", Dial: ln.dial, Timeout: wait})
	must(t, err)
	return c
}

// pipes is a network of one listener.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
