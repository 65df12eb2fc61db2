package journal

import (
	"fmt"
	"sync"

	"github.com/peerlab/peerlab/internal/files"
)

// File is a journal on disk that does not grow for ever: when it has reached
// its bound it is renamed to NAME.old, over the one before, and a new file
// begins. It is safe for use as a Sink, and by Close at the same time.
type File struct {
	fs   files.FS
	name string
	half int64

	mu  sync.Mutex // guards the fields below; its writes are short appends
	out files.Appender
	err error
}

// OpenFile opens the journal name in fs for appending. The two files together
// stay at about maxBytes.
func OpenFile(fs files.FS, name string, maxBytes int64) (*File, error) {
	out, err := fs.Append(name, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return &File{fs: fs, name: name, half: maxBytes / 2, out: out}, nil
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
	_, f.err = f.out.Write(append(line, '\n'))
}

func (f *File) rotate() error {
	if err := f.out.Close(); err != nil {
		return err
	}
	if err := f.fs.Rename(f.name, f.name+".old"); err != nil {
		return err
	}
	out, err := f.fs.Append(f.name, 0o600)
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
