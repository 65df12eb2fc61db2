package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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
	f := &File{dir: dir, name: name, half: maxBytes / 2}
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
func (f *File) mend() error {
	raw, err := f.dir.ReadFile(f.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	whole := raw[:bytes.LastIndexByte(raw, '\n')+1]
	if err := checkWhole(raw, whole); err != nil {
		return fmt.Errorf("%s is damaged, move it away: %w", f.dir.Path(f.name), err)
	}
	if len(whole) == len(raw) {
		return nil
	}
	return f.dir.WriteFile(f.name, whole, 0o600)
}

// checkWhole checks the first and the last of the whole lines of a file: what
// is no journal at all shows there, and the lines between may be many.
func checkWhole(raw, whole []byte) error {
	if len(whole) == 0 {
		if start := []byte(`{"v":`); !bytes.HasPrefix(raw, start[:min(len(start), len(raw))]) {
			return ErrCorrupt
		}
		return nil
	}
	first := whole[:bytes.IndexByte(whole, '\n')]
	last := whole[bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1 : len(whole)-1]
	var e Event
	return errors.Join(e.UnmarshalJSON(first), e.UnmarshalJSON(last))
}

// Sink appends the line of an event. After the first failure it drops events;
// Err tells.
func (f *File) Sink(_ Event, line []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out == nil || f.err != nil {
		return
	}
	if f.out.Size() > f.half {
		f.err = f.rotate()
		if f.err != nil {
			return
		}
	}
	f.line = append(append(f.line[:0], line...), '\n')
	_, f.err = f.out.Write(f.line)
}

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
