package bootstrap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

const (
	goodJoin = `{"name":"alice","boot":1,"addr":"127.0.0.1:4001"}`
	joinPath = "/v1/groups/lab/peers/id-alice"
)

// ask is one request as somebody might write it by hand.
type ask struct {
	method, path, host, body string
	header                   map[string]string
}

func (a ask) send(t *testing.T, p *pipes) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), a.method, "http://127.0.0.1"+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range a.header {
		req.Header.Set(name, value)
	}
	req.Host = a.host
	resp, err := transport(p).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(data)
}

func transport(p *pipes) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, addr string) (net.Conn, error) { return p.Dial(ctx, addr) },
	}
}

func handlerOf(t *testing.T, c bootstrap.HandlerConfig) *pipes {
	t.Helper()
	if c.Store == nil {
		c.Store = bootstrap.NewMemoryStore()
	}
	h, err := bootstrap.NewHandler(c)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, h)
}

func TestHandlerRefuses(t *testing.T) {
	p := handlerOf(t, bootstrap.HandlerConfig{})
	with := func(name, value string) map[string]string { return map[string]string{name: value} }
	tests := []struct {
		name   string
		ask    ask
		status int
		kind   string
	}{
		{"unknown route", ask{method: "GET", path: "/list"}, 404, "not-found"},
		{"unknown version", ask{method: "GET", path: "/v2/groups/lab"}, 404, "not-found"},
		{"method", ask{method: "GET", path: "/v1/groups/lab/reset"}, 405, "method"},
		{"group name", ask{method: "GET", path: "/v1/groups/LAB"}, 422, "invalid"},
		{"peer id", ask{method: "PUT", path: "/v1/groups/lab/peers/%20", body: goodJoin}, 422, "invalid"},
		{"no JSON", ask{method: "PUT", path: joinPath, body: "alice 1"}, 422, "invalid"},
		{"empty body", ask{method: "PUT", path: joinPath, header: with("Content-Type", "application/json")}, 422, "invalid"},
		{"unknown member", ask{method: "PUT", path: joinPath, body: `{"name":"alice","boot":1,"addr":"127.0.0.1:4001","x":1}`}, 422, "invalid"},
		{"two values", ask{method: "PUT", path: joinPath, body: goodJoin + "{}"}, 422, "invalid"},
		{"form", ask{method: "PUT", path: joinPath, body: goodJoin, header: with("Content-Type", "application/x-www-form-urlencoded")}, 415, "media-type"},
		{"text", ask{method: "POST", path: "/v1/groups/lab/reset", body: `{"confirm":"lab"}`, header: with("Content-Type", "text/plain")}, 415, "media-type"},
		{"large body", ask{method: "PUT", path: joinPath, body: `{"name":"` + strings.Repeat("a", bootstrap.MaxBody) + `"}`}, 413, "too-large"},
		{"long name", ask{method: "PUT", path: joinPath, body: `{"name":"` + strings.Repeat("a", 33) + `","boot":1,"addr":"127.0.0.1:4001"}`}, 422, "invalid"},
		{"short lease", ask{method: "PUT", path: joinPath, body: `{"name":"alice","boot":1,"addr":"127.0.0.1:4001","ttlSeconds":14}`}, 422, "invalid"},
		{"long lease", ask{method: "PUT", path: joinPath, body: `{"name":"alice","boot":1,"addr":"127.0.0.1:4001","ttlSeconds":3601}`}, 422, "invalid"},
		{"reset unconfirmed", ask{method: "POST", path: "/v1/groups/lab/reset", body: `{"confirm":"other"}`}, 422, "invalid"},
		{"tag", ask{method: "PUT", path: "/v1/groups/lab/config", body: `{"maxPeers":1,"minRefillCandidates":1}`, header: with("If-Match", "zzz")}, 422, "invalid"},
		{"foreign host", ask{method: "GET", path: "/v1/groups/lab", host: "evil.example:8080"}, 403, "forbidden"},
		{"foreign address", ask{method: "GET", path: "/v1/groups/lab", host: "10.0.0.2"}, 403, "forbidden"},
		{"subdomain of localhost", ask{method: "GET", path: "/v1/healthz", host: "localhost.evil.example"}, 403, "forbidden"},
		{"foreign origin", ask{method: "PUT", path: joinPath, body: goodJoin, header: with("Origin", "https://evil.example")}, 403, "forbidden"},
		{"null origin", ask{method: "PUT", path: joinPath, body: goodJoin, header: with("Origin", "null")}, 403, "forbidden"},
		{"another port's origin", ask{method: "GET", path: "/v1/info", header: with("Origin", "http://127.0.0.1:3000")}, 403, "forbidden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := tt.ask.send(t, p)
			var problem struct {
				Type, Title, Detail string
				Status              int
			}
			if err := json.Unmarshal([]byte(body), &problem); err != nil {
				t.Fatalf("%v in %q", err, body)
			}
			if resp.StatusCode != tt.status || problem.Status != tt.status || problem.Type != "urn:peerlab:bootstrap:"+tt.kind {
				t.Errorf("%d %+v, want %d %s", resp.StatusCode, problem, tt.status, tt.kind)
			}
			if resp.Header.Get("Content-Type") != "application/problem+json" || problem.Title == "" || problem.Detail == "" {
				t.Errorf("header %v, problem %+v", resp.Header, problem)
			}
		})
	}
	if _, body := (ask{method: "GET", path: "/v1/groups/lab"}).send(t, p); !strings.Contains(body, `"revision":0`) {
		t.Errorf("a refused request changed something: %s", body)
	}
}

func TestHandlerAllows(t *testing.T) {
	p := handlerOf(t, bootstrap.HandlerConfig{AllowHosts: []string{"Server.Lan"}})
	for name, a := range map[string]ask{
		"localhost":          {method: "GET", path: "/v1/info", host: "localhost:8080"},
		"IPv6 loopback":      {method: "GET", path: "/v1/info", host: "[::1]:8080"},
		"IPv6, no port":      {method: "GET", path: "/v1/info", host: "[::1]"},
		"the listen address": {method: "GET", path: "/v1/info", host: "10.0.0.1:8080"},
		"a configured host":  {method: "GET", path: "/v1/info", host: "server.lan:8080"},
		"its own origin":     {method: "GET", path: "/v1/info", host: "localhost:8080", header: map[string]string{"Origin": "http://localhost:8080"}},
		"HEAD":               {method: "HEAD", path: "/v1/groups/lab"},
		"charset":            {method: "PUT", path: joinPath, body: goodJoin, header: map[string]string{"Content-Type": "application/json; charset=utf-8"}},
	} {
		if resp, body := a.send(t, p); resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
}

func TestMethodNotAllowedNamesMethods(t *testing.T) {
	resp, _ := ask{method: "POST", path: joinPath, body: goodJoin}.send(t, handlerOf(t, bootstrap.HandlerConfig{}))
	if got := resp.Header.Get("Allow"); got != "DELETE, PUT" {
		t.Errorf("Allow %q", got)
	}
}

func TestTokens(t *testing.T) {
	p := handlerOf(t, bootstrap.HandlerConfig{Token: "member", AdminToken: "admin"})
	config := `{"maxPeers":1,"minRefillCandidates":1}`
	tests := []struct {
		name   string
		ask    ask
		auth   string
		status int
	}{
		{"health is everybody's", ask{method: "GET", path: "/v1/healthz"}, "", 200},
		{"no token", ask{method: "GET", path: "/v1/groups/lab"}, "", 401},
		{"another token", ask{method: "GET", path: "/v1/groups/lab"}, "Bearer members", 401},
		{"another scheme", ask{method: "GET", path: "/v1/groups/lab"}, "Basic member", 401},
		{"member", ask{method: "GET", path: "/v1/groups/lab"}, "Bearer member", 200},
		{"scheme in lower case", ask{method: "GET", path: "/v1/groups/lab"}, "bearer member", 200},
		{"admin reads", ask{method: "GET", path: "/v1/groups/lab"}, "Bearer admin", 200},
		{"member configures", ask{method: "PUT", path: "/v1/groups/lab/config", body: config}, "Bearer member", 401},
		{"admin configures", ask{method: "PUT", path: "/v1/groups/lab/config", body: config}, "Bearer admin", 200},
		{"member resets", ask{method: "POST", path: "/v1/groups/lab/reset", body: `{"confirm":"lab"}`}, "Bearer member", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.auth != "" {
				tt.ask.header = map[string]string{"Authorization": tt.auth}
			}
			resp, body := tt.ask.send(t, p)
			if resp.StatusCode != tt.status || (tt.status == 401) != (resp.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("%d %v %s, want %d", resp.StatusCode, resp.Header, body, tt.status)
			}
		})
	}
}

func TestNotModified(t *testing.T) {
	p := handlerOf(t, bootstrap.HandlerConfig{})
	ask{method: "PUT", path: joinPath, body: goodJoin}.send(t, p)
	for _, path := range []string{"/v1/groups/lab", "/v1/groups/lab/config"} {
		resp, _ := ask{method: "GET", path: path}.send(t, p)
		tag := resp.Header.Get("ETag")
		for match, want := range map[string]int{tag: 304, `"x", W/` + tag: 304, `"x"`: 200, "": 200} {
			resp, body := ask{method: "GET", path: path, header: map[string]string{"If-None-Match": match}}.send(t, p)
			if resp.StatusCode != want || (want == 304) != (body == "") || resp.Header.Get("ETag") != tag {
				t.Errorf("%s with %q: %d %q %v, want %d", path, match, resp.StatusCode, body, resp.Header, want)
			}
		}
	}
}

// spoiled is a store that fails or panics when told to.
type spoiled struct {
	bootstrap.Store
	err    error
	panics bool
}

func (s *spoiled) Update(ctx context.Context, group string, fn func(*bootstrap.State) error) error {
	if s.panics {
		panic("secret of the store")
	}
	if s.err != nil {
		return s.err
	}
	return s.Store.Update(ctx, group, fn)
}

// A failing store is told as such, its secrets are not, and the next request
// finds a service that works.
func TestStoreFails(t *testing.T) {
	var log bytes.Buffer
	store := &spoiled{Store: bootstrap.NewMemoryStore()}
	c := service(t, bootstrap.HandlerConfig{Store: store, Logf: func(f string, a ...any) { fmt.Fprintf(&log, f+"\n", a...) }})
	for name, spoil := range map[string]func(){
		"unavailable": func() {
			store.err = fmt.Errorf("%w: /secret/path: disk full", bootstrap.ErrUnavailable)
		},
		"unknown": func() { store.err = errors.New("secret") },
		"panic":   func() { store.panics = true },
	} {
		spoil()
		_, err := c.Join(t.Context(), "lab", alice())
		if !errors.Is(err, bootstrap.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want ErrUnavailable without details", name, err)
		}
		if err := c.Healthz(t.Context()); !errors.Is(err, bootstrap.ErrUnavailable) {
			t.Errorf("%s: health %v, want ErrUnavailable", name, err)
		}
		store.err, store.panics = nil, false
		if _, err := c.Join(t.Context(), "lab", alice()); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		if !strings.Contains(log.String(), "secret") {
			t.Errorf("%s: log %q, want the details", name, &log)
		}
		log.Reset()
	}
}

func TestHandlerConfig(t *testing.T) {
	store := bootstrap.NewMemoryStore()
	for name, c := range map[string]bootstrap.HandlerConfig{
		"no store":       {},
		"long token":     {Store: store, Token: strings.Repeat("x", 300)},
		"min above TTL":  {Store: store, TTL: 10e9, MinTTL: 20e9},
		"max below TTL":  {Store: store, MaxTTL: 20e9},
		"below a second": {Store: store, TTL: 5e8},
		"negative":       {Store: store, TTL: -1e9},
	} {
		if _, err := bootstrap.NewHandler(c); !errors.Is(err, bootstrap.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// TestWire holds version 1 of the contract byte for byte: every request that
// the client sends, and every answer of the handler.
func TestWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{next: transport(handlerOf(t, bootstrap.HandlerConfig{Token: "secret"}))}
		c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: "http://127.0.0.1:8080/", Token: "secret", HTTP: &http.Client{Transport: rec}})
		if err != nil {
			t.Fatal(err)
		}
		talk(t, c)
		got := regexp.MustCompile(`[A-Z2-7]{26}`).ReplaceAllString(rec.log.String(), "TOKEN")
		want, err := os.ReadFile(filepath.Join("testdata", "wire-v1.txt"))
		if err != nil || got != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("%v; the wire is not as testdata/wire-v1.txt has it:\n%s", err, got)
		}
	})
}

// talk makes each call once, some of them in vain.
func talk(t *testing.T, c *bootstrap.Client) {
	t.Helper()
	ctx := t.Context()
	taken := alice()
	taken.ID = "id-other"
	reply, err := c.Join(ctx, "lab", alice())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Join(ctx, "lab", taken)
	_ = c.Healthz(ctx)
	_, _ = c.Info(ctx)
	_, _ = c.Group(ctx, "lab")
	_, _ = c.Refill(ctx, "lab", "id-alice")
	_, _ = c.Config(ctx, "lab")
	_, _ = c.SetConfig(ctx, "lab", bootstrap.Config{MaxPeers: 3, MinRefillCandidates: 10}, &bootstrap.Config{MaxPeers: 64, MinRefillCandidates: 16})
	_, _ = c.SetConfig(ctx, "lab", bootstrap.Config{}, &bootstrap.Config{MaxPeers: 64, MinRefillCandidates: 16})
	_ = c.Leave(ctx, "lab", "id-alice", "guess")
	_ = c.Leave(ctx, "lab", "id-alice", reply.Lease.Token)
	_, _ = c.Reset(ctx, "lab")
}

// recorder writes down what goes over the wire.
type recorder struct {
	next http.RoundTripper
	log  bytes.Buffer
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	fmt.Fprintf(&r.log, "> %s %s\n", req.Method, req.URL.Path)
	for _, name := range []string{"Authorization", "Peerlab-Lease", "If-Match", "Content-Type"} {
		if v := req.Header.Get(name); v != "" {
			fmt.Fprintf(&r.log, "> %s: %s\n", name, v)
		}
	}
	if req.Body != nil {
		data, _ := io.ReadAll(req.Body)
		fmt.Fprintf(&r.log, "> %s\n", data)
		req.Body = io.NopCloser(bytes.NewReader(data))
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	data, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	for _, line := range []string{fmt.Sprint(resp.StatusCode), resp.Header.Get("Content-Type"), resp.Header.Get("ETag"), strings.TrimSpace(string(data))} {
		if line != "" {
			fmt.Fprintf(&r.log, "< %s\n", line)
		}
	}
	return resp, nil
}
