package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A tutorial is run block by block. What a fence says decides what its block
// is for the test; a reader sees the same.
//
//	```console          commands of a system shell: "$ COMMAND", and below it
//	                    all that the command prints
//	```console alice    the terminal called alice: what is typed at a prompt,
//	                    and lines that then come, in this order; <Tab>, <Up>,
//	                    <Enter> on an empty line, <Ctrl-C> and <Ctrl-D> are
//	                    keys; "…" at the end leaves the line to be typed on
//	```LANGUAGE FILE    a file, written as it is
//
// Other blocks are illustrations and must not look like commands. A line
// "..." stands for lines that are of no interest. Ports, durations, times of
// day, keys, seeds, versions and the width of columns may differ.

// block is a fenced block of a document.
type block struct {
	line     int    // of its fence, from 1
	language string // first word after the fence
	name     string // second word; may be empty
	lines    []string
}

// blocks returns the fenced blocks of a document.
func blocks(t *testing.T, file string) []block {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []block
	open := false
	for i, line := range strings.Split(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open = true
			language, name, _ := strings.Cut(info, " ")
			list = append(list, block{line: i + 1, language: language, name: name})
		case open:
			b := &list[len(list)-1]
			b.lines = append(b.lines, line)
		}
	}
	if open || len(list) == 0 {
		t.Fatalf("%s: %d blocks, the last one open: %v", file, len(list), open)
	}
	return list
}

// indented returns the blocks of a document that are indented by four blanks.
func indented(t *testing.T, file string) []block {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []block
	inside := false
	for i, line := range strings.Split(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n") {
		code, is := strings.CutPrefix(line, "    ")
		if is && !inside {
			list = append(list, block{line: i + 1})
		}
		inside = is
		if is {
			b := &list[len(list)-1]
			b.lines = append(b.lines, code)
		}
	}
	return list
}

// What differs between two runs, and what stands for it in a comparison.
var (
	aDuration = regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s|m|h)(\d+(\.\d+)?(ms|s))?\b|\b\d+(\.\d+)? (ms|s)\b`)
	aPort     = regexp.MustCompile(`(127\.0\.0\.1):\d+`)
	aTime     = regexp.MustCompile(`\b\d{8}-\d{6}\b|\b\d\d:\d\d:\d\d\b`)
	aKey      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	aVersion  = regexp.MustCompile(`\bv\d+\.\d+\.\d+\b`)
	aSeed     = regexp.MustCompile(`\b(seed:?) \d+`)
	someSpace = regexp.MustCompile(`\s+`)
)

// same tells whether a line that came is the one that was promised.
func same(got, promised string) bool { return plain(got) == plain(promised) }

func plain(s string) string {
	s = aTime.ReplaceAllString(s, "TIME")
	s = aKey.ReplaceAllString(s, "ID")
	s = aPort.ReplaceAllString(s, "$1:PORT")
	s = aVersion.ReplaceAllString(s, "VERSION")
	s = aSeed.ReplaceAllString(s, "$1 N")
	s = aDuration.ReplaceAllString(s, "DURATION")
	return strings.TrimSpace(someSpace.ReplaceAllString(s, " "))
}

func TestSame(t *testing.T) {
	for _, test := range []struct {
		name, got, promised string
		want                bool
	}{
		{"equal", "<bob> hi", "<bob> hi", true},
		{"another version", "tree v1.8.2", "tree v1.10.0", true},
		{"other text", "<bob> hi", "<bob> ho", false},
		{"a port", "at 127.0.0.1:4711 in", "at 127.0.0.1:41234 in", true},
		{"a duration", "after 31ms; 0", "after 1.2s; 0", true},
		{"a count", "31 other members", "1 other members", false},
		{"columns", "a  b", "a      b", true},
		{"a time", "runs/20260102-030405-two", "runs/20261112-131415-two", true},
		{"a seed", "again: testserver run --seed 77 x.cmd", "again: testserver run --seed 1234 x.cmd", true},
		{"no seed", "again: testserver run x.cmd", "again: testserver run --seed 1234 x.cmd", false},
		{"a clock", "since 10:11:12", "since 20:21:22", true},
	} {
		if got := same(test.got, test.promised); got != test.want {
			t.Errorf("%s: %q and %q are the same: %v", test.name, plain(test.got), plain(test.promised), got)
		}
	}
}
