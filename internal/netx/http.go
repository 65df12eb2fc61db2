package netx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 30 * time.Second // for the whole of a request, and of an answer
	idleTimeout    = 60 * time.Second
	maxHeader      = 64 << 10 // bytes

	// shutdownTimeout is how long requests under way may go on when ServeHTTP
	// has to end.
	shutdownTimeout = 2 * time.Second
)

// HTTPClient returns a client whose connections go through n. It honours no
// proxy of the environment. timeout bounds a whole request, its answer's body
// included; 0 is no bound. The client keeps connections open for reuse: who
// is done with it calls its CloseIdleConnections.
func HTTPClient(n Network, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				return n.Dial(ctx, addr)
			},
			TLSHandshakeTimeout:    headerTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: maxHeader,
			ForceAttemptHTTP2:      true,
		},
	}
}

// ServeHTTP serves h on ln until ctx ends, which is no error. Requests under
// way may then go on for two seconds; after that their contexts end and their
// connections are closed. It returns when every call of h has returned, those
// that took over their connections included, and closes ln in any case.
func ServeHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	joined := &joinable{handler: h}
	defer joined.wait()
	defer cancel()
	var quiet silent
	server := &http.Server{
		ConnState:         quiet.note,
		ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong
		Handler:           joined,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		_ = server.Close() // the error to tell is the first
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	quiet.close()
	grace, stop := context.WithTimeout(base, shutdownTimeout)
	defer stop()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close() // the connections that outlived their grace
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// silent knows the connections on which nothing has been asked yet. Clients
// open such ones to have them ready, and Shutdown would wait for them until
// its time is over.
type silent struct {
	mu    sync.Mutex // guards the fields below
	conns map[net.Conn]bool
	ended bool
}

func (s *silent) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = map[net.Conn]bool{}
	}
	switch {
	case state != http.StateNew:
		delete(s.conns, c)
	case s.ended:
		c.Close()
	default:
		s.conns[c] = true
	}
}

func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for c := range s.conns {
		c.Close()
	}
}

// joinable is a handler whose calls can be waited for.
type joinable struct {
	handler http.Handler
	calls   sync.WaitGroup

	mu    sync.Mutex
	ended bool // no call may begin any more
}

func (j *joinable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !j.begin() {
		w.Header().Set("Connection", "close")
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	defer j.calls.Done()
	j.handler.ServeHTTP(w, r)
}

func (j *joinable) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return false
	}
	j.calls.Add(1)
	return true
}

// wait turns new calls away and returns when the last one has returned.
func (j *joinable) wait() {
	j.mu.Lock()
	j.ended = true
	j.mu.Unlock()
	j.calls.Wait()
}
