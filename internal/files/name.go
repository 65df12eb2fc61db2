package files

import (
	"io/fs"
	"path"
	"strings"
)

// reserved begins the names of the files that this package makes for itself:
// half-written ones, and those that carry locks. Nobody else may use them,
// and List does not show them.
const reserved = ".~"

// checkName refuses names that no file can have.
func checkName(op, name string) error {
	if name == "." {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return checkDir(op, name)
}

// checkDir is checkName for a directory, which may be the root.
func checkDir(op, name string) error {
	if !fs.ValidPath(name) || strings.HasPrefix(name, reserved) || strings.Contains(name, "/"+reserved) ||
		strings.ContainsRune(name, 0) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

// ancestors are the directories above name, the root excepted, topmost first.
func ancestors(name string) []string {
	var dirs []string
	for i, c := range name {
		if c == '/' {
			dirs = append(dirs, name[:i])
		}
	}
	return dirs
}

// beside returns the reserved name in the directory of name.
func beside(name, base string) string {
	return path.Join(path.Dir(name), reserved+base)
}
