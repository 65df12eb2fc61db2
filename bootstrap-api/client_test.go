package bootstrap_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

func TestClientAndHandlerAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := service(t, bootstrap.HandlerConfig{Token: "secret"})
		if err := c.Healthz(ctx); err != nil {
			t.Fatal(err)
		}
		info, err := c.Info(ctx)
		if err != nil || info.TTLSeconds != 90 || info.MinTTLSeconds != 15 || info.MaxTTLSeconds != 3600 {
			t.Fatalf("info %+v, %v", info, err)
		}
		reply, err := c.Join(ctx, "lab", alice())
		if err != nil || !reply.Admitted || len(reply.Group.Peers) != 1 || reply.Group.Revision == 0 {
			t.Fatalf("join %+v, %v", reply, err)
		}
		if reply.Lease.RenewAfter != 20*time.Second || !reply.Lease.Expires.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("lease %+v at %v", reply.Lease, time.Now())
		}
		other := alice()
		other.ID = "id-other"
		_, err = c.Join(ctx, "lab", other)
		if e, ok := errors.AsType[*bootstrap.Error](err); !ok || !errors.Is(err, bootstrap.ErrNameTaken) || e.Free != "alice2" {
			t.Errorf("second alice: %v", err)
		}
		if err := c.Leave(ctx, "lab", "id-alice", "guess"); !errors.Is(err, bootstrap.ErrForbidden) {
			t.Errorf("leave with a wrong token: %v", err)
		}
		time.Sleep(59 * time.Second)
		if g, err := c.Group(ctx, "lab"); err != nil || len(g.Peers) != 1 {
			t.Errorf("before the lease ran out: %+v, %v", g, err)
		}
		time.Sleep(time.Second)
		if g, err := c.Group(ctx, "lab"); err != nil || len(g.Peers) != 0 {
			t.Errorf("after the lease ran out: %+v, %v", g, err)
		}
	})
}
