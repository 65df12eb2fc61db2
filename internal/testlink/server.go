package testlink

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/journal"
)

// helloTime is how long a connection may take to say who it is.
const helloTime = 5 * time.Second

// ServerConfig says for whom a Server is.
type ServerConfig struct {
	Token string // of the run; an empty one admits nobody

	// Admit refuses a peer by an error, which the peer is told. It is called
	// before Opened, from several goroutines. Nil admits every name.
	Admit func(Hello) error

	// Receive takes what a peer says: Opened first, Closed last, in order and
	// one call at a time per Conn, from several goroutines for several. It
	// may block; the peer then waits, and in the end overflows.
	Receive func(*Conn, Message)

	// Queue is how many messages may wait to be sent to one peer; 0 means
	// DefaultQueue.
	Queue int
}

// Message is what a peer says: Opened, Recorded, Status, Finished, Asked,
// Fenced, Faulted or Closed.
type Message interface{ message() }

// Opened begins a link.
type Opened struct{ Hello Hello }

// Recorded is an event of the peer's journal, and its line as it travelled.
type Recorded struct {
	Event journal.Event
	Line  json.RawMessage
}

// Finished is the end of the command that Conn.Command numbered ID.
type Finished struct {
	ID     uint64
	Result Result
}

// Asked is a question, which Conn.Answer or Conn.Refuse answers. Filter is
// set when the peer registers one; Question is empty then.
type Asked struct {
	ID       uint64
	Question string
	Filter   *Filter
}

// Fenced follows Conn.Fence, behind all that the peer had said until then.
// Events is how many events that were, over the whole link: if more or fewer
// have arrived, its journal is not complete.
type Fenced struct{ ID, Events uint64 }

// Faulted follows Conn.Faults: the table is in force, unless there is an Err.
type Faulted struct {
	ID  uint64
	Err error
}

// Closed ends a link. Err is nil when Conn.Close did it; it matches ErrClosed
// when the peer left in order, ErrLost when it vanished, and anything else
// when what it recorded is not complete. Events is how many events the peer
// has sent over the whole link, if it left in order; nil otherwise.
type Closed struct {
	Err    error
	Events *uint64
}

func (Opened) message()   {}
func (Recorded) message() {}
func (Status) message()   {}
func (Finished) message() {}
func (Asked) message()    {}
func (Fenced) message()   {}
func (Faulted) message()  {}
func (Closed) message()   {}

// Server is an http.Handler that serves the links of one run's peers.
type Server struct {
	cfg  ServerConfig
	hash [sha256.Size]byte
	wg   sync.WaitGroup

	mu     sync.Mutex
	conns  map[*Conn]bool // whether it has said hello
	closed bool
}

// NewServer returns a Server. Close must be called after its last use.
func NewServer(cfg ServerConfig) *Server {
	return &Server{cfg: cfg, hash: sha256.Sum256([]byte(cfg.Token)), conns: map[*Conn]bool{}}
}

// ServeHTTP serves one peer until its link ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Origin") != "":
		http.Error(w, "web pages may not drive peers", http.StatusForbidden)
		return
	case !s.authorized(r):
		http.Error(w, ErrUnauthorized.Error(), http.StatusUnauthorized)
		return
	case r.URL.Path != Path:
		http.NotFound(w, r)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	c := &Conn{s: newSession(ws, s.cfg.Queue)}
	if !s.add(c) {
		ws.CloseNow()
		return
	}
	defer s.remove(c)
	s.serve(r.Context(), c)
}

func (s *Server) authorized(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	got := sha256.Sum256([]byte(token))
	same := subtle.ConstantTimeCompare(got[:], s.hash[:]) == 1
	return ok && same && s.cfg.Token != ""
}

func (s *Server) add(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = false
	s.wg.Add(1)
	return true
}

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.wg.Done()
}

// known notes that c has said hello.
func (s *Server) known(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
}

// Close ends all links, telling the peers the reason, and returns when the
// last Closed has been received. No link can be opened afterwards. Receive
// must not call it.
func (s *Server) Close(reason string) {
	s.mu.Lock()
	s.closed = true
	conns := maps.Clone(s.conns)
	s.mu.Unlock()
	for c, known := range conns {
		c.Close(reason)
		if !known {
			c.s.ws.CloseNow()
		}
	}
	s.wg.Wait()
}

func (s *Server) serve(ctx context.Context, c *Conn) {
	hello, err := s.greet(ctx, c.s)
	if err != nil {
		c.s.refuse(ctx, err)
		return
	}
	c.hello = hello
	s.known(c)
	c.s.send(frame{Type: typeWelcome}) // before any command
	s.cfg.Receive(c, Opened{Hello: hello})
	err = c.s.run(func(f frame) error {
		m, err := f.heard()
		if err == nil {
			s.cfg.Receive(c, m)
		}
		return err
	})
	s.cfg.Receive(c, Closed{Err: err, Events: c.s.said()})
}

// greet reads who is there and decides.
func (s *Server) greet(ctx context.Context, c *session) (Hello, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	_, data, err := c.ws.Read(ctx)
	if err != nil {
		return Hello{}, lost(err)
	}
	f, err := decode(data)
	switch {
	case err != nil:
		return Hello{}, err
	case f.Type != typeHello || f.Hello == nil:
		return Hello{}, fmt.Errorf("%w: %q instead of a hello", ErrProtocol, f.Type)
	case s.cfg.Admit == nil:
		return *f.Hello, nil
	}
	return *f.Hello, s.cfg.Admit(*f.Hello)
}

// refuse tells a peer why it may not take part, and hangs up.
func (s *session) refuse(ctx context.Context, why error) {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	if data, err := (frame{Type: typeRefused, Error: why.Error()}).encode(); err == nil {
		_ = s.ws.Write(ctx, websocket.MessageText, data) // it is told, or gone
	}
	s.ws.CloseNow()
}

// heard turns a peer's message into what the receiver gets.
func (f frame) heard() (Message, error) {
	switch {
	case f.Type == typeEvent:
		var e journal.Event
		if err := json.Unmarshal(f.Event, &e); err != nil {
			return nil, fmt.Errorf("%w: event: %w", ErrProtocol, err)
		}
		return Recorded{Event: e, Line: f.Event}, nil
	case f.Type == typeStatus && f.Status != nil:
		return *f.Status, nil
	case f.Type == typeResult && f.Result != nil:
		return Finished{ID: f.ID, Result: *f.Result}, nil
	case f.Type == typeFenced:
		return Fenced{ID: f.ID, Events: f.Events}, nil
	case f.Type == typeFaulted && f.Error != "":
		return Faulted{ID: f.ID, Err: errors.New(f.Error)}, nil
	case f.Type == typeFaulted:
		return Faulted{ID: f.ID}, nil
	case f.Type == typeAsk && f.Question == register && f.Filter != nil:
		return Asked{ID: f.ID, Filter: f.Filter}, nil
	case f.Type == typeAsk && f.Question != register:
		return Asked{ID: f.ID, Question: f.Question}, nil
	}
	return nil, fmt.Errorf("%w: %q from a peer", ErrProtocol, f.Type)
}

// Conn is the server's end of one peer's link. Its methods may be called from
// several goroutines and never block; after the link has ended they do
// nothing.
type Conn struct {
	s     *session
	hello Hello

	mu   sync.Mutex
	last uint64
}

// Hello says who the peer is.
func (c *Conn) Hello() Hello { return c.hello }

// Command has the peer run a line after the ones it was given before. The
// number returns with its Finished.
func (c *Conn) Command(line string) uint64 {
	return c.numbered(frame{Type: typeCommand, Line: line})
}

// numbered sends a frame under the next number. Numbers are used once per
// Conn, whatever they are for.
func (c *Conn) numbered(f frame) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	f.ID = c.last
	c.s.send(f)
	return f.ID
}

// Cancel ends a command that waits or runs; its Finished still comes.
func (c *Conn) Cancel(id uint64) { c.s.send(frame{Type: typeCancel, ID: id}) }

// Answer answers the question that was numbered id.
func (c *Conn) Answer(id uint64, a Answer) {
	c.s.send(frame{Type: typeAnswer, ID: id, Answer: &a})
}

// Refuse answers the question with an error.
func (c *Conn) Refuse(id uint64, why error) {
	c.s.send(frame{Type: typeAnswer, ID: id, Error: why.Error()})
}

// Fence asks for a Fenced that comes behind all that the peer has said so far,
// events among it: what is not there by then has not happened yet.
func (c *Conn) Fence() uint64 { return c.numbered(frame{Type: typeFence}) }

// Faults gives the peer its table of faults in place of the one it has, and
// breaks its open streams to the peers that are named. Faulted follows.
func (c *Conn) Faults(t faulty.Table, reset []string) uint64 {
	return c.numbered(frame{Type: typeFaults, Faults: &t, Reset: reset})
}

// Close ends the link in order. Closed follows.
func (c *Conn) Close(reason string) { c.s.end(reason) }
