package inprocess_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/coordinator/worldtest"
	"github.com/peerlab/peerlab/testserver/inprocess"
)

// bubble runs a test in virtual time, and lets what memberlist leaves behind
// come to rest.
func bubble(t *testing.T, test func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(2 * time.Minute) })
		test(t)
	})
}

func TestWorld(t *testing.T) {
	worldtest.Run(t, worldtest.Config{
		New:    func(*testing.T) coordinator.World { return inprocess.New(inprocess.Config{}) },
		Around: bubble,
		Lists:  true,
	})
}
