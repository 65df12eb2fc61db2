package journal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
)

func realDir(tb testing.TB) files.FS {
	tb.Helper()
	dir, err := files.Dir(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

func openFile(tb testing.TB, dir files.FS) *journal.File {
	tb.Helper()
	f, err := journal.OpenFile(dir, "journal.jsonl", 1<<20)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := errors.Join(f.Err(), f.Close()); err != nil {
			tb.Error(err)
		}
	})
	return f
}

// read returns the sequence numbers in a file, and checks them.
func read(t *testing.T, dir files.FS, name string) (seqs []uint64) {
	t.Helper()
	raw, err := dir.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range journal.Read(bytes.NewReader(raw)) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

func TestFileIsReopened(t *testing.T) {
	dir := realDir(t)
	for boot := 1; boot <= 2; boot++ {
		w := journal.NewWriter(journal.Config{Peer: "alice", Boot: boot})
		f, err := journal.OpenFile(dir, "journal.jsonl", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		w.Attach(f.Sink)
		w.Record("x", "one", nil)
		if err := errors.Join(f.Err(), f.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		w.Record("x", "after the end", nil)
		if err := f.Err(); err != nil {
			t.Errorf("an event after Close: %v; it is dropped, and no failure", err)
		}
	}
	if got := read(t, dir, "journal.jsonl"); len(got) != 2 {
		t.Errorf("%d events after two boots, want 2", len(got))
	}
}

func TestFileAfterACutOffTail(t *testing.T) {
	dir := files.Mem()
	if err := dir.WriteFile("journal.jsonl", []byte(whole+"\n"+whole[:70]), 0o600); err != nil {
		t.Fatal(err)
	}
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 2})
	w.Attach(openFile(t, dir).Sink)
	w.Record("x", "after the crash", nil)
	if got := read(t, dir, "journal.jsonl"); len(got) != 2 {
		t.Errorf("%d events, want the whole one from before the crash, and the one after it", len(got))
	}
	if names, _ := dir.List("."); len(names) != 1 {
		t.Errorf("the directory has %q: what was set aside before may be lost by that", names)
	}
}

func TestFileThatIsNoJournal(t *testing.T) {
	for name, content := range map[string]string{
		"text":             "this is\nno journal\n",
		"text, cut":        "this is no journal",
		"binary":           "\x00\x01\xff",
		"zeros":            strings.Repeat("\x00", 4096),
		"another version":  strings.Replace(whole, `"v":1`, `"v":2`, 1) + "\n",
		"a damaged head":   "x" + whole + "\n" + whole + "\n",
		"a damaged end":    whole + "\n" + whole[:70] + "\n",
		"one huge line":    strings.Repeat("x", 5<<20) + "\n",
		"a list of events": "[" + whole + "]\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := files.Mem()
			if err := dir.WriteFile("journal.jsonl", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := journal.OpenFile(dir, "journal.jsonl", 1<<20)
			if err == nil || !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, journal.ErrVersion) || !strings.Contains(err.Error(), dir.Path("journal.jsonl")) {
				t.Errorf("it is opened with %v", err)
			}
			if raw, _ := dir.ReadFile("journal.jsonl"); string(raw) != content {
				t.Errorf("the file was changed to %.100q", raw)
			}
		})
	}
}

// A crash may cut the file anywhere; what was whole before stays readable.
func TestFileCutAnywhere(t *testing.T) {
	content := whole + "\n" + whole + "\n"
	for n := range len(content) {
		dir := files.Mem()
		if err := dir.WriteFile("journal.jsonl", []byte(content[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 2})
		w.Attach(openFile(t, dir).Sink)
		w.Record("x", "after the crash", nil)
		if got, want := len(read(t, dir, "journal.jsonl")), 1+strings.Count(content[:n], "\n"); got != want {
			t.Fatalf("cut at %d: %d events, want %d", n, got, want)
		}
	}
}

// What a peer writes can be read again, however long and strange it is.
func TestLongEventsCanBeRead(t *testing.T) {
	dir := files.Mem()
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
	w.Attach(openFile(t, dir).Sink)
	for _, text := range []string{
		strings.Repeat("\x01", 1<<20), strings.Repeat("\xff", 1<<20), strings.Repeat("\u202e", 1<<20), strings.Repeat("x", 5<<20), "short",
	} {
		w.Record("command", text, map[string]any{"error": text})
	}
	if got := read(t, dir, "journal.jsonl"); len(got) != 1 || got[0] != 5 {
		t.Errorf("the last file has %v", got) // each of the others filled a file
	}
	if got := read(t, dir, "journal.jsonl.old"); len(got) == 0 {
		t.Error("the events before cannot be read")
	}
}

func TestFileStaysBounded(t *testing.T) {
	const bound = 8 << 10
	dir := files.Mem()
	f, err := journal.OpenFile(dir, "journal.jsonl", bound)
	if err != nil {
		t.Fatal(err)
	}
	w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
	w.Attach(f.Sink)
	longest := 0
	w.Attach(func(_ journal.Event, line []byte) { longest = max(longest, len(line)+1) })
	for range 300 {
		w.Record("x", strings.Repeat("y", 50), nil)
		total := 0
		for _, name := range []string{"journal.jsonl", "journal.jsonl.old"} {
			raw, err := dir.ReadFile(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			total += len(raw)
		}
		if total > bound+2*longest {
			t.Fatalf("the files have %d bytes, the bound is %d", total, bound)
		}
	}
	if err := errors.Join(f.Err(), f.Close()); err != nil {
		t.Fatal(err)
	}
	seqs := append(read(t, dir, "journal.jsonl.old"), read(t, dir, "journal.jsonl")...)
	for i, seq := range seqs {
		if seq != seqs[0]+uint64(i) {
			t.Fatalf("a gap between the files: %v", seqs)
		}
	}
	if last := seqs[len(seqs)-1]; last != 300 || len(seqs) < 20 {
		t.Errorf("%d events are kept, the last is %d; want the last 20 at least, of 300", len(seqs), last)
	}
}

// badDisk fails from the moment on that one of its errors is set.
type badDisk struct {
	files.FS
	write, rename, append, open, read, truncate error

	got int // bytes read from open files
}

func (d *badDisk) Rename(from, to string) error {
	if d.rename != nil {
		return d.rename
	}
	return d.FS.Rename(from, to)
}

func (d *badDisk) Open(name string) (files.Reader, error) {
	if d.open != nil {
		return nil, d.open
	}
	r, err := d.FS.Open(name)
	return badReader{r, d}, err
}

type badReader struct {
	files.Reader
	disk *badDisk
}

func (r badReader) ReadAt(b []byte, off int64) (int, error) {
	if r.disk.read != nil {
		return 0, r.disk.read
	}
	n, err := r.Reader.ReadAt(b, off)
	r.disk.got += n
	return n, err
}

func (d *badDisk) Truncate(name string, size int64) error {
	if d.truncate != nil {
		return d.truncate
	}
	return d.FS.Truncate(name, size)
}

func (d *badDisk) Append(name string, perm fs.FileMode) (files.Appender, error) {
	if d.append != nil {
		return nil, d.append
	}
	a, err := d.FS.Append(name, perm)
	return badAppender{a, d}, err
}

type badAppender struct {
	files.Appender
	disk *badDisk
}

func (a badAppender) Write(b []byte) (int, error) {
	if err := a.disk.write; err != nil {
		_, _ = a.Appender.Write(b[:len(b)/2])
		return len(b) / 2, err
	}
	return a.Appender.Write(b)
}

var errFull = errors.New("disk is full")

func TestFailingDisk(t *testing.T) {
	for name, fail := range map[string]func(*badDisk){
		"no room to write": func(d *badDisk) { d.write = errFull },
		"no rename":        func(d *badDisk) { d.rename = errFull },
		"no new file":      func(d *badDisk) { d.append = errFull },
	} {
		t.Run(name, func(t *testing.T) {
			disk := &badDisk{FS: files.Mem()}
			f, err := journal.OpenFile(disk, "journal.jsonl", 1000)
			if err != nil {
				t.Fatal(err)
			}
			w, rest := writer("alice")
			w.Attach(f.Sink)
			w.Record("x", "one", nil)
			fail(disk)
			for range 20 {
				w.Record("x", "more", nil)
			}
			if !errors.Is(f.Err(), errFull) {
				t.Errorf("Err is %v", f.Err())
			}
			if err := f.Close(); err != nil {
				t.Errorf("Close after a failure: %v", err)
			}
			if len(rest.events) != 21 {
				t.Errorf("another sink got %d of 21 events", len(rest.events))
			}
			disk.write, disk.rename, disk.append = nil, nil, nil
			w.Record("x", "the disk is well again", nil)
			if name == "no room to write" {
				if got := read(t, disk, "journal.jsonl"); len(got) != 1 {
					t.Errorf("%d events on disk; want the one before the failure", len(got))
				}
			}
		})
	}
}

func TestFileThatCannotBeOpened(t *testing.T) {
	for name, disk := range map[string]*badDisk{
		"append":   {FS: files.Mem(), append: errFull},
		"open":     {FS: files.Mem(), open: errFull},
		"read":     {FS: files.Mem(), read: errFull},
		"truncate": {FS: files.Mem(), truncate: errFull},
	} {
		if err := disk.FS.WriteFile("journal.jsonl", []byte(`{"v":1,"cut`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.OpenFile(disk, "journal.jsonl", 1000); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpeningReadsTheEnds: a start does not get slower by what a peer has seen.
func TestOpeningReadsTheEnds(t *testing.T) {
	long := strings.Replace(whole, `"text":"`, `"text":"`+strings.Repeat("long ", 20<<10), 1)
	if len(long) < 100<<10 {
		t.Fatalf("the long line has %d bytes", len(long))
	}
	disk := &badDisk{FS: files.Mem()}
	for name, c := range map[string]struct{ end, left string }{
		"a short line":        {whole + "\n", ""},
		"a long line":         {long + "\n", ""},
		"a short line is cut": {long + "\n", whole[:50]},
		"a long line is cut":  {whole + "\n", long[:len(long)-1]},
	} {
		t.Run(name, func(t *testing.T) {
			content := strings.Repeat(whole+"\n", 50_000) + c.end
			if err := disk.WriteFile("journal.jsonl", []byte(content+c.left), 0o600); err != nil {
				t.Fatal(err)
			}
			disk.got = 0
			f, err := journal.OpenFile(disk, "journal.jsonl", 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if now, err := disk.ReadFile("journal.jsonl"); err != nil || string(now) != content {
				t.Errorf("the file has %d bytes, and %d are whole lines (%v)", len(now), len(content), err)
			}
			if disk.got > 500<<10 || disk.got == 0 {
				t.Errorf("%d bytes of %d were read", disk.got, len(content))
			}
		})
	}
}
