// Command testserver runs scenarios: it starts peers, has them do what a file
// says, and judges what they saw.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/peerlab/peerlab/testserver/cli"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
		os.Exit(cli.StatusBroken)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second ctrl-C ends the program at once
	status := cli.Main(ctx, os.Args[1:], cli.Process{
		Self: self, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
	stop()
	os.Exit(status)
}
