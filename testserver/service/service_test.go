package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/storetest"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a service that is served in a bubble.
type desk struct {
	*service.Service
	client *bootstrap.Client

	mu   sync.Mutex
	told []string // each list that was told, as text
}

// serve runs f with a service of group lab.
func serve(t *testing.T, f func(t *testing.T, d *desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		var err error
		d.Service, err = service.New(service.Config{Group: "lab", Seed: 3, Listed: func(names []string) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.told = append(d.told, fmt.Sprint(names))
		}})
		if err != nil {
			t.Fatal(err)
		}
		net := netsim.New()
		l, err := net.Host("10.0.0.1").Listen(t.Context(), "10.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { d.Run(ctx) })
		wg.Go(func() { _ = netx.ServeHTTP(ctx, l, d) })
		d.client, err = bootstrap.NewClient(bootstrap.ClientConfig{URL: "http://10.0.0.1:80", Dial: net.Host("10.0.0.2").Dial})
		if err != nil {
			t.Fatal(err)
		}
		f(t, d)
		stop()
		wg.Wait()
	})
}

func (d *desk) lists() string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprint(d.told)
}

// join joins with a lease of 15 seconds.
func (d *desk) join(t *testing.T, group string, n int) (lease string) {
	t.Helper()
	r := storetest.Peer(n)
	r.TTL = 15 * time.Second
	reply, err := d.client.Join(t.Context(), group, r)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Lease.Token
}

func TestTheListIsToldWhenItChanges(t *testing.T) {
	serve(t, func(t *testing.T, d *desk) {
		want := func(lists string) {
			t.Helper()
			if got := d.lists(); got != lists {
				t.Errorf("told %s, want %s", got, lists)
			}
		}
		want("[[]]")
		lease := d.join(t, "lab", 1)
		d.join(t, "other", 3)
		want("[[] [peer1]]")
		time.Sleep(5 * time.Second)
		d.join(t, "lab", 2)
		d.join(t, "lab", 2) // a renewal changes nothing
		want("[[] [peer1] [peer1 peer2]]")
		if err := d.client.Leave(t.Context(), "lab", storetest.Peer(1).ID, lease); err != nil {
			t.Fatal(err)
		}
		want("[[] [peer1] [peer1 peer2] [peer2]]")
		time.Sleep(15*time.Second - time.Millisecond)
		want("[[] [peer1] [peer1 peer2] [peer2]]")
		time.Sleep(2 * time.Millisecond) // the lease has run out
		want("[[] [peer1] [peer1 peer2] [peer2] []]")
	})
}

func TestWhatAilsTheService(t *testing.T) {
	tests := []struct {
		name  string
		fault language.ServiceFault
		fails bool
		took  time.Duration
	}{
		{"well", language.ServiceFault{}, false, 0},
		{"down", language.ServiceFault{Down: true}, true, 0},
		{"slow", language.ServiceFault{Slow: 2 * time.Second}, false, 2 * time.Second},
		{"errors", language.ServiceFault{Errors: 1}, true, 0},
		{"slow errors", language.ServiceFault{Errors: 1, Slow: time.Second}, true, time.Second},
		{"slower than anybody waits", language.ServiceFault{Slow: time.Minute}, true, bootstrap.DefaultTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			serve(t, func(t *testing.T, d *desk) {
				d.Ail(tt.fault)
				began := time.Now()
				_, err := d.client.Group(t.Context(), "lab")
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %s, want %s", took, tt.took)
				}
				if (err != nil) != tt.fails || tt.fails && !errors.Is(err, bootstrap.ErrUnavailable) {
					t.Errorf("%v", err)
				}
				d.Ail(language.ServiceFault{})
				if _, err := d.client.Group(t.Context(), "lab"); err != nil {
					t.Errorf("healed: %v", err)
				}
			})
		})
	}
}

// TestErrorsAreDrawnFromTheSeed asks a service twice that fails half of what
// it is asked.
func TestErrorsAreDrawnFromTheSeed(t *testing.T) {
	fates := func() (fates string) {
		serve(t, func(t *testing.T, d *desk) {
			if _, err := d.client.Group(t.Context(), "lab"); err != nil { // is not drawn for
				t.Fatal(err)
			}
			d.Ail(language.ServiceFault{Errors: 0.5})
			failed := 0
			for range 200 {
				_, err := d.client.Group(t.Context(), "lab")
				fates += fmt.Sprint(err != nil, " ")
				if err != nil {
					failed++
				}
			}
			if failed < 70 || failed > 130 {
				t.Errorf("%d of 200 requests failed, about 100 should", failed)
			}
		})
		return fates
	}
	if first, second := fates(), fates(); first != second {
		t.Errorf("the same seed, and\n%s\nis not\n%s", first, second)
	}
}
