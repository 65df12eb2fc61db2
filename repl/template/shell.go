package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/peerlab/peerlab/repl"
)

// newShell makes the shell: the commands, what help says first, how scripts
// are opened, and that each command is logged.
func newShell(log *logbook) (*repl.Shell, error) {
	return repl.New(repl.Config{
		Commands: commands(),
		Modes:    []repl.Mode{{Name: "cmd", Prompt: func() string { return name + "> " }}},
		Intro:    []string{"Tab completes, arrow up brings back what was typed, ctrl-D quits."},
		Open:     func(file string) (io.ReadCloser, error) { return os.Open(file) },
		Around:   log.around,
		Log:      log,
	})
}

// script runs a file up to the first command that fails.
func script(ctx context.Context, shell *repl.Shell, file string, out io.Writer) error {
	return ended(shell.Execute(ctx, "execute "+repl.Quote(file), out))
}

// ended tells a shell that was left from one that failed.
func ended(err error) error {
	if errors.Is(err, repl.ErrQuit) || errors.Is(err, repl.ErrExit) {
		return nil
	}
	return err
}

// around logs a command when it has ended. Others of several goroutines may
// do so at the same time.
func (l *logbook) around(ctx context.Context, line string, out io.Writer, run func(context.Context, io.Writer) error) error {
	start := time.Now()
	err := run(ctx, out)
	attrs := []slog.Attr{slog.String("line", line), slog.Duration("took", time.Since(start))}
	if failed := ended(err); failed != nil {
		attrs = append(attrs, slog.String("error", failed.Error()))
	}
	l.LogAttrs(ctx, slog.LevelInfo, "command", attrs...)
	return err
}
