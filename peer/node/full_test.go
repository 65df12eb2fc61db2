package node_test

import (
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/node"
)

// full is a disk that takes nothing more at the end of a file once it is full.
type full struct {
	files.FS
	now atomic.Bool
}

func (f *full) Append(name string, perm fs.FileMode) (files.Appender, error) {
	a, err := f.FS.Append(name, perm)
	return fullFile{a, f}, err
}

type fullFile struct {
	files.Appender
	disk *full
}

func (f fullFile) Write(b []byte) (int, error) {
	if f.disk.now.Load() {
		return 0, syscall.ENOSPC
	}
	return f.Appender.Write(b)
}

// TestAJournalThatEndsIsTold fills the disk under a peer that runs: it says so
// once, and goes on.
func TestAJournalThatEndsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &full{FS: files.Mem()}
		l := newLab(t)
		l.data["alice"] = disk.FS
		p := l.start("alice", func(c *node.Config) { c.Data = disk })
		p.init()
		told := func() int { return strings.Count(strings.Join(p.shown, "\n"), "not in the journal") }
		synctest.Wait()
		if n := told(); n != 0 {
			t.Errorf("told %d times before", n)
		}
		disk.now.Store(true)
		p.Journal().Record("view", "something", nil)
		p.Journal().Record("view", "more", nil)
		synctest.Wait()
		if n := told(); n != 1 {
			t.Errorf("told %d times, want once: %q", n, p.shown)
		}
		p.stop()
		if err := <-p.done; err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("in the end: %v", err)
		}
		p.done <- nil
		p.end()
	})
}
