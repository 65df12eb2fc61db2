package journal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
)

// TestLate: a file that is opened late begins with the first event, and has
// each event once, in order, while others go on recording.
func TestLate(t *testing.T) {
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
	var late journal.Late
	w.Attach(late.Sink)
	const events = 500
	for i := range 10 {
		w.Record("log", fmt.Sprint(i), nil)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 10; i < events; i++ {
			w.Record("log", fmt.Sprint(i), nil)
		}
	}()
	dir := files.Mem()
	f, err := journal.OpenFile(dir, "j", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	late.Open(f)
	<-done
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	next := uint64(1)
	for e, err := range journal.Kept(dir, "j") {
		if err != nil || e.Seq != next || e.Text != fmt.Sprint(next-1) {
			t.Fatalf("event %d %q, %v; number %d is due", e.Seq, e.Text, err, next)
		}
		next++
	}
	if next != events+1 {
		t.Errorf("%d events, want %d", next-1, events)
	}
}

// TestLateIsBounded: a writer whose file never comes does not grow for ever.
func TestLateIsBounded(t *testing.T) {
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
	var late journal.Late
	w.Attach(late.Sink)
	text := strings.Repeat("x", 64<<10)
	for range 100 {
		w.Record("log", text, nil)
	}
	dir := files.Mem()
	f, err := journal.OpenFile(dir, "j", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	late.Open(f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	kept, err := dir.ReadFile("j")
	if err != nil || len(kept) > 1<<20 || len(kept) < 1<<19 {
		t.Errorf("%d bytes were kept, %v", len(kept), err)
	}
}
