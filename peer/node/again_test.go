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
				if err := p.Init(ctx); !errors.Is(err, tt.want) {
					t.Errorf("init: %v, want %v", err, tt.want)
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
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore(), Token: "secret"})
	if err != nil {
		l.t.Fatal(err)
	}
	began := time.Now()
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
		err = netx.ServeHTTP(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if time.Since(began) < busy {
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		}))
		if err != nil {
			l.t.Error(err)
		}
	}()
	synctest.Wait() // a service that is up listens now
}
