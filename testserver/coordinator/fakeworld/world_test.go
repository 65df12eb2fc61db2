package fakeworld_test

import (
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/coordinator/fakeworld"
	"github.com/peerlab/peerlab/testserver/coordinator/worldtest"
)

func TestWorld(t *testing.T) {
	worldtest.Run(t, worldtest.Config{
		New: func(t *testing.T) coordinator.World {
			w, err := fakeworld.New("")
			if err != nil {
				t.Fatal(err)
			}
			return w
		},
		Around: func(t *testing.T, test func(*testing.T)) { synctest.Test(t, test) },
		Pauses: true,
		Lists:  true,
	})
}
