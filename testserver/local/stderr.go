package local

import (
	"bytes"
	"io"
	"os"
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
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, l := range lines {
		if len(l) > 200 {
			lines[i] = l[:200] + "..."
		}
	}
	return lines
}

func containsRace(data []byte) bool { return bytes.Contains(data, []byte("WARNING: DATA RACE")) }
