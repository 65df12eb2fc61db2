package main

import (
	"os"
	"strings"
)

// history is a file with a line for each line that was typed and succeeded.
type history struct{ file string }

// load returns the lines, oldest first. A history that cannot be read is none.
func (h history) load() []string {
	raw, err := os.ReadFile(h.file)
	if err != nil || len(raw) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
}

// save appends a line. A full disk costs the history, not the program.
func (h history) save(line string) {
	if h.file == "" {
		return
	}
	f, err := os.OpenFile(h.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(line + "\n")
	_ = f.Close()
}
