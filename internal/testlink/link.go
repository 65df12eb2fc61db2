package testlink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/coder/websocket"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
)

// Config says how a peer attaches to a test server.
type Config struct {
	URL   string // of the server, "http://127.0.0.1:1234"; ws, wss and https work too
	Token string // of the run
	Hello Hello

	// Dial opens the connection; by convention a netx.Network's. Nil uses the
	// network of the machine. No proxy is ever used.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// HTTP is used instead of Dial if it is not nil.
	HTTP *http.Client
	// Faults puts a table of faults in force and breaks the open streams to
	// the peers that are named. It must return soon. Nil refuses.
	Faults func(t faulty.Table, reset []string) error
	// Queue is how many messages may wait to be sent; 0 means DefaultQueue.
	Queue int
}

// Handler runs the commands of the test server.
type Handler interface {
	// Command runs one line as the peer's shell does. It is called from one
	// goroutine, in order. It returns soon after ctx has ended, which the
	// server's cancel and the end of the link do.
	Command(ctx context.Context, line string) Result
}

// HandlerFunc is a Handler made of a function.
type HandlerFunc func(ctx context.Context, line string) Result

// Command calls f.
func (f HandlerFunc) Command(ctx context.Context, line string) Result { return f(ctx, line) }

// Link is a peer's end. Its methods may be called from several goroutines.
type Link struct {
	s      *session
	queue  chan command
	faults func(faulty.Table, []string) error

	mu       sync.Mutex
	commands map[uint64]context.CancelFunc // waiting or running
	leaving  bool                          // no command begins any more
	asks     map[uint64]chan<- frame
	lastAsk  uint64
}

type command struct {
	id   uint64
	line string
	ctx  context.Context
}

// maxCommands is how many commands may wait for the one that runs.
const maxCommands = 256

// Dial attaches to the test server; ctx bounds that alone. Errors match
// ErrUnauthorized, ErrVersion and ErrRefused. Run or Close must follow.
func Dial(ctx context.Context, cfg Config) (*Link, error) {
	target, err := endpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	client := cfg.HTTP
	if client == nil {
		transport := &http.Transport{DialContext: cfg.Dial}
		defer transport.CloseIdleConnections()
		client = &http.Client{Transport: transport}
	}
	ws, resp, err := websocket.Dial(ctx, target, &websocket.DialOptions{
		HTTPClient: client,
		HTTPHeader: http.Header{"Authorization": {"Bearer " + cfg.Token}},
	})
	if err != nil {
		return nil, fmt.Errorf("attach to test server %s: %w", cfg.URL, dialError(resp, err))
	}
	s := newSession(ws, cfg.Queue)
	if err := introduce(ctx, s, cfg.Hello); err != nil {
		ws.CloseNow()
		return nil, fmt.Errorf("attach to test server %s: %w", cfg.URL, err)
	}
	return &Link{
		faults: cfg.Faults,
		s:      s, queue: make(chan command, maxCommands),
		commands: map[uint64]context.CancelFunc{}, asks: map[uint64]chan<- frame{},
	}, nil
}

func endpoint(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no URL of a test server; it looks like http://127.0.0.1:1234", server)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = Path
	}
	return u.String(), nil
}

// dialError says why there is no link. What the library puts around the cause
// is of no use to who gave the URL.
func dialError(resp *http.Response, err error) error {
	switch {
	case resp != nil && resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%w; it must be the one of this run", ErrUnauthorized)
	case resp != nil:
		return fmt.Errorf("what answers there, with %s, is no test server: check the URL", resp.Status)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%w; check the URL, and whether the test server still runs", err)
}

// introduce says hello and waits for the answer.
func introduce(ctx context.Context, s *session, h Hello) error {
	data, err := frame{Type: typeHello, Hello: &h}.encode()
	if err != nil {
		return err
	}
	if err := s.ws.Write(ctx, websocket.MessageText, data); err != nil {
		return lost(err)
	}
	_, data, err = s.ws.Read(ctx)
	if err != nil {
		return lost(err)
	}
	f, err := decode(data)
	switch {
	case err != nil:
		return err
	case f.Type == typeRefused:
		return fmt.Errorf("%w: %s", ErrRefused, f.Error)
	case f.Type != typeWelcome:
		return fmt.Errorf("%w: %q instead of a welcome", ErrProtocol, f.Type)
	}
	return nil
}

// Run serves the test server's commands until ctx ends, then sends what is
// still queued, says goodbye and returns nil. When the link ends otherwise it
// returns why: ErrClosed or ErrLost when the server went, ErrOverflow or
// ErrProtocol. It may be called once.
func (l *Link) Run(ctx context.Context, h Handler) error {
	work, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		l.work(work, h)
		l.s.end("the peer leaves")
	})
	wg.Go(func() {
		<-l.s.over
		cancel()
	})
	err := l.s.run(func(f frame) error { return l.handle(work, f) })
	wg.Wait()
	return err
}

// Close ends a link on which Run is not called.
func (l *Link) Close() error { return l.s.ws.CloseNow() }

// work runs commands one after another until ctx ends. The result of the one
// that runs then is still sent, and those that wait are told to be cancelled.
func (l *Link) work(ctx context.Context, h Handler) {
	defer l.dismiss()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-l.queue:
			r := NeverBegan()
			if ctx.Err() == nil && c.ctx.Err() == nil {
				r = h.Command(c.ctx, c.line).bounded()
			}
			l.answer(c.id, r)
		}
	}
}

// dismiss answers the commands that have not begun, and will not.
func (l *Link) dismiss() {
	l.mu.Lock()
	l.leaving = true
	l.mu.Unlock()
	for {
		select {
		case c := <-l.queue:
			l.answer(c.id, NeverBegan())
		default:
			return
		}
	}
}

// NeverBegan is the result of a command that was cancelled while it waited.
func NeverBegan() Result { return Result{Error: "cancelled before it began"} }

func (l *Link) answer(id uint64, r Result) {
	l.s.send(frame{Type: typeResult, ID: id, Result: &r})
	l.cancel(id)
}

func (l *Link) handle(ctx context.Context, f frame) error {
	switch f.Type {
	case typeCommand:
		return l.accept(ctx, f)
	case typeCancel:
		l.cancel(f.ID)
	case typeFence:
		l.s.send(frame{Type: typeFenced, ID: f.ID})
	case typeFaults:
		l.s.send(frame{Type: typeFaulted, ID: f.ID, Error: l.ail(f)})
	case typeAnswer:
		l.mu.Lock()
		defer l.mu.Unlock()
		if c := l.asks[f.ID]; c != nil {
			delete(l.asks, f.ID)
			c <- f
		}
	default:
		return fmt.Errorf("%w: %q from a test server", ErrProtocol, f.Type)
	}
	return nil
}

// ail puts faults in force, and says why it could not.
func (l *Link) ail(f frame) string {
	switch {
	case f.Faults == nil:
		return "no table of faults"
	case l.faults == nil:
		return "this peer's network takes no faults"
	}
	if err := l.faults(*f.Faults, f.Reset); err != nil {
		return err.Error()
	}
	return ""
}

func (l *Link) accept(ctx context.Context, f frame) error {
	c := command{id: f.ID, line: f.Line}
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		cancel()
		r := NeverBegan()
		l.s.send(frame{Type: typeResult, ID: f.ID, Result: &r})
		return nil
	}
	select {
	case l.queue <- c:
		l.commands[f.ID] = cancel
		return nil
	default:
		cancel()
		return fmt.Errorf("%w: more than %d commands wait", ErrProtocol, maxCommands)
	}
}

// cancel ends the context of a command, if it is there.
func (l *Link) cancel(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cancel := l.commands[id]; cancel != nil {
		cancel()
		delete(l.commands, id)
	}
}

// Sink sends a journal event; it is a journal.Sink, and copies what it gets.
func (l *Link) Sink(_ journal.Event, line []byte) {
	l.s.send(frame{Type: typeEvent, Event: json.RawMessage(append([]byte(nil), line...))})
}

// Event sends a journal event. One that cannot be encoded ends the link.
func (l *Link) Event(e journal.Event) {
	line, err := json.Marshal(e)
	if err != nil {
		l.s.fail(fmt.Errorf("%w: event %d: %v", ErrProtocol, e.Seq, err))
		return
	}
	l.s.send(frame{Type: typeEvent, Event: line})
}

// Status tells what the peer sees now. The value must not be modified any
// more.
func (l *Link) Status(s Status) { l.s.sendStatus(s) }

// Register announces a filter of this peer, and returns when the server has
// taken it. A refusal is its error.
func (l *Link) Register(ctx context.Context, f Filter) error {
	_, err := l.ask(ctx, frame{Question: register, Filter: &f})
	return err
}

// Ask asks one of the Ask questions about the run.
func (l *Link) Ask(ctx context.Context, question string) (Answer, error) {
	return l.ask(ctx, frame{Question: question})
}

func (l *Link) ask(ctx context.Context, f frame) (Answer, error) {
	answer := make(chan frame, 1)
	l.mu.Lock()
	l.lastAsk++
	f.Type, f.ID = typeAsk, l.lastAsk
	l.asks[f.ID] = answer
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.asks, f.ID)
		l.mu.Unlock()
	}()
	l.s.send(f)
	select {
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-l.s.over:
		return Answer{}, fmt.Errorf("%w: no answer", ErrLost)
	case a := <-answer:
		if a.Error != "" {
			return Answer{}, errors.New(a.Error)
		}
		if a.Answer == nil {
			return Answer{}, nil
		}
		return *a.Answer, nil
	}
}
