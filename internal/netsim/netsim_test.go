package netsim_test

import (
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/netx/netxtest"
)

const ipA, ipB = "10.0.0.1", "10.0.0.2"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNetwork(t *testing.T) {
	netxtest.Run(t, func(*testing.T) (a, b netx.Network, hostA, hostB string) {
		n := netsim.New()
		return n.Host(ipA), n.Host(ipB), ipA, ipB
	})
}

func TestNetworkInBubble(t *testing.T) {
	for _, c := range netxtest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := netsim.New()
				c.Run(t, netxtest.Pair{A: n.Host(ipA), B: n.Host(ipB), HostA: ipA, HostB: ipB})
			})
		})
	}
}
