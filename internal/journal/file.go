package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/peerlab/peerlab/internal/files"
)

// File is a journal on disk that does not grow for ever: when it has reached
// its bound it is renamed to NAME.old, over the one before, and a new file
// begins. It is safe for use as a Sink, and by Close at the same time.
type File struct {
	dir  files.FS
	name string
	half int64

	failed chan struct{} // closed at the first failure

	mu   sync.Mutex // guards the fields below; its writes are short appends
	out  files.Appender
	line []byte // the last line, for reuse
	err  error
}

// OpenFile opens the journal name in dir for appending. The two files together
// stay at about maxBytes. A last line that was cut off is removed: an event
// written behind it could not be read, and no reader yields it. A file that is
// no journal of this version is left alone; the error matches ErrCorrupt or
// ErrVersion.
func OpenFile(dir files.FS, name string, maxBytes int64) (*File, error) {
	f := &File{dir: dir, name: name, half: maxBytes / 2, failed: make(chan struct{})}
	err := f.mend()
	if err == nil {
		f.out, err = dir.Append(name, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return f, nil
}

func (f *File) old() string { return f.name + ".old" }

// mend looks at the file that is there, and ends it with its last whole line.
// However long the file is, it reads the first line and the last ones.
func (f *File) mend() error {
	r, err := f.dir.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	whole, err := checkEnds(r)
	err = errors.Join(err, r.Close())
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrVersion) {
		return fmt.Errorf("%s is damaged, move it away: %w", f.dir.Path(f.name), err)
	}
	if err != nil || whole == r.Size() {
		return err
	}
	return f.dir.Truncate(f.name, whole)
}

// checkEnds checks the first and the last of the whole lines of a file, and
// returns how long these are together: what is no journal at all shows there,
// and the lines between may be many.
func checkEnds(r files.Reader) (whole int64, err error) {
	if r.Size() == 0 {
		return 0, nil
	}
	if whole, err = lineStart(r, r.Size()); err != nil {
		return 0, err
	}
	first := bufio.NewReader(io.NewSectionReader(r, 0, max(whole, int64(len(lineBegins)))))
	if whole == 0 {
		start, err := first.Peek(len(lineBegins))
		if !strings.HasPrefix(lineBegins, string(start)) {
			return 0, ErrCorrupt
		}
		return 0, ignoreEOF(err)
	}
	begin, err := lineStart(r, whole-1)
	if err != nil {
		return 0, err
	}
	last := bufio.NewReader(io.NewSectionReader(r, begin, whole-begin))
	return whole, cmp.Or(checkLine(first), checkLine(last))
}

// lineBegins is how every line of a journal begins.
const lineBegins = `{"v":`

func checkLine(r *bufio.Reader) error {
	line, err := readLine(r)
	if err != nil {
		return err
	}
	var e Event
	return e.UnmarshalJSON(line)
}

// lineStart is where the line begins that ends before end: behind the last
// newline there, or at 0.
func lineStart(r io.ReaderAt, end int64) (int64, error) {
	block := make([]byte, 16<<10)
	for at := end; at > 0; {
		n := min(at, int64(len(block)))
		at -= n
		if _, err := r.ReadAt(block[:n], at); ignoreEOF(err) != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		if end-at > maxLine {
			return 0, fmt.Errorf("%w: a line is longer than %d bytes", ErrCorrupt, maxLine)
		}
	}
	return 0, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Sink appends the line of an event. After the first failure it drops events;
// Err tells.
func (f *File) Sink(_ Event, line []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out == nil || f.err != nil {
		return
	}
	if f.err = f.write(line); f.err != nil {
		close(f.failed)
	}
}

func (f *File) write(line []byte) error {
	if f.out.Size() > f.half {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	f.line = append(append(f.line[:0], line...), '\n')
	_, err := f.out.Write(f.line)
	return err
}

// Failed is closed when Err has something to tell.
func (f *File) Failed() <-chan struct{} { return f.failed }

func (f *File) rotate() error {
	err := f.out.Close()
	f.out = nil
	if err != nil {
		return err
	}
	if err := f.dir.Rename(f.name, f.old()); err != nil {
		return err
	}
	out, err := f.dir.Append(f.name, 0o600)
	if err != nil {
		return err
	}
	f.out = out
	return nil
}

// Err is the first failure of writing, nil if there was none.
func (f *File) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close closes the file; later events are dropped. It may be called twice.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out == nil {
		return nil
	}
	err := f.out.Close()
	f.out = nil
	return err
}
