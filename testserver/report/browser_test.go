package report_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/peerlab/peerlab/internal/childtest"
)

// browser is a headless Chromium, driven by its DevTools protocol. One is
// started for a test and used for all its pages.
type browser struct {
	t    testing.TB
	ws   *websocket.Conn
	ctx  context.Context
	next int

	mu       sync.Mutex
	waiting  map[int]chan answer
	session  string
	loaded   chan struct{}
	problems []string // errors of the console, refused by the policy, thrown
}

type answer struct {
	ID        int             `json:"id"`
	Method    string          `json:"method"`
	SessionID string          `json:"sessionId"`
	Params    json.RawMessage `json:"params"`
	Result    json.RawMessage `json:"result"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// openBrowser starts Chromium, or skips the test where there is none.
func openBrowser(t testing.TB) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Skip("needs chromium: install it to have the pages looked at")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--remote-debugging-port=0", "--user-data-dir="+filepath.Join(home, "profile"), "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home)
	cmd.WaitDelay = 5 * time.Second
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = childtest.Start(t, cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, ctx: ctx, waiting: map[int]chan answer{}, loaded: make(chan struct{}, 1)}
	var readers sync.WaitGroup
	url := make(chan string, 1)
	readers.Go(func() { findURL(stderr, url) })
	t.Cleanup(func() {
		if b.ws != nil {
			b.send("Browser.close", nil, "", 0)
		}
		cancel()
		readers.Wait()
		_ = cmd.Wait()
	})
	select {
	case u := <-url:
		if b.ws, _, err = websocket.Dial(ctx, u, nil); err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("chromium did not say where it listens")
	}
	b.ws.SetReadLimit(64 << 20)
	readers.Go(b.read)
	b.attach()
	return b
}

// findURL finds where the browser listens in what it says, and reads on.
func findURL(stderr io.Reader, url chan<- string) {
	s := bufio.NewScanner(stderr)
	for s.Scan() {
		if _, u, ok := strings.Cut(s.Text(), "DevTools listening on "); ok {
			url <- u
		}
	}
}

func (b *browser) read() {
	for {
		_, data, err := b.ws.Read(b.ctx)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(data, &a) != nil {
			continue
		}
		b.mu.Lock()
		switch {
		case a.ID != 0 && b.waiting[a.ID] != nil:
			b.waiting[a.ID] <- a
		case a.Method == "Page.loadEventFired":
			b.loaded <- struct{}{}
		case a.Method == "Runtime.exceptionThrown", a.Method == "Log.entryAdded",
			a.Method == "Network.requestWillBeSent" && !strings.Contains(string(a.Params), `"url":"file:`),
			a.Method == "Page.javascriptDialogOpening":
			b.problems = append(b.problems, a.Method+" "+string(a.Params))
		case a.Method == "Runtime.consoleAPICalled" && strings.Contains(string(a.Params), `"type":"error"`):
			b.problems = append(b.problems, string(a.Params))
		}
		b.mu.Unlock()
	}
}

func (b *browser) send(method string, params any, session string, id int) {
	m := map[string]any{"id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if session != "" {
		m["sessionId"] = session
	}
	data, err := json.Marshal(m)
	if err == nil {
		err = b.ws.Write(b.ctx, websocket.MessageText, data)
	}
	if err != nil && id != 0 {
		b.t.Fatal(err)
	}
}

// call calls a method and decodes its result.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.mu.Lock()
	b.next++
	id, c := b.next, make(chan answer, 1)
	b.waiting[id] = c
	b.mu.Unlock()
	b.send(method, params, b.session, id)
	select {
	case a := <-c:
		if a.Error != nil {
			b.t.Fatalf("%s: %s", method, a.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(a.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
	case <-b.ctx.Done():
		b.t.Fatalf("%s: no answer", method)
	}
}

func (b *browser) attach() {
	var target struct {
		ID string `json:"targetId"`
	}
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct {
		ID string `json:"sessionId"`
	}
	b.call("Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &session)
	b.session = session.ID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
}

// window sets the size and the colours.
func (b *browser) window(width, height int, scheme string) {
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// open loads a page and waits until it has drawn.
func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": "about:blank"}, nil) // an address that differs in its fragment only would not be loaded
	<-b.loaded
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	select {
	case <-b.loaded:
	case <-time.After(30 * time.Second):
		b.t.Fatal("the page did not load")
	}
	b.drawn()
}

// drawn waits until what is due is drawn.
func (b *browser) drawn() {
	b.t.Helper()
	b.eval(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))`, nil)
}

// eval evaluates an expression in the page.
func (b *browser) eval(expression string, into any) {
	b.t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.Exception != nil {
		b.t.Fatalf("%s: %s", expression, r.Exception)
	}
	if into != nil && r.Result.Value != nil {
		if err := json.Unmarshal(r.Result.Value, into); err != nil {
			b.t.Fatal(err)
		}
	}
}

// data are the attributes in which the canvas says what it has drawn.
func (b *browser) data() map[string]string {
	b.t.Helper()
	b.drawn()
	m := map[string]string{}
	b.eval(`Object.assign({}, document.getElementById('canvas').dataset)`, &m)
	return m
}

// press presses and releases a key.
func (b *browser) press(key string) {
	b.t.Helper()
	event := map[string]any{"type": "keyDown", "key": key}
	if len(key) == 1 {
		event["text"] = key
	}
	b.call("Input.dispatchKeyEvent", event, nil)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key}, nil)
	b.drawn()
}

func (b *browser) click(x, y float64) {
	b.t.Helper()
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}, nil)
	}
	b.drawn()
}

// shot keeps a picture of the window where the environment says so.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("PEERLAB_KEEP_PAGES")
	if dir == "" {
		return
	}
	var picture struct {
		Data string `json:"data"`
	}
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &picture)
	data, err := base64.StdEncoding.DecodeString(picture.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// quiet reports what went wrong in the page.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Error(p)
	}
	b.problems = nil
}

func fileURL(path string) string { return "file://" + filepath.ToSlash(path) }
