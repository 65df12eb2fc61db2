package membership

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/peerlab/peerlab/peer/extension"
)

var start = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// is makes the metadata of a boot; the id follows from the first word, so
// that "alice thief" is another alice.
func is(who string, boot int) meta {
	name, _, _ := strings.Cut(who, " ")
	return meta{ID: uuid.NewSHA1(uuid.Nil, []byte(who)), Boot: boot, Name: name}
}

func notify(k noticeKind, m meta) notice {
	return notice{kind: k, node: m.nodeName(), addr: netip.MustParseAddrPort("10.0.0.1:1000"), meta: m.encode()}
}

func leaving(k noticeKind, m meta) notice {
	m.Leaving = true
	n := notify(k, m)
	return n
}

func foreign(k noticeKind, node string) notice {
	return notice{kind: k, node: node, addr: netip.MustParseAddrPort("10.0.0.9:9")}
}

func words(changes []extension.Change) string {
	var all []string
	for _, c := range changes {
		all = append(all, fmt.Sprintf("%s %s#%d", c.Kind, c.Member.Name, c.Member.Boot))
	}
	return strings.Join(all, ", ")
}

func standing(t *table) string {
	var all []string
	for _, m := range t.present() {
		e := t.byKey[m.ID]
		if m.Foreign {
			e = t.byKey["foreign "+m.Name]
		}
		all = append(all, fmt.Sprintf("%s#%d %s", m.Name, m.Boot, e.State))
	}
	gone := map[State]int{}
	for _, i := range t.all() {
		gone[i.State]++
	}
	for _, s := range []State{Lost, Left} {
		if gone[s] > 0 {
			all = append(all, fmt.Sprintf("%d %s", gone[s], s))
		}
	}
	return strings.Join(all, ", ")
}

func TestTable(t *testing.T) {
	bob, bob2, carol := is("bob", 1), is("bob", 2), is("carol", 1)
	me := is("me", 3)
	type step struct {
		n         notice
		announced string
	}
	for name, c := range map[string]struct {
		steps []step
		end   string
	}{
		"joined": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeUpdated, bob), ""},
			{notify(nodeJoined, carol), "joined carol#1"},
		}, "bob#1 alive, carol#1 alive"},
		"lost": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
			{notify(nodeGone, bob), ""},
		}, "1 lost"},
		"back after a crash that was noticed": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
			{notify(nodeJoined, bob2), "back bob#2"},
		}, "bob#2 alive"},
		"back after a crash that was not": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeJoined, bob2), "back bob#2"},
			{notify(nodeSuspect, bob), ""},
			{notify(nodeGone, bob), ""},
		}, "bob#2 alive"},
		"back after a partition": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
			{notify(nodeJoined, bob), "back bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
		}, "1 lost"},
		"left": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeLeaving, bob), "left bob#1"},
			{leaving(nodeUpdated, bob), ""},
			{notify(nodeGone, bob), ""},
		}, "1 left"},
		"left, metadata first": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{leaving(nodeUpdated, bob), "left bob#1"},
			{notify(nodeLeaving, bob), ""},
			{notify(nodeGone, bob), ""},
		}, "1 left"},
		"left, and heard of again by a late rumour": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeLeaving, bob), "left bob#1"},
			{leaving(nodeJoined, bob), ""},
		}, "1 left"},
		"first heard of while leaving": {[]step{
			{leaving(nodeJoined, bob), "joined bob#1, left bob#1"},
			{notify(nodeGone, bob), ""},
		}, "1 left"},
		"joined again after leaving": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeLeaving, bob), "left bob#1"},
			{notify(nodeGone, bob), ""},
			{notify(nodeJoined, bob2), "joined bob#2"},
		}, "bob#2 alive"},
		"the same boot joined again after leaving": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeLeaving, bob), "left bob#1"},
			{notify(nodeJoined, bob), "joined bob#1"},
		}, "bob#1 alive"},
		"goodbye after it was lost": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
			{notify(nodeLeaving, bob), ""},
		}, "1 lost"},
		"goodbye of an old boot": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeJoined, bob2), "back bob#2"},
			{notify(nodeLeaving, bob), ""},
		}, "bob#2 alive"},
		"ghost": {[]step{
			{notify(nodeJoined, bob2), "joined bob#2"},
			{notify(nodeJoined, bob), ""},
			{notify(nodeUpdated, bob), ""},
			{leaving(nodeUpdated, bob), ""},
			{notify(nodeSuspect, bob), ""},
			{notify(nodeGone, bob), ""},
		}, "bob#2 alive"},
		"ghost of one that is lost": {[]step{
			{notify(nodeJoined, bob2), "joined bob#2"},
			{notify(nodeGone, bob2), "lost bob#2"},
			{notify(nodeJoined, bob), ""},
		}, "1 lost"},
		"suspect, and answers": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeSuspect, bob), "suspect bob#1"},
			{notify(nodeSuspect, bob), ""},
			{notify(nodeAnswered, bob), ""},
			{notify(nodeSuspect, bob), "suspect bob#1"},
		}, "bob#1 suspect"},
		"suspect, and refutes": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeSuspect, bob), "suspect bob#1"},
			{notify(nodeUpdated, bob), ""},
		}, "bob#1 alive"},
		"suspect, and lost": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeSuspect, bob), "suspect bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
			{notify(nodeSuspect, bob), ""},
			{notify(nodeAnswered, bob), ""},
		}, "1 lost"},
		"suspect, and leaves": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeSuspect, bob), "suspect bob#1"},
			{notify(nodeLeaving, bob), "left bob#1"},
		}, "1 left"},
		"notices of nobody": {[]step{
			{notify(nodeSuspect, bob), ""},
			{notify(nodeGone, bob), ""},
			{notify(nodeAnswered, bob), ""},
			{notify(nodeLeaving, bob), ""},
		}, ""},
		"ourselves": {[]step{
			{notify(nodeJoined, me), ""},
			{notify(nodeJoined, is("me", 2)), ""},
			{notify(nodeGone, is("me", 2)), ""},
			{notify(nodeSuspect, me), ""},
		}, ""},
		"foreign": {[]step{
			{foreign(nodeJoined, "stock"), "joined stock#0"},
			{foreign(nodeSuspect, "stock"), "suspect stock#0"},
			{foreign(nodeGone, "stock"), "lost stock#0"},
			{foreign(nodeJoined, "stock"), "back stock#0"},
		}, "stock#0 alive"},
		"foreign by the id of a peer": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{foreign(nodeJoined, bob.ID.String()), "joined " + bob.ID.String() + "#0"},
			{foreign(nodeGone, bob.ID.String()), "lost " + bob.ID.String() + "#0"},
			{foreign(nodeJoined, me.ID.String()), "joined " + me.ID.String() + "#0"},
		}, me.ID.String() + "#0 alive, bob#1 alive, 1 lost"},
		"two ids with one name": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeJoined, is("bob thief", 1)), "joined bob#1"},
			{notify(nodeGone, bob), "lost bob#1"},
			{notify(nodeLeaving, is("bob thief", 1)), "left bob#1"},
		}, "1 lost, 1 left"},
		"a node that becomes somebody else": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{foreign(nodeUpdated, bob.nodeName()), "lost bob#1, joined " + bob.nodeName() + "#0"},
			{notify(nodeGone, bob), "lost " + bob.nodeName() + "#0"},
		}, "1 lost"},
		"one id with two names": {[]step{
			{notify(nodeJoined, bob), "joined bob#1"},
			{notify(nodeJoined, meta{ID: bob.ID, Boot: 1, Name: "robert"}), "back robert#1"},
			{notify(nodeGone, bob), ""},
		}, "robert#1 alive"},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable()
			self := extension.Member{Name: "me", ID: me.ID.String(), Boot: 3}
			for i, s := range c.steps {
				s.n.at = start.Add(time.Duration(i) * time.Second)
				if got := words(table.apply(s.n, self)); got != s.announced {
					t.Errorf("step %d announces %q, want %q", i, got, s.announced)
				}
			}
			if got := standing(&table); got != c.end {
				t.Errorf("the end is %q, want %q", got, c.end)
			}
			check(t, &table)
		})
	}
}

// check looks for entries that contradict each other.
func check(t *testing.T, table *table) {
	t.Helper()
	if len(table.byKey) != len(table.byNode) {
		t.Fatalf("%d entries by key, %d by node", len(table.byKey), len(table.byNode))
	}
	for key, e := range table.byKey {
		if table.byNode[e.node] != key || e.State == "" || e.Since.IsZero() {
			t.Fatalf("entry %s: %+v, and its node %s belongs to %q", key, e.Info, e.node, table.byNode[e.node])
		}
	}
}

func TestSinceAndRoundTrip(t *testing.T) {
	table, bob := newTable(), is("bob", 1)
	at := func(s int, n notice) Info {
		n.at = start.Add(time.Duration(s) * time.Second)
		table.apply(n, extension.Member{})
		return table.all()[0]
	}
	answered := notify(nodeAnswered, bob)
	answered.rtt = 7 * time.Millisecond
	moved := notify(nodeUpdated, bob)
	moved.addr = netip.MustParseAddrPort("10.0.0.2:2000")
	for _, c := range []struct {
		second int
		n      notice
		since  int
		rtt    time.Duration
	}{
		{1, notify(nodeJoined, bob), 1, 0},
		{2, answered, 1, answered.rtt},
		{3, moved, 1, answered.rtt},
		{4, notify(nodeSuspect, bob), 4, answered.rtt},
		{5, answered, 5, answered.rtt},
		{6, notify(nodeGone, bob), 6, answered.rtt},
		{7, notify(nodeJoined, bob), 7, answered.rtt},
		{8, notify(nodeJoined, is("bob", 2)), 8, 0},
	} {
		got := at(c.second, c.n)
		if want := start.Add(time.Duration(c.since) * time.Second); !got.Since.Equal(want) || got.RTT != c.rtt {
			t.Errorf("second %d: since %v, round trip %v; want %v, %v", c.second, got.Since, got.RTT, want, c.rtt)
		}
		if c.second == 3 && got.Member.Addr != moved.addr {
			t.Errorf("the address is %s after it moved", got.Member.Addr)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	ends := map[string]func(table *table, m meta, at time.Time){
		"lost": func(table *table, m meta, at time.Time) {
			n := notify(nodeGone, m)
			n.at = at
			table.apply(n, extension.Member{})
		},
		"left": func(table *table, m meta, at time.Time) {
			n := notify(nodeLeaving, m)
			n.at = at
			table.apply(n, extension.Member{})
		},
		"left at once": func(table *table, m meta, at time.Time) {
			n := leaving(nodeUpdated, m)
			n.at = at
			table.apply(n, extension.Member{})
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			table := newTable()
			stays := notify(nodeJoined, is("stays", 1))
			stays.at = start
			table.apply(stays, extension.Member{})
			for i := range 3 * maxGone {
				m := is(fmt.Sprint("p", i), 1)
				n := notify(nodeJoined, m)
				n.at = start.Add(time.Duration(i) * time.Second)
				table.apply(n, extension.Member{})
				end(&table, m, n.at)
			}
			check(t, &table)
			if n := len(table.byKey); n != maxGone+1 {
				t.Errorf("%d members are remembered, want %d", n, maxGone+1)
			}
			newest := is(fmt.Sprint("p", 3*maxGone-1), 1)
			if table.byKey[newest.ID.String()] == nil || len(table.present()) != 1 {
				t.Error("the wrong ones were forgotten")
			}
		})
	}
}

// Whatever is notified in whatever order, the table stays whole and the
// announcements make sense: nobody is lost or leaves who was not there.
func TestTableUnderRandomNotices(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	self := extension.Member{ID: is("me", 1).ID.String()}
	kinds := []noticeKind{nodeJoined, nodeUpdated, nodeAnswered, nodeSuspect, nodeLeaving, nodeGone}
	for range 200 {
		table, there := newTable(), map[string]bool{}
		for i := range 100 {
			m := is([]string{"bob", "bob thief", "carol", "me"}[rng.IntN(4)], 1+rng.IntN(3))
			n := notify(kinds[rng.IntN(len(kinds))], m)
			if rng.IntN(8) == 0 {
				n = leaving(nodeUpdated, m)
			}
			if rng.IntN(6) == 0 {
				n.meta = nil
			}
			n.at = start.Add(time.Duration(i) * time.Second)
			for _, c := range table.apply(n, self) {
				key := c.Member.ID + c.Member.Name
				gone := c.Kind == extension.Left || c.Kind == extension.Lost
				if (gone || c.Kind == extension.Suspect) != there[key] && c.Kind != extension.Back {
					t.Fatalf("%s %s is announced while its being there is %v", c.Kind, c.Member.Name, there[key])
				}
				there[key] = !gone
			}
			check(t, &table)
			if e := table.byKey[self.ID]; e != nil {
				t.Fatal("we are in our own table")
			}
		}
		if n := len(table.present()); n != trues(there) {
			t.Fatalf("%d are there by the announcements, %d by the table", trues(there), n)
		}
	}
}

func trues(m map[string]bool) (n int) {
	for _, b := range m {
		if b {
			n++
		}
	}
	return n
}
