package broadcast_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/extension/extensiontest"
	"github.com/peerlab/peerlab/repl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSet(t testing.TB, cfg broadcast.Config) *broadcast.Set {
	t.Helper()
	s, err := broadcast.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	extensiontest.Run(t, func() extension.Extension { return newSet(t, broadcast.Config{}) })
}

// lab is a world whose peers have sets.
type lab struct {
	*extensiontest.World
	t     *testing.T
	cfg   broadcast.Config
	peers []*extensiontest.Peer
	sets  map[*extensiontest.Peer]*broadcast.Set
}

// inLab runs f in a bubble, with peers that are ready.
func inLab(t *testing.T, cfg broadcast.Config, names string, f func(l *lab, p []*extensiontest.Peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{World: extensiontest.NewWorld(t), t: t, cfg: cfg, sets: map[*extensiontest.Peer]*broadcast.Set{}}
		for _, name := range strings.Fields(names) {
			p := l.Peer(name)
			l.peers = append(l.peers, p)
			l.start(p)
		}
		f(l, l.peers)
	})
}

func (l *lab) start(p *extensiontest.Peer) {
	l.t.Helper()
	l.sets[p] = newSet(l.t, l.cfg)
	p.Start(l.sets[p])
	p.Ready()
}

func (l *lab) add(p *extensiontest.Peer, key, text string) broadcast.Spread {
	l.t.Helper()
	s, err := l.sets[p].Add(context.Background(), key, text)
	if err != nil {
		l.t.Errorf("add %s: %v", key, err)
	}
	return s
}

func (l *lab) del(p *extensiontest.Peer, keys ...string) broadcast.Spread {
	l.t.Helper()
	s, err := l.sets[p].Delete(context.Background(), keys...)
	if err != nil {
		l.t.Errorf("delete %s: %v", keys, err)
	}
	return s
}

func (l *lab) items(p *extensiontest.Peer) string {
	l.t.Helper()
	items, err := l.sets[p].Items()
	if err != nil {
		l.t.Fatal(err)
	}
	return fmt.Sprint(items)
}

func (l *lab) want(p *extensiontest.Peer, want string) {
	l.t.Helper()
	if got := l.items(p); got != want {
		l.t.Errorf("%s has %s, want %s", p.Member().Name, got, want)
	}
}

func wantSpread(t *testing.T, s broadcast.Spread, reached, missing string) {
	t.Helper()
	if got, want := fmt.Sprint(s.Reached, s.Missing), fmt.Sprintf("[%s] [%s]", reached, missing); got != want {
		t.Errorf("spread %s, want %s", got, want)
	}
}

func TestSeenOnAllMembers(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		wantSpread(t, l.add(p[0], "colour", "dark blue"), "bob charly", "")
		wantSpread(t, l.add(p[1], "size", "7"), "alice charly", "")
		for _, q := range p {
			l.want(q, "[{colour dark blue} {size 7}]")
		}
		wantSpread(t, l.add(p[2], "colour", "red"), "alice bob", "")
		wantSpread(t, l.del(p[0], "size"), "bob charly", "")
		for _, q := range p {
			l.want(q, "[{colour red}]")
		}
		var got []string
		for _, e := range p[1].Events("broadcast") {
			got = append(got, fmt.Sprint(e.Text, " ", e.Fields["value"], " ", e.Fields["from"]))
		}
		if want := []string{"add colour dark blue alice", "add size 7 bob", "add colour red charly", "del size <nil> alice"}; !slices.Equal(got, want) {
			t.Errorf("bob recorded %q", got)
		}
		if got := p[0].Present(); !slices.Equal(got, []string{"bob", "charly"}) {
			t.Errorf("alice presents %q", got)
		}
	})
}

func TestLateJoinerHasAllWhenReady(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		for i := range 500 {
			l.add(p[i%2], fmt.Sprintf("key%03d", i), strings.Repeat("x", 300))
		}
		l.del(p[0], "key007")
		c := l.Peer("charly")
		l.start(c)
		if l.items(c) != l.items(p[0]) {
			t.Error("charly has not what alice has")
		}
		items, _ := l.sets[c].Items()
		if len(items) != 499 {
			t.Errorf("charly has %d keys", len(items))
		}
	})
}

func TestStoppedMemberDoesNotKeepTheStateFromAJoiner(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		l.add(p[1], "a", "1")
		c := l.Peer("charly")
		c.Start(nil)
		p[0].Stop()
		time.Sleep(time.Second) // bob finds charly's set closed
		start := time.Now()
		l.sets[c] = newSet(t, l.cfg)
		c.Open(l.sets[c])
		c.Ready()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("ready after %v", d)
		}
		l.want(c, "[{a 1}]")
	})
}

func TestDeletedDoesNotComeBack(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		l.add(p[0], "a", "1")
		l.Partition(p[:2], p[2:])
		wantSpread(t, l.del(p[0], "a"), "bob", "charly")
		l.want(p[2], "[{a 1}]")
		time.Sleep(time.Minute)
		l.Heal()
		time.Sleep(time.Minute)
		for _, q := range p {
			l.want(q, "[]")
		}
	})
}

func TestUnreachedMemberHasItSoon(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		time.Sleep(2 * time.Second) // what the start has caused is over
		p[2].Stop()
		start := time.Now()
		wantSpread(t, l.add(p[0], "a", "1"), "bob", "charly")
		if d := time.Since(start); d != time.Second {
			t.Errorf("the change took %v", d)
		}
		p[2].Resume()
		time.Sleep(3 * time.Second)
		l.want(p[2], "[{a 1}]")
	})
}

// Nobody tells a member that it missed something; it finds out.
func TestMissedChangeComesAbout(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		time.Sleep(2 * time.Second)
		p[1].Stop()
		wantSpread(t, l.add(p[0], "a", "1"), "", "bob")
		time.Sleep(30 * time.Second)
		p[1].Resume()
		time.Sleep(13 * time.Second)
		l.want(p[1], "[{a 1}]")
	})
}

func TestRestartedWriterDoesNotLose(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob", func(l *lab, p []*extensiontest.Peer) {
		for i := range 5 {
			l.add(p[0], "a", fmt.Sprint(i))
		}
		p[0].Crash()
		l.start(p[0])
		wantSpread(t, l.add(p[0], "a", "new"), "bob", "")
		l.want(p[1], "[{a new}]")
	})
}

func TestClosedMemberIsNotWaitedFor(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice bob charly", func(l *lab, p []*extensiontest.Peer) {
		p[1].Close()
		synctest.Wait()
		if got := p[0].Present(); !slices.Equal(got, []string{"charly"}) {
			t.Errorf("alice presents %q", got)
		}
		wantSpread(t, l.add(p[0], "a", "1"), "charly", "")
		p[1].Open(l.sets[p[1]])
		p[1].Ready()
		l.want(p[1], "[{a 1}]")
	})
}

func TestAddRefuses(t *testing.T) {
	inLab(t, broadcast.Config{MaxKeys: 2, MaxValue: 5}, "alice", func(l *lab, p []*extensiontest.Peer) {
		set := l.sets[p[0]]
		cases := []struct {
			name, key, text string
			want            error
		}{
			{"no key", "", "x", broadcast.ErrInvalid},
			{"a key of two words", "a b", "x", broadcast.ErrInvalid},
			{"a long key", strings.Repeat("k", 129), "x", broadcast.ErrInvalid},
			{"a long text", "a", "123456", broadcast.ErrInvalid},
			{"two lines", "a", "1\n2", broadcast.ErrInvalid},
			{"an escape", "a", "\x1b[m", broadcast.ErrInvalid},
			{"one", "a", "12345", nil},
			{"two", "b", "", nil},
			{"one too many", "c", "x", broadcast.ErrFull},
			{"a new text for an old key", "a", "x", nil},
		}
		for _, c := range cases {
			if _, err := set.Add(l.t.Context(), c.key, c.text); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if _, err := set.Delete(l.t.Context(), "a", "zoe"); !errors.Is(err, broadcast.ErrNoKey) {
			t.Errorf("delete: %v", err)
		}
		l.want(p[0], "[{a x} {b }]")
	})
}

// Random changes at five peers, while the network splits, streams break and
// peers crash, lead to the same set everywhere.
func TestConvergence(t *testing.T) {
	for seed := range 8 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			cfg := broadcast.Config{Rand: rand.New(rand.NewPCG(uint64(seed), 2))}
			inLab(t, broadcast.Config{}, "p0 p1 p2 p3 p4", func(l *lab, p []*extensiontest.Peer) {
				rnd := cfg.Rand
				for i := range 200 {
					l.step(rnd, i)
					time.Sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
				}
				l.Heal()
				time.Sleep(5 * time.Minute)
				late := l.Peer("late")
				l.start(late)
				for _, q := range append(p, late) {
					if got, want := l.items(q), l.items(p[0]); got != want {
						t.Errorf("%s has %s, p0 has %s", q.Member().Name, got, want)
					}
				}
				if l.items(p[0]) == "[]" {
					t.Error("nothing was added")
				}
			})
		})
	}
}

func (l *lab) step(rnd *rand.Rand, i int) {
	p := l.peers[rnd.IntN(len(l.peers))]
	key := fmt.Sprint("k", rnd.IntN(12))
	switch rnd.IntN(14) {
	case 0:
		n := 1 + rnd.IntN(len(l.peers)-1)
		l.Partition(l.peers[:n], l.peers[n:])
	case 1:
		l.Heal()
	case 2:
		l.Reset(l.peers[0], l.peers[1+rnd.IntN(4)])
	case 3:
		p.Crash()
		if rnd.IntN(2) == 0 {
			p.Lost()
		}
		l.Heal()
		l.start(p)
	case 4, 5, 6, 7:
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if _, err := l.sets[p].Delete(ctx, key); err != nil && !errors.Is(err, broadcast.ErrNoKey) {
			l.t.Error(err)
		}
	default:
		l.add(p, key, fmt.Sprint("v", i))
	}
}

// run runs a command and returns its output, or its error after "error: ".
func (l *lab) run(p *extensiontest.Peer, name string, json bool, args ...string) string {
	for _, c := range l.sets[p].Commands() {
		if c.Name != name {
			continue
		}
		var out bytes.Buffer
		if err := c.Run(l.t.Context(), &repl.Call{Name: name, Args: args, JSON: json, Out: &out}); err != nil {
			return "error: " + err.Error()
		}
		return out.String()
	}
	return "no such command"
}

func TestCommands(t *testing.T) {
	inLab(t, broadcast.Config{}, "alice", func(l *lab, p []*extensiontest.Peer) {
		want := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("printed %q, want %q", got, want)
			}
		}
		a := p[0]
		want(l.run(a, "broadcastlist", false), "the set is empty: broadcastadd KEY TEXT adds to it\n")
		want(l.run(a, "broadcastlist", true), "[]\n")
		want(l.run(a, "broadcastadd", false, "colour", "dark", "blue"), "added here; nobody else is there yet\n")
		b := l.Peer("bob")
		l.start(b)
		want(l.run(b, "broadcastlist", false), "colour dark blue\n")
		want(l.run(b, "broadcastlist", true), `[{"key":"colour","value":"dark blue"}]`+"\n")
		want(l.run(b, "broadcastdel", false, "colour"), "deleted here and on 1\n")
		want(l.run(b, "broadcastdel", false, "colour"), `error: "colour" is not in the set: broadcastlist shows what is`)
		b.Stop()
		want(l.run(a, "broadcastadd", false, "a", "b"), "added here and on 0 of 1; not yet: bob (as soon as it can be reached)\n")
	})
}
