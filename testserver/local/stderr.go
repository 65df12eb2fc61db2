package local

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
)

// tail reads the last n bytes of a file.
func tail(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	off := max(0, info.Size()-n)
	return io.ReadAll(io.NewSectionReader(f, off, info.Size()-off))
}

// lastLines are the last n lines of a text, cut to a sensible length.
func lastLines(data []byte, n int) []string {
	lines := textLines(data)
	return lines[max(0, len(lines)-n):]
}

// firstLines are the first n.
func firstLines(data []byte, n int) []string {
	lines := textLines(data)
	return lines[:min(len(lines), n)]
}

func textLines(data []byte) []string {
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if len(l) > 200 {
			lines[i] = l[:200] + "..."
		}
	}
	return lines
}

func containsRace(data []byte) bool { return bytes.Contains(data, []byte("WARNING: DATA RACE")) }

// crash is how the Go runtime begins to say that a program has a bug.
var crash = regexp.MustCompile(`(?m)^(panic|fatal error): `)

// crashOf is what a Go program that has crashed says of it, the reason first;
// nil if it has not.
func crashOf(data []byte) []byte {
	at := crash.FindIndex(data)
	if at == nil || !bytes.Contains(data[at[1]:], []byte("\ngoroutine ")) {
		return nil
	}
	return data[at[0]:]
}
