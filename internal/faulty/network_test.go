package faulty_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/netx/netxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ipA, ipB = "10.0.0.1", "10.0.0.2"

// ruled is a network on which every port that is opened gets a rule for both
// directions, on all networks of the world.
type ruled struct {
	*faulty.Network
	world *ruledWorld
}

type ruledWorld struct {
	rule faulty.Rule

	mu       sync.Mutex
	networks []*faulty.Network
	peers    []faulty.Peer
}

func (w *ruledWorld) around(n netx.Network) netx.Network {
	f := faulty.New(n)
	w.networks = append(w.networks, f)
	return ruled{f, w}
}

func (w *ruledWorld) note(a net.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	addr := netip.MustParseAddrPort(a.String())
	for _, p := range w.peers {
		if p.Addr == addr {
			return // a port for packets and one for streams
		}
	}
	w.peers = append(w.peers, faulty.Peer{Name: addr.String(), Addr: addr, To: w.rule, From: w.rule})
	for _, n := range w.networks {
		if err := n.Set(faulty.Table{Self: "test", Peers: append([]faulty.Peer(nil), w.peers...)}); err != nil {
			panic(err)
		}
	}
}

func (r ruled) Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := r.Network.Listen(ctx, addr)
	if err == nil {
		r.world.note(l.Addr())
	}
	return l, err
}

func (r ruled) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	p, err := r.Network.ListenPacket(ctx, addr)
	if err == nil {
		r.world.note(p.LocalAddr())
	}
	return p, err
}

// harmless are rules under which a network still keeps its contract.
func harmless() map[string]faulty.Rule {
	return map[string]faulty.Rule{
		"latency": {Latency: time.Millisecond},
		"rate":    {Rate: 1_000_000_000},
	}
}

func TestConformance(t *testing.T) {
	t.Run("no faults", func(t *testing.T) {
		netxtest.Run(t, func(*testing.T) (a, b netx.Network, hostA, hostB string) {
			return faulty.New(netx.Real{}), faulty.New(netx.Real{}), "127.0.0.1", "127.0.0.1"
		})
	})
	for name, rule := range harmless() {
		t.Run(name, func(t *testing.T) {
			netxtest.Run(t, func(*testing.T) (a, b netx.Network, hostA, hostB string) {
				w := &ruledWorld{rule: rule}
				return w.around(netx.Real{}), w.around(netx.Real{}), "127.0.0.1", "127.0.0.1"
			})
		})
	}
}

func TestConformanceInBubble(t *testing.T) {
	rules := harmless()
	rules["no faults"] = faulty.Rule{}
	rules["slow"] = faulty.Rule{Latency: 20 * time.Millisecond}
	for name, rule := range rules {
		for _, c := range netxtest.Cases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					t.Cleanup(func() { time.Sleep(time.Minute) }) // streams that were closed still bring what was written
					n := netsim.New()
					w := &ruledWorld{rule: rule}
					c.Run(t, netxtest.Pair{A: w.around(n.Host(ipA)), B: w.around(n.Host(ipB)), HostA: ipA, HostB: ipB})
				})
			})
		}
	}
}
