package report_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/report"
)

// number is one of the figures that the canvas tells.
func number(t *testing.T, data map[string]string, name string) int {
	t.Helper()
	n, err := strconv.Atoi(data[name])
	if err != nil {
		t.Fatalf("%s: %q", name, data[name])
	}
	return n
}

// TestInABrowser looks at pages in one Chromium.
func TestInABrowser(t *testing.T) {
	b := openBrowser(t)
	for name, test := range map[string]func(*testing.T, *browser){
		"example": exampleInABrowser, "past and future": pastAndFuture, "hostile texts": hostileTexts,
		"policy": policyStopsOtherScripts, "many events": manyEvents, "look": lookOfPages,
	} {
		t.Run(name, func(t *testing.T) {
			outer := b.t
			b.t = t
			defer func() { b.t = outer }()
			test(t, b)
		})
	}
}

// exampleInABrowser looks at the page of the example in Chromium.
func exampleInABrowser(t *testing.T, b *browser) {
	w := small(t)
	path := page(t, w)
	b.window(1280, 1600, "light")
	b.open(fileURL(path))
	b.press("0") // all of it in sight
	count := func(types ...string) int {
		n := 0
		for _, e := range w.written {
			if e.Peer != "testserver" && !slices.Contains(types, e.Type) {
				n++
			}
		}
		return n
	}
	drawn := func(t *testing.T, want map[string]int) {
		t.Helper()
		data := b.data()
		for name, n := range want {
			if got := number(t, data, name); got != n {
				t.Errorf("%s: %d, want %d", name, got, n)
			}
		}
	}
	t.Run("all is drawn", func(t *testing.T) {
		drawn(t, map[string]int{"dots": count("view"), "arrows": w.got, "crosses": w.lost, "bands": w.bands, "boots": w.boots, "rows": len(w.result.Rows), "dense": 0})
	})
	t.Run("the side bar has what is wrong", func(t *testing.T) {
		var text string
		b.eval(`document.getElementById('side').innerText`, &text)
		for _, want := range []string{"FAILED", "bob: seen 0, expected 1", "panic: runtime error", "who sees whom", "a crash is noticed, once", "check delivery"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		failed := slices.IndexFunc(w.result.Rows, func(r report.Row) bool { return r.Status == report.Fail })
		if data := b.data(); number(t, data, "row") != failed {
			t.Errorf("selected is row %q, want the failure, %d", data["row"], failed)
		}
	})
	t.Run("types are filtered", func(t *testing.T) {
		toggle := func(typ string) { b.eval(`document.querySelector('[data-type="`+typ+`"]').click()`, nil) }
		toggle("view")
		drawn(t, map[string]int{"dots": count(), "arrows": w.got})
		toggle("view")
		toggle("chat")
		drawn(t, map[string]int{"dots": count("view", "chat"), "arrows": 0, "crosses": w.lost})
		toggle("chat")
	})
	t.Run("peers are filtered", func(t *testing.T) {
		b.eval(`document.querySelector('[data-peer="charly"]').click()`, nil)
		data := b.data()
		if got := number(t, data, "arrows"); got >= w.got || got == 0 || number(t, data, "boots") != 2 {
			t.Errorf("without charly: %v", data)
		}
		b.eval(`document.querySelector('[data-peer="charly"]').click()`, nil)
		drawn(t, map[string]int{"arrows": w.got})
	})
	t.Run("search finds", func(t *testing.T) {
		b.press("/")
		for _, r := range "apart" {
			b.press(string(r))
		}
		want := 0
		for _, e := range w.written {
			if e.Peer != "testserver" && e.Type != "view" && strings.Contains(e.Text, "apart") {
				want++
			}
		}
		drawn(t, map[string]int{"hits": want})
		b.press("Enter")
		if data := b.data(); data["event"] == "" {
			t.Error("the first hit is not selected")
		}
		b.press("Escape")
		b.press("Escape")
		if data := b.data(); data["event"] != "" {
			t.Error("the selection is not forgotten")
		}
	})
	t.Run("to scale", func(t *testing.T) {
		b.press("t")
		b.press("0")
		drawn(t, map[string]int{"dots": count("view")})
		b.press("t")
		b.press("0")
	})
	t.Run("a click on a dot selects", func(t *testing.T) {
		var at struct{ X, Y float64 }
		// A dot of the hue of what was sent, as it is on the canvas.
		b.eval(`(() => {
			const c = document.getElementById('canvas'), box = c.getBoundingClientRect(), p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
			for (let i = 0; i < p.length; i += 4) if (p[i] === 0x2f && p[i + 1] === 0x9e && p[i + 2] === 0x44 && (i / 4) % c.width > 400)
				return { x: box.x + (i / 4) % c.width, y: box.y + Math.floor(i / 4 / c.width) + 3 };
		})()`, &at)
		b.click(at.X, at.Y)
		var title string
		b.eval(`document.getElementById('what').innerText`, &title)
		if data := b.data(); data["event"] == "" || !strings.HasSuffix(title, "sent") {
			t.Errorf("selected %q, %q", data["event"], title)
		}
	})
	b.quiet()
}

// pastAndFuture compares what the page calls past and future with what
// the vector clocks say.
func pastAndFuture(t *testing.T, b *browser) {
	w := small(t)
	b.window(1280, 800, "light")
	b.open(fileURL(page(t, w)))
	events := sorted(w)
	for i := 0; i < len(events); i += 3 {
		past, future := 0, 0
		for j := range events {
			switch {
			case i == j:
			case before(events[j], events[i]):
				past++
			case before(events[i], events[j]):
				future++
			}
		}
		b.eval(fmt.Sprintf(`location.hash = '#event-%d'`, i), nil)
		data := b.data()
		if number(t, data, "event") != i || number(t, data, "past") != past || number(t, data, "future") != future {
			t.Fatalf("event %d: %v, want %d before it and %d after", i, data, past, future)
		}
	}
	b.quiet()
}

// sorted are the events of peers in the order in which a page numbers them.
func sorted(w *world) []journal.Event {
	var events []journal.Event
	for _, e := range w.written {
		if e.Peer != "testserver" {
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b journal.Event) int { return a.Time.Compare(b.Time) })
	return events
}

// before tells whether a is before b by their clocks.
func before(a, b journal.Event) bool {
	return b.Clock.Count(fmt.Sprintf("%s#%d", a.Peer, a.Boot)) >= a.Seq
}

// hostileTexts puts markup, scripts and escapes everywhere a peer or a
// scenario may write.
func hostileTexts(t *testing.T, b *browser) {
	evil := `</script><script>document.title='pwned';alert(1)</script><img src=x onerror="document.title='pwned'"><!--<script>` + "\u2028\u2029\u202e\x00\x1b[31m\xff" + `{{script}} ${alert(2)} ` + "`" + `javascript:alert(3)`
	w := newWorld(t, "alice", evil)
	w.start("alice", evil)
	w.phase(evil)
	for _, typ := range []string{"chat", "log", evil} {
		w.event(evil, typ, evil, map[string]any{"output": evil, "from": evil, evil + "x": evil, "id": evil, "__proto__": evil})
	}
	w.msg(evil, evil)
	w.pass(10 * time.Millisecond)
	w.partition(1, evil)
	row := w.row(report.KindAssert, evil, report.Fail, func() { w.pass(time.Second) })
	row.Wrong, row.Expected, row.Seen, row.Faults, row.Last, row.Comment, row.Output = evil, evil, []string{evil}, []string{evil}, []string{evil}, []string{evil}, evil
	w.gone(evil, evil, false)
	r := w.result
	r.Scenario, r.Path, r.Dir, r.Rerun, r.Engine = evil, evil, evil, evil, evil
	r.Problems = []report.Problem{{Text: evil, Details: []string{evil}}}
	r.Matrix, r.Peers[1].Exit, r.Peers[1].Stderr, r.Peers[1].Expected = []string{evil}, evil, []string{evil}, false
	path := page(t, w)
	b.window(1280, 800, "dark")
	b.open(fileURL(path))
	b.open(fileURL(path) + "#event-4")
	b.open(fileURL(path) + "#row-0")
	var got struct {
		Title        string
		Scripts, Img int
		Ready        string
	}
	b.eval(`({ title: document.title, scripts: document.scripts.length, img: document.images.length, ready: document.getElementById('canvas').dataset.ready })`, &got)
	if got.Title == "pwned" || got.Scripts != 2 || got.Img != 0 || got.Ready != "yes" {
		t.Errorf("%+v", got)
	}
	b.quiet()
	if text, _ := os.ReadFile(path); bytes.ContainsAny(text, "\x00\x1b\u202e\u2028") {
		t.Error("control characters in the page")
	}
}

// policyStopsOtherScripts shows that the page could not run code or load
// anything even if a text became markup.
func policyStopsOtherScripts(t *testing.T, b *browser) {
	b.window(1280, 800, "light")
	text, err := os.ReadFile(page(t, small(t)))
	if err != nil {
		t.Fatal(err)
	}
	hacked := strings.Replace(string(text), "</body>", `<script>document.title = 'pwned'</script><img src="http://127.0.0.1:9/x.png"></body>`, 1)
	path := filepath.Join(t.TempDir(), "hacked.html")
	if err := os.WriteFile(path, []byte(hacked), 0o644); err != nil {
		t.Fatal(err)
	}
	b.open(fileURL(path))
	var title string
	b.eval(`document.title`, &title)
	if title == "pwned" {
		t.Error("a script that is not the page's own has run")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := strings.Count(strings.Join(b.problems, "\n"), "Content Security Policy")
	b.problems = nil
	if refused < 2 {
		t.Errorf("%d things were refused, want the script and the picture", refused)
	}
}

// manyEvents holds a page of more events than can be told apart to its size,
// to the time that it takes to make and to draw, and to its levels of detail:
// 30,000 every day, 100,000 in a soak.
func manyEvents(t *testing.T, b *browser) {
	if testing.Short() {
		t.Skip("makes many events: run without -short")
	}
	events := 30_000
	if os.Getenv("PEERLAB_SOAK") != "" {
		events = 100_000
	}
	w := big(t, 10, events, true)
	r, j := w.end()
	var out bytes.Buffer
	began := time.Now()
	if err := report.HTML(&out, r, bytes.NewReader(j)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	// Generous: this finds what is not linear, also with the race detector
	// on a busy machine. The benchmark says how long it takes.
	if out.Len() > 10<<20 || took > 30*time.Second {
		t.Errorf("%d bytes in %v", out.Len(), took)
	}
	path := filepath.Join(t.TempDir(), "crowd.html")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	b.window(1280, 800, "light")
	began = time.Now()
	b.open(fileURL(path))
	opened := time.Since(began)
	data := b.data()
	if number(t, data, "dense") == 0 || number(t, data, "dots") != 0 {
		t.Errorf("all of it is drawn as %v, want bars of density", data)
	}
	overview := data["took"]
	b.eval(`document.getElementById('view').scrollTop = 0`, nil)
	for range 40 { // in, until events can be told apart
		b.press("+")
		if data = b.data(); data["dense"] == "0" {
			break
		}
	}
	if number(t, data, "dots") == 0 || number(t, data, "arrows") == 0 {
		t.Errorf("zoomed in: %v", data)
	}
	b.eval(fmt.Sprintf(`location.hash = '#event-%d'`, events/2), nil)
	began = time.Now()
	data = b.data()
	if number(t, data, "past") < 1000 || number(t, data, "future") < 1000 || number(t, data, "dots") == 0 {
		t.Errorf("selected: %v", data)
	}
	if opened > 15*time.Second {
		t.Errorf("the page took %v to open", opened)
	}
	t.Logf("%.1f MB made in %v, opened in %v; overview drawn in %s ms, events in %s ms, a selection in %v",
		float64(out.Len())/(1<<20), took.Round(time.Millisecond), opened.Round(time.Millisecond), overview, data["took"], time.Since(began).Round(time.Millisecond))
	b.quiet()
}

func lookOfPages(t *testing.T, b *browser) {
	if os.Getenv("PEERLAB_KEEP_PAGES") == "" {
		t.Skip("makes pictures for people: set PEERLAB_KEEP_PAGES to a folder")
	}
	for name, w := range map[string]*world{"small": small(t), "fifty": big(t, 50, 4000, true), "crowd": big(t, 10, 100_000, true)} {
		t.Run(name, func(t *testing.T) {
			path := page(t, w)
			for _, scheme := range []string{"light", "dark"} {
				b.window(1280, 800, scheme)
				b.open(fileURL(path))
				b.shot(fmt.Sprintf("%s-%s", name, scheme))
			}
			if name == "small" {
				b.press("0")
				b.shot("small-fit")
				b.open(fileURL(path) + "#event-20")
				b.shot("small-selected")
			}
			b.quiet()
		})
	}
}
