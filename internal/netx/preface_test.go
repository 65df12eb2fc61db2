package netx

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// TestGolden holds the bytes of version 1 of the stream preface. Other peers
// speak them: whoever changes them raises Version and adds a file.
func TestGolden(t *testing.T) {
	open, _ := judge(Version, "chat", true)
	none, _ := judge(Version, "chat", false)
	other, _ := judge(Version+1, "chat", true)
	got := map[string][]byte{
		`preface "chat"`:    appendPreface(nil, Version, "chat"),
		`preface "a"`:       appendPreface(nil, Version, "a"),
		"status open":       open,
		"status no handler": none,
		"status version":    other,
	}
	golden := fmt.Sprintf("testdata/stream.v%d", Version)
	file, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	if len(lines) != len(got) {
		t.Errorf("%s has %d lines, want %d", golden, len(lines), len(got))
	}
	for _, line := range lines {
		name, want, _ := strings.Cut(line, "  ")
		want = strings.TrimSpace(want)
		if have := fmt.Sprintf("% x", got[name]); have != want {
			t.Errorf("%s: %s is %q, want %q: raise Version instead", golden, name, have, want)
		}
	}
}

// TestFirstByte holds that no stream of memberlist looks like a preface.
func TestFirstByte(t *testing.T) {
	if magic0 <= 14 || magic0 == 244 {
		t.Errorf("first byte %d belongs to memberlist", magic0)
	}
}

// TestPeeked: a stream that cannot be closed in halves does not learn it.
func TestPeeked(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn := unread(near, 'x')
	if _, ok := conn.(closeWriter); ok {
		t.Error("a pipe has a CloseWrite now")
	}
	go func() {
		io.WriteString(far, "yz")
		far.Close()
	}()
	if got, err := io.ReadAll(conn); string(got) != "xyz" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}
