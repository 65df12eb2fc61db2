package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/repl"
)

// Files that a person names, as an argument of a command or of a flag, are
// looked for where the program was started. What is read, what is written and
// what completion proposes are found in the same way.

// missingError matches fs.ErrNotExist.
type missingError string

func (e missingError) Error() string        { return string(e) }
func (e missingError) Is(target error) bool { return target == fs.ErrNotExist }

// openNamed opens a file for reading. The error for one that is not there
// matches fs.ErrNotExist.
func openNamed(name string) (io.ReadCloser, error) {
	fi, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, missingError("there is no file " + repl.Quote(name) + lookedIn(name))
	case err != nil:
		return nil, err
	case fi.IsDir():
		return nil, fmt.Errorf("%s is a directory: give the name of a file", name)
	}
	return os.Open(name)
}

// lookedIn says where a file with a relative name was looked for.
func lookedIn(name string) string {
	dir, err := os.Getwd()
	if err != nil || filepath.IsAbs(name) {
		return ""
	}
	return " in " + dir
}

// place is where a file lies that is to be written.
func place(name string) (files.FS, string, error) {
	if fi, err := os.Stat(name); err == nil && fi.IsDir() {
		return nil, "", fmt.Errorf("%s is a directory: give the name of a file", name)
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, "", err
	}
	dir, err := files.Dir(filepath.Dir(abs))
	return dir, filepath.Base(abs), err
}

const (
	maxLooked   = 100_000 // names of a directory that are looked at
	maxProposed = 10_000  // of them
)

// namesOfFiles proposes the files and directories whose names begin with
// prefix; directories end in a slash. Hidden ones are proposed after a dot
// only. Of a directory with more than can be looked at in a moment nothing is
// proposed: a part of the names would be completed wrongly.
func namesOfFiles(prefix string) []repl.Candidate {
	i := len(prefix)
	for i > 0 && !os.IsPathSeparator(prefix[i-1]) {
		i--
	}
	where, base := prefix[:i], prefix[i:]
	if base == ".." {
		return []repl.Candidate{{Text: prefix + "/", Part: true}}
	}
	dir, err := os.Open(filepath.Clean(where)) // of "" it is the present one
	if err != nil {
		return nil
	}
	defer dir.Close()
	var list []repl.Candidate
	for looked := 0; looked <= maxLooked && len(list) <= maxProposed; {
		entries, err := dir.ReadDir(1000)
		looked += len(entries)
		for _, e := range entries {
			if n := e.Name(); strings.HasPrefix(n, base) && (n[0] != '.' || base != "") && typable(n) {
				list = append(list, candidateOf(where, e))
			}
		}
		if err != nil {
			return list
		}
	}
	return nil
}

// typable tells whether a name is text that can stand on a line.
func typable(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

func candidateOf(where string, e os.DirEntry) repl.Candidate {
	isDir := e.IsDir()
	if e.Type()&os.ModeSymlink != 0 {
		fi, err := os.Stat(where + e.Name())
		isDir = err == nil && fi.IsDir()
	}
	if isDir {
		return repl.Candidate{Text: where + e.Name() + "/", Part: true}
	}
	return repl.Candidate{Text: where + e.Name()}
}
