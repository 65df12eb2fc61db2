package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/report"
)

// page writes the page of a run and returns its path.
func page(t testing.TB, w *world) string {
	t.Helper()
	r, j := w.end()
	var b bytes.Buffer
	if err := report.HTML(&b, r, bytes.NewReader(j)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if keep := os.Getenv("PEERLAB_KEEP_PAGES"); keep != "" {
		dir = keep
	}
	path := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".html")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// pageJSON is the data that a page carries.
func pageJSON(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), `<script type="application/json" id="data">`)
	data, _, end := strings.Cut(rest, "</script>")
	if !ok || !end {
		t.Fatal("no data in the page")
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(data), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func size(m map[string]any, name string) int { return len(m[name].([]any)) }

func TestPageHasWhatTheJournalHas(t *testing.T) {
	w := small(t)
	m := pageJSON(t, page(t, w))
	events := 0
	for _, e := range w.written {
		if e.Peer != "testserver" {
			events++
		}
	}
	for name, want := range map[string]int{
		"time": events, "to": w.got, "lost": 2 * w.lost, "faults": w.bands, "lives": w.boots, "pauses": 1,
		"rows": len(w.result.Rows), "phases": 4, "peers": 3, "notes": 0,
	} {
		if got := size(m, name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if w.lost != 1 || w.got == 0 {
		t.Errorf("the fixture has %d lost messages, %d received", w.lost, w.got)
	}
}

// TestFaultsThatOverlap ends each fault where its own number is healed.
func TestFaultsThatOverlap(t *testing.T) {
	w := newWorld(t, "alice", "bob")
	w.start("alice", "bob")
	first := w.partition(1, "partition alice | bob")
	w.pass(time.Second)
	second := w.partition(1, "partition alice | bob")
	w.pass(time.Second)
	first()
	w.pass(time.Second)
	second()
	w.partition(1, "oneway alice -> bob")
	m := pageJSON(t, page(t, w))
	var got []string
	for _, f := range m["faults"].([]any) {
		f := f.(map[string]any)
		got = append(got, fmt.Sprintf("%v %.0f %.0f", f["text"], f["from"], f["to"]))
	}
	want := []string{"partition alice | bob 0 2000000", "partition alice | bob 1000000 3000000", "oneway alice -> bob 3000000 -1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestPageOfAJournalThatIsNotWhole(t *testing.T) {
	w := small(t)
	r, j := w.end()
	for name, text := range map[string]string{
		"empty":           "",
		"another version": strings.Replace(string(j), `{"v":1`, `{"v":9`, 1),
		"corrupt":         string(j[:len(j)/2]) + "\nnonsense\n" + string(j[len(j)/2:]),
	} {
		var b bytes.Buffer
		if err := report.HTML(&b, r, strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "empty" && !strings.Contains(b.String(), "the journal is not whole") {
			t.Errorf("%s: the page does not say so", name)
		}
	}
}

// TestPageOfARunInTheOriginalForm has no events of the runner: rows lie where
// the result says, boots where the events begin.
func TestPageOfARunInTheOriginalForm(t *testing.T) {
	w := newWorld(t, "alice", "bob")
	w.start("alice", "bob")
	w.pass(10 * time.Millisecond)
	w.row(report.KindCommand, "alice msg test", report.OK, func() { w.msg("alice", "test"); w.pass(10 * time.Millisecond) })
	var kept []journal.Event
	for _, e := range w.written {
		if e.Peer != "testserver" {
			kept = append(kept, e)
		}
	}
	w.written, w.result.Phases = kept, nil
	r, j := w.end()
	var b bytes.Buffer
	if err := report.HTML(&b, r, bytes.NewReader(j)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.html")
	_ = os.WriteFile(path, b.Bytes(), 0o644)
	m := pageJSON(t, path)
	if from := m["rows"].([]any)[0].(map[string]any)["from"].(float64); from != 10_000 {
		t.Errorf("the row begins at %v µs", from)
	}
	if size(m, "lives") != 2 || size(m, "phases") != 1 {
		t.Errorf("%d boots, %d phases", size(m, "lives"), size(m, "phases"))
	}
}

func TestHugeTextsAreCut(t *testing.T) {
	w := newWorld(t, "alice")
	w.start("alice")
	for i := range 100 {
		w.event("alice", "log", strings.Repeat(fmt.Sprint(i), 200_000), map[string]any{"output": strings.Repeat(fmt.Sprint(i), 100_000)})
	}
	info, err := os.Stat(page(t, w))
	if err != nil || info.Size() > 2<<20 {
		t.Errorf("the page has %d bytes, %v", info.Size(), err)
	}
}

func BenchmarkHTML(b *testing.B) {
	for _, peers := range []int{3, 10, 50} {
		w := big(b, peers, 100_000, false)
		r, j := w.end()
		b.Run(fmt.Sprintf("peers=%d", peers), func(b *testing.B) {
			for b.Loop() {
				var out bytes.Buffer
				if err := report.HTML(&out, r, bytes.NewReader(j)); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(out.Len())/(1<<20), "MB")
			}
		})
	}
}
