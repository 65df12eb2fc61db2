package service

import (
	"testing"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

func TestUpdatesThatOverlapAreToldInAnyOrder(t *testing.T) {
	at := func(revision uint64) bootstrap.State { return bootstrap.State{Revision: revision} }
	for _, tt := range []struct {
		now  uint64
		came []uint64
		want uint64
	}{
		{1, []uint64{2, 3}, 3},
		{1, []uint64{3, 2}, 3},
		{3, []uint64{2}, 3},
		{3, nil, 3},
	} {
		var states []bootstrap.State
		for _, r := range tt.came {
			states = append(states, at(r))
		}
		if got := newest(at(tt.now), states).Revision; got != tt.want {
			t.Errorf("revision %d, then %v: %d is the newest, want %d", tt.now, tt.came, got, tt.want)
		}
	}
}
