package trace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/trace"
	"github.com/peerlab/peerlab/internal/vclock"
)

var update = flag.Bool("update", false, "write the golden files anew")

// talk is a group of peers that say things, each with a journal.
type talk struct {
	names   []string
	writers []*journal.Writer
	events  [][]journal.Event
	said    []said
}

// said is a message on its way; knows has what its sender had said or heard.
type said struct {
	id, text, from string
	stamp          []byte
	knows          map[string]bool
}

func newTalk(names ...string) *talk {
	tk := &talk{names: names, events: make([][]journal.Event, len(names))}
	for i, name := range names {
		w := journal.NewWriter(journal.Config{Peer: name, Boot: i + 1})
		w.Attach(func(_ journal.Event, line []byte) {
			var e journal.Event
			if err := e.UnmarshalJSON(line); err != nil {
				panic(err)
			}
			e.Time = time.Time{}
			tk.events[i] = append(tk.events[i], e)
		})
		tk.writers = append(tk.writers, w)
	}
	return tk
}

func (tk *talk) say(i int, text string) {
	id := fmt.Sprintf("id-%s/%d/%d", tk.names[i], i+1, len(tk.said)+1)
	stamp := tk.writers[i].RecordSent(journal.TypeSent, text, map[string]any{"id": id})
	tk.said = append(tk.said, said{id: id, text: text, from: tk.names[i], stamp: stamp})
}

func (tk *talk) hear(i, n int) {
	m := tk.said[n]
	if err := tk.writers[i].RecordReceived(m.stamp, journal.TypeChat, m.text, map[string]any{"id": m.id, "from": m.from}); err != nil {
		panic(err)
	}
}

func all(lists ...[]journal.Event) iter.Seq2[journal.Event, error] {
	return func(yield func(journal.Event, error) bool) {
		for _, e := range slices.Concat(lists...) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func messages(t *testing.T, lists ...[]journal.Event) []trace.Message {
	t.Helper()
	m, err := trace.Messages(all(lists...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// random lets peers talk at random; what each message's sender knew is kept
// beside the clocks.
func random(rng *rand.Rand, peers, steps int) *talk {
	names := []string{"alice", "bob", "charly", "dora"}[:peers]
	tk := newTalk(names...)
	knows := make([]map[string]bool, peers)
	for i := range knows {
		knows[i] = map[string]bool{}
	}
	for n := range steps {
		i := rng.IntN(peers)
		switch {
		case rng.IntN(4) == 0:
			tk.writers[i].Record("command", "members", nil)
		case len(tk.said) == 0 || rng.IntN(3) == 0:
			tk.say(i, fmt.Sprint("number ", n))
			m := &tk.said[len(tk.said)-1]
			m.knows = map[string]bool{}
			for id := range knows[i] {
				m.knows[id] = true
			}
			knows[i][m.id] = true
		default:
			m := tk.said[rng.IntN(len(tk.said))]
			if m.from == tk.names[i] || knows[i][m.id] {
				continue
			}
			tk.hear(i, slices.IndexFunc(tk.said, func(o said) bool { return o.id == m.id }))
			knows[i][m.id] = true
			for id := range m.knows {
				knows[i][id] = true // the clocks know them; the peer has not seen their texts
			}
		}
	}
	return tk
}

func (tk *talk) truth(a, b string) vclock.Order {
	find := func(id string) said {
		return tk.said[slices.IndexFunc(tk.said, func(m said) bool { return m.id == id })]
	}
	switch {
	case a == b:
		return vclock.Equal
	case find(b).knows[a]:
		return vclock.Before
	case find(a).knows[b]:
		return vclock.After
	}
	return vclock.Concurrent
}

// One peer's journal suffices to tell how any two messages in it stand.
func TestOneJournalTellsTheOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	count := map[vclock.Order]int{}
	for range 20 {
		tk := random(rng, 4, 120)
		for i := range tk.names {
			known := messages(t, tk.events[i])
			for _, a := range known {
				for _, b := range known {
					got, want := trace.Relate(a, b), tk.truth(a.ID, b.ID)
					if got.Order != want {
						t.Fatalf("%s: %v and %v are %v (%s), want %v", tk.names[i], a, b, got.Order, got.Reason, want)
					}
					if got.Reason == "" || strings.Contains(got.Reason, "\n") {
						t.Fatalf("the reason is %q", got.Reason)
					}
					count[want]++
				}
			}
		}
	}
	if count[vclock.Before] < 1000 || count[vclock.Concurrent] < 1000 {
		t.Errorf("the talks were one-sided: %v", count)
	}
}

func TestRelationThatIsNotKnown(t *testing.T) {
	old := func(from, id, text string) journal.Event {
		return journal.Event{Peer: "alice", Boot: 1, Seq: 1, Type: "chat", Text: text, Fields: map[string]any{"from": from, "id": id}}
	}
	m := messages(t, []journal.Event{old("bob", "b/1/1", "one"), old("charly", "c/1/1", "two"), old("bob", "b/1/2", "three"), old("bob", "b/2/1", "four")})
	if got := trace.Relate(m[0], m[1]); got.Order != vclock.Unknown || !strings.Contains(got.Reason, "not known") {
		t.Errorf("without clocks: %v", got)
	}
	for _, later := range m[2:] {
		if got := trace.Relate(m[0], later); got.Order != vclock.Before {
			t.Errorf("of one sender: %v", got)
		}
		if got := trace.Relate(later, m[0]); got.Order != vclock.After {
			t.Errorf("of one sender, reversed: %v", got)
		}
	}
}

func TestFind(t *testing.T) {
	tk := newTalk("alice", "bob", "charly")
	tk.say(1, "hello")
	tk.say(2, "hello")
	tk.say(1, "once more")
	tk.say(1, "once more")
	tk.say(2, "only here")
	for n := range tk.said {
		tk.hear(0, n)
	}
	known := messages(t, tk.events[0])
	for _, c := range []struct {
		what, want string
		err        error
	}{
		{"bob/2/1", "bob/2/1", nil},
		{"id-charly/3/2", "charly/3/2", nil},
		{"once more", "bob/2/4", nil},
		{"only", "charly/3/5", nil},
		{"hello", "", trace.ErrAmbiguous},
		{"e", "", trace.ErrAmbiguous},
		{"nothing", "", trace.ErrNoMessage},
		{"", "", trace.ErrNoMessage},
	} {
		m, err := trace.Find(known, c.what)
		if !errors.Is(err, c.err) || err == nil && m.Short() != c.want {
			t.Errorf("%q is %v, %v; want %s, %v", c.what, m, err, c.want, c.err)
		}
		if c.what == "hello" && (err == nil || !strings.Contains(err.Error(), `bob/2/1 "hello", charly/3/2 "hello"`)) {
			t.Errorf("the candidates are not in %v", err)
		}
	}
}

// exported is one event of a log for ShiViz.
type exported struct {
	host, text string
	clock      map[string]int
}

// parse takes a log apart with the expression that it begins with.
func parse(t *testing.T, log string) []exported {
	t.Helper()
	head, rest, _ := strings.Cut(log, "\n")
	delimiter, rest, _ := strings.Cut(rest, "\n")
	if delimiter != "" {
		t.Fatalf("the second line is %q", delimiter)
	}
	var list []exported
	for _, m := range regexp.MustCompile(strings.ReplaceAll(head, "(?<", "(?P<")).FindAllStringSubmatch(rest, -1) {
		e := exported{host: m[1], text: m[3]}
		if err := json.Unmarshal([]byte(m[2]), &e.clock); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// valid checks what ShiViz checks.
func valid(t *testing.T, list []exported) {
	t.Helper()
	hosts := map[string][]exported{}
	for _, e := range list {
		hosts[e.host] = append(hosts[e.host], e)
	}
	for host, events := range hosts {
		for i, e := range events {
			if e.clock[host] != i+1 {
				t.Fatalf("event %d of %s has the clock %v", i+1, host, e.clock)
			}
			for other, n := range e.clock {
				if n < 1 || n > len(hosts[other]) {
					t.Fatalf("the clock %v of %s speaks of event %d of %s, which has %d", e.clock, host, n, other, len(hosts[other]))
				}
				if other != host && hosts[other][n-1].clock[host] > i {
					t.Fatalf("%v and %v are before each other", e, hosts[other][n-1])
				}
			}
		}
	}
}

func shiviz(t *testing.T, lists ...[]journal.Event) string {
	t.Helper()
	var b bytes.Buffer
	n, err := trace.ShiViz(&b, all(lists...))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(parse(t, b.String())); got != n {
		t.Fatalf("%d events can be read of %d", got, n)
	}
	return b.String()
}

// Whatever part of whichever journals there is, the log is valid.
func TestEveryExportIsValid(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		tk := random(rng, 4, 80)
		for i := range tk.names {
			valid(t, parse(t, shiviz(t, tk.events[i])))
		}
		var parts [][]journal.Event
		for _, list := range tk.events {
			if from := rng.IntN(len(list) + 1); rng.IntN(4) > 0 {
				parts = append(parts, list[from:from+rng.IntN(len(list)-from+1)])
			}
		}
		valid(t, parse(t, shiviz(t, parts...)))
	}
}

// In the log of whole journals, clocks are what they were.
func TestWholeJournalsKeepTheirClocks(t *testing.T) {
	tk := random(rand.New(rand.NewPCG(5, 6)), 3, 60)
	want := map[string]bool{}
	for _, list := range tk.events {
		for _, e := range list {
			clock, _ := json.Marshal(e.Clock)
			want[fmt.Sprintf("%s#%d %s", e.Peer, e.Boot, clock)] = true
		}
	}
	for _, e := range parse(t, shiviz(t, tk.events...)) {
		clock, _ := json.Marshal(e.clock)
		if line := e.host + " " + string(clock); !want[line] {
			t.Errorf("%s is in no journal", line)
		}
	}
}

func TestGoldenShiViz(t *testing.T) {
	tk := newTalk("alice", "bob", "charly")
	tk.writers[0].Record("command", "init", nil)
	tk.say(0, "hello\n{\"x#1\":1}")
	tk.hear(1, 0)
	tk.writers[1].Record(journal.TypeProbe, "alice", nil)
	tk.say(1, "hello alice")
	tk.hear(0, 1)
	tk.say(2, "anybody?")
	tk.hear(0, 2)
	for name, got := range map[string]string{
		"all.log": shiviz(t, tk.events...), "alice.log": shiviz(t, tk.events[0]), "none.log": shiviz(t),
	} {
		file := "testdata/" + name
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v: got\n%s\nwant\n%s", name, err, got, want)
		}
		valid(t, parse(t, got))
	}
}

func TestABrokenJournalIsAnError(t *testing.T) {
	broken := func(yield func(journal.Event, error) bool) { yield(journal.Event{}, journal.ErrCorrupt) }
	if _, err := trace.ShiViz(&bytes.Buffer{}, broken); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("export: %v", err)
	}
	if _, err := trace.Messages(broken); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("messages: %v", err)
	}
}
