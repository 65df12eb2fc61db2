package cli_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

// badServices are ways in which what answers at a URL is no service.
func badServices() map[string]http.HandlerFunc {
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body) // the peer may have had enough
		}
	}
	return map[string]http.HandlerFunc{
		"a web page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><body>\x1b[31mWelcome</body></html>")
		},
		"binary":          answer("\x00\xff\x01\x02"),
		"an empty answer": answer(""),
		"cut off JSON":    answer(`{"group":{"peers":[`),
		"another JSON":    answer(`[1,2,3]`),
		"null":            answer(`null`),
		"wrong types":     answer(`{"group":{"peers":7},"lease":"x"}`),
		"10 MB":           answer(strings.Repeat("x", 10<<20)),
		"10 MB of JSON":   answer(`{"group":{"peers":[` + strings.Repeat(`{"name":"x"},`, 10<<20/13) + `{}]}}`),
		"deep JSON":       answer(strings.Repeat("[", 1<<20)),
		"an inner failure": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "boom\nboom", http.StatusInternalServerError)
		},
		"not here": http.NotFound,
		"a redirect to itself": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // until then nobody notices that the client went
			<-r.Context().Done()
		},
		"a drop now and then": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			drip := time.NewTicker(50 * time.Millisecond)
			defer drip.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-drip.C:
					_, _ = io.WriteString(w, " ")
					w.(http.Flusher).Flush()
				}
			}
		},
	}
}

func TestBadServiceAtTheStart(t *testing.T) {
	t.Parallel()
	for name, h := range badServices() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := quietServer(h)
			t.Cleanup(service.Close)
			checkNoStart(t, service.URL)
		})
	}
	t.Run("another protocol", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "220 mail.example ESMTP\r\n")
				c.Close()
			}
		}()
		checkNoStart(t, "http://"+ln.Addr().String())
	})
}

func quietServer(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	return s
}

// checkNoStart starts a peer, which must say in one line that the service at
// url is none; before that, in one each, for whom it waits and that it tries
// again, if it does.
func checkNoStart(t *testing.T, url string) {
	t.Helper()
	p := newUser(t).start("alice", "--bootstrap", url)
	start := time.Now()
	if got := p.status(); got != 1 {
		t.Errorf("status %d, want 1", got)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.lines
	for _, said := range []string{"waiting for", "trying again"} {
		if len(lines) > 1 && strings.HasPrefix(lines[0], "<warn> ") && strings.Contains(lines[0], said) {
			lines = lines[1:]
		}
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "peer: cannot start: ") || len(lines[0]) > 500 ||
		!strings.Contains(lines[0], url) || strings.Contains(strings.Join(p.lines, ""), "\x1b") {
		t.Errorf("after %s it prints %.1000q; want one line that names %s", time.Since(start), p.lines, url)
	}
}

// TestServiceTurnsBad has a running peer whose service turns into something
// else, and back: into some of the bad ones every day, into all of them under
// PEERLAB_SOAK=1.
func TestServiceTurnsBad(t *testing.T) {
	t.Parallel()
	daily := []string{"a web page", "10 MB", "no answer", "a broken connection"}
	for name, bad := range badServices() {
		if rounds(0, 1) == 0 && !slices.Contains(daily, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore(), TTL: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			var broken atomic.Bool
			service := quietServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if broken.Load() {
					bad(w, r)
					return
				}
				good.ServeHTTP(w, r)
			}))
			t.Cleanup(service.Close)
			u := newUser(t)
			alice := u.start("alice", "--bootstrap", service.URL)
			alice.expect("ready as alice")
			bob := u.start("bob", "--bootstrap", service.URL)
			bob.expect("ready as bob")
			alice.expect("<joined> bob has joined")
			broken.Store(true)
			for _, line := range []string{"bootstrappeers", "bootstrapjoin"} {
				refused(t, line, alice.ask(line), true)
			}
			var members []string
			quickest := patience // of several: starving may hit one of them, a wait for the service hits all
			for range 5 {
				start := time.Now()
				members = alice.ask("members")
				quickest = min(quickest, time.Since(start))
			}
			if quickest >= bootstrap.DefaultTimeout {
				t.Errorf("members takes %s, as if it waited for the service", quickest)
			}
			for _, name := range []string{"alice (you)  alive", "bob          alive"} {
				if !slices.ContainsFunc(members, func(l string) bool { return strings.HasPrefix(l, name) }) {
					t.Errorf("no %q in\n%s", name, strings.Join(members, "\n"))
				}
			}
			alice.send("msg after it")
			bob.expect("<alice> after it")
			broken.Store(false)
			if answer := alice.ask("bootstrapjoin"); len(answer) == 0 || strings.HasPrefix(answer[0], "error") {
				t.Errorf("when the service is back: %q", answer)
			}
			broken.Store(true)
			start := time.Now()
			alice.send("quit")
			if got := alice.status(); got != 1 {
				t.Errorf("status %d, want 1: commands failed", got)
			}
			// Three seconds are for the service, one for the others, the rest is room for a starved machine.
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("leaving took %s", took)
			}
		})
	}
}
