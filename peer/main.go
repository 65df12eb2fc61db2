// Command peer is an interactive peer with a shell: it finds the others,
// chats with them, and shows what happens in the group.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/peerlab/peerlab/peer/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a write tells it too, and ends the peer in order
	status := cli.Main(ctx, os.Args[1:], cli.Process{
		Env: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Interrupts: interrupts, Replace: cli.Replace(),
	})
	stop()
	os.Exit(status)
}
