package buildenv

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// own is this file, from the root of the module of which the package is part.
const own = "peer/explore/buildenv/source.go"

// findSource returns the directory of a main module: the hint, or else the
// one where this package was compiled (which a binary knows unless it was built
// with -trimpath), or else the current directory or one above it. Empty means
// that none of them holds that module.
func findSource(module, hint string) string {
	if hint != "" {
		return sourceAt(module, hint)
	}
	if _, file, _, ok := runtime.Caller(0); ok {
		if root, ours := strings.CutSuffix(filepath.ToSlash(file), "/"+own); ours {
			if dir := sourceAt(module, filepath.FromSlash(root)); dir != "" {
				return dir
			}
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if found := sourceAt(module, dir); found != "" {
			return found
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// sourceAt returns dir, absolute, if its go.mod declares the module.
func sourceAt(module, dir string) string {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || module == "" {
		return ""
	}
	if moduleIn(string(content)) != module {
		return ""
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	return abs
}

// moduleIn is the path that a go.mod file declares, or empty.
func moduleIn(content string) string {
	for line := range strings.Lines(content) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == "module" {
			return strings.Trim(words[1], "\"`")
		}
	}
	return ""
}

// changedSince returns the first Go file of those directories that is newer
// than t, or empty. Tests do not count.
func changedSince(t time.Time, dirs []string) string {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			name := entry.Name()
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && modifiedAfter(entry, t) {
				return filepath.Join(dir, name)
			}
		}
	}
	return ""
}

func modifiedAfter(entry fs.DirEntry, t time.Time) bool {
	info, err := entry.Info()
	return err == nil && info.ModTime().After(t)
}
