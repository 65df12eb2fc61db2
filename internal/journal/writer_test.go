package journal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/vclock"
)

// keeper is a sink that keeps what it gets.
type keeper struct{ events []journal.Event }

func (k *keeper) sink(e journal.Event, line []byte) {
	var read journal.Event
	if err := read.UnmarshalJSON(line); err != nil {
		panic(err)
	}
	if e.Fields = read.Fields; e.Lamport != read.Lamport {
		panic("the line is of another event")
	}
	e.Clock = slices.Clone(e.Clock)
	k.events = append(k.events, e)
}

func (k *keeper) last() journal.Event { return k.events[len(k.events)-1] }

func writer(peer string) (*journal.Writer, *keeper) {
	w, k := journal.NewWriter(journal.Config{Peer: peer, Boot: 1}), &keeper{}
	w.Attach(k.sink)
	return w, k
}

func TestConcurrentRecordsHaveNoGap(t *testing.T) {
	w, first := writer("alice")
	var second keeper
	w.Attach(second.sink)
	const writers, each = 8, 200
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				w.Record("x", fmt.Sprint(i, n), nil)
				_ = w.Stamp()
			}
		})
		wg.Go(func() {
			other := journal.NewWriter(journal.Config{Peer: fmt.Sprint("p", i), Boot: 1})
			for range each {
				other.Record("x", "", nil)
				if err := w.Observe(other.Stamp()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for name, k := range map[string]*keeper{"first": first, "second": &second} {
		var gaps journal.Gaps
		lamport := uint64(0)
		for _, e := range k.events {
			gaps.Add(e)
			if e.Lamport <= lamport || e.Clock.Count("alice#1") != e.Seq {
				t.Fatalf("%s sink: event %d has Lamport time %d after %d, and clock %v", name, e.Seq, e.Lamport, lamport, e.Clock)
			}
			lamport = e.Lamport
		}
		if err := gaps.Err(); err != nil || len(k.events) != writers*each {
			t.Errorf("%s sink: %d events, %v", name, len(k.events), err)
		}
	}
}

func TestAttachAndDetach(t *testing.T) {
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 2})
	w.Record("x", "nobody listens", nil)
	var a, b keeper
	detachA := w.Attach(a.sink)
	w.Record("x", "one", nil)
	w.Attach(b.sink)
	w.Record("x", "two", nil)
	detachA()
	detachA()
	w.Record("x", "three", nil)
	texts := func(k keeper) (s string) {
		for _, e := range k.events {
			s += fmt.Sprintf("%d %s, ", e.Seq, e.Text)
		}
		return s
	}
	if got := texts(a); got != "2 one, 3 two, " {
		t.Errorf("the first sink got %q", got)
	}
	if got := texts(b); got != "3 two, 4 three, " {
		t.Errorf("the second sink got %q", got)
	}
}

func TestFieldThatCannotBeWritten(t *testing.T) {
	for name, fields := range map[string]map[string]any{
		"reserved": {"seq": 1},
		"no JSON":  {"f": func() {}},
	} {
		t.Run(name, func(t *testing.T) {
			w, k := writer("alice")
			w.Record("x", "one", fields)
			w.Record("x", "two", nil)
			if len(k.events) != 2 || k.events[0].Text != "one" || k.events[1].Seq != 2 {
				t.Fatalf("recorded %v; want both", k.events)
			}
			if text, _ := k.events[0].Fields["error"].(string); !strings.Contains(text, "field") {
				t.Errorf("the first event has the fields %v; want the error", k.events[0].Fields)
			}
		})
	}
}

func TestStampIsStableUntilSomethingHappens(t *testing.T) {
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
	w.Record("x", "", nil)
	before := bytes.Clone(w.Stamp())
	if !bytes.Equal(before, w.Stamp()) {
		t.Error("asking changes the stamp")
	}
	w.Record("x", "", nil)
	if bytes.Equal(before, w.Stamp()) {
		t.Error("the stamp is the same after one more event")
	}
}

// Several writers record and exchange stamps at random. What happened before
// what is kept beside them as plain sets, and the clocks must say the same.
func TestClocksTellWhatHappenedBefore(t *testing.T) {
	type set map[string]bool
	type message struct {
		stamp []byte
		past  set
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		const processes = 5
		var writers [processes]*journal.Writer
		var kept [processes]*keeper
		var known [processes]set
		var mail []message
		past := map[string]set{} // of each event
		var events []journal.Event
		for i := range processes {
			writers[i], kept[i] = writer(fmt.Sprint("p", i))
			known[i] = set{}
		}
		union := func(to, from set) {
			for e := range from {
				to[e] = true
			}
		}
		for range 120 {
			i := rng.IntN(processes)
			switch rng.IntN(3) {
			case 0:
				writers[i].Record("x", "", nil)
				e := kept[i].events[len(kept[i].events)-1]
				name := fmt.Sprintf("%s#1/%d", e.Peer, e.Seq)
				past[name] = set{}
				union(past[name], known[i])
				known[i][name] = true
				events = append(events, e)
			case 1:
				m := message{bytes.Clone(writers[i].Stamp()), set{}}
				union(m.past, known[i])
				mail = append(mail, m)
			case 2:
				if len(mail) > 0 {
					m := mail[rng.IntN(len(mail))] // late, doubled or lost
					if err := writers[i].Observe(m.stamp); err != nil {
						t.Fatal(err)
					}
					union(known[i], m.past)
				}
			}
		}
		for _, a := range events {
			for _, b := range events {
				from := fmt.Sprintf("%s#1/%d", a.Peer, a.Seq)
				to := fmt.Sprintf("%s#1/%d", b.Peer, b.Seq)
				before := from != to && b.Clock.Count(a.Peer+"#1") >= a.Seq
				if before != past[to][from] {
					t.Fatalf("clocks say %v for %s before %s; it is %v", before, from, to, past[to][from])
				}
				if before && a.Lamport >= b.Lamport {
					t.Fatalf("%s is before %s, and their Lamport times are %d and %d", from, to, a.Lamport, b.Lamport)
				}
			}
		}
	}
}

func TestNobodyKnowsBetterThanOurselves(t *testing.T) {
	liar := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
	for range 9 {
		liar.Record("x", "", nil)
	}
	w, k := writer("alice")
	if err := w.Observe(liar.Stamp()); err != nil {
		t.Fatal(err)
	}
	w.Record("x", "", nil)
	if got := k.events[0].Clock.Count("alice#1"); got != 1 {
		t.Errorf("our first event is number %d in our clock", got)
	}
}

func TestManyProcesses(t *testing.T) {
	w, k := writer("a")
	meet := func(i int) {
		other := journal.NewWriter(journal.Config{Peer: fmt.Sprint("p", i), Boot: 1})
		other.Record("x", "", nil)
		if err := w.Observe(other.Stamp()); err != nil {
			t.Fatal(err)
		}
		w.Record("x", "", nil)
	}
	for i := range journal.MaxClock - 1 {
		meet(i)
	}
	last := k.events[len(k.events)-1]
	if len(last.Clock) != journal.MaxClock {
		t.Fatalf("%d entries with %d processes", len(last.Clock), journal.MaxClock)
	}
	meet(journal.MaxClock)
	wide := k.events[len(k.events)-1]
	if wide.Clock != nil || wide.Lamport != last.Lamport+1 {
		t.Errorf("one process more: clock %v, Lamport time %d after %d; want the Lamport time alone", wide.Clock, wide.Lamport, last.Lamport)
	}
	for i := range 1000 {
		meet(1000 + i)
	}
	if n := len(w.Stamp()); n > 16 {
		t.Errorf("the stamp has %d bytes; want the Lamport time alone", n)
	}

	bob, seen := writer("bob")
	if err := bob.Observe(w.Stamp()); err != nil {
		t.Fatal(err)
	}
	bob.Record("x", "", nil)
	if e := seen.events[0]; e.Clock != nil || e.Lamport <= wide.Lamport {
		t.Errorf("who hears of it records clock %v, Lamport time %d; a clock with holes is wrong", e.Clock, e.Lamport)
	}
}

// What a receiver keeps of a message is the clock of its sending, exactly:
// nothing of what the sender did later, nothing of what the receiver knew.
func TestSendingIsKnownAtTheReceiver(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	const processes = 5
	var writers [processes]*journal.Writer
	var kept [processes]*keeper
	for i := range processes {
		writers[i], kept[i] = writer(fmt.Sprint("p", i))
	}
	type message struct {
		stamp []byte
		sent  journal.Event
	}
	var mail []message
	n := 0
	for range 600 {
		i := rng.IntN(processes)
		w, k := writers[i], kept[i]
		switch {
		case rng.IntN(3) == 0:
			w.Record("x", "", nil)
		case len(mail) == 0 || rng.IntN(2) == 0:
			stamp := bytes.Clone(w.RecordSent(journal.TypeSent, "hello", nil))
			mail = append(mail, message{stamp, k.last()})
		default:
			m := mail[rng.IntN(len(mail))]
			fields := map[string]any{"from": m.sent.Peer}
			if err := w.RecordReceived(m.stamp, journal.TypeChat, "hello", fields); err != nil || len(fields) != 1 {
				t.Fatal(err, fields)
			}
			e := k.last()
			got, ok := e.Sending()
			if !ok || fmt.Sprint(got) != fmt.Sprint(m.sent.Clock) {
				t.Fatalf("the message was sent at %v; %v says %v, %v", m.sent.Clock, e, got, ok)
			}
			if m.sent.Peer != e.Peer && m.sent.Clock.Compare(e.Clock) != vclock.Before {
				t.Fatalf("it was sent at %v, and received at %v", m.sent.Clock, e.Clock)
			}
			if own, ok := m.sent.Sending(); !ok || fmt.Sprint(own) != fmt.Sprint(m.sent.Clock) {
				t.Fatalf("the sender itself says %v, %v", own, ok)
			}
			n++
		}
	}
	if n < 100 {
		t.Fatalf("only %d messages", n)
	}
}

func TestSendingThatIsNotKnown(t *testing.T) {
	w, k := writer("bob")
	fields := map[string]any{"from": "alice"}
	if err := w.RecordReceived([]byte{9}, journal.TypeChat, "hello", fields); err == nil {
		t.Error("a malformed stamp is no error")
	}
	w.Record(journal.TypeChat, "hello", fields)
	wide := journal.NewWriter(journal.Config{Peer: "wide", Boot: 1})
	for i := range journal.MaxClock + 1 {
		other := journal.NewWriter(journal.Config{Peer: fmt.Sprint("p", i), Boot: 1})
		other.Record("x", "", nil)
		if err := wide.Observe(other.Stamp()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.RecordReceived(wide.RecordSent("sent", "", nil), journal.TypeChat, "hello", fields); err != nil {
		t.Error(err)
	}
	if len(k.events) != 3 {
		t.Fatalf("%d events", len(k.events))
	}
	for _, e := range k.events {
		if c, ok := e.Sending(); ok {
			t.Errorf("%v: the clock of the sending is %v", e, c)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, c := range []struct {
		name string
		sink func(b *testing.B, w *journal.Writer)
	}{
		{"no sink", func(*testing.B, *journal.Writer) {}},
		{"sink", func(_ *testing.B, w *journal.Writer) { w.Attach(func(journal.Event, []byte) {}) }},
		{"file", func(b *testing.B, w *journal.Writer) { w.Attach(openFile(b, realDir(b)).Sink) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
			for i := range 49 {
				other := journal.NewWriter(journal.Config{Peer: fmt.Sprint("peer", i), Boot: 1})
				other.Record("x", "", nil)
				if err := w.Observe(other.Stamp()); err != nil {
					b.Fatal(err)
				}
			}
			c.sink(b, w)
			fields := map[string]any{"from": "bob", "late": false}
			b.ReportAllocs()
			for b.Loop() {
				w.Record(journal.TypeChat, "hello, everybody", fields)
			}
		})
	}
}
