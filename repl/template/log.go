package main

import (
	"io"
	"log/slog"
	"os"
)

// logbook is a logger and the file behind it. As a writer it takes the stacks
// of commands that panicked.
type logbook struct {
	*slog.Logger
	file *os.File // nil if nothing is logged
}

// openLog opens the log at the end of file; without a name nothing is logged.
func openLog(file string) (*logbook, error) {
	if file == "" {
		return &logbook{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil))}, nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &logbook{Logger: slog.New(slog.NewJSONHandler(f, nil)), file: f}, nil
}

// Write logs b as an error.
func (l *logbook) Write(b []byte) (int, error) {
	l.Error(string(b))
	return len(b), nil
}

func (l *logbook) close() {
	if l.file != nil {
		_ = l.file.Close() // every line was written when it was logged
	}
}
