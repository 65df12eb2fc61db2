package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/internal/files"
)

func openHistory(t *testing.T, dir string) history {
	t.Helper()
	data, err := files.Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return history{data}
}

func load(t *testing.T, h history) []string {
	t.Helper()
	lines, err := h.load()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestHistoryRoundTrip(t *testing.T) {
	h := history{files.Mem()}
	if got := load(t, h); len(got) != 0 {
		t.Errorf("a new one has %q", got)
	}
	entries := []string{"a", "two\nlines\n", `a \\ b \n c`, "\\\\n", "tab\t", "grüß 漢字 👍", "\\"}
	for _, e := range entries {
		h.save(e)
	}
	if got := load(t, h); !slices.Equal(got, entries) {
		t.Errorf("%q, want %q", got, entries)
	}
}

func TestDamagedHistoryIsRefused(t *testing.T) {
	for _, name := range []string{historyFile, historyOld} {
		data := files.Mem()
		if err := data.WriteFile(name, []byte("a\x00b\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (history{data}).load(); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHistoryIsBounded: the last thousand entries are found, the file does not
// grow for ever, and only its user can read it.
func TestHistoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	h := openHistory(t, dir)
	for i := range 3*maxHistory + 500 {
		h.save(fmt.Sprint(i))
		if i%700 == 699 { // a start now and then
			load(t, h)
		}
	}
	got := load(t, h)
	if len(got) != maxHistory || got[0] != fmt.Sprint(2*maxHistory+500) || got[maxHistory-1] != fmt.Sprint(3*maxHistory+499) {
		t.Errorf("%d entries, %s to %s", len(got), got[0], got[len(got)-1])
	}
	for _, name := range []string{historyFile, historyOld} {
		info, err := os.Stat(filepath.Join(dir, name))
		if name == historyFile && os.IsNotExist(err) {
			continue // the next entry makes it
		}
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 3*maxHistory*5 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != fs.FileMode(0o600) {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

// TestOneNewGenerationAtATime: of two processes that found the file grown, the
// later one leaves the first one's new generation alone.
func TestOneNewGenerationAtATime(t *testing.T) {
	dir := t.TempDir()
	first, second := openHistory(t, dir), openHistory(t, dir)
	for i := range maxHistory {
		first.save(fmt.Sprint(i))
	}
	if err := first.renew(); err != nil {
		t.Fatal(err)
	}
	first.save("new")
	if err := second.renew(); err != nil {
		t.Fatal(err)
	}
	if got := load(t, second); len(got) != maxHistory || got[0] != "1" || got[maxHistory-1] != "new" {
		t.Errorf("%d entries are left", len(got))
	}
}

// renaming begins a new generation when the present one has been read.
type renaming struct {
	files.FS
	once sync.Once
}

func (r *renaming) ReadFile(name string) (raw []byte, err error) {
	raw, err = r.FS.ReadFile(name)
	if name == historyFile {
		r.once.Do(func() { err = errors.Join(err, r.Rename(historyFile, historyOld)) })
	}
	return raw, err
}

// TestGenerationsAreReadOnce: another process begins a new generation while
// this one starts.
func TestGenerationsAreReadOnce(t *testing.T) {
	h := history{&renaming{FS: files.Mem()}}
	for i := range 5 {
		h.save(fmt.Sprint(i))
	}
	if got := load(t, h); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("loaded %q", got)
	}
}

// TestSharedHistoryLosesNothing: several processes append, and others start
// meanwhile and begin new generations.
func TestSharedHistoryLosesNothing(t *testing.T) {
	const writers, entries = 4, maxHistory/4 - 10 // fewer than are kept in all
	dir := t.TempDir()
	first := openHistory(t, dir)
	for i := range maxHistory - 100 { // so that a new generation is due on the way
		first.save(fmt.Sprint("old ", i))
	}
	var group sync.WaitGroup
	for w := range writers {
		h := openHistory(t, dir)
		group.Go(func() {
			for i := range entries {
				h.save(fmt.Sprintf("%d entry %d\nof two lines", w, i))
				if i%20 == 0 {
					if _, err := h.load(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	next := make([]int, writers)
	for _, line := range load(t, first) {
		var w, n int
		if _, err := fmt.Sscanf(line, "%d entry %d", &w, &n); err != nil {
			continue
		}
		if n != next[w] || !strings.HasSuffix(line, "\nof two lines") {
			t.Fatalf("entry %q, and number %d is due", line, next[w])
		}
		next[w]++
	}
	for w, n := range next {
		if n != entries {
			t.Errorf("%d of %d entries of process %d are there", n, entries, w)
		}
	}
}
