package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/discovery"
	"github.com/peerlab/peerlab/peer/extension"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// town is one machine's network and runtime directory, in a bubble.
type town struct {
	t       *testing.T
	net     *netsim.Net
	runtime files.FS
}

func newTown(t *testing.T) *town { return &town{t: t, net: netsim.New(), runtime: files.Mem()} }

// peer is one running Discovery.
type peer struct {
	*discovery.Discovery
	t    *testing.T
	me   bootstrap.JoinRequest
	host *netsim.Host
	end  context.CancelFunc
	done chan error

	mu     sync.Mutex
	record []string
}

func (w *town) peer(i int, name string, change func(*discovery.Config)) *peer {
	w.t.Helper()
	ip := fmt.Sprintf("10.0.0.%d", i)
	p := &peer{
		t: w.t, host: w.net.Host(ip), done: make(chan error, 1),
		me: bootstrap.JoinRequest{ID: "id-" + name, Name: name, Boot: 1, Addr: ip + ":7"},
	}
	cfg := discovery.Config{
		Group: "lab", Network: p.host, Rendezvous: w.runtime, HostOn: ip, PID: 1000 + i,
		Record: func(text string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.record = append(p.record, text)
		},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if p.Discovery, err = discovery.New(cfg); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	go func() { p.done <- p.Run(ctx) }()
	w.t.Cleanup(p.stop)
	return p
}

// at tells a peer to use the service at url.
func at(url string) func(*discovery.Config) {
	return func(c *discovery.Config) { c.URL, c.Token, c.Rendezvous = url, "secret", nil }
}

// stop ends the peer without leaving the list; it may be called twice.
func (p *peer) stop() {
	p.end()
	if err, first := <-p.done; first {
		close(p.done)
		if err != nil {
			p.t.Errorf("%s ended: %v", p.me.Name, err)
		}
	}
}

func (p *peer) join() {
	p.t.Helper()
	if _, err := p.Join(p.t.Context(), p.me); err != nil {
		p.t.Fatalf("%s joins: %v", p.me.Name, err)
	}
}

// list is what the service lists.
func (p *peer) list() string {
	g, err := p.Group(p.t.Context())
	if err != nil {
		return err.Error()
	}
	return namesOf(g.Peers)
}

func namesOf(peers []bootstrap.Peer) string {
	var all []string
	for _, b := range peers {
		all = append(all, b.Name)
	}
	return strings.Join(all, " ")
}

func (p *peer) hosts() bool { _, hosted := p.Service(); return hosted }

// service serves a bootstrap service, or what h is, at 10.0.1.1.
func (w *town) service(h http.Handler) (url string) {
	w.t.Helper()
	ln, err := w.net.Host("10.0.1.1").Listen(w.t.Context(), "10.0.1.1:80")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- netx.ServeHTTP(ctx, ln, h) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return "http://10.0.1.1:80"
}

func handler(t *testing.T, ttl time.Duration) http.Handler {
	t.Helper()
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore(), Token: "secret", TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func until(t *testing.T, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > within {
			t.Fatalf("%s: not within %s", what, within)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(start)
}

func TestJoinAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(handler(t, 0))
		alice, bob := w.peer(1, "alice", at(url)), w.peer(2, "bob", at(url))
		if got := alice.list(); got != "" {
			t.Errorf("before anybody joined: %q", got)
		}
		alice.join()
		g, err := bob.Join(t.Context(), bob.me)
		if err != nil || namesOf(g.Peers) != "alice bob" {
			t.Errorf("bob's join gives %q, %v", namesOf(g.Peers), err)
		}
		if u, hosted := bob.Service(); u != url || hosted {
			t.Errorf("the service is %s, hosted %v", u, hosted)
		}
		alice.join() // once more changes nothing
		if err := alice.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		if err := alice.Leave(t.Context()); err != nil {
			t.Errorf("leave twice: %v", err)
		}
		if got := bob.list(); got != "bob" {
			t.Errorf("after alice left: %q; only her own record may go", got)
		}
		time.Sleep(10 * time.Minute)
		if got := bob.list(); got != "bob" {
			t.Errorf("ten minutes later: %q", got)
		}
		alice.mu.Lock()
		defer alice.mu.Unlock()
		if got := alice.record[0]; got != "joined "+url+": 1 peers" || alice.record[len(alice.record)-1] != "left "+url {
			t.Errorf("recorded %q", alice.record)
		}
	})
}

func TestNameIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(handler(t, 0))
		alice, thief := w.peer(1, "alice", at(url)), w.peer(2, "alice", at(url))
		alice.join()
		thief.me.ID = "another"
		if _, err := thief.Join(t.Context(), thief.me); !errors.Is(err, bootstrap.ErrNameTaken) || !strings.Contains(err.Error(), "alice2") {
			t.Errorf("got %v", err)
		}
		if err := thief.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		if got := alice.list(); got != "alice" {
			t.Errorf("the thief's leave left %q", got)
		}
	})
}

// The lease is renewed before it runs out, the longest allowed and the
// shortest one.
func TestLeaseOverHours(t *testing.T) {
	for _, ttl := range []time.Duration{15 * time.Second, 90 * time.Second, time.Hour} {
		t.Run(ttl.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t)
				url := w.service(handler(t, ttl))
				alice, watcher := w.peer(1, "alice", at(url)), w.peer(2, "watcher", at(url))
				alice.join()
				least := ttl
				for range int(2 * time.Hour / (29 * time.Second)) {
					time.Sleep(29 * time.Second)
					g, err := watcher.Group(t.Context())
					if err != nil || len(g.Peers) != 1 {
						t.Fatalf("the list is %q, %v", namesOf(g.Peers), err)
					}
					least = min(least, time.Until(g.Peers[0].Expires))
				}
				if least < ttl/2 {
					t.Errorf("only %s were left of a lease of %s", least, ttl)
				}
			})
		})
	}
}

func TestListIsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		url := w.service(handler(t, 0))
		var mu sync.Mutex
		var told string
		alice := w.peer(1, "alice", func(c *discovery.Config) {
			at(url)(c)
			c.Listed = func(peers []bootstrap.Peer) {
				mu.Lock()
				defer mu.Unlock()
				told = namesOf(peers)
			}
		})
		if _, ok := alice.Last(); ok {
			t.Error("there is a list before the first one")
		}
		alice.join()
		time.Sleep(time.Minute)
		bob := w.peer(2, "bob", at(url))
		bob.join()
		took := until(t, 15*time.Second, "alice hears of bob", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return told == "alice bob"
		})
		t.Logf("after %s", took)
		g, ok := alice.Last()
		if !ok || namesOf(g.Peers) != "alice bob" {
			t.Errorf("the last list is %q", namesOf(g.Peers))
		}
		g.Peers[0].Name = "changed"
		if g, _ := alice.Last(); namesOf(g.Peers) != "alice bob" {
			t.Error("Last gives its own list away")
		}
	})
}

// A leave that meets a renewal must win, or the record stays for a lease.
func TestLeaveMeetsARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		inner := handler(t, 15*time.Second)
		url := w.service(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				time.Sleep(time.Second) // on its way
			}
			inner.ServeHTTP(rw, r)
		}))
		watcher := w.peer(2, "watcher", at(url))
		for i := range 12 {
			alice := w.peer(10+i, "alice", at(url))
			alice.join()
			time.Sleep(4*time.Second + time.Duration(i)*200*time.Millisecond) // around the renewal after 5 s
			if err := alice.Leave(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Second)
			if got := watcher.list(); got != "" {
				t.Errorf("round %d: the list is %q after the leave", i, got)
			}
			alice.stop()
		}
	})
}

func TestServicesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		h    http.Handler
		want error
	}{
		"not there": {nil, bootstrap.ErrUnavailable},
		"garbage": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>welcome</html>")
		}), bootstrap.ErrProtocol},
		"silent": {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), bootstrap.ErrUnavailable},
		"other token": {func() http.Handler {
			h, _ := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore(), Token: "other"})
			return h
		}(), bootstrap.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t)
				url := "http://10.0.1.1:80"
				if c.h != nil {
					w.service(c.h)
				}
				alice := w.peer(1, "alice", at(url))
				start := time.Now()
				_, err := alice.Join(t.Context(), alice.me)
				if !errors.Is(err, c.want) || time.Since(start) > 10*time.Second {
					t.Errorf("join: %v after %s, want %v", err, time.Since(start), c.want)
				}
				if err == nil || !strings.Contains(err.Error(), url) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v; want the service named, and no token", err)
				}
				if _, err := alice.Group(t.Context()); !errors.Is(err, c.want) {
					t.Errorf("group: %v, want %v", err, c.want)
				}
				if err := alice.Leave(t.Context()); err != nil {
					t.Errorf("leave of one that is not listed: %v", err)
				}
			})
		})
	}
}

func TestNoSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := newTown(t).peer(1, "alice", func(c *discovery.Config) { c.Rendezvous = nil })
		start := time.Now()
		if _, err := alice.Join(t.Context(), alice.me); !errors.Is(err, discovery.ErrNoService) || !strings.Contains(err.Error(), "--bootstrap") || time.Since(start) > 0 {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
	})
}

func TestBadConfig(t *testing.T) {
	host := netsim.New().Host("10.0.0.1")
	for name, c := range map[string]discovery.Config{
		"group": {Group: "No Group", Network: host},
		"URL":   {Group: "lab", Network: host, URL: "localhost:80"},
		"token": {Group: "lab", Network: host, URL: "http://10.0.0.1", Token: "a b"},
	} {
		if _, err := discovery.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestExactlyOneHosts(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			w := newTown(t)
			peers := []*peer{w.peer(1, "alice", nil), w.peer(2, "bob", nil), w.peer(3, "carol", nil)}
			var wg sync.WaitGroup
			for _, p := range peers {
				wg.Go(p.join)
			}
			wg.Wait()
			hosts := 0
			for _, p := range peers {
				if p.hosts() {
					hosts++
				}
				if got := p.list(); len(strings.Fields(got)) != 3 {
					t.Errorf("%s sees the list %q", p.me.Name, got)
				}
			}
			if hosts != 1 {
				t.Errorf("%d of three host the service", hosts)
			}
		})
	}
}

// handOver ends the host of the service in some way; the others go on.
func handOver(t *testing.T, end func(*peer)) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		alice := w.peer(1, "alice", nil)
		alice.join()
		bob, carol := w.peer(2, "bob", nil), w.peer(3, "carol", nil)
		bob.join()
		carol.join()
		if !alice.hosts() {
			t.Fatal("alice does not host")
		}
		end(alice)
		took := until(t, 5*time.Second, "another one hosts, with all who are left", func() bool {
			return bob.hosts() != carol.hosts() && strings.HasSuffix(bob.list(), "bob carol")
		})
		t.Logf("after %s", took)
		dora := w.peer(4, "dora", nil)
		dora.join()
		until(t, 30*time.Second, "alice's record has run out", func() bool { return carol.list() == "bob carol dora" })
		time.Sleep(10 * time.Minute)
		if got := bob.list(); got != "bob carol dora" {
			t.Errorf("ten minutes later: %q", got)
		}
		for _, p := range []*peer{bob, carol, dora} {
			if err := p.Leave(t.Context()); err != nil {
				t.Errorf("%s leaves: %v", p.me.Name, err)
			}
			p.stop()
			time.Sleep(20 * time.Second) // until what the next host took over has run out
		}
		if names, _ := w.runtime.List("."); strings.Contains(strings.Join(names, " "), "lab.json") {
			t.Errorf("the last one left %v behind", names)
		}
	})
}

func TestHostLeaves(t *testing.T) {
	handOver(t, func(p *peer) {
		if err := p.Leave(p.t.Context()); err != nil {
			p.t.Error(err)
		}
		p.stop()
	})
}

func TestHostCrashes(t *testing.T) {
	handOver(t, func(p *peer) {
		p.host.Crash()
		p.end()
		<-p.done // its errors are those of a crash
		close(p.done)
	})
}

func TestRemembered(t *testing.T) {
	data := files.Mem()
	open := func(group string) *discovery.Discovery {
		d, err := discovery.New(discovery.Config{Group: group, Network: netsim.New().Host("10.0.0.1"), Data: data, Static: []string{"10.0.0.5:1"}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open("lab")
	if got, err := d.Remembered(); len(got) != 0 || err != nil {
		t.Errorf("at first: %v, %v", got, err)
	}
	addr := netip.MustParseAddrPort("10.0.0.2:7")
	bob := extension.Member{Name: "bob", ID: "id-bob", Boot: 3, Addr: addr}
	if err := d.Remember([]extension.Member{bob, {Name: "stock", Addr: addr, Foreign: true}}); err != nil {
		t.Fatal(err)
	}
	const golden = "{\n  \"v\": 1,\n  \"group\": \"lab\",\n  \"peers\": [\n    {\n      \"name\": \"bob\",\n      \"id\": \"id-bob\",\n      \"addr\": \"10.0.0.2:7\"\n    }\n  ]\n}\n"
	if raw, _ := data.ReadFile("peers.json"); string(raw) != golden {
		t.Errorf("kept as\n%s\nwant\n%s", raw, golden)
	}
	if err := d.Remember(nil); err != nil {
		t.Error(err)
	}
	if got, err := open("lab").Remembered(); fmt.Sprint(got) != "[{bob id-bob 10.0.0.2:7}]" || err != nil {
		t.Errorf("at the next start: %v, %v", got, err)
	}
	if got, err := open("other").Remembered(); len(got) != 0 || err != nil {
		t.Errorf("in another group: %v, %v", got, err)
	}
	many := make([]extension.Member, 500)
	for i := range many {
		many[i] = bob
	}
	if err := d.Remember(many); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.Remembered(); len(got) != 64 {
		t.Errorf("%d are remembered, want 64", len(got))
	}
	if s := d.Static(); len(s) != 1 || s[0] != "10.0.0.5:1" {
		t.Errorf("static addresses %v", s)
	}
}

func TestDamagedMemory(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "no JSON": "hello", "next version": `{"v":2,"group":"lab"}`,
		"bad address": `{"v":1,"group":"lab","peers":[{"name":"bob","id":"x","addr":"nowhere"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			data := files.Mem()
			if err := data.WriteFile("peers.json", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := discovery.New(discovery.Config{Group: "lab", Network: netsim.New().Host("10.0.0.1"), Data: data})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Remembered(); !errors.Is(err, discovery.ErrCorrupt) || !strings.Contains(err.Error(), data.Path("peers.json")) {
				t.Errorf("got %v", err)
			}
			if err := d.Remember([]extension.Member{{Name: "bob", ID: "x"}}); !errors.Is(err, discovery.ErrCorrupt) {
				t.Errorf("remember: %v", err)
			}
			if raw, err := data.ReadFile("peers.json"); string(raw) != content || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the file became %q", raw)
			}
		})
	}
}
