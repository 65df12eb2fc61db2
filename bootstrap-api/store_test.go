package bootstrap_test

import (
	"testing"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Run(t, func(testing.TB) bootstrap.Store { return bootstrap.NewMemoryStore() })
}
