package discovery_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/peer/discovery"
)

// to tells a peer of a service elsewhere and its token, and of the rendezvous.
func to(url string) func(*discovery.Config) {
	return func(c *discovery.Config) { c.URL, c.Token = url, "secret" }
}

func TestSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(handler(t, 0))
		alice, bob, carol := w.peer(1, "alice", nil), w.peer(2, "bob", nil), w.peer(3, "carol", to(url))
		for _, p := range []*peer{alice, bob, carol} {
			p.join()
		}
		if !alice.hosts() && !bob.hosts() || carol.list() != "carol" {
			t.Fatalf("the towns are not apart: carol lists %q", carol.list())
		}

		local, _ := alice.Service()
		s, err := carol.Switch(t.Context(), "")
		if err != nil || s.Left != nil || s.Old != url || s.New != local {
			t.Fatalf("to the rendezvous: %+v, %v; want %s -> %s", s, err, url, local)
		}
		if alice.list() != "alice bob carol" {
			t.Errorf("the rendezvous lists %q", alice.list())
		}
		s, err = carol.Switch(t.Context(), url)
		if err != nil || s.Left != nil || s.Old != local || s.New != url {
			t.Fatalf("back: %+v, %v", s, err)
		}
		if alice.list() != "alice bob" || carol.list() != "carol" {
			t.Errorf("the rendezvous lists %q, the service %q", alice.list(), carol.list())
		}
		time.Sleep(5 * time.Minute) // leases and refreshes come and go
		if alice.list() != "alice bob" || carol.list() != "carol" {
			t.Errorf("after a while the rendezvous lists %q, the service %q", alice.list(), carol.list())
		}
	})
}

// TestHostSwitches: who hosts the service hands it over.
func TestHostSwitches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore()})
		if err != nil {
			t.Fatal(err)
		}
		url := w.service(h)
		alice := w.peer(1, "alice", nil)
		alice.join()
		bob := w.peer(2, "bob", nil)
		bob.join()
		if !alice.hosts() {
			t.Fatal("alice does not host")
		}
		if s, err := alice.Switch(t.Context(), url); err != nil || s.Left != nil || alice.hosts() {
			t.Fatalf("%+v, %v", s, err)
		}
		until(t, 3*time.Second, "bob hosts", bob.hosts)
		// He begins with the list that he saw last, for a quarter of a minute.
		until(t, 20*time.Second, "bob is listed there, alone", func() bool { return bob.list() == "bob" })
		if alice.list() != "alice" {
			t.Errorf("the service lists %q", alice.list())
		}
		if _, err := alice.Switch(t.Context(), ""); err != nil || bob.list() != "bob alice" || alice.hosts() {
			t.Errorf("alice comes back: %v, %q", err, bob.list())
		}
		if s, err := alice.Switch(t.Context(), ""); err != nil || s.Old != s.New || bob.list() != "bob alice" {
			t.Errorf("to where she is: %+v, %v, %q", s, err, bob.list())
		}
	})
}

// TestSwitchInVain: on an error nothing has changed.
func TestSwitchInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		alone := w.peer(3, "carol", func(c *discovery.Config) { c.Rendezvous, c.URL = nil, "http://10.0.0.1:1" })
		if _, err := alone.Switch(t.Context(), ""); !errors.Is(err, discovery.ErrNoService) {
			t.Errorf("without a rendezvous: %v", err)
		}
		locked := w.service(handler(t, 0)) // it asks for a token
		alice := w.peer(1, "alice", nil)
		alice.join()
		before, _ := alice.Service()
		for url, want := range map[string]error{
			"http://10.0.0.9:1": bootstrap.ErrUnavailable, "nonsense": bootstrap.ErrInvalid, locked: bootstrap.ErrUnauthorized,
		} {
			_, err := alice.Switch(t.Context(), url)
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", url, err, want)
			}
			if now, _ := alice.Service(); now != before || alice.list() != "alice" || !alice.hosts() {
				t.Errorf("%s: the service is %s, which lists %q", url, now, alice.list())
			}
		}
		if len(alice.record) == 0 || strings.Contains(strings.Join(alice.record, " "), "switched") {
			t.Errorf("recorded %q", alice.record)
		}
	})
}

// TestOwnRecordOnly: a peer removes no record but its own, whatever it does.
func TestOwnRecordOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(handler(t, 0))
		alice, bob := w.peer(1, "alice", to(url)), w.peer(2, "bob", to(url))
		alice.join()
		bob.join()
		if err := alice.Leave(t.Context()); err != nil || bob.list() != "bob" || alice.Listed() {
			t.Errorf("%v; the service lists %q", err, bob.list())
		}
		if _, err := alice.Refill(t.Context()); !errors.Is(err, discovery.ErrNotListed) {
			t.Errorf("refill: %v", err)
		}
		bob.stop() // without a word: nobody takes his record away
		if alice.list() != "bob" {
			t.Errorf("the service lists %q", alice.list())
		}
	})
}
