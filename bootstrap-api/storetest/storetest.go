// Package storetest proves stores and services of the bootstrap contract. A
// new store is proved by Run, which looks at the store itself and then at a
// service on top of it; a new way to serve by RunService.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

// wait is far longer than any one update takes.
const wait = 10 * time.Second

// Run proves the contract of a store. open returns an empty one and takes
// care of its end by t.Cleanup; it is called several times, also within a
// bubble of testing/synctest, so its goroutines must have ended by then.
func Run(t *testing.T, open func(t testing.TB) bootstrap.Store) {
	tests := []struct {
		name string
		run  func(*testing.T, bootstrap.Store)
	}{
		{"a group never changed", testMissing},
		{"revisions", testRevisions},
		{"an error changes nothing", testError},
		{"a panic is its caller's", testPanic},
		{"states are copies", testCopies},
		{"groups do not meet", testGroups},
		{"no update is lost", testNoLostUpdate},
		{"a context that ended", testEndedContext},
		{"the end of a context holds nobody up", testCancel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
	t.Run("service", func(t *testing.T) { RunService(t, serve(t, open(t))) })
	t.Run("service in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { testExpiry(t, serve(t, open(t))) })
	})
}

func testMissing(t *testing.T, s bootstrap.Store) {
	if got := read(t, s, "lab"); !got.Equal(bootstrap.NewState()) || got.Revision != 0 {
		t.Errorf("state %+v, want that of a new group at revision 0", got)
	}
}

func testRevisions(t *testing.T, s bootstrap.Store) {
	first := change(t, s, "lab")
	second := change(t, s, "lab")
	if first == 0 || second <= first {
		t.Errorf("revisions %d and %d: each change must raise it", first, second)
	}
	if got := read(t, s, "lab"); got.Revision != second || got.Joins != 2 {
		t.Errorf("state %+v, want revision %d and 2 joins", got, second)
	}
	if again := read(t, s, "lab"); again.Revision != second {
		t.Errorf("revision %d after a read, want %d still", again.Revision, second)
	}
	must(t, update(s, "lab", func(s *bootstrap.State) error { s.Revision = 999999; return nil }))
	if got := read(t, s, "lab"); got.Revision != second {
		t.Errorf("revision %d, want %d: it is not for fn to set", got.Revision, second)
	}
}

func testError(t *testing.T, s bootstrap.Store) {
	before := change(t, s, "lab")
	sentinel := errors.New("no")
	err := update(s, "lab", func(s *bootstrap.State) error { s.Joins = 77; return sentinel })
	if !errors.Is(err, sentinel) {
		t.Errorf("error %v, want that of fn", err)
	}
	if got := read(t, s, "lab"); got.Joins != 1 || got.Revision != before {
		t.Errorf("state %+v: the update that failed left a trace", got)
	}
}

func testPanic(t *testing.T, s bootstrap.Store) {
	func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v, want the panic of fn", p)
			}
		}()
		_ = update(s, "lab", func(s *bootstrap.State) error { s.Joins = 77; panic("boom") })
	}()
	change(t, s, "lab")
	if got := read(t, s, "lab"); got.Joins != 1 {
		t.Errorf("state %+v: the update that panicked left a trace", got)
	}
}

func testCopies(t *testing.T, s bootstrap.Store) {
	var kept *bootstrap.State
	must(t, update(s, "lab", func(s *bootstrap.State) error {
		kept = s
		_, err := s.Join(time.Now(), Peer(1), "token")
		return err
	}))
	kept.Records[0].Name = "mallory"
	must(t, update(s, "lab", func(s *bootstrap.State) error { kept = s; return nil }))
	kept.Records[0].Name = "mallory"
	if got := read(t, s, "lab"); got.Records[0].Name != Peer(1).Name {
		t.Error("a change to a state after its update reached the store")
	}
}

func testGroups(t *testing.T, s bootstrap.Store) {
	change(t, s, "lab")
	change(t, s, "lab")
	change(t, s, "other")
	if a, b := read(t, s, "lab"), read(t, s, "other"); a.Joins != 2 || b.Joins != 1 {
		t.Errorf("joins %d and %d, want 2 and 1", a.Joins, b.Joins)
	}
}

// testNoLostUpdate fails on a store that reads, thinks and writes.
func testNoLostUpdate(t *testing.T, s bootstrap.Store) {
	const clients, each = 16, 25
	var mu sync.Mutex
	seen := make(map[uint64]bool)
	parallel(clients, func(int) {
		for range each {
			revision, err := increment(s, "lab")
			mu.Lock()
			if err != nil || seen[revision] {
				t.Errorf("revision %d, error %v; want a new revision", revision, err)
			}
			seen[revision] = true
			mu.Unlock()
		}
	})
	if got := read(t, s, "lab"); got.Joins != clients*each {
		t.Errorf("%d of %d updates are there", got.Joins, clients*each)
	}
}

func testEndedContext(t *testing.T, s bootstrap.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Update(ctx, "lab", func(s *bootstrap.State) error { s.Joins++; return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if got := read(t, s, "lab"); got.Joins != 0 {
		t.Error("an update took place whose context had ended before")
	}
}

// testCancel ends contexts in the midst of updates. What was acknowledged is
// there, nothing is there that was not asked for, and the store goes on.
func testCancel(t *testing.T, s bootstrap.Store) {
	const clients, each = 16, 10
	var acked atomic.Uint64
	parallel(clients, func(n int) {
		for i := range each {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n*i)*50*time.Microsecond)
			returned := false
			err := s.Update(ctx, "lab", func(s *bootstrap.State) error {
				if returned {
					t.Error("fn was run after its Update had returned")
				}
				s.Joins++
				return nil
			})
			returned = true
			cancel()
			if err == nil {
				acked.Add(1)
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want context.DeadlineExceeded", err)
			}
		}
	})
	change(t, s, "lab")
	if got := read(t, s, "lab").Joins - 1; got < acked.Load() || got > clients*each {
		t.Errorf("%d updates are there; %d were acknowledged, %d asked for", got, acked.Load(), clients*each)
	}
}

// testExpiry needs a clock that is the bubble's.
func testExpiry(t *testing.T, c *bootstrap.Client) {
	ctx := t.Context()
	group := newGroup(t, c, bootstrap.Config{MaxPeers: 1, MinRefillCandidates: 1})
	first, second := Peer(1), Peer(2)
	first.TTL, second.TTL = 30*time.Second, time.Minute
	lease := join(t, c, group, first).Lease
	if got := join(t, c, group, second); got.Admitted || !got.Standby {
		t.Fatalf("second of one: %+v, want it on standby", got.Placement)
	}
	before := list(t, c, group)
	time.Sleep(29 * time.Second)
	wantListed(t, c, group, 1)
	time.Sleep(time.Second)
	wantListed(t, c, group, 2) // promoted though nobody did a thing
	if after := list(t, c, group); after.Revision <= before.Revision || after.Standby != 0 {
		t.Errorf("%+v: expiry must be told by the revision", after)
	}
	must(t, c.Leave(ctx, group, first.ID, lease.Token))
	third := Peer(1)
	third.ID = "id-reborn"
	if got := join(t, c, group, third); !got.Standby {
		t.Errorf("%+v: name and place of an expired peer must be free", got.Placement)
	}
	time.Sleep(20 * time.Second)
	second.Token = ""
	join(t, c, group, second) // renewed
	time.Sleep(59 * time.Second)
	wantListed(t, c, group, 2)
}

// Peer is the join request of a made-up peer, valid for any service.
func Peer(n int) bootstrap.JoinRequest {
	return bootstrap.JoinRequest{ID: fmt.Sprintf("id-%d", n), Name: fmt.Sprintf("peer%d", n), Boot: 1, Addr: fmt.Sprintf("127.0.0.1:%d", 4000+n)}
}

func update(s bootstrap.Store, group string, fn func(*bootstrap.State) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return s.Update(ctx, group, fn)
}

func read(t *testing.T, s bootstrap.Store, group string) bootstrap.State {
	t.Helper()
	var got *bootstrap.State
	must(t, update(s, group, func(s *bootstrap.State) error { got = s; return nil }))
	return *got
}

// change changes something and returns the revision that it led to.
func change(t *testing.T, s bootstrap.Store, group string) uint64 {
	t.Helper()
	revision, err := increment(s, group)
	must(t, err)
	return revision
}

// increment gives others every chance to come in between.
func increment(s bootstrap.Store, group string) (uint64, error) {
	var got *bootstrap.State
	err := update(s, group, func(s *bootstrap.State) error {
		got = s
		runtime.Gosched()
		s.Joins++
		return nil
	})
	if err != nil {
		return 0, err
	}
	return got.Revision, nil
}

// parallel calls f n times at once and returns when all calls have.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// groupName is one that no other test of a long-lived service has.
func groupName(suffix string) string { return "test-" + strings.ToLower(suffix) }
