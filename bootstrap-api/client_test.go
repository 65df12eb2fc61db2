package bootstrap_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
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

// A service may answer anything, slowly, or not at all: each time the client
// comes back in time, with one clear error of the right kind.
func TestHostileService(t *testing.T) {
	answer := func(status int, media, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const group = `{"revision":1,"config":{"maxPeers":64,"minRefillCandidates":16},"standby":0,"peers":[%s]}`
	peer := func(name, addr string) string {
		return fmt.Sprintf(group, `{"id":"id-1","name":"`+name+`","boot":1,"addr":"`+addr+`","joined":1}`)
	}
	problem := func(kind, detail string) string {
		return `{"type":"urn:peerlab:bootstrap:` + kind + `","status":422,"detail":"` + detail + `","free":"Not\nA name"}`
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    error // nil for success
	}{
		{"newer minor", answer(200, "application/json", strings.Replace(fmt.Sprintf(group, ""), `{"rev`, `{"new":[1],"rev`, 1)), nil},
		{"web page", answer(200, "text/html", "<html>hello"), bootstrap.ErrProtocol},
		{"web page not found", answer(404, "text/html", "<html>no"), bootstrap.ErrProtocol},
		{"garbage as JSON", answer(200, "application/json", "\x00\xff\xfe{"), bootstrap.ErrProtocol},
		{"JSON of another kind", answer(200, "application/json", `[]`), bootstrap.ErrProtocol},
		{"empty object", answer(200, "application/json", `{}`), bootstrap.ErrProtocol},
		{"nothing", answer(200, "application/json", ""), bootstrap.ErrProtocol},
		{"another success", answer(202, "application/json", fmt.Sprintf(group, "")), bootstrap.ErrProtocol},
		{"escapes in a name", answer(200, "application/json", peer(`\u001b[2Jbob`, "127.0.0.1:1")), bootstrap.ErrProtocol},
		{"address that is none", answer(200, "application/json", peer("bob", "127.0.0.1:1; rm")), bootstrap.ErrProtocol},
		{"redirect", http.RedirectHandler("http://elsewhere.example/", http.StatusFound).ServeHTTP, bootstrap.ErrProtocol},
		{"proxy's bad gateway", answer(502, "text/html", "<html>"), bootstrap.ErrUnavailable},
		{"unknown problem", answer(422, "application/problem+json", problem("sunspots", "x")), bootstrap.ErrProtocol},
		{"problem that is none", answer(422, "application/problem+json", "[]"), bootstrap.ErrProtocol},
		{"problem with a long detail", answer(422, "application/problem+json", problem("invalid", strings.Repeat("ä", 5000))), bootstrap.ErrInvalid},
		{"10 MB", answer(200, "application/json", `"`+strings.Repeat("x", 10<<20)+`"`), bootstrap.ErrProtocol},
		{"endlessly", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 1<<16))
			}
		}, bootstrap.ErrProtocol},
		{"large header", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
			answer(200, "application/json", fmt.Sprintf(group, ""))(w, r)
		}, bootstrap.ErrUnavailable},
		{"never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, bootstrap.ErrUnavailable},
		{"slowly", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}, bootstrap.ErrUnavailable},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			answer(200, "application/json", "{")(w, r)
		}, bootstrap.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, serve(t, tt.handler), "")
				begin := time.Now()
				_, err := c.Group(t.Context(), "lab")
				if !errors.Is(err, tt.want) || (err != nil && len(err.Error()) > 600) {
					t.Errorf("%v, want %v", err, tt.want)
				}
				if took := time.Since(begin); took > bootstrap.DefaultTimeout {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestNoHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		go func() {
			conn, err := p.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn)) // all of it: a write that fails is another error
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH\r\n\r\n")
			_ = conn.Close()
		}()
		if _, err := client(t, p, "").Group(t.Context(), "lab"); !errors.Is(err, bootstrap.ErrProtocol) {
			t.Errorf("%v, want ErrProtocol", err)
		}
		_ = p.Close()
		if _, err := client(t, p, "").Group(t.Context(), "lab"); !errors.Is(err, bootstrap.ErrUnavailable) || !strings.Contains(err.Error(), "http://127.0.0.1:8080") {
			t.Errorf("nobody there: %v, want ErrUnavailable with the URL", err)
		}
	})
}

func TestEndedContext(t *testing.T) {
	c := service(t, bootstrap.HandlerConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Group(ctx, "lab"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func TestClientConfig(t *testing.T) {
	for _, u := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://user:pass@host", "http://host?x=1", "http://host#x", "http://\x00"} {
		if _, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: u}); !errors.Is(err, bootstrap.ErrInvalid) {
			t.Errorf("URL %q: %v, want ErrInvalid", u, err)
		}
	}
	for _, token := range []string{"a b", "a\nb", "ä", strings.Repeat("x", 300)} {
		if _, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: "http://host", Token: token}); !errors.Is(err, bootstrap.ErrInvalid) {
			t.Errorf("token %q: %v, want ErrInvalid", token, err)
		}
	}
}

// A service behind a path prefix works like one without.
func TestPathPrefix(t *testing.T) {
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore()})
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, http.StripPrefix("/bootstrap", h))
	for _, u := range []string{"http://localhost/bootstrap", "http://localhost/bootstrap/"} {
		c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: u, Dial: p.Dial})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Join(t.Context(), "lab", alice()); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

// What no second call can mend is told apart from what may pass.
func TestWhyNobodyAnswers(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	secret := httptest.NewUnstartedServer(http.NotFoundHandler())
	secret.Config.ErrorLog = log.New(io.Discard, "", 0)
	secret.StartTLS()
	t.Cleanup(secret.Close)
	fails := func(err error) func(context.Context, string) (net.Conn, error) {
		return func(context.Context, string) (net.Conn, error) { return nil, err }
	}
	for _, tt := range []struct {
		name, url string
		dial      func(context.Context, string) (net.Conn, error)
		want      error
		says      string
	}{
		{"no such host", "http://nobody.example", fails(&net.DNSError{Err: "no such host", Name: "nobody.example", IsNotFound: true}), bootstrap.ErrNoHost, `"nobody.example"; check the URL`},
		{"no name server", "http://nobody.example", fails(&net.DNSError{Err: "server misbehaving", Name: "nobody.example", IsTemporary: true}), bootstrap.ErrUnavailable, "misbehaving"},
		{"nobody listens", "http://127.0.0.1:1", fails(syscall.ECONNREFUSED), bootstrap.ErrUnavailable, "refused"},
		{"https at a plain service", strings.Replace(plain.URL, "http:", "https:", 1), nil, bootstrap.ErrProtocol, "TLS"},
		{"a certificate of nobody", secret.URL, nil, bootstrap.ErrProtocol, "certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: tt.url, Dial: tt.dial})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Group(t.Context(), "lab")
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), tt.url) {
				t.Errorf("%v, want %v, %q and %s", err, tt.want, tt.says, tt.url)
			}
		})
	}
}
