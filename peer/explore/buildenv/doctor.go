package buildenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Finding is one thing that keeps Go from being compiled, or may. What and
// Remedy are one line each, lower case, without a full stop.
type Finding struct {
	Blocks bool // nothing can be compiled until it is mended
	What   string
	Remedy string
}

// String is both in one line.
func (f Finding) String() string { return f.What + ": " + f.Remedy }

// enough is how much room a session wants on disk: 100 lines or so.
const enough = 500 << 20

// Doctor looks for all that keeps Go from being compiled for this binary, in
// the order in which it is best mended. Nothing found means that it should
// work. It runs the go command once, and compiles nothing.
func (e *Env) Doctor(ctx context.Context) []Finding {
	found := e.aboutBinary()
	found = append(found, e.aboutTools(ctx)...)
	found = append(found, e.aboutSource()...)
	return append(found, e.aboutDisk()...)
}

// blocked is the first finding that blocks, as an error.
func (e *Env) blocked(ctx context.Context) error {
	found := e.Doctor(ctx)
	if err := ctx.Err(); err != nil {
		return err // Doctor has not looked at all
	}
	for _, f := range found {
		if f.Blocks {
			return fmt.Errorf("%w: %s", ErrUnavailable, f)
		}
	}
	return nil
}

// aboutBinary is what its build made impossible.
func (e *Env) aboutBinary() []Finding {
	switch {
	case !e.host.known:
		return []Finding{{true, "this program holds no build information", "build it with go build or go install, in module mode"}}
	case e.host.goos != "linux" && e.host.goos != "darwin" && e.host.goos != "freebsd":
		return []Finding{{true, "Go can load compiled code on Linux, macOS and FreeBSD only, and this is " + e.host.goos, "use it there, or in a virtual machine; simple expressions work here too"}}
	case e.host.noCgo:
		return []Finding{{true, "this program was built with CGO_ENABLED=0, so it cannot load compiled code", "build it again with CGO_ENABLED=1 and a C compiler"}}
	}
	return nil
}

// aboutTools is what is missing on this machine.
func (e *Env) aboutTools(ctx context.Context) []Finding {
	t, err := e.findTools(ctx)
	if err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		if m := noSpace.FindStringSubmatch(words(err)); m != nil {
			return []Finding{{true, "the disk with " + m[1] + " is full", "make room there"}}
		}
		return []Finding{{true, "the go command is not to be run here (" + firstLine(words(err)) + ")", "install " + e.host.version + " from https://go.dev/dl and have it on the PATH"}}
	}
	var found []Finding
	if e.host.known && t.GOVERSION != e.host.version {
		found = append(found, Finding{true, fmt.Sprintf("this program was built with %s, and %s is %s", e.host.version, t.goCommand, t.GOVERSION),
			"have " + e.host.version + " on the PATH, set GOTOOLCHAIN=auto, or build the program again"})
	}
	if _, err := lookPath(e.environ, t.compilerOfC()); err != nil {
		found = append(found, Finding{true, "there is no C compiler (" + t.compilerOfC() + "), which the linker needs", "install gcc or clang, or set CC"})
	}
	if t.GOPROXY == "off" {
		found = append(found, Finding{false, "GOPROXY is off", "only modules in the module cache can be imported; set GOPROXY to have others"})
	}
	if e.host.goos == "linux" && !t.gold {
		found = append(found, Finding{false, "the gold linker is not installed", "each line takes about a fifth longer; install binutils-gold"})
	}
	return found
}

// aboutDisk is what is wrong with where the session's directory lies.
func (e *Env) aboutDisk() (found []Finding) {
	cache := filepath.Dir(e.dir)
	if noexec(e.dir) {
		found = append(found, Finding{true, cache + " lies on a disk from which nothing may be run (it is mounted noexec)", "set TMPDIR to a directory on another disk"})
	}
	if free, ok := freeSpace(e.dir); ok && free < enough {
		found = append(found, Finding{free < enough/10, fmt.Sprintf("%d MB are free in %s", free>>20, cache), "each compiled line takes about 3 MB until the peer ends: make room"})
	}
	return found
}

// aboutSource is what is wrong with the source of a binary that was built from
// a directory.
func (e *Env) aboutSource() []Finding {
	switch {
	case !e.host.known || e.host.installed():
		return nil
	case e.source == "":
		remedy := "start it in the directory that it was built from, or install it with go install " + e.host.main.Path + "/...@VERSION"
		if e.host.trim {
			remedy += "; -trimpath leaves no trace of that directory"
		}
		return []Finding{{true, "the source of this program is not found", remedy}}
	}
	info, err := os.Stat(e.binary)
	if err != nil {
		return nil
	}
	if file := changedSince(info.ModTime(), e.sourceDirs()); file != "" {
		return []Finding{{false, e.short(file) + " has changed since this program was built", "if a line is refused for another version of a package, build the program again and restart it"}}
	}
	return nil
}

// short is a file of the source as a person knows it.
func (e *Env) short(file string) string {
	if rel, err := filepath.Rel(e.source, file); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

// sourceDirs are the directories of the loaded packages of the main module, or
// all of its directories before any is loaded.
func (e *Env) sourceDirs() []string {
	e.mu.Lock()
	var dirs []string
	for _, p := range e.packages {
		if p.Module != nil && p.Module.Main {
			dirs = append(dirs, p.Dir)
		}
	}
	e.mu.Unlock()
	if len(dirs) > 0 {
		return dirs
	}
	_ = filepath.WalkDir(e.source, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil
		case path != e.source && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	})
	return dirs
}
