package journal

import (
	"errors"
	"io"
	"io/fs"
	"iter"

	"github.com/peerlab/peerlab/internal/files"
)

// Kept yields the events that the File of that name still has, the oldest
// first, of all boots. It stops after the first error; see Read. What is
// recorded meanwhile may be missing.
func Kept(dir files.FS, name string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, part := range []string{name + ".old", name} {
			if !keptIn(dir, part, yield) {
				return
			}
		}
	}
}

// keptIn yields the events of one file; false means that that was the end.
func keptIn(dir files.FS, name string, yield func(Event, error) bool) bool {
	f, err := dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		yield(Event{}, err)
		return false
	}
	defer f.Close()
	for e, err := range Read(io.NewSectionReader(f, 0, f.Size())) {
		if !yield(e, err) || err != nil {
			return false
		}
	}
	return true
}
