package remote_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen runs a world for alice until the test ends.
func listen(t *testing.T) (url string, said <-chan coordinator.Message, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	messages, ended := make(chan coordinator.Message, 100), make(chan error, 1)
	w := remote.New(remote.Config{Listener: l, Token: "secret", Peers: []string{"alice"}})
	w.Do(coordinator.Order{ID: 1, Verb: coordinator.Start, Peer: "alice"})
	go func() {
		ended <- w.Run(ctx, func(m coordinator.Message) { messages <- m })
		close(messages)
	}()
	t.Cleanup(cancel)
	return "http://" + l.Addr().String(), messages, func() error {
		cancel()
		return <-ended
	}
}

func dial(t *testing.T, url, name string) (*testlink.Link, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return testlink.Dial(ctx, testlink.Config{URL: url, Token: "secret", Hello: testlink.Hello{Name: name, Boot: 1}})
}

func TestEachPeerOnce(t *testing.T) {
	url, said, stop := listen(t)
	if _, err := dial(t, url, "mallory"); !errors.Is(err, testlink.ErrRefused) || !strings.Contains(err.Error(), "no peer of the scenario") {
		t.Errorf("a stranger: %v", err)
	}
	link, err := dial(t, url, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if m := <-said; m.Body != (coordinator.Done{ID: 1}) {
		t.Errorf("first message %+v", m)
	}
	if m := <-said; m.Peer != "alice" || m.Link == nil {
		t.Errorf("first message %+v", m)
	}
	if _, err := dial(t, url, "alice"); !errors.Is(err, testlink.ErrRefused) {
		t.Errorf("a second alice: %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- link.Run(context.Background(), testlink.HandlerFunc(func(context.Context, string) testlink.Result { return testlink.Result{} }))
	}()
	if err := stop(); err != nil {
		t.Errorf("the world: %v", err)
	}
	if err := <-ended; !errors.Is(err, testlink.ErrClosed) || !strings.Contains(err.Error(), "the run is over") {
		t.Errorf("the peer was told %v", err)
	}
	var last coordinator.Message
	for m := range said {
		last = m
	}
	if g, is := last.Body.(coordinator.Gone); !is || !g.OK {
		t.Errorf("last message %+v", last)
	}
}

func TestAPeerThatVanishes(t *testing.T) {
	url, said, stop := listen(t)
	link, err := dial(t, url, "alice")
	if err != nil {
		t.Fatal(err)
	}
	link.Close()
	for m := range said {
		if g, is := m.Body.(coordinator.Gone); is {
			if g.OK {
				t.Errorf("%+v", g)
			}
			break
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
