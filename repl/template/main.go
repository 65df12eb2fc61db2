// Command template is a shell to begin a program with: copy the folder, add a
// function and a command that calls it, and the program has completion, help,
// history, scripts and a log. README.md is a tutorial of ten minutes.
//
// It depends on repl and repl/readline, and otherwise on the standard library.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// run is the program without its process.
func run(ctx context.Context, args []string, stdin, stdout, stderr *os.File) error {
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	flags.SetOutput(stderr)
	logFile := flags.String("log", "", "append a line of JSON for each command to `FILE`")
	history := flags.String("history", "", "keep what was typed in `FILE`")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "usage: %s [flags] [SCRIPT]\n", name)
		flags.PrintDefaults()
	}
	_ = flags.Parse(args) // it exits
	log, err := openLog(*logFile)
	if err != nil {
		return err
	}
	defer log.close()
	shell, err := newShell(log)
	if err != nil {
		return err
	}
	t := terminal{in: stdin, out: stdout, err: stderr, history: *history}
	switch {
	case flags.NArg() > 1:
		return fmt.Errorf("%d scripts: give one, which can execute others", flags.NArg())
	case flags.NArg() == 1:
		return script(ctx, shell, flags.Arg(0), stdout)
	case t.interactive(os.Getenv("TERM")):
		return t.keyboard(ctx, shell)
	}
	return t.pipe(ctx, shell)
}
