package node_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/node"
)

// TestAServiceThatDoesNotAnswerIsAskedAgain begins init at services that are
// busy, or are not there yet, and at one that refuses.
func TestAServiceThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	never := time.Hour
	for _, tt := range []struct {
		name   string
		up     time.Duration // when the service begins to listen
		busy   time.Duration // until when it answers that it cannot
		token  string        // that the peer has
		cancel time.Duration
		want   error
		told   int
		soon   time.Duration // when init has ended
		late   time.Duration
	}{
		{name: "it answers", token: "secret"},
		{name: "it is busy", busy: 5 * time.Second, token: "secret", told: 1, soon: 5 * time.Second, late: 8 * time.Second},
		{name: "it comes later", up: 6 * time.Second, token: "secret", told: 1, soon: 6 * time.Second, late: 9 * time.Second},
		{name: "it stays busy", busy: never, token: "secret", want: bootstrap.ErrUnavailable, told: 1, soon: 7 * time.Second, late: 10 * time.Second},
		{name: "it never comes", up: never, token: "secret", want: bootstrap.ErrUnavailable, told: 1, soon: 7 * time.Second, late: 13 * time.Second},
		{name: "it refuses", token: "wrong", want: bootstrap.ErrUnauthorized},
		{name: "it refuses later", busy: 3 * time.Second, token: "wrong", want: bootstrap.ErrUnauthorized, told: 1, soon: 3 * time.Second, late: 6 * time.Second},
		{name: "the call ends", busy: never, token: "secret", cancel: 2 * time.Second, want: context.Canceled, told: 1, soon: 2 * time.Second, late: 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.service(tt.up, tt.busy)
				p := l.start("alice", func(c *node.Config) { c.Service, c.Token, c.Rendezvous = "http://10.0.9.9:80", tt.token, nil })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				began := time.Now()
				err := p.Init(ctx)
				if !errors.Is(err, tt.want) {
					t.Errorf("init: %v, want %v", err, tt.want)
				}
				if err != nil && tt.cancel == 0 && !strings.Contains(err.Error(), "--token-file") && !strings.Contains(err.Error(), "check the URL") {
					t.Errorf("%q says no way out", err)
				}
				if took := time.Since(began); took < tt.soon || took > max(tt.late, 100*time.Millisecond) {
					t.Errorf("it took %s, want %s to %s", took, tt.soon, tt.late)
				}
				told := strings.Count(strings.Join(p.shown, "\n"), "trying again")
				if told != tt.told {
					t.Errorf("told %d times that it tries again, want %d: %q", told, tt.told, p.shown)
				}
				p.crash()
			})
		})
	}
}

// service serves a bootstrap service at 10.0.9.9 from up on, which is busy
// until then.
func (l *lab) service(up, busy time.Duration) {
	began := time.Now()
	l.serve(up, func(w http.ResponseWriter, r *http.Request, good http.Handler) {
		if time.Since(began) < busy {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		good.ServeHTTP(w, r)
	})
}

// slowService serves one that takes its time for each answer.
func (l *lab) slowService(takes time.Duration) {
	l.serve(0, func(w http.ResponseWriter, r *http.Request, good http.Handler) {
		select {
		case <-r.Context().Done():
		case <-time.After(takes):
			good.ServeHTTP(w, r)
		}
	})
}

// serve serves h at 10.0.9.9 from up on, which has a good service at hand.
func (l *lab) serve(up time.Duration, h func(http.ResponseWriter, *http.Request, http.Handler)) {
	good, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore(), Token: "secret"})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		if up > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(up):
			}
		}
		ln, err := l.net.Host("10.0.9.9").Listen(ctx, "10.0.9.9:80")
		if err != nil {
			l.t.Error(err)
			return
		}
		err = netx.ServeHTTP(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r, good) }))
		if err != nil {
			l.t.Error(err)
		}
	}()
	synctest.Wait() // a service that is up listens now
}

// TestWhoWaitsIsToldForWhom begins init at a service that takes the call and
// never answers, and at one that answers after a while.
func TestWhoWaitsIsToldForWhom(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes time.Duration
		want  int
	}{{"at once", 0, 0}, {"soon", 900 * time.Millisecond, 0}, {"slowly", 2 * time.Second, 1}, {"never", time.Hour, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.slowService(tt.takes)
				p := l.start("alice", func(c *node.Config) { c.Service, c.Token, c.Rendezvous = "http://10.0.9.9:80", "secret", nil })
				ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
				defer cancel()
				if err := p.Init(ctx); (err != nil) != (tt.takes > 2500*time.Millisecond) {
					t.Errorf("init: %v", err)
				}
				told := strings.Count(strings.Join(p.shown, "\n"), "waiting for the bootstrap service at http://10.0.9.9:80")
				if told != tt.want {
					t.Errorf("told %d times, want %d: %q", told, tt.want, p.shown)
				}
				p.crash()
			})
		})
	}
}

// TestAnAddressThatCannotBeHad begins init at one that somebody has, and at one
// of another machine.
func TestAnAddressThatCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		bob := l.start("bob", nil)
		bob.init()
		for bind, want := range map[string]string{
			bob.Status().Self.Addr.String(): "another program has it: choose another address",
			"10.9.9.9:0":                    "none of this machine: choose another address",
		} {
			p := l.start("alice", func(c *node.Config) { c.Bind, c.Network = bind, bob.host })
			if err := p.Init(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), bind+", which --bind names") {
				t.Errorf("%s: %v, want %q", bind, err, want)
			}
			p.crash()
		}
	})
}

// TestNobodyAtTheAddresses gives addresses at which nobody is.
func TestNobodyAtTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLab(t).start("alice", func(c *node.Config) { c.Join = []string{"10.0.0.8:1", "10.0.0.9:1"} })
		err := p.Init(t.Context())
		if err == nil || !strings.Contains(err.Error(), "check --join") || strings.Count(err.Error(), "10.0.0.") != 2 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v; want one line with both addresses, and what to do", err)
		}
		p.crash()
	})
}
