package testlink_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// heard is one message and who said it.
type heard struct {
	conn *testlink.Conn
	m    testlink.Message
}

// server is a Server on a free port, and what it heard.
type server struct {
	*testlink.Server
	url   string
	heard chan heard
}

func newServer(t testing.TB, change func(*testlink.ServerConfig)) *server {
	t.Helper()
	s := &server{heard: make(chan heard, 1000)}
	cfg := testlink.ServerConfig{
		Token:   "secret",
		Receive: func(c *testlink.Conn, m testlink.Message) { s.heard <- heard{c, m} },
	}
	if change != nil {
		change(&cfg)
	}
	s.Server = testlink.NewServer(cfg)
	hs := httptest.NewServer(s.Server)
	t.Cleanup(func() { s.Close("test over"); hs.Close() })
	s.url = hs.URL
	return s
}

func (s *server) next(t testing.TB) heard {
	t.Helper()
	select {
	case h := <-s.heard:
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was said for 10 s")
		return heard{}
	}
}

func (s *server) config() testlink.Config {
	return testlink.Config{
		URL: s.url, Token: "secret",
		Hello: testlink.Hello{Name: "alice", ID: "0000", Boot: 1, PID: 7, Version: "dev"},
	}
}

func dial(t testing.TB, cfg testlink.Config) *testlink.Link {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	link, err := testlink.Dial(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// serve runs the link until the returned function is called, which returns
// Run's error.
func serve(t testing.TB, link *testlink.Link, h testlink.HandlerFunc) (stop func() error, ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- link.Run(ctx, h) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("run did not end")
		}
	}, done
}

func ok(context.Context, string) testlink.Result { return testlink.Result{OK: true} }

func event(seq int) journal.Event {
	return journal.Event{
		V: journal.Version, Time: time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC), Peer: "alice", Boot: 1,
		Seq: uint64(seq), Lamport: uint64(seq), Type: journal.TypeView, Text: fmt.Sprint("line ", seq),
	}
}

// A fence comes behind what was recorded before it, though no command runs;
// faults are in force when the server hears so.
func TestFenceAndFaults(t *testing.T) {
	s := newServer(t, nil)
	var got faulty.Table
	cfg := s.config()
	cfg.Faults = func(table faulty.Table, reset []string) error {
		got = table
		if len(reset) > 0 {
			return errors.New("no stream to " + reset[0])
		}
		return nil
	}
	link := dial(t, cfg)
	conn := s.next(t).conn
	for n := range 100 {
		link.Event(event(n + 1))
	}
	stop, _ := serve(t, link, ok)
	fence := conn.Fence()
	for n := range 100 {
		if e, is := s.next(t).m.(testlink.Recorded); !is || e.Event.Seq != uint64(n+1) {
			t.Fatalf("%v instead of event %d", e, n+1)
		}
	}
	if m := s.next(t).m; m != (testlink.Fenced{ID: fence, Events: 100}) {
		t.Errorf("%#v instead of the fence", m)
	}
	id := conn.Faults(faulty.Table{Seed: 3, Self: "alice"}, nil)
	if m := s.next(t).m; m != (testlink.Faulted{ID: id}) || got.Seed != 3 {
		t.Errorf("%#v with %v in force", m, got)
	}
	id = conn.Faults(faulty.Table{}, []string{"bob"})
	if m, is := s.next(t).m.(testlink.Faulted); !is || m.ID != id || m.Err == nil || m.Err.Error() != "no stream to bob" {
		t.Errorf("%#v instead of a refusal", m)
	}
	link.Event(event(101))
	stop()
	if _, is := s.next(t).m.(testlink.Recorded); !is {
		t.Error("the last event has not come")
	}
	if c, is := s.next(t).m.(testlink.Closed); !is || c.Events == nil || *c.Events != 101 {
		t.Errorf("%#v, want an end that tells of 101 events", c)
	}
}

func TestPeerWithoutFaultsRefusesThem(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	conn := s.next(t).conn
	stop, _ := serve(t, link, ok)
	conn.Faults(faulty.Table{}, nil)
	if m, is := s.next(t).m.(testlink.Faulted); !is || m.Err == nil {
		t.Errorf("%#v instead of a refusal", m)
	}
	stop()
}

func TestEventsArriveBeforeTheResult(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	seq := 0
	stop, _ := serve(t, link, func(context.Context, string) testlink.Result {
		for range 100 {
			seq++
			link.Event(event(seq))
		}
		return testlink.Result{OK: true, Output: "done"}
	})
	conn := s.next(t).conn
	ids := []uint64{conn.Command("msg a"), conn.Command("msg b")}
	var got []string
	for range 202 {
		switch m := s.next(t).m.(type) {
		case testlink.Recorded:
			got = append(got, m.Event.Text)
		case testlink.Finished:
			got = append(got, fmt.Sprint("end ", m.ID))
		}
	}
	var want []string
	for i, id := range ids {
		for n := range 100 {
			want = append(want, fmt.Sprint("line ", i*100+n+1))
		}
		want = append(want, fmt.Sprint("end ", id))
	}
	if !slices.Equal(got, want) {
		t.Errorf("order: %q", got)
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if c, _ := s.next(t).m.(testlink.Closed); !errors.Is(c.Err, testlink.ErrClosed) {
		t.Errorf("closed by %v, want ErrClosed", c.Err)
	}
}

func TestWhatIsQueuedArrivesBeforeTheEnd(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	const n = 500
	for i := range n {
		link.Event(event(i + 1))
	}
	if err := link.Run(ctx, testlink.HandlerFunc(ok)); err != nil {
		t.Fatal(err)
	}
	s.next(t) // Opened
	for i := range n {
		if r, is := s.next(t).m.(testlink.Recorded); !is || r.Event.Seq != uint64(i+1) {
			t.Fatalf("message %d: %+v", i, r)
		}
	}
}

func TestCommandsRunOneAfterAnother(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	started := make(chan string, 10)
	stop, _ := serve(t, link, func(ctx context.Context, line string) testlink.Result {
		started <- line
		if line == "hang" {
			<-ctx.Done()
			return testlink.Result{Error: "cancelled"}
		}
		return testlink.Result{OK: true}
	})
	conn := s.next(t).conn
	hang, waits, next := conn.Command("hang"), conn.Command("never"), conn.Command("next")
	if got := <-started; got != "hang" {
		t.Fatalf("first was %q", got)
	}
	conn.Cancel(waits)
	conn.Cancel(hang)
	want := []testlink.Finished{
		{ID: hang, Result: testlink.Result{Error: "cancelled"}},
		{ID: waits, Result: testlink.Result{Error: "cancelled before it began"}},
		{ID: next, Result: testlink.Result{OK: true}},
	}
	for _, w := range want {
		if got := s.next(t).m; got != testlink.Message(w) {
			t.Errorf("got %+v, want %+v", got, w)
		}
	}
	if got := <-started; got != "next" {
		t.Errorf("%q ran, want next", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTheLatestStatusWins(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	for i := range 1000 {
		link.Status(testlink.Status{Self: testlink.Node{Boot: i}, Present: map[string][]testlink.Node{"chat": {}}})
	}
	link.Event(event(1))
	stop, _ := serve(t, link, ok)
	s.next(t)
	st, _ := s.next(t).m.(testlink.Status)
	if st.Self.Boot != 999 {
		t.Errorf("status %+v, want the last of 1000", st)
	}
	if chat, open := st.Present["chat"]; !open || len(chat) != 0 {
		t.Errorf("an open extension without others arrived as %v", st.Present)
	}
	if _, is := s.next(t).m.(testlink.Recorded); !is {
		t.Error("more than one status arrived")
	}
	stop()
}

func TestQuestions(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	stop, _ := serve(t, link, ok)
	s.next(t)
	go func() {
		for range 3 {
			h := <-s.heard
			switch q := h.m.(testlink.Asked); {
			case q.Filter != nil && q.Filter.Count > 5:
				h.conn.Refuse(q.ID, errors.New("count is too large"))
			case q.Filter != nil:
				h.conn.Answer(q.ID, testlink.Answer{})
			default:
				h.conn.Answer(q.ID, testlink.Answer{Scenario: q.Question})
			}
		}
	}()
	if err := link.Register(t.Context(), testlink.Filter{Stream: "view", Count: 1}); err != nil {
		t.Error(err)
	}
	if err := link.Register(t.Context(), testlink.Filter{Stream: "view", Count: 6}); err == nil || err.Error() != "count is too large" {
		t.Errorf("refusal is %v", err)
	}
	a, err := link.Ask(t.Context(), testlink.AskSummary)
	if err != nil || a.Scenario != "summary" {
		t.Errorf("answer %+v, %v", a, err)
	}
	stop()
	if err := link.Register(t.Context(), testlink.Filter{}); !errors.Is(err, testlink.ErrLost) {
		t.Errorf("after the end: %v", err)
	}
}

func TestOverflowEndsTheLink(t *testing.T) {
	release := make(chan struct{})
	s := newServer(t, func(cfg *testlink.ServerConfig) {
		receive := cfg.Receive
		cfg.Receive = func(c *testlink.Conn, m testlink.Message) {
			if _, opened := m.(testlink.Opened); !opened {
				<-release
			}
			receive(c, m)
		}
	})
	cfg := s.config()
	cfg.Queue = 8
	link := dial(t, cfg)
	_, ended := serve(t, link, ok)
	e := event(1)
	e.Text = strings.Repeat("x", 1<<18)
	big, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	for full := false; !full; {
		link.Sink(event(1), big) // must never block
		select {
		case err := <-ended:
			if full = true; !errors.Is(err, testlink.ErrOverflow) {
				t.Errorf("ended by %v, want ErrOverflow", err)
			}
		case <-deadline:
			t.Fatal("no overflow")
		default:
		}
	}
	close(release)
	for {
		if c, is := s.next(t).m.(testlink.Closed); is {
			// The last word arrives if the buffers on the way had room for it.
			told := errors.Is(c.Err, testlink.ErrFailed) && strings.Contains(c.Err.Error(), "too much")
			if !told && !errors.Is(c.Err, testlink.ErrLost) {
				t.Errorf("the server was told %v", c.Err)
			}
			return
		}
	}
}

func TestServerCloseEndsThePeer(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	_, ended := serve(t, link, ok)
	s.next(t)
	s.Close("run over")
	if err := <-ended; !errors.Is(err, testlink.ErrClosed) || !strings.Contains(err.Error(), "run over") {
		t.Errorf("ended by %v", err)
	}
	if _, err := testlink.Dial(t.Context(), s.config()); err == nil {
		t.Error("a closed server took a peer")
	}
}

func TestVanishedServer(t *testing.T) {
	s := newServer(t, nil)
	var conn net.Conn
	cfg := s.config()
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		var err error
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return conn, err
	}
	link := dial(t, cfg)
	_, ended := serve(t, link, ok)
	conn.Close()
	if err := <-ended; !errors.Is(err, testlink.ErrLost) {
		t.Errorf("ended by %v, want ErrLost", err)
	}
}

func refuse(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }

func TestNotAdmitted(t *testing.T) {
	s := newServer(t, func(cfg *testlink.ServerConfig) {
		cfg.Admit = func(h testlink.Hello) error { return fmt.Errorf("no %s in this scenario", h.Name) }
	})
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	tests := []struct {
		name   string
		change func(*testlink.Config)
		want   error
		text   string
	}{
		{"wrong token", func(c *testlink.Config) { c.Token = "secreT" }, testlink.ErrUnauthorized, "token"},
		{"no token", func(c *testlink.Config) { c.Token = "" }, testlink.ErrUnauthorized, "token"},
		{"refused name", func(*testlink.Config) {}, testlink.ErrRefused, "no alice in this scenario"},
		{"another scheme", func(c *testlink.Config) { c.URL = "ftp://127.0.0.1" }, nil, "looks like http://"},
		{"nobody there", func(c *testlink.Config) { c.URL, c.Dial = "http://nobody.example", refuse }, syscall.ECONNREFUSED, "http://nobody.example: connection refused; check the URL"},
		{"something else", func(c *testlink.Config) { c.URL = other.URL }, nil, "404 Not Found, is no test server: check the URL"},
		{"no URL", func(c *testlink.Config) { c.URL = "localhost" }, nil, "looks like http://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := s.config()
			tt.change(&cfg)
			_, err := testlink.Dial(t.Context(), cfg)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v", err)
			}
		})
	}
	select {
	case h := <-s.heard:
		t.Errorf("the run heard %+v of a peer that was not let in", h.m)
	default:
	}
}

func TestAnEmptyTokenAdmitsNobody(t *testing.T) {
	s := testlink.NewServer(testlink.ServerConfig{})
	req := httptest.NewRequest(http.MethodGet, testlink.Path, nil)
	req.Header.Set("Authorization", "Bearer ")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", w.Code)
	}
}

func TestWebPagesAreRefused(t *testing.T) {
	s := newServer(t, nil)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+testlink.Path, nil)
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Origin", s.url)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", resp.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}

// raw speaks the protocol by hand.
func raw(t *testing.T, s *server) *websocket.Conn {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	ws, _, err := websocket.Dial(t.Context(), s.url+testlink.Path, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"Bearer secret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow(); client.CloseIdleConnections() })
	return ws
}

func TestIllBehavedPeers(t *testing.T) {
	const hello = `{"v":1,"type":"hello","hello":{"name":"a","id":"","boot":1,"pid":0,"version":""}}`
	tests := []struct {
		name  string
		lines []string
		want  string // part of the server's last word
	}{
		{"another version", []string{`{"v":2,"type":"hello","what":"new"}`}, "version 1, the other side version 2; use the same release"},
		{"not JSON", []string{`hello`}, "unexpected message"},
		{"no hello", []string{`{"v":1,"type":"status","status":{}}`}, `\"status\" instead of a hello`},
		{"unknown member", []string{hello, `{"v":1,"type":"result","id":1,"result":{"ok":true},"x":1}`}, `unknown field`},
		{"a server's word", []string{hello, `{"v":1,"type":"command"}`}, `\"command\" from a peer`},
		{"broken event", []string{hello, `{"v":1,"type":"event","event":[1]}`}, `unexpected message`},
		{"event of another version", []string{hello, `{"v":1,"type":"event","event":{"v":9}}`}, `event`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ws := raw(t, newServer(t, nil))
			for _, l := range tt.lines {
				if err := ws.Write(t.Context(), websocket.MessageText, []byte(l)); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			var last string
			for {
				_, data, err := ws.Read(ctx)
				if err != nil {
					break
				}
				if last = string(data); strings.Contains(last, `"fail"`) {
					ws.CloseNow()
				}
			}
			if !strings.Contains(last, tt.want) {
				t.Errorf("the last word was %s, want %s in it", last, tt.want)
			}
		})
	}
}

func TestVersionMismatchAtThePeer(t *testing.T) {
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		_ = ws.Write(r.Context(), websocket.MessageText, []byte(`{"v":3,"type":"welcome"}`))
		_, _, _ = ws.Read(r.Context())
		_, _, _ = ws.Read(r.Context())
	}))
	defer hs.Close()
	_, err := testlink.Dial(t.Context(), testlink.Config{URL: hs.URL})
	if !errors.Is(err, testlink.ErrVersion) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestLongOutputIsCut(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	stop, _ := serve(t, link, func(context.Context, string) testlink.Result {
		return testlink.Result{OK: true, Output: strings.Repeat("é", testlink.MaxOutput)}
	})
	s.next(t).conn.Command("x")
	f, _ := s.next(t).m.(testlink.Finished)
	if !strings.HasSuffix(f.Result.Output, fmt.Sprintf("(%d more bytes not shown)\n", testlink.MaxOutput)) {
		t.Errorf("output of %d bytes", len(f.Result.Output))
	}
	stop()
}

// TestGolden pins the bytes of every message that a peer or a server of this
// version sends.
func TestGolden(t *testing.T) {
	up, down, answered := make(chan string, 100), make(chan string, 100), make(chan struct{})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer close(up)
		defer ws.CloseNow()
		replies := map[string]string{"hello": `{"v":1,"type":"welcome"}`, "ask": `{"v":1,"type":"command","id":1,"line":"x"}`}
		for {
			var f struct{ Type string }
			_, data, err := ws.Read(r.Context())
			if err != nil || json.Unmarshal(data, &f) != nil {
				return
			}
			up <- string(data)
			if reply := replies[f.Type]; reply != "" {
				_ = ws.Write(r.Context(), websocket.MessageText, []byte(reply))
			}
			switch f.Type {
			case "result":
				close(answered)
			case "close":
				return
			}
		}
	}))
	defer hs.Close()
	s := newServer(t, nil)
	link := dial(t, testlink.Config{URL: hs.URL, Hello: s.config().Hello})
	bob := testlink.Node{Name: "bob", ID: "1111", Boot: 2, Addr: "127.0.0.1:2", State: "alive"}
	link.Status(testlink.Status{
		Ready: true, Self: testlink.Node{Name: "alice", ID: "0000", Boot: 1, Addr: "127.0.0.1:1"},
		Members: []testlink.Node{bob, {Name: "old", Foreign: true}}, Present: map[string][]testlink.Node{"chat": {bob}},
	})
	link.Event(event(1))
	stop, _ := serve(t, link, ok)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	_ = link.Register(ctx, testlink.Filter{Stream: "messagesView", Count: 1, Pattern: "<bob> test"})
	cancel()
	<-answered
	stop()

	ws := raw(t, s)
	go func() {
		defer close(down)
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			down <- string(data)
			if strings.Contains(string(data), `"close"`) {
				ws.CloseNow()
			}
		}
	}()
	_ = ws.Write(t.Context(), websocket.MessageText, []byte(`{"v":1,"type":"hello","hello":{"name":"a","id":"","boot":1,"pid":0,"version":""}}`))
	conn := s.next(t).conn
	conn.Command("msg hello")
	conn.Cancel(1)
	conn.Answer(1, testlink.Answer{Scenario: "default",
		Filters: []testlink.FilterStatus{{Peer: "alice", Filter: testlink.Filter{Stream: "view", Count: 1, Pattern: "x"}, Seen: 2}},
		Rows:    []testlink.Row{{Kind: "command", Text: "alice init", Status: "OK"}}})
	conn.Refuse(2, errors.New("no"))
	conn.Fence()
	conn.Faults(faulty.Table{Seed: 7, Self: "a", Peers: []faulty.Peer{{
		Name: "b", Addr: netip.MustParseAddrPort("127.0.0.1:2"), To: faulty.Rule{Cut: true}, From: faulty.Rule{Latency: time.Second, Loss: 0.5},
	}}}, []string{"b"})
	conn.Close("run over")

	golden(t, "peer.jsonl", collect(up))
	golden(t, "server.jsonl", collect(down))
}

func collect(c <-chan string) string {
	var b strings.Builder
	for line := range c {
		b.WriteString(line + "\n")
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
	for line := range strings.Lines(got) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestEndAnswersWhatWaits ends a link in order while one command runs and
// others wait behind it: each of them has an answer.
func TestEndAnswersWhatWaits(t *testing.T) {
	s := newServer(t, nil)
	link := dial(t, s.config())
	conn := s.next(t).conn
	began := make(chan string, 10)
	stop, _ := serve(t, link, func(ctx context.Context, line string) testlink.Result {
		began <- line
		<-ctx.Done()
		return testlink.Result{Error: "stopped"}
	})
	want := map[uint64]string{conn.Command("runs"): "stopped"}
	for range 9 {
		want[conn.Command("waits")] = "cancelled before it began"
	}
	conn.Fence()
	for fenced := false; !fenced; {
		_, fenced = s.next(t).m.(testlink.Fenced)
	}
	<-began
	if err := stop(); err != nil {
		t.Error(err)
	}
	for len(want) > 0 {
		switch m := s.next(t).m.(type) {
		case testlink.Finished:
			if m.Result.OK || m.Result.Error != want[m.ID] {
				t.Errorf("command %d: %+v, want %q", m.ID, m.Result, want[m.ID])
			}
			delete(want, m.ID)
		case testlink.Closed:
			t.Fatalf("the link has ended, and %d commands have no answer", len(want))
		}
	}
	if len(began) > 0 {
		t.Errorf("%q began", <-began)
	}
}
