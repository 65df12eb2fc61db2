package discovery_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/peer/discovery"
)

func TestDamagedRendezvous(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"empty":         {"", "damaged"},
		"no JSON":       {"hello", "damaged"},
		"cut off":       {`{"v":1,"group":"lab","url":"http://10`, "damaged"},
		"no URL":        {`{"v":1,"group":"lab","secret":"x"}`, "damaged"},
		"no secret":     {`{"v":1,"group":"lab","url":"http://10.0.0.9:1"}`, "damaged"},
		"other group":   {`{"v":1,"group":"other","url":"http://10.0.0.9:1","secret":"x"}`, "damaged"},
		"next version":  {`{"v":2,"group":"lab","url":"http://10.0.0.9:1","secret":"x"}`, "version 2, this program reads 1"},
		"other version": {`{"v":7,"url":["http://10.0.0.9:1"]}`, "version 7, this program reads 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t)
				if err := w.runtime.WriteFile("lab.json", []byte(c.content), 0o600); err != nil {
					t.Fatal(err)
				}
				alice, bob := w.peer(1, "alice", nil), w.peer(2, "bob", nil)
				for _, p := range []*peer{alice, bob} {
					start := time.Now()
					_, err := p.Join(t.Context(), p.me)
					if took := time.Since(start); took > time.Second/2 {
						t.Errorf("%s was told after %s", p.me.Name, took)
					}
					if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), w.runtime.Path("lab.json")) || strings.Contains(err.Error(), "\n") {
						t.Errorf("%s: %v; want one line with %q and the path", p.me.Name, err, c.want)
					}
				}
				time.Sleep(time.Minute)
				if raw, err := w.runtime.ReadFile("lab.json"); string(raw) != c.content {
					t.Errorf("the file was overwritten: %q, %v", raw, err)
				}
				if err := w.runtime.Remove("lab.json"); err != nil {
					t.Fatal(err)
				}
				alice.join() // as the error said
			})
		})
	}
}

// The rendezvous file is read by other programs of the same user.
func TestRendezvousFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(handler(t, 0))
		lock, err := w.runtime.Lock("lab.lock", "4711")
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		alice := w.peer(1, "alice", nil)
		if _, err := alice.Join(t.Context(), alice.me); !errors.Is(err, discovery.ErrNoService) || !strings.Contains(err.Error(), "4711") {
			t.Errorf("while the holder is silent: %v; want its pid", err)
		}
		const golden = `{"v":1,"group":"lab","url":"http://10.0.1.1:80","secret":"secret","pid":4711}` + "\n"
		if err := w.runtime.WriteFile("lab.json", []byte(golden), 0o600); err != nil {
			t.Fatal(err)
		}
		alice.join()
		if u, hosted := alice.Service(); u != url || hosted {
			t.Errorf("alice uses %s, hosted %v", u, hosted)
		}
	})
}

// Who hosts the service may stand still, with the lock in hand.
func TestHostThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		lock, err := w.runtime.Lock("lab.lock", "4711")
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := w.runtime.WriteFile("lab.json", []byte(`{"v":1,"group":"lab","url":"`+url+`","secret":"secret","pid":4711}`), 0o600); err != nil {
			t.Fatal(err)
		}
		alice := w.peer(1, "alice", nil)
		for what, call := range map[string]func() error{
			"join": func() error { _, err := alice.Join(t.Context(), alice.me); return err },
			"list": func() error { _, err := alice.Group(t.Context()); return err },
		} {
			if err := call(); !errors.Is(err, bootstrap.ErrUnavailable) || !strings.Contains(err.Error(), "process 4711") {
				t.Errorf("%s: %v; want ErrUnavailable and who hosts it", what, err)
			}
		}
	})
}
