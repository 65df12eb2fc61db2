package chat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/extension/extensiontest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRoom(t testing.TB, cfg chat.Config) *chat.Room {
	t.Helper()
	r, err := chat.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConformance(t *testing.T) {
	extensiontest.Run(t, func() extension.Extension { return newRoom(t, chat.Config{}) })
}

// lab is a world whose peers run chat rooms.
type lab struct {
	*extensiontest.World
	t     *testing.T
	peers []*extensiontest.Peer
	rooms map[*extensiontest.Peer]*chat.Room
	cfg   chat.Config
}

// inLab runs f in a bubble, with peers that are in the chat already, started
// one after the other.
func inLab(t *testing.T, cfg chat.Config, names string, f func(l *lab, p []*extensiontest.Peer)) {
	t.Helper()
	inSlowLab(t, 0, cfg, names, f)
}

// inSlowLab is inLab with bytes that travel for a time.
func inSlowLab(t *testing.T, delay time.Duration, cfg chat.Config, names string, f func(l *lab, p []*extensiontest.Peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{World: extensiontest.NewWorld(t), t: t, rooms: map[*extensiontest.Peer]*chat.Room{}, cfg: cfg}
		l.Delay = delay
		for _, name := range strings.Fields(names) {
			p := l.Peer(name)
			l.peers = append(l.peers, p)
			l.start(p)
			p.Ready()
			time.Sleep(2 * delay)
			synctest.Wait()
		}
		f(l, l.peers)
	})
}

// start starts a new boot of a peer with a new room.
func (l *lab) start(p *extensiontest.Peer) {
	l.rooms[p] = newRoom(l.t, l.cfg)
	p.Start(l.rooms[p])
}

func (l *lab) send(p *extensiontest.Peer, text string) chat.Delivery {
	l.t.Helper()
	d, err := l.rooms[p].Send(context.Background(), text)
	if err != nil {
		l.t.Fatalf("send %q: %v", text, err)
	}
	return d
}

func (l *lab) wantLines(p *extensiontest.Peer, want ...string) {
	l.t.Helper()
	synctest.Wait()
	if got := p.Lines(); !slices.Equal(got, want) {
		l.t.Errorf("%s saw\n\t%s\nwant\n\t%s", p.Member().Name, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func wantDelivery(t *testing.T, d chat.Delivery, reached, pending, dropped string) {
	t.Helper()
	got := fmt.Sprintf("reached %v pending %v dropped %v", d.Reached, d.Pending, d.Dropped)
	want := fmt.Sprintf("reached [%s] pending [%s] dropped [%s]", reached, pending, dropped)
	if got != want {
		t.Errorf("delivery: %s, want %s", got, want)
	}
}

func TestThreePeersChat(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		a, b, c := p[0], p[1], p[2]
		wantDelivery(t, l.send(a, "hello"), "bob charly", "", "")
		wantDelivery(t, l.send(c, "hi alice"), "alice bob", "", "")
		l.wantLines(a, "<joined> bob has joined", "<joined> charly has joined", "<charly> hi alice")
		l.wantLines(b, "<info> here: alice", "<joined> charly has joined", "<alice> hello", "<charly> hi alice")
		l.wantLines(c, "<info> here: alice, bob", "<alice> hello")
		e := b.Events("chat")[0]
		id := a.Member().ID + "/1/1"
		if e.Text != "hello" || e.Fields["from"] != "alice" || e.Fields["id"] != id || e.Fields["late"] != false {
			t.Errorf("the event is %+v", e)
		}
		for _, q := range p {
			if got := len(q.Present()); got != 2 {
				t.Errorf("%s presents %v", q.Member().Name, q.Present())
			}
		}
		for i := range p {
			for j := range i {
				if n := l.Streams(p[i], p[j]); n != 1 {
					t.Errorf("%d streams between peers %d and %d", n, i, j)
				}
			}
		}
	})
}

func TestNobodyElse(t *testing.T) {
	inLab(t, chat.Config{}, "alice", func(l *lab, p []*extensiontest.Peer) {
		if d := l.send(p[0], "anybody?"); !d.Nobody() {
			t.Errorf("delivery %+v", d)
		}
	})
}

// All start at once, so that every pair dials across.
func TestCrossingDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{World: extensiontest.NewWorld(t), t: t, rooms: map[*extensiontest.Peer]*chat.Room{}}
		for i := range 8 {
			p := l.Peer(fmt.Sprintf("p%d", i))
			l.peers = append(l.peers, p)
			p.Start(nil)
		}
		for _, p := range l.peers {
			l.rooms[p] = newRoom(t, l.cfg)
			p.Open(l.rooms[p])
		}
		start := time.Now()
		for _, p := range l.peers {
			p.Ready()
		}
		if d := time.Since(start); d > 500*time.Millisecond {
			t.Errorf("ready after %v", d)
		}
		for _, p := range l.peers {
			if d := l.send(p, "hello from "+p.Member().Name); len(d.Reached) != 7 {
				t.Errorf("delivery %+v", d)
			}
		}
		time.Sleep(10 * time.Second)
		for i, p := range l.peers {
			if n := p.Count("<p"); n != 7 {
				t.Errorf("%d messages shown", n)
			}
			for _, q := range l.peers[:i] {
				if n := l.Streams(p, q); n != 1 {
					t.Errorf("%d streams between two peers", n)
				}
			}
		}
	})
}

func TestCrashedPeerGetsWhatWaits(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		a, b, c := p[0], p[1], p[2]
		b.Crash()
		wantDelivery(t, l.send(a, "one"), "charly", "bob", "")
		b.Lost()
		start := time.Now()
		wantDelivery(t, l.send(a, "two"), "charly", "bob", "")
		if d := time.Since(start); d > 10*time.Millisecond {
			t.Errorf("waited %v for somebody who is lost", d)
		}
		time.Sleep(time.Minute)
		l.start(b)
		b.Ready()
		wantDelivery(t, l.send(a, "three"), "bob charly", "", "")
		wantDelivery(t, l.send(b, "I am back"), "alice charly", "", "")
		want := []string{"<joined> bob has joined", "<joined> charly has joined", "<lost> bob is gone", "<joined> bob is back", "<bob> I am back"}
		l.wantLines(a, want...)
		if n := c.Count("<joined> bob is back"); n != 1 {
			t.Errorf("charly saw that bob is back %d times", n)
		}
		var got []string
		for _, e := range b.Events("chat") {
			got = append(got, fmt.Sprint(e.Text, " ", e.Fields["late"]))
		}
		if want := []string{"one true", "two true", "three false"}; !slices.Equal(got, want) {
			t.Errorf("bob got %q, want %q", got, want)
		}
	})
}

func TestNewBootBeforeTheCrashIsNoticed(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		p[1].Crash()
		l.start(p[1])
		p[1].Ready()
		wantDelivery(t, l.send(p[0], "hello"), "bob", "", "")
		l.wantLines(p[0], "<joined> bob has joined", "<joined> bob is back")
	})
}

func TestStoppedPeerDelaysNobody(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		a, b, c := p[0], p[1], p[2]
		b.Stop()
		start := time.Now()
		wantDelivery(t, l.send(a, "first"), "charly", "bob", "")
		if d := time.Since(start); d != time.Second {
			t.Errorf("waited %v for the stopped peer, want the 1 s of AckWait", d)
		}
		start = time.Now()
		for i := range 100 {
			wantDelivery(t, l.send(a, fmt.Sprint("m", i)), "charly", "bob", "")
		}
		if d := time.Since(start); d > 10*time.Millisecond {
			t.Errorf("100 messages took %v with a stopped peer", d)
		}
		b.Resume()
		time.Sleep(time.Second)
		if got := b.Count("<alice>"); got != 101 {
			t.Errorf("bob got %d of 101", got)
		}
		if got := c.Count("<alice>"); got != 101 {
			t.Errorf("charly got %d of 101", got)
		}
	})
}

func TestBoundedQueue(t *testing.T) {
	cfg := chat.Config{QueueMessages: 5}
	inLab(t, cfg, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		p[1].Crash()
		p[1].Lost()
		for i := range 5 {
			wantDelivery(t, l.send(p[0], fmt.Sprint(i)), "", "bob", "")
		}
		wantDelivery(t, l.send(p[0], "5"), "", "", "bob")
		l.start(p[1])
		p[1].Ready()
		synctest.Wait() // the kept ones are acknowledged
		wantDelivery(t, l.send(p[0], "6"), "bob", "", "")
		l.wantLines(p[1], "<info> here: alice", "<info> here: alice", "<alice> 0", "<alice> 1", "<alice> 2", "<alice> 3", "<alice> 4", "<alice> 6")
	})
}

func TestBytesBoundTheQueue(t *testing.T) {
	inLab(t, chat.Config{QueueBytes: 100}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		p[1].Crash()
		p[1].Lost()
		text := strings.Repeat("x", 60)
		wantDelivery(t, l.send(p[0], text), "", "bob", "")
		wantDelivery(t, l.send(p[0], text), "", "", "bob")
	})
}

func TestLostForTooLong(t *testing.T) {
	inLab(t, chat.Config{KeepFor: time.Minute}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		p[1].Crash()
		p[1].Lost()
		wantDelivery(t, l.send(p[0], "hello"), "", "bob", "")
		time.Sleep(2 * time.Minute)
		if d := l.send(p[0], "again"); !d.Nobody() {
			t.Errorf("still kept: %+v", d)
		}
		l.wantLines(p[0], "<joined> bob has joined", "<lost> bob is gone",
			"<warn> bob was gone for too long: 1 messages are no longer kept for it")
	})
}

func TestTooManyLost(t *testing.T) {
	inLab(t, chat.Config{KeepPeers: 2}, "alice bob charly dora", func(l *lab, p []*extensiontest.Peer) {
		for _, q := range p[1:] {
			q.Crash()
			q.Lost()
			time.Sleep(time.Second)
		}
		wantDelivery(t, l.send(p[0], "hello"), "", "charly dora", "")
	})
}

func TestLeavingIsNotLoss(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		a, b, c := p[0], p[1], p[2]
		start := time.Now()
		b.Leave()
		if d := time.Since(start); d > 10*time.Millisecond {
			t.Errorf("leaving took %v", d)
		}
		wantDelivery(t, l.send(a, "bye"), "charly", "", "")
		c.Crash()
		c.Lost()
		l.wantLines(a, "<joined> bob has joined", "<joined> charly has joined", "<left> bob is leaving", "<lost> charly is gone")
		if got := a.Present(); len(got) != 0 {
			t.Errorf("alice presents %v", got)
		}
		l.start(b)
		b.Ready()
		l.wantLines(a, "<joined> bob has joined", "<joined> charly has joined", "<left> bob is leaving", "<lost> charly is gone", "<joined> bob is back")
	})
}

func TestChatClosedAndOpenedAgain(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		a, b := p[0], p[1]
		wantDelivery(t, l.send(b, "one"), "alice", "", "")
		b.Close()
		if d := l.send(a, "two"); !d.Nobody() {
			t.Errorf("delivery %+v", d)
		}
		b.Open(l.rooms[b])
		b.Ready()
		wantDelivery(t, l.send(b, "three"), "alice", "", "")
		l.wantLines(a, "<joined> bob has joined", "<bob> one", "<left> bob is leaving", "<joined> bob has joined", "<bob> three")
	})
}

func TestAllLeaveAtOnce(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		start := time.Now()
		done := make(chan error)
		for _, q := range p {
			go func() { done <- q.Close() }()
		}
		for range p {
			<-done
		}
		if d := time.Since(start); d > 10*time.Millisecond {
			t.Errorf("leaving took %v", d)
		}
	})
}

func TestPartitionThenBack(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		a, b, c := p[0], p[1], p[2]
		l.Partition(p[:1], p[1:])
		wantDelivery(t, l.send(a, "from a"), "", "bob charly", "")
		time.Sleep(5 * time.Second)
		for _, q := range p[1:] {
			a.Loses(q)
			q.Loses(a)
		}
		synctest.Wait()
		wantDelivery(t, l.send(b, "from b"), "charly", "alice", "")
		time.Sleep(20 * time.Second)
		l.Heal()
		for _, q := range p[1:] {
			a.Finds(q)
			q.Finds(a)
		}
		time.Sleep(5 * time.Second)
		wantDelivery(t, l.send(a, "healed"), "bob charly", "", "")
		if got := a.Count("<bob> from b"); got != 1 {
			t.Errorf("alice saw bob's message %d times", got)
		}
		l.wantLines(c, "<info> here: alice, bob", "<lost> alice is gone", "<bob> from b", "<joined> alice is back", "<alice> from a", "<alice> healed")
	})
}

// The streams stall for longer than pings allow, and the membership notices
// nothing.
func TestSilentStall(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		l.Partition(p[:1], p[1:])
		wantDelivery(t, l.send(p[0], "one"), "", "bob", "")
		time.Sleep(time.Minute)
		l.Heal()
		time.Sleep(5 * time.Second)
		wantDelivery(t, l.send(p[0], "two"), "bob", "", "")
		l.wantLines(p[1], "<info> here: alice", "<alice> one", "<alice> two")
		l.wantLines(p[0], "<joined> bob has joined")
	})
}

// The stream breaks when the message was shown and its acknowledgement is
// still under way.
func TestLostAcknowledgement(t *testing.T) {
	inSlowLab(t, 10*time.Millisecond, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		done := make(chan chat.Delivery)
		go func() { done <- l.send(p[0], "hello") }()
		time.Sleep(15 * time.Millisecond)
		l.Reset(p[0], p[1])
		wantDelivery(t, <-done, "bob", "", "")
		l.wantLines(p[1], "<info> here: alice", "<alice> hello")
	})
}

// A room that serves two boots of its peer, one after the other, knows in the
// second what it has shown in the first, and goes on counting what it sends.
func TestMemoryOutlivesABoot(t *testing.T) {
	inSlowLab(t, 10*time.Millisecond, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		a, b := p[0], p[1]
		l.send(b, "first")
		done := make(chan chat.Delivery)
		go func() { done <- l.send(a, "hello") }()
		time.Sleep(15 * time.Millisecond)
		l.wantLines(b, "<info> here: alice", "<alice> hello") // its acknowledgement is still under way
		b.Crash()
		b.Start(l.rooms[b])
		b.Ready()
		wantDelivery(t, <-done, "bob", "", "")
		wantDelivery(t, l.send(a, "again"), "bob", "", "")
		wantDelivery(t, l.send(b, "second"), "alice", "", "")
		time.Sleep(time.Minute)
		l.wantLines(b, "<info> here: alice", "<alice> hello", "<info> here: alice", "<alice> again")
		var ids []any
		for _, e := range a.Events("chat") {
			ids = append(ids, e.Fields["id"])
		}
		if id := b.Member().ID; !slices.Equal(ids, []any{id + "/1/1", id + "/2/2"}) {
			t.Errorf("bob's messages have the ids %v", ids)
		}
	})
}

// A stream stalls for good, as one does that a router has forgotten.
func TestFrozenStream(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		l.Freeze(p[0], p[1])
		wantDelivery(t, l.send(p[0], "one"), "", "bob", "")
		time.Sleep(20 * time.Second)
		wantDelivery(t, l.send(p[0], "two"), "bob", "", "")
		l.wantLines(p[1], "<info> here: alice", "<alice> one", "<alice> two")
	})
}

// Nobody says anything, and still a dead stream is found and replaced.
func TestFrozenIdleStream(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		l.Freeze(p[0], p[1])
		time.Sleep(40 * time.Second)
		start := time.Now()
		wantDelivery(t, l.send(p[0], "one"), "bob", "", "")
		if d := time.Since(start); d > 10*time.Millisecond {
			t.Errorf("delivered after %v", d)
		}
	})
}

func TestBrokenStreamsLoseAndRepeatNothing(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		a, b := p[0], p[1]
		var want []string
		for i := range 50 {
			text := fmt.Sprint("m", i)
			want = append(want, "<alice> "+text)
			go l.rooms[a].Send(context.Background(), text)
			time.Sleep(time.Duration(i+1) * 3 * time.Millisecond)
			l.Reset(a, b)
		}
		time.Sleep(5 * time.Second)
		l.wantLines(b, append([]string{"<info> here: alice"}, want...)...)
		if n := l.Streams(a, b); n != 1 {
			t.Errorf("%d streams", n)
		}
	})
}

func TestReadyWaitsForAnswersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := extensiontest.NewWorld(t)
		a, b, c := w.Peer("alice"), w.Peer("bob"), w.Peer("charly")
		a.Start(nil) // its chat is closed
		b.Start(newRoom(t, chat.Config{}))
		b.Ready()
		start := time.Now()
		a.Stop()
		c.Start(nil)
		a.Resume()
		c.Open(newRoom(t, chat.Config{}))
		c.Ready()
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("a closed chat delayed ready by %v", d)
		}
		d := w.Peer("dora")
		start = time.Now()
		d.Start(nil)
		b.Stop()
		d.Open(newRoom(t, chat.Config{}))
		d.Ready()
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("with a stopped member ready after %v, want 2 s", took)
		}
	})
}

func TestSendRefuses(t *testing.T) {
	r := newRoom(t, chat.Config{MaxText: 10})
	cases := []struct{ name, text, says string }{
		{"empty", "", "empty"},
		{"blank", " \t ", "empty"},
		{"too long", strings.Repeat("x", 11), "10 is the most"},
		{"two lines", "a\nb", "one line"},
		{"an escape", "a\x1b[2J", "control character"},
		{"a C1 control", "a\u009b", "control character"},
		{"no UTF-8", "a\xff", "UTF-8"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.Send(t.Context(), c.text)
			if !errors.Is(err, chat.ErrText) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := r.Send(t.Context(), "a\tb"); !errors.Is(err, chat.ErrNotOpen) {
		t.Errorf("closed: %v", err)
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		p[1].Stop()
		ctx, cancel := context.WithTimeout(l.t.Context(), 100*time.Millisecond)
		defer cancel()
		d, err := l.rooms[p[0]].Send(ctx, "hello")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantDelivery(t, d, "", "bob", "")
	})
}

func TestLateJoinerDoesNotSeeThePast(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		l.send(p[0], "before")
		c := l.Peer("charly")
		l.start(c)
		c.Ready()
		synctest.Wait()
		wantDelivery(t, l.send(p[0], "after"), "bob charly", "", "")
		l.wantLines(c, "<info> here: alice, bob", "<alice> after")
	})
}

func TestEventsAreAfterTheirCause(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		for range 5 {
			l.send(p[0], "question")
			l.send(p[1], "answer")
		}
		asked, answered := p[1].Events("chat"), p[0].Events("chat")
		for i := range 5 {
			if asked[i].Lamport >= answered[i].Lamport || i > 0 && answered[i-1].Lamport >= asked[i].Lamport {
				t.Errorf("round %d: asked at %d, answered at %d", i, asked[i].Lamport, answered[i].Lamport)
			}
		}
	})
}

func TestPing(t *testing.T) {
	inLab(t, chat.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		a := l.rooms[p[0]]
		if _, err := a.Ping(l.t.Context(), "bob"); err != nil {
			t.Error(err)
		}
		if _, err := a.Ping(l.t.Context(), "zoe"); !errors.Is(err, chat.ErrNoMember) || !strings.Contains(err.Error(), "bob") {
			t.Errorf("error %v", err)
		}
		p[1].Stop()
		ctx, cancel := context.WithTimeout(l.t.Context(), time.Second)
		defer cancel()
		if _, err := a.Ping(ctx, "bob"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// TestReadyMeansTheOthersHaveUs starts a second peer over streams that take
// their time: when it is ready, a message of the first one reaches it, whoever
// of the two has dialled.
func TestReadyMeansTheOthersHaveUs(t *testing.T) {
	for _, names := range []string{"alice bob", "bob alice", "alice bob charly dora"} {
		t.Run(names, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &lab{World: extensiontest.NewWorld(t), t: t, rooms: map[*extensiontest.Peer]*chat.Room{}}
				l.Delay = 10 * time.Millisecond
				for i, name := range strings.Fields(names) {
					p := l.Peer(name)
					l.peers = append(l.peers, p)
					l.start(p)
					p.Ready()
					for _, before := range l.peers[:i] {
						if !slices.Contains(before.Present(), name) {
							t.Errorf("%s is ready, and %s has only %v in the chat", name, before.Member().Name, before.Present())
						}
					}
				}
			})
		})
	}
}
