package journal

import (
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
// stay at about maxBytes. A file whose last line was cut off is set aside as
// NAME.old: an event written behind that line could not be read.
func OpenFile(dir files.FS, name string, maxBytes int64) (*File, error) {
	f := &File{dir: dir, name: name, half: maxBytes / 2}
	cut, err := f.cutOff()
	if err == nil && cut {
		err = dir.Rename(name, f.old())
	}
	if err == nil {
		f.out, err = dir.Append(name, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return f, nil
}

func (f *File) old() string { return f.name + ".old" }

// cutOff tells whether the file that is there ends within a line.
func (f *File) cutOff() (bool, error) {
	raw, err := f.dir.ReadFile(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(raw) > 0 && raw[len(raw)-1] != '\n', err
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
