package bootstrap_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func TestLeaseEndsAtItsMoment(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		live  bool
	}{{0, true}, {time.Minute - 1, true}, {time.Minute, false}, {time.Minute + 1, false}} {
		s := bootstrap.NewState()
		if _, err := s.Join(epoch, alice(), "token"); err != nil {
			t.Fatal(err)
		}
		s.Expire(epoch.Add(tt.after))
		if got := len(s.Records) == 1; got != tt.live {
			t.Errorf("after %v: live %v, want %v", tt.after, got, tt.live)
		}
	}
}

func TestFreeName(t *testing.T) {
	long := strings.Repeat("a", 32)
	for _, tt := range []struct {
		held []string
		want string
	}{
		{[]string{"alice"}, "alice2"},
		{[]string{"alice", "alice2", "alice4"}, "alice3"},
		{[]string{long}, long[:31] + "2"},
	} {
		s := bootstrap.NewState()
		for i, name := range append(tt.held, tt.held[0]) {
			r := alice()
			r.ID, r.Name = fmt.Sprint("id-", i), name
			_, err := s.Join(epoch, r, "token")
			e, taken := errors.AsType[*bootstrap.Error](err)
			if taken != (i == len(tt.held)) || (taken && (e.Free != tt.want || bootstrap.CheckName(e.Free) != nil)) {
				t.Errorf("held %v: %v, want %s free", tt.held, err, tt.want)
			}
		}
	}
}

func TestCheckAddr(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:4000": true, "[::1]:4000": true, "192.0.2.1:65535": true,
		"": false, "127.0.0.1": false, "127.0.0.1:": false, "127.0.0.1:0": false, "127.0.0.1:65536": false, "localhost:1": false,
		"0.0.0.0:1": false, "[::]:1": false, "224.0.0.1:1": false, "[fe80::1%eth0]:1": false, "127.0.0.1:1\n": false,
	} {
		if err := bootstrap.CheckAddr(addr); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestCheckNames(t *testing.T) {
	for name, ok := range map[string]bool{"a": true, "alice-2_x": true, strings.Repeat("a", 32): true,
		"": false, "2a": false, "-a": false, "Alice": false, "a b": false, "ä": false, "a\n": false, strings.Repeat("a", 33): false} {
		if err := bootstrap.CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for name, ok := range map[string]bool{"lab": true, "2.0_x-y": true, strings.Repeat("a", 63): true,
		"": false, ".": false, "..": false, ".lab": false, "Lab": false, "a/b": false, "lab\n": false, strings.Repeat("a", 64): false} {
		if err := bootstrap.CheckGroup(name); (err == nil) != ok {
			t.Errorf("group %q: %v", name, err)
		}
	}
}

// A group at the store's bound takes the place of one that is vacant, and of
// no other.
func TestTableFull(t *testing.T) {
	tab := bootstrap.NewTable()
	add := func(group string, ttl time.Duration) error {
		_, err := tab.Update(group, func(s *bootstrap.State) error {
			r := alice()
			r.TTL = ttl
			_, err := s.Join(time.Now(), r, "token")
			return err
		})
		return err
	}
	for i := range bootstrap.MaxGroups {
		if err := add(fmt.Sprint("g", i), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := add("more", time.Hour); !errors.Is(err, bootstrap.ErrFull) {
		t.Errorf("one group too many: %v, want ErrFull", err)
	}
	if _, err := tab.Update("g7", func(s *bootstrap.State) error { s.Reset(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := add("more", time.Hour); err != nil {
		t.Errorf("after one had become vacant: %v", err)
	}
	if tab.Get("g7").Revision != 0 || tab.Get("g8").Revision == 0 || tab.Get("more").Revision != tab.Revision {
		t.Error("another group than the vacant one had to go")
	}
}

// model is the policy in its most naive form: all that ever joined, in order,
// and who is gone is marked.
type model struct {
	config  bootstrap.Config
	records []modelRecord
}

type modelRecord struct {
	id, name string
	expires  time.Time
	gone     bool
}

func (m *model) live(now time.Time) (live []*modelRecord) {
	for i := range m.records {
		r := &m.records[i]
		r.gone = r.gone || !r.expires.After(now)
		if !r.gone {
			live = append(live, r)
		}
	}
	return live
}

func (m *model) join(now time.Time, id, name string, ttl time.Duration) (leased bool, err error) {
	live := m.live(now)
	for _, r := range live {
		if r.name == name && r.id != id {
			return false, bootstrap.ErrNameTaken
		}
	}
	for _, r := range live {
		if r.id == id {
			r.name, r.expires = name, now.Add(ttl)
			return true, nil
		}
	}
	if len(live) >= m.config.MaxPeers+m.config.MinRefillCandidates {
		return false, nil
	}
	m.records = append(m.records, modelRecord{id: id, name: name, expires: now.Add(ttl)})
	return true, nil
}

func (m *model) configure(now time.Time, c bootstrap.Config) {
	m.config = c
	live := m.live(now)
	for _, r := range live[min(len(live), c.MaxPeers+c.MinRefillCandidates):] {
		r.gone = true
	}
}

func (m *model) listed(now time.Time) (ids []string) {
	live := m.live(now)
	for _, r := range live[:min(len(live), m.config.MaxPeers)] {
		ids = append(ids, r.id)
	}
	return ids
}

// TestModel runs random histories on the policy and on the model.
func TestModel(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := model{config: bootstrap.Config{MaxPeers: 3, MinRefillCandidates: 2}}
		s := bootstrap.State{Config: m.config}
		now := epoch
		for step := range 300 {
			now = now.Add(time.Duration(r.IntN(3)) * time.Second)
			what := randomStep(t, r, now, &s, &m)
			s.Expire(now)
			var got []string
			for _, p := range s.Group().Peers {
				got = append(got, p.ID)
			}
			if want := m.listed(now); !slices.Equal(got, want) || s.Check() != nil {
				t.Fatalf("seed %d, step %d (%s): listed %v, model has %v; check %v", seed, step, what, got, want, s.Check())
			}
		}
	}
}

func randomStep(t *testing.T, r *rand.Rand, now time.Time, s *bootstrap.State, m *model) (what string) {
	n := r.IntN(9)
	id := fmt.Sprint("id-", n)
	before := s.Clone()
	switch k := r.IntN(40); {
	case k < 28:
		what = "join " + id
		name, ttl := fmt.Sprint("peer", n-n%4*r.IntN(2)), time.Duration(1+r.IntN(20))*time.Second
		lease, err := s.Join(now, bootstrap.JoinRequest{ID: id, Name: name, Boot: 1, Addr: "127.0.0.1:1", TTL: ttl}, id)
		leased, wantErr := m.join(now, id, name, ttl)
		if !errors.Is(err, wantErr) || (lease.Token != "") != leased {
			t.Fatalf("%s as %s: %+v, %v; model says %v, %v", what, name, lease, err, leased, wantErr)
		}
		if err != nil && !s.Equal(before) {
			t.Fatalf("%s failed and left a trace", what)
		}
	case k < 36:
		what = "leave " + id
		if err := s.Leave(now, id, id); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for _, rec := range m.live(now) {
			rec.gone = rec.gone || rec.id == id
		}
	case k < 39:
		c := bootstrap.Config{MaxPeers: r.IntN(5), MinRefillCandidates: r.IntN(4)}
		what = fmt.Sprint("configure ", c)
		if err := s.SetConfig(now, c, nil); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		m.configure(now, c)
	default:
		what = "reset"
		s.Reset()
		m.records = nil
	}
	return what
}
