package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// What a connection to a service may take.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 10 * time.Second // reading it, and writing the answer
	idleTimeout    = time.Minute
	maxHeaderBytes = 8 << 10
	shutdownGrace  = 2 * time.Second
)

// Serve answers on ln with h until ctx ends, with the limits that a service
// needs: deadlines, and bounded headers. Requests under way when ctx ends
// have two seconds to come to their end. It closes ln, and its goroutines
// have ended when it returns; nil is the orderly end.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	requests, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve on %s: %w", ln.Addr(), err), srv.Close())
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(requests, shutdownGrace)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		cutOff()
		_ = srv.Close() // the connections that outlived their grace; nothing to add
	}
	<-served
	return nil
}
