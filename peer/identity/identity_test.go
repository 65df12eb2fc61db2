package identity_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/identity"
)

// boot opens an identity and closes it again, as one start of a peer does.
func boot(t *testing.T, dir files.FS) *identity.Identity {
	t.Helper()
	id, err := identity.Open(dir, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

func realDir(t *testing.T, path string) files.FS {
	t.Helper()
	dir, err := files.Dir(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheSameOverRestarts(t *testing.T) {
	for name, dir := range map[string]files.FS{"disk": realDir(t, filepath.Join(t.TempDir(), "new", "alice")), "memory": files.Mem()} {
		t.Run(name, func(t *testing.T) {
			first := boot(t, dir)
			saved, err := dir.ReadFile("key.pem")
			if err != nil {
				t.Fatal(err)
			}
			for n := 2; n <= 12; n++ {
				again := boot(t, dir)
				if !again.Key.Equal(first.Key) || again.ID != first.ID || again.Boot != n {
					t.Fatalf("start %d: boot %d, id %s; the first had %s", n, again.Boot, again.ID, first.ID)
				}
			}
			if now, _ := dir.ReadFile("key.pem"); !bytes.Equal(now, saved) {
				t.Error("the key was written again")
			}
			if first.Boot != 1 || first.ID.Version() != 8 || first.ID.Variant() != uuid.RFC4122 {
				t.Errorf("the first start: boot %d, id %s of version %d", first.Boot, first.ID, first.ID.Version())
			}
			if other := boot(t, files.Mem()); other.ID == first.ID {
				t.Error("two peers have one id")
			}
		})
	}
}

func TestKeyIsForNobodyElse(t *testing.T) {
	path := t.TempDir()
	boot(t, realDir(t, path))
	info, err := os.Stat(filepath.Join(path, "key.pem"))
	if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
}

// The id is on the wire and in files of other peers: what makes it must not
// change.
func TestFromAGivenSource(t *testing.T) {
	dir := files.Mem()
	id, err := identity.Open(dir, 1, bytes.NewReader(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	defer id.Close()
	if want := "fe812c12-f3ab-8ce6-ac5d-b69ac352f906"; id.ID.String() != want {
		t.Errorf("the id is %s, want %s", id.ID, want)
	}
	if again := identity.IDOf(id.Key.Public().(ed25519.PublicKey)); again != id.ID {
		t.Errorf("IDOf gives %s, Open %s", again, id.ID)
	}
	const golden = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n-----END PRIVATE KEY-----\n"
	if raw, _ := dir.ReadFile("key.pem"); string(raw) != golden {
		t.Errorf("the key is kept as\n%s\nwant\n%s", raw, golden)
	}
	if raw, _ := dir.ReadFile("boot"); string(raw) != "1\n" {
		t.Errorf("the count is kept as %q", raw)
	}
}

func TestSourceThatFails(t *testing.T) {
	dir := files.Mem()
	if _, err := identity.Open(dir, 1, iotest.ErrReader(errors.New("no entropy"))); err == nil || !strings.Contains(err.Error(), "no entropy") {
		t.Errorf("got %v", err)
	}
	if _, err := dir.ReadFile("key.pem"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was written: %v", err)
	}
	boot(t, dir) // the directory was released
}

func TestSecondProcess(t *testing.T) {
	for name, dir := range map[string]files.FS{"disk": realDir(t, t.TempDir()), "memory": files.Mem()} {
		t.Run(name, func(t *testing.T) {
			first, err := identity.Open(dir, 4711, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = identity.Open(dir, 4712, nil)
			used, ok := errors.AsType[*identity.InUseError](err)
			if !ok || used.PID != "4711" || used.Dir != dir.Path(".") {
				t.Fatalf("the second start: %v", err)
			}
			if text := err.Error(); !strings.Contains(text, "process 4711") || !strings.Contains(text, "--data") {
				t.Errorf("it says %q; want the pid, and what to do", text)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			if id := boot(t, dir); id.Boot != 2 {
				t.Errorf("boot %d after one start and one refusal", id.Boot)
			}
		})
	}
}

func TestHolderWithoutAPID(t *testing.T) {
	e := &identity.InUseError{Dir: "/x"}
	if got := e.Error(); !strings.HasPrefix(got, "/x is in use by another process:") {
		t.Errorf("got %q", got)
	}
}

func TestDamage(t *testing.T) {
	dir := files.Mem()
	boot(t, dir)
	good, _ := dir.ReadFile("key.pem")
	block, _ := pem.Decode(good)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for name, c := range map[string]struct{ file, content string }{
		"empty key":           {"key.pem", ""},
		"key of spaces":       {"key.pem", " \n"},
		"key is text":         {"key.pem", "secret"},
		"half a key":          {"key.pem", string(good[:len(good)/2])},
		"key of another kind": {"key.pem", encode("CERTIFICATE", block.Bytes)},
		"key without content": {"key.pem", encode("PRIVATE KEY", nil)},
		"key cut within":      {"key.pem", encode("PRIVATE KEY", block.Bytes[:20])},
		"something behind it": {"key.pem", string(good) + "more"},
		"two keys":            {"key.pem", string(good) + string(good)},
		"elliptic curve":      {"key.pem", encode("PRIVATE KEY", otherKey(t))},
		"empty count":         {"boot", ""},
		"count is a word":     {"boot", "three\n"},
		"negative count":      {"boot", "-1\n"},
		"count beyond all":    {"boot", "1073741824\n"},
		"two counts":          {"boot", "1\n2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := files.Mem()
			boot(t, dir)
			if err := dir.WriteFile(c.file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				_, err := identity.Open(dir, 1, nil)
				if !errors.Is(err, identity.ErrCorrupt) {
					t.Fatalf("got %v, want ErrCorrupt", err)
				}
				if text := err.Error(); !strings.Contains(text, dir.Path(c.file)) || strings.Contains(text, "\n") || !strings.Contains(text, ": ") {
					t.Errorf("it says %q; want one line with the path and what to do", text)
				}
			}
			if now, _ := dir.ReadFile(c.file); string(now) != c.content {
				t.Errorf("%s was overwritten: %q", c.file, now)
			}
			if c.file == "boot" {
				return
			}
			if raw, _ := dir.ReadFile("boot"); string(raw) != "1\n" {
				t.Errorf("a start was counted: %q", raw)
			}
		})
	}
}

// otherKey is a private key in the right form, and of another kind than ours.
func otherKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestDirectoryThatCannotBeWritten(t *testing.T) {
	path := t.TempDir()
	dir := realDir(t, filepath.Join(path, "alice"))
	if err := os.WriteFile(filepath.Join(path, "alice"), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Open(dir, 1, nil); err == nil || !strings.Contains(err.Error(), filepath.Join(path, "alice")) {
		t.Errorf("got %v, want an error with the path", err)
	}
}

// badDisk refuses to write one file.
type badDisk struct {
	files.FS
	name string
}

var errFull = errors.New("disk is full")

func (d badDisk) WriteFile(name string, data []byte, perm fs.FileMode) error {
	if name == d.name {
		return errFull
	}
	return d.FS.WriteFile(name, data, perm)
}

func (d badDisk) ReadFile(name string) ([]byte, error) {
	if "read "+name == d.name {
		return nil, errFull
	}
	return d.FS.ReadFile(name)
}

func TestFailingDisk(t *testing.T) {
	for _, name := range []string{"key.pem", "boot", "read key.pem", "read boot"} {
		dir := files.Mem()
		if _, err := identity.Open(badDisk{dir, name}, 1, nil); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
		if id := boot(t, dir); id.Boot != 1 {
			t.Errorf("%s: boot %d after a start that failed", name, id.Boot)
		}
	}
}

// A member that is made anew in one process has the next number, and so has
// the next process.
func TestNext(t *testing.T) {
	dir := files.Mem()
	boot(t, dir)
	id, err := identity.Open(dir, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want := 3; want <= 5; want++ {
		if n, err := id.Next(); err != nil || n != want || id.Boot != 2 {
			t.Errorf("the next boot is %d, %v; want %d, of process %d", n, err, want, id.Boot)
		}
	}
	if err := dir.WriteFile("boot", []byte("many"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := id.Next(); !errors.Is(err, identity.ErrCorrupt) {
		t.Errorf("a damaged count: %v", err)
	}
	if err := dir.WriteFile("boot", []byte("5"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := id.Close(); err != nil {
		t.Fatal(err)
	}
	if n := boot(t, dir).Boot; n != 6 {
		t.Errorf("the next process is boot %d", n)
	}
	free := &identity.Identity{Boot: 7}
	if n, err := free.Next(); n != 8 || err != nil {
		t.Errorf("without a directory: %d, %v", n, err)
	}
}

func TestCopyIsTheSamePeer(t *testing.T) {
	old, fresh := files.Mem(), files.Mem()
	if err := identity.Copy(fresh, old); err != nil {
		t.Errorf("copy of nobody: %v", err)
	}
	first, err := identity.Open(old, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := old.WriteFile("history", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := identity.Copy(fresh, old); err != nil {
		t.Fatal(err)
	}
	second, err := identity.Open(fresh, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.ID != first.ID || second.Boot != 2 {
		t.Errorf("boot %d of %s is followed by boot %d of %s", first.Boot, first.ID, second.Boot, second.ID)
	}
	if _, err := fresh.ReadFile("history"); err == nil {
		t.Error("more than the identity was copied")
	}
}
