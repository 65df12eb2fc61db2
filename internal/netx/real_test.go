package netx_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/netx/netxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReal(t *testing.T) {
	netxtest.Run(t, func(*testing.T) (a, b netx.Network, hostA, hostB string) {
		return netx.Real{}, netx.Real{}, "127.0.0.1", "127.0.0.1"
	})
}
