// Package filestest is the conformance suite of the file system seam: what
// every files.FS must do. A new implementation is proved by one call of Run.
package filestest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/internal/files"
)

// Run runs the suite. newFS makes an empty file system for each test.
func Run(t *testing.T, newFS func(t *testing.T) files.FS) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, files.FS)
	}{
		{"a missing file", testMissing},
		{"write and read", testWriteRead},
		{"what is written and read is copied", testCopies},
		{"names that are not valid", testNames},
		{"a file in the way of a directory", testFileInTheWay},
		{"a directory in the way of a file", testDirectoryInTheWay},
		{"append", testAppend},
		{"append to a file that is replaced", testAppendReplaced},
		{"a closed appender", testAppendClosed},
		{"open and read anywhere", testOpen},
		{"truncate", testTruncate},
		{"rename", testRename},
		{"remove", testRemove},
		{"list", testList},
		{"lock", testLock},
		{"lock from many sides", testLockRace},
		{"sub", testSub},
		{"no torn file", testNotTorn},
		{"appends from many sides", testAppendRace},
		{"appends to a file that is renamed", testAppendRenamed},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newFS(t)) })
	}
}

const perm = 0o600

func write(t *testing.T, fsys files.FS, name, content string) {
	t.Helper()
	if err := fsys.WriteFile(name, []byte(content), perm); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, fsys files.FS, name, want string) {
	t.Helper()
	got, err := fsys.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s contains %q, want %q", name, got, want)
	}
}

func wantList(t *testing.T, fsys files.FS, dir string, want ...string) {
	t.Helper()
	got, err := fsys.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("list of %s is %q, want %q", dir, got, want)
	}
}

// wantError wants an error that matches target, if it is not nil, and that
// says where.
func wantError(t *testing.T, what string, err, target error, path string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: no error", what)
	case target != nil && !errors.Is(err, target):
		t.Errorf("%s: error %q, want one that matches %q", what, err, target)
	case !strings.Contains(err.Error(), path):
		t.Errorf("%s: error %q does not name %s", what, err, path)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: error %q is not one line", what, err)
	}
}

func testMissing(t *testing.T, fsys files.FS) {
	for _, name := range []string{"missing", "no/such/directory"} {
		_, err := fsys.ReadFile(name)
		wantError(t, "read", err, fs.ErrNotExist, fsys.Path(name))
		_, err = fsys.Open(name)
		wantError(t, "open", err, fs.ErrNotExist, fsys.Path(name))
		wantError(t, "truncate", fsys.Truncate(name, 0), fs.ErrNotExist, fsys.Path(name))
		_, err = fsys.LockNote(name)
		wantError(t, "note", err, fs.ErrNotExist, fsys.Path(name))
		err = fsys.Rename(name, "other")
		wantError(t, "rename", err, fs.ErrNotExist, fsys.Path(name))
		if err := fsys.Remove(name); err != nil {
			t.Errorf("remove: %v", err)
		}
		wantList(t, fsys, name)
	}
	wantList(t, fsys, ".")
}

func testWriteRead(t *testing.T, fsys files.FS) {
	for _, name := range []string{"plain", "some/deep/file", "with space and ü"} {
		write(t, fsys, name, "a longer one")
		write(t, fsys, name, "second")
		wantFile(t, fsys, name, "second")
		write(t, fsys, name, "")
		wantFile(t, fsys, name, "")
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	write(t, fsys, "big", big)
	if got, err := fsys.ReadFile("big"); err != nil || string(got) != big {
		t.Errorf("read %d of %d bytes, or others; error %v", len(got), len(big), err)
	}
}

func testCopies(t *testing.T, fsys files.FS) {
	content := []byte("content")
	if err := fsys.WriteFile("file", content, perm); err != nil {
		t.Fatal(err)
	}
	content[0] = 'X'
	got, err := fsys.ReadFile("file")
	if err != nil {
		t.Fatal(err)
	}
	got[1] = 'X'
	wantFile(t, fsys, "file", "content")
}

func testNames(t *testing.T, fsys files.FS) {
	for _, name := range []string{"", ".", "..", "../x", "a/../b", "/etc/passwd", "a//b", "a/", "./a", ".~x", "a/.~x", "a\x00b", "\xff"} {
		invalid := func(what string, err error) {
			t.Helper()
			wantError(t, fmt.Sprintf("%s %q", what, name), err, fs.ErrInvalid, "")
		}
		_, err := fsys.ReadFile(name)
		invalid("read", err)
		invalid("write", fsys.WriteFile(name, nil, perm))
		_, err = fsys.Append(name, perm)
		invalid("append", err)
		_, err = fsys.Open(name)
		invalid("open", err)
		invalid("truncate", fsys.Truncate(name, 0))
		invalid("rename from", fsys.Rename(name, "x"))
		invalid("rename to", fsys.Rename("x", name))
		invalid("remove", fsys.Remove(name))
		_, err = fsys.Lock(name, "")
		invalid("lock", err)
		_, err = fsys.LockNote(name)
		invalid("note", err)
		if name != "." {
			_, err = fsys.List(name)
			invalid("list", err)
		}
	}
	wantList(t, fsys, ".")
}

func testFileInTheWay(t *testing.T, fsys files.FS) {
	write(t, fsys, "way", "content")
	const name = "way/file"
	path := fsys.Path("way")
	_, err := fsys.ReadFile(name)
	wantError(t, "read", err, nil, path)
	wantError(t, "write", fsys.WriteFile(name, nil, perm), nil, path)
	_, err = fsys.Append(name, perm)
	wantError(t, "append", err, nil, path)
	_, err = fsys.Lock(name, "")
	wantError(t, "lock", err, nil, path)
	_, err = fsys.List("way")
	wantError(t, "list", err, nil, path)
	write(t, fsys, "other", "")
	wantError(t, "rename", fsys.Rename("other", name), nil, path)
	wantFile(t, fsys, "way", "content")
}

func testDirectoryInTheWay(t *testing.T, fsys files.FS) {
	write(t, fsys, "way/file", "content")
	path := fsys.Path("way")
	_, err := fsys.ReadFile("way")
	wantError(t, "read", err, nil, path)
	wantError(t, "write", fsys.WriteFile("way", nil, perm), nil, path)
	_, err = fsys.Append("way", perm)
	wantError(t, "append", err, nil, path)
	_, err = fsys.Open("way")
	wantError(t, "open", err, nil, path)
	wantError(t, "truncate", fsys.Truncate("way", 0), nil, path)
	wantError(t, "remove", fsys.Remove("way"), nil, path)
	wantError(t, "rename", fsys.Rename("way", "elsewhere"), nil, path)
	write(t, fsys, "other", "")
	wantError(t, "rename to it", fsys.Rename("other", "way"), nil, path)
	wantFile(t, fsys, "way/file", "content")
	wantList(t, fsys, ".", "other", "way/")
}

func appender(t *testing.T, fsys files.FS, name string) files.Appender {
	t.Helper()
	a, err := fsys.Append(name, perm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func appendString(t *testing.T, a files.Appender, s string) {
	t.Helper()
	if n, err := a.Write([]byte(s)); err != nil || n != len(s) {
		t.Fatalf("write is %d, %v", n, err)
	}
}

func wantSize(t *testing.T, a files.Appender, want int64) {
	t.Helper()
	if got := a.Size(); got != want {
		t.Errorf("size is %d, want %d", got, want)
	}
}

func testAppend(t *testing.T, fsys files.FS) {
	a := appender(t, fsys, "deep/log")
	wantSize(t, a, 0)
	wantFile(t, fsys, "deep/log", "")
	appendString(t, a, "one\n")
	if err := a.Sync(); err != nil {
		t.Error(err)
	}
	wantFile(t, fsys, "deep/log", "one\n")
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	a = appender(t, fsys, "deep/log")
	wantSize(t, a, 4)
	appendString(t, a, "two\n")
	wantSize(t, a, 8)
	wantFile(t, fsys, "deep/log", "one\ntwo\n")
}

// wantAt wants what a reader has at a place.
func wantAt(t *testing.T, r files.Reader, off int64, n int, want string, end bool) {
	t.Helper()
	b := make([]byte, n)
	got, err := r.ReadAt(b, off)
	if string(b[:got]) != want || errors.Is(err, io.EOF) != end || err != nil && !end {
		t.Errorf("read of %d bytes at %d is %q, %v; want %q", n, off, b[:got], err, want)
	}
}

func testOpen(t *testing.T, fsys files.FS) {
	write(t, fsys, "deep/file", "0123456789")
	r, err := fsys.Open("deep/file")
	if err != nil {
		t.Fatal(err)
	}
	if r.Size() != 10 {
		t.Errorf("size is %d, want 10", r.Size())
	}
	wantAt(t, r, 3, 4, "3456", false)
	wantAt(t, r, 0, 2, "01", false)
	wantAt(t, r, 8, 4, "89", true)
	wantAt(t, r, 10, 1, "", true)
	appendString(t, appender(t, fsys, "deep/file"), "abc")
	wantAt(t, r, 3, 4, "3456", false)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	wantFile(t, fsys, "deep/file", "0123456789abc")
}

func testTruncate(t *testing.T, fsys files.FS) {
	write(t, fsys, "deep/file", "0123456789")
	for _, size := range []int64{-1, 11} {
		wantError(t, "truncate", fsys.Truncate("deep/file", size), fs.ErrInvalid, fsys.Path("deep/file"))
	}
	for _, size := range []int{10, 4, 4} {
		if err := fsys.Truncate("deep/file", int64(size)); err != nil {
			t.Fatal(err)
		}
		wantFile(t, fsys, "deep/file", "0123456789"[:size])
	}
	a := appender(t, fsys, "deep/file")
	wantSize(t, a, 4)
	appendString(t, a, "abc")
	wantFile(t, fsys, "deep/file", "0123abc")
	if err := fsys.Truncate("deep/file", 0); err != nil {
		t.Fatal(err)
	}
	appendString(t, a, "x")
	wantFile(t, fsys, "deep/file", "x")
}

func testAppendReplaced(t *testing.T, fsys files.FS) {
	a := appender(t, fsys, "log")
	appendString(t, a, "old")
	if err := fsys.Rename("log", "log.1"); err != nil && runtime.GOOS == "windows" {
		t.Skipf("needs open files that can be renamed: run it on Unix: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	appendString(t, a, "er")
	write(t, fsys, "log", "new")
	wantFile(t, fsys, "log", "new")
	wantFile(t, fsys, "log.1", "older")
}

func testAppendClosed(t *testing.T, fsys files.FS) {
	a := appender(t, fsys, "log")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := a.Write([]byte("x"))
	wantError(t, "write", err, fs.ErrClosed, fsys.Path("log"))
	wantError(t, "sync", a.Sync(), fs.ErrClosed, fsys.Path("log"))
	wantError(t, "close", a.Close(), fs.ErrClosed, fsys.Path("log"))
	wantFile(t, fsys, "log", "")
}

func testRename(t *testing.T, fsys files.FS) {
	write(t, fsys, "from", "content")
	write(t, fsys, "to", "old")
	for _, step := range [][2]string{{"from", "to"}, {"to", "new/directory/file"}, {"new/directory/file", "new/directory/file"}} {
		if err := fsys.Rename(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
		wantFile(t, fsys, step[1], "content")
	}
	wantList(t, fsys, ".", "new/")
}

func testRemove(t *testing.T, fsys files.FS) {
	write(t, fsys, "a/file", "content")
	for range 2 {
		if err := fsys.Remove("a/file"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := fsys.ReadFile("a/file")
	wantError(t, "read", err, fs.ErrNotExist, fsys.Path("a/file"))
	wantList(t, fsys, "a")
}

func testList(t *testing.T, fsys files.FS) {
	for _, name := range []string{"b", "a", "c/x", "c/d/y", "a.b", ".hidden"} {
		write(t, fsys, name, "")
	}
	wantList(t, fsys, ".", ".hidden", "a", "a.b", "b", "c/")
	wantList(t, fsys, "c", "d/", "x")
	wantList(t, fsys, "c/d", "y")
}

func testLock(t *testing.T, fsys files.FS) {
	lock, err := fsys.Lock("run/lock", "1234")
	if err != nil {
		t.Fatal(err)
	}
	_, err = fsys.Lock("run/lock", "5678")
	wantError(t, "second lock", err, files.ErrLocked, fsys.Path("run/lock"))
	wantNote(t, fsys, "1234")
	other, err := fsys.Lock("run/other", "")
	if err != nil {
		t.Fatalf("another lock: %v", err)
	}
	defer other.Close()
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	wantNote(t, fsys, "1234")
	again, err := fsys.Lock("run/lock", "9")
	if err != nil {
		t.Fatal(err)
	}
	wantNote(t, fsys, "9")
	lock.Close() // the second time: somebody else's lock is not touched
	_, err = fsys.Lock("run/lock", "")
	wantError(t, "lock after a second close", err, files.ErrLocked, fsys.Path("run/lock"))
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	wantList(t, fsys, "run", "lock", "other")
}

func wantNote(t *testing.T, fsys files.FS, want string) {
	t.Helper()
	if note, err := fsys.LockNote("run/lock"); err != nil || note != want {
		t.Errorf("note is %q, %v, want %q", note, err, want)
	}
}

func testLockRace(t *testing.T, fsys files.FS) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	held, won := 0, 0
	for range 8 {
		wg.Go(func() {
			for range 20 {
				lock, err := fsys.Lock("lock", "note")
				if errors.Is(err, files.ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				held, won = held+1, won+1
				if held != 1 {
					t.Errorf("%d hold the lock", held)
				}
				mu.Unlock()
				mu.Lock()
				held--
				mu.Unlock()
				lock.Close()
			}
		})
	}
	wg.Wait()
	if won == 0 {
		t.Error("nobody ever got the lock")
	}
}

func testSub(t *testing.T, fsys files.FS) {
	sub := files.Sub(fsys, "peers/alice")
	wantList(t, sub, ".")
	write(t, sub, "key", "secret")
	wantFile(t, fsys, "peers/alice/key", "secret")
	wantList(t, sub, ".", "key")
	if got, want := sub.Path("key"), fsys.Path("peers/alice/key"); got != want {
		t.Errorf("path is %s, want %s", got, want)
	}
	lock, err := sub.Lock("lock", "")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	_, err = fsys.Lock("peers/alice/lock", "")
	wantError(t, "lock through the other one", err, files.ErrLocked, fsys.Path("peers/alice/lock"))
	_, err = sub.ReadFile("../bob/key")
	wantError(t, "read outside", err, fs.ErrInvalid, "")
}

// testNotTorn has writers replace a file under the eyes of readers.
func testNotTorn(t *testing.T, fsys files.FS) {
	const writers, readers, rounds, size = 3, 3, 40, 32 << 10
	write(t, fsys, "file", strings.Repeat("0", size))
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			content := bytes.Repeat([]byte{byte('1' + i)}, size)
			for range rounds {
				if err := fsys.WriteFile("file", content, perm); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range readers {
		wg.Go(func() {
			for range rounds {
				got, err := fsys.ReadFile("file")
				if err != nil || len(got) != size || bytes.Count(got, got[:1]) != size {
					t.Errorf("read %d bytes, not all the same or not %d; error %v", len(got), size, err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantList(t, fsys, ".", "file")
}

func testAppendRace(t *testing.T, fsys files.FS) {
	const writers, rounds, line = 4, 50, "a whole line\n"
	var wg sync.WaitGroup
	for range writers {
		a := appender(t, fsys, "log")
		wg.Go(func() {
			for range rounds {
				if _, err := a.Write([]byte(line)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantFile(t, fsys, "log", strings.Repeat(line, writers*rounds))
}

// testAppendRenamed: a file that is renamed while it is opened is made anew.
func testAppendRenamed(t *testing.T, fsys files.FS) {
	const renames, writers = 200, 4
	done := make(chan struct{})
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for {
				a, err := fsys.Append("log", perm)
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range renames {
		if err := fsys.Rename("log", "old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	close(done)
	group.Wait()
}
