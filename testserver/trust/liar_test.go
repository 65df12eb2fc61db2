package trust_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/peerlab/peerlab/internal/testlink"
	peercli "github.com/peerlab/peerlab/peer/cli"
)

func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// lyingPeer is the program peer, with a liar between it and the test server.
func lyingPeer(ctx context.Context, args []string, lie string) int {
	l := &liar{name: args[0], token: token()}
	tell, known := lies()[lie]
	if !known {
		panic("there is no lie " + lie)
	}
	l.up, l.down = tell(l)
	i := slices.Index(args, "--test") + 1
	l.server = args[i]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(listener, l) }()
	args[i] = "http://" + listener.Addr().String()
	env := func(name string) string {
		switch name {
		case "PEERLAB_TOKEN":
			return l.token
		case "PEERLAB_TOKEN_FD":
			return ""
		}
		return os.Getenv(name)
	}
	status := peercli.Main(ctx, args, peercli.Process{Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if l.last != nil {
		l.last()
	}
	return status
}

func token() string {
	fd, err := strconv.Atoi(os.Getenv("PEERLAB_TOKEN_FD"))
	if err != nil {
		return os.Getenv("PEERLAB_TOKEN")
	}
	data, err := io.ReadAll(os.NewFile(uintptr(fd), "token"))
	if err != nil {
		panic(err)
	}
	return string(data)
}

// frame is a message of the link. Its members are those of the wire.
type frame map[string]any

func (f frame) is(kind string) bool { return f["type"] == kind }

// event is the event in the frame; an empty one if there is none.
func (f frame) event() frame { return f.part("event") }

func (f frame) part(name string) frame {
	e, _ := f[name].(map[string]any)
	return e
}

// with is a copy with another value somewhere below: names lead there.
func (f frame) with(value any, names ...string) frame {
	c := frame{}
	for k, v := range f {
		c[k] = v
	}
	if len(names) > 1 {
		value = map[string]any(f.part(names[0]).with(value, names[1:]...))
	}
	c[names[0]] = value
	return c
}

// hearing is what becomes of a message: what is passed on instead of it. A
// string is passed on as it is.
type hearing func(frame) []any

func truth(f frame) []any { return []any{f} }

// liar stands between a peer and the test server.
type liar struct {
	name, token, server string
	up, down            hearing
	last                func() // instead of the end in order; nil for nothing

	mu       sync.Mutex
	toServer *websocket.Conn
	toPeer   *websocket.Conn
	numbered bool // events get numbers without a gap
	count    int  // of events with numbers
	silent   bool // nothing is passed on any more
	held     []any
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	peer, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	server, _, err := websocket.Dial(r.Context(), l.server+testlink.Path, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + l.token}},
	})
	if err != nil {
		panic(err)
	}
	peer.SetReadLimit(-1)
	server.SetReadLimit(-1)
	l.toServer, l.toPeer = server, peer
	var wg sync.WaitGroup
	wg.Go(func() { l.pass(r.Context(), peer, server, l.lie) })
	wg.Go(func() { l.pass(r.Context(), server, peer, l.down) })
	wg.Wait()
}

// lie is what the server gets instead of a message of the peer.
func (l *liar) lie(f frame) []any {
	said := l.up(f)
	for i, s := range said {
		said[i] = l.number(s)
	}
	return said
}

// number gives an event its number, and what counts events their count, if
// there are to be no gaps.
func (l *liar) number(say any) any {
	f, is := say.(frame)
	switch {
	case !is || !l.numbered:
	case f.is("event"):
		l.count++
		return f.with(l.count, "event", "seq")
	case f.is("fenced"), f.is("close"):
		return f.with(l.count, "events")
	}
	return say
}

// pass passes on what comes until one side hangs up.
func (l *liar) pass(ctx context.Context, from, to *websocket.Conn, hear hearing) {
	for {
		_, data, err := from.Read(ctx)
		if err != nil {
			// The other side was told before; only it may hang up now.
			if websocket.CloseStatus(err) == -1 && !errors.Is(err, io.EOF) {
				_ = to.CloseNow()
			} else {
				_ = to.Close(websocket.StatusNormalClosure, "")
			}
			return
		}
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			panic(err)
		}
		l.mu.Lock()
		for _, say := range hear(f) {
			l.send(to, say)
		}
		l.mu.Unlock()
	}
}

func (l *liar) send(to *websocket.Conn, say any) {
	if l.silent {
		return
	}
	var data []byte
	switch say := say.(type) {
	case string:
		data = []byte(say)
	default:
		var err error
		if data, err = json.Marshal(say); err != nil {
			panic(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = to.Write(ctx, websocket.MessageText, data) // it is heard, or the link has ended
}

// later says something to the server by itself.
func (l *liar) later(after time.Duration, say ...any) {
	time.AfterFunc(after, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, s := range say {
			l.send(l.toServer, l.number(s))
		}
	})
}
