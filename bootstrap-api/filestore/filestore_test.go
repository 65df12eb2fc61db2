package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/filestore"
	"github.com/peerlab/peerlab/bootstrap-api/storetest"
	"github.com/peerlab/peerlab/internal/files"
)

const name = "bootstrap.json"

func TestConformance(t *testing.T) {
	for kind, newFS := range map[string]func(testing.TB) files.FS{
		"memory":    func(testing.TB) files.FS { return files.Mem() },
		"directory": func(t testing.TB) files.FS { return dir(t, t.TempDir()) },
	} {
		t.Run(kind, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) bootstrap.Store { return open(t, newFS(t)) })
		})
	}
}

func TestReopen(t *testing.T) {
	fsys := dir(t, t.TempDir())
	first := open(t, fsys)
	join(t, first, "lab", 1)
	join(t, first, "lab", 2)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Update(t.Context(), "lab", func(*bootstrap.State) error { return nil }); !errors.Is(err, bootstrap.ErrUnavailable) {
		t.Errorf("update of a closed store: %v, want ErrUnavailable", err)
	}
	second := open(t, fsys)
	if s := read(t, second, "lab"); len(s.Records) != 2 || s.Joins != 2 || s.Revision != 2 {
		t.Errorf("%+v after reopening", s)
	}
	join(t, second, "other", 1)
	if s := read(t, second, "other"); s.Revision != 3 {
		t.Errorf("revision %d after reopening, want it to go on at 3", s.Revision)
	}
}

func TestReadsDoNotWrite(t *testing.T) {
	fsys := &counting{FS: files.Mem()}
	s := open(t, fsys)
	read(t, s, "lab")
	if fsys.writes != 0 {
		t.Errorf("%d writes after a read", fsys.writes)
	}
	if _, err := fsys.ReadFile(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a read made a file: %v", err)
	}
}

// Updates that come in while a write is under way share the next one.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := &counting{FS: files.Mem(), takes: time.Second}
		s := open(t, fsys)
		var all sync.WaitGroup
		for n := range 32 {
			all.Go(func() {
				if n > 0 {
					time.Sleep(time.Millisecond)
				}
				join(t, s, "lab", n)
			})
		}
		all.Wait()
		if fsys.writes != 2 {
			t.Errorf("%d writes for one update and 31 during its write, want 2", fsys.writes)
		}
		if got := len(read(t, s, "lab").Records); got != 32 {
			t.Errorf("%d records", got)
		}
	})
}

func TestFailedWrite(t *testing.T) {
	fsys := &counting{FS: files.Mem()}
	s := open(t, fsys)
	join(t, s, "lab", 1)
	fsys.fails = errors.New("disk full")
	err := s.Update(t.Context(), "lab", func(s *bootstrap.State) error { s.Joins = 9; return nil })
	if !errors.Is(err, bootstrap.ErrUnavailable) || !errors.Is(err, fsys.fails) {
		t.Errorf("%v, want ErrUnavailable and its cause", err)
	}
	if got := read(t, s, "lab"); got.Joins != 1 {
		t.Errorf("%+v: what could not be written is there", got)
	}
	fsys.fails = nil
	join(t, s, "lab", 2)
	if got := read(t, s, "lab"); got.Joins != 2 {
		t.Errorf("%+v after the disk had recovered", got)
	}
}

func TestRefusedFiles(t *testing.T) {
	good := golden(t)
	tests := map[string]string{
		"empty":            "",
		"cut off":          good[:len(good)/2],
		"no JSON":          "joined alice\n",
		"two values":       good + "{}",
		"another version":  strings.Replace(good, `"version": 1`, `"version": 2`, 1),
		"unknown member":   strings.Replace(good, `"version"`, `"colour": "red", "version"`, 1),
		"no groups":        `{"version":1,"revision":3}`,
		"null groups":      `{"version":1,"revision":3,"groups":null}`,
		"a name twice":     strings.Replace(good, `"name": "bob"`, `"name": "alice"`, 1),
		"a wrong group":    strings.Replace(good, `"lab"`, `"../lab"`, 1),
		"group from later": strings.Replace(good, `"revision": 2`, `"revision": 1`, 1),
	}
	for what, content := range tests {
		t.Run(what, func(t *testing.T) {
			path := t.TempDir()
			file := filepath.Join(path, name)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			fsys := dir(t, path)
			for range 2 { // the second time because the lock must be free again
				_, err := filestore.Open(fsys, name)
				if !errors.Is(err, filestore.ErrCorrupt) || !strings.Contains(err.Error(), fsys.Path(name)) {
					t.Errorf("%v, want ErrCorrupt with the path", err)
				}
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != content {
				t.Errorf("the file was touched: %q, %v", after, err)
			}
		})
	}
}

// The format of version 1, byte for byte.
func TestGolden(t *testing.T) {
	fsys := files.Mem()
	s := open(t, fsys)
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	err := s.Update(t.Context(), "lab", func(s *bootstrap.State) error {
		for i, who := range []string{"alice", "bob"} {
			r := bootstrap.JoinRequest{ID: "id-" + who, Name: who, Boot: 1, Addr: fmt.Sprintf("127.0.0.1:%d", 4001+i), TTL: time.Minute}
			if _, err := s.Join(at, r, "token-"+who); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), "lab", func(s *bootstrap.State) error { s.Joins++; return nil }); err != nil {
		t.Fatal(err)
	}
	got, err := fsys.ReadFile(name)
	if err != nil || string(got) != golden(t) {
		t.Errorf("%s\n%v; want the bytes of testdata/store-v1.json", got, err)
	}
}

func TestSecondStore(t *testing.T) {
	fsys := dir(t, t.TempDir())
	open(t, fsys)
	_, err := filestore.Open(fsys, name)
	if !errors.Is(err, files.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("%v, want ErrLocked and the holder's pid", err)
	}
}

func golden(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "store-v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

func dir(t testing.TB, path string) files.FS {
	t.Helper()
	fsys, err := files.Dir(path)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

func open(t testing.TB, fsys files.FS) *filestore.Store {
	t.Helper()
	s, err := filestore.Open(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func join(t testing.TB, s bootstrap.Store, group string, n int) {
	err := s.Update(context.Background(), group, func(s *bootstrap.State) error {
		r := storetest.Peer(n)
		r.TTL = time.Hour
		_, err := s.Join(time.Now(), r, "token")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func read(t testing.TB, s bootstrap.Store, group string) bootstrap.State {
	t.Helper()
	var got *bootstrap.State
	if err := s.Update(context.Background(), group, func(s *bootstrap.State) error { got = s; return nil }); err != nil {
		t.Fatal(err)
	}
	return *got
}

// counting counts writes, makes them slow, and makes them fail.
type counting struct {
	files.FS
	writes int
	takes  time.Duration
	fails  error
}

func (c *counting) WriteFile(name string, data []byte, perm fs.FileMode) error {
	c.writes++
	time.Sleep(c.takes)
	if c.fails != nil {
		return c.fails
	}
	return c.FS.WriteFile(name, data, perm)
}
