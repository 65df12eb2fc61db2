package netx

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// TestGolden holds the bytes of the versions of the stream preface. Other
// peers speak them: whoever changes them raises Version and adds a file.
func TestGolden(t *testing.T) {
	chat := preface{version: Version, label: "chat", origin: netip.MustParseAddrPort("10.0.0.1:7946")}
	open, _ := judge(chat, true)
	none, _ := judge(chat, false)
	other, _ := judge(preface{version: Version + 1, label: "chat"}, true)
	golden(t, 2, map[string][]byte{
		`preface "chat" 10.0.0.1:7946`: chat.append(nil),
		`preface "chat" [fd00::1]:258`: preface{Version, "chat", netip.MustParseAddrPort("[fd00::1]:258")}.append(nil),
		`preface "a"`:                  preface{version: Version, label: "a"}.append(nil),
		"status open":                  open,
		"status no handler":            none,
		"status version":               other,
	})
	golden(t, 1, map[string][]byte{
		`preface "chat"`:    preface{version: 1, label: "chat"}.append(nil),
		`preface "a"`:       preface{version: 1, label: "a"}.append(nil),
		"status open":       open,
		"status no handler": none,
		"status version":    {statusVersion, 1},
	})
}

func golden(t *testing.T, version int, got map[string][]byte) {
	t.Helper()
	name := fmt.Sprintf("testdata/stream.v%d", version)
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	if len(lines) != len(got) {
		t.Errorf("%s has %d lines, want %d", name, len(lines), len(got))
	}
	for _, line := range lines {
		what, want, _ := strings.Cut(line, "  ")
		want = strings.TrimSpace(want)
		if have := fmt.Sprintf("% x", got[what]); have != want {
			t.Errorf("%s: %s is %q, want %q: raise Version instead", name, what, have, want)
		}
	}
}

// TestReadPreface reads what is written, of this version and the one before.
func TestReadPreface(t *testing.T) {
	for _, want := range []preface{
		{Version, "chat", netip.MustParseAddrPort("10.0.0.1:7946")},
		{Version, "chat", netip.MustParseAddrPort("[fd00::1]:258")},
		{Version, "chat", netip.AddrPort{}},
		{1, "a", netip.AddrPort{}},
		{9, "a", netip.AddrPort{}},
	} {
		near, far := net.Pipe()
		go func() {
			near.Write(append(want.append(nil), "rest"...))
			near.Close()
		}()
		got, conn, err := readPreface(far)
		if got != want || err != nil {
			t.Errorf("%+v is read as %+v, %v", want, got, err)
			continue
		}
		rest, err := io.ReadAll(conn)
		if err != nil || want.version < 9 && string(rest) != "rest" {
			t.Errorf("after %+v comes %q, %v", want, rest, err)
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
