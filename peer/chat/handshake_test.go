package chat

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/extension/extensiontest"
)

// knock opens a stream to a room as a stranger would and sends frames; it
// returns the first frame of the answer.
func knock(r *Room, send ...frame) (frame, error) {
	mine, its := extensiontest.Pipe()
	defer mine.Close()
	r.Accept(its)
	var b []byte
	for _, f := range send {
		b = f.append(b)
	}
	mine.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := mine.Write(b); err != nil {
		return frame{}, err
	}
	fr := frameReader{r: mine}
	for {
		var got frames
		err := fr.next(&got)
		for _, f := range got.list {
			if f.kind != kindStamp {
				return f, nil
			}
		}
		if err != nil {
			return frame{}, err
		}
	}
}

// host runs the room of alice; bob is in the group and runs no chat.
func host(t *testing.T, f func(w *extensiontest.World, r *Room, alice, bob *extensiontest.Peer)) {
	synctest.Test(t, func(t *testing.T) {
		w := extensiontest.NewWorld(t)
		alice, bob := w.Peer("alice"), w.Peer("bob")
		r, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		bob.Start(nil)
		alice.Start(r)
		alice.Ready()
		f(w, r, alice, bob)
	})
}

func TestHandshakes(t *testing.T) {
	bobID := "00000002-0000-8000-8000-000000000000"
	cases := []struct {
		name  string
		send  []frame
		want  kind // 0: the stream is closed without an answer
		says  string
		after time.Duration
	}{
		{"bob", []frame{{kind: kindHello, num: 1, text: "bob", id: bobID, boot: 1}}, kindWelcome, "alice", 0},
		{"another name", []frame{{kind: kindHello, num: 1, text: "rob", id: bobID, boot: 1}}, kindRefuse, "belongs to bob", 0},
		{"an old boot", []frame{{kind: kindHello, num: 1, text: "bob", id: bobID, boot: 0}}, kindRefuse, "started anew", 0},
		{"a boot nobody knows", []frame{{kind: kindHello, num: 1, text: "bob", id: bobID, boot: 2}}, 0, "", helloWait},
		{"an id nobody knows", []frame{{kind: kindHello, num: 1, text: "bob", id: "x", boot: 1}}, 0, "", helloWait},
		{"ourselves", []frame{{kind: kindHello, num: 1, text: "alice", id: "00000001-0000-8000-8000-000000000000", boot: 1}}, 0, "", helloWait},
		{"another version", []frame{{kind: kindHello, num: 2, text: "bob", id: bobID, boot: 1}}, kindRefuse, "version 1, not 2", 0},
		{"no hello", []frame{{kind: kindMsg, num: 1, text: "boo"}}, 0, "", 0},
		{"two hellos", []frame{{kind: kindHello, num: 1, text: "bob", id: "x", boot: 1}, {kind: kindHello, num: 1, text: "bob", id: bobID, boot: 1}}, 0, "", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			host(t, func(_ *extensiontest.World, r *Room, alice, _ *extensiontest.Peer) {
				start := time.Now()
				f, err := knock(r, c.send...)
				if c.want == 0 {
					if !errors.Is(err, io.EOF) {
						t.Errorf("answer %+v, %v", f, err)
					}
				} else if f.kind != c.want || !strings.Contains(f.text, c.says) {
					t.Errorf("answer %+v, %v", f, err)
				}
				if d := time.Since(start); d != c.after {
					t.Errorf("after %v, want %v", d, c.after)
				}
				if n := alice.Count("<bob>") + alice.Count("<rob>"); n > 0 {
					t.Errorf("alice saw %q", alice.Lines())
				}
			})
		})
	}
}

// A hello may come before the membership has heard of its sender.
func TestHelloBeforeMembership(t *testing.T) {
	host(t, func(w *extensiontest.World, r *Room, alice, bob *extensiontest.Peer) {
		go func() {
			time.Sleep(2 * time.Second)
			bob.Start(nil) // with boot 2
		}()
		start := time.Now()
		f, err := knock(r, frame{kind: kindHello, num: 1, text: "bob", id: bob.Member().ID, boot: 2})
		if err != nil || f.kind != kindWelcome || time.Since(start) < 2*time.Second {
			t.Errorf("answer %+v, %v after %v", f, err, time.Since(start))
		}
	})
}

// refuser answers every hello with a refusal.
type refuser struct{ extension.Extension }

func (refuser) Run(ctx context.Context, _ extension.Services, ready func()) error {
	ready()
	<-ctx.Done()
	return nil
}

func (refuser) Changed(extension.Change) {}

func (refuser) Accept(s extension.Stream) {
	_, _ = s.Write((&frame{kind: kindRefuse, text: "it speaks version 9, not 1"}).append(nil))
	s.Close()
}

func TestRefusalIsShownOnce(t *testing.T) {
	host(t, func(_ *extensiontest.World, r *Room, alice, bob *extensiontest.Peer) {
		bob.Open(refuser{})
		time.Sleep(time.Minute)
		if n := alice.Count("<warn> bob refuses to chat: it speaks version 9, not 1"); n != 1 {
			t.Errorf("alice saw %q", alice.Lines())
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{{AckWait: -1}, {QueueMessages: -1}, {MaxText: largestText + 1}, {MaxText: -1}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}
