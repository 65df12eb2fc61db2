// Command bootstrap-server runs the bootstrap service on one machine: the
// place where starting peers learn whom to contact first. Its routes are
// described in package bootstrap, its flags by --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/peerlab/peerlab/bootstrap-server/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := server.Run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
