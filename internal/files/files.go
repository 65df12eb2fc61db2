// Package files is the file system seam of a peer: what a peer keeps on disk
// it keeps through an FS value that it was given, so that a thousand peers of
// a simulation need no disk and tests need no temporary directories.
//
// There are two implementations, Dir (a real directory) and Mem; package
// filestest proves the contract for both.
package files

import (
	"errors"
	"io"
	"io/fs"
)

// ErrLocked is returned by Lock when another holder has the lock.
var ErrLocked = errors.New("locked by another process")

// FS is one directory and what lies below it. Names are slash-separated,
// relative, and must satisfy fs.ValidPath; anything else is an error that
// matches fs.ErrInvalid. Directories come into being with the files in them.
// A missing file is an error that matches fs.ErrNotExist. All methods may be
// called from several goroutines.
type FS interface {
	// Path is name as a person would look for it, for messages only.
	Path(name string) string

	// ReadFile returns the whole file.
	ReadFile(name string) ([]byte, error)

	// WriteFile replaces the file as a whole, or not at all: after a crash at
	// any moment the file has its old content or the new one. When it returns
	// nil the new content is on disk. The file's mode is perm, whatever the
	// old file's was.
	WriteFile(name string, data []byte, perm fs.FileMode) error

	// Append opens the file for writing at its end and creates it with perm
	// if it is not there.
	Append(name string, perm fs.FileMode) (Appender, error)

	// Open opens the file for reading at any place. The Reader may see what is
	// written after Open, and must be closed.
	Open(name string) (Reader, error)

	// Truncate cuts the file to its first size bytes, of which it has that many
	// at least. When it returns nil the cut is on disk.
	Truncate(name string, size int64) error

	// Rename moves a file over another one, atomically.
	Rename(from, to string) error

	// Remove deletes a file. A missing one is no error.
	Remove(name string) error

	// List names the files and directories directly in dir ("." is the root),
	// sorted; directories end in a slash. A missing directory is empty.
	List(dir string) ([]string, error)

	// Lock takes the exclusive lock that name stands for, without waiting:
	// ErrLocked means that somebody else has it. note is written into the
	// lock file for LockNote, by convention the holder's pid. The lock falls
	// when the closer is closed, or when the holder's process ends in
	// whatever way; the file stays behind.
	Lock(name, note string) (io.Closer, error)

	// LockNote returns what the present or last holder of the lock wrote.
	LockNote(name string) (string, error)
}

// Reader is an open file that is read at any place. What ReadAt returns before
// its end is as io.ReaderAt says.
type Reader interface {
	io.ReaderAt
	io.Closer
	// Size is the file's length in bytes when it was opened.
	Size() int64
}

// Appender is an open file that grows at its end.
type Appender interface {
	io.WriteCloser
	// Sync returns when all that was written is on disk.
	Sync() error
	// Size is the file's length in bytes.
	Size() int64
}
