package files

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

const (
	dirPerm = 0o700
	// staleAfter is the age at which a half-written file belongs to nobody.
	staleAfter = time.Hour
)

// Dir is the file system below a real directory. Names cannot leave it, not
// through symbolic links either. The directory comes into being with the
// first file, as do those below it, with mode 0700. What is in its way is an
// error at once. The value keeps nothing open.
func Dir(path string) (FS, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", path, err)
	}
	switch info, err := os.Stat(full); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, &fs.PathError{Op: "open directory", Path: full, Err: syscall.ENOTDIR}
	}
	return &dir{path: full, swept: map[string]bool{}}, nil
}

type dir struct {
	path string

	mu    sync.Mutex
	swept map[string]bool // directories whose stale files were removed
}

func (d *dir) Path(name string) string {
	return filepath.Join(d.path, filepath.FromSlash(name))
}

// with opens the root and runs f with name as the operating system spells it.
// Errors get the full path.
func (d *dir) with(op, name string, f func(root *os.Root, local string) error) error {
	local, err := filepath.Localize(name)
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	root, err := os.OpenRoot(d.path)
	if err == nil {
		defer root.Close()
		err = f(root, local)
	}
	return d.fail(op, name, err)
}

// fail names the full path in an error, and only there.
func (d *dir) fail(op, name string, err error) error {
	if err == nil || errors.Is(err, ErrLocked) {
		return err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &fs.PathError{Op: op, Path: d.Path(name), Err: err}
}

func (d *dir) ReadFile(name string) (content []byte, err error) {
	if err := checkName("read", name); err != nil {
		return nil, err
	}
	err = d.with("read", name, func(root *os.Root, local string) error {
		content, err = root.ReadFile(local)
		return err
	})
	return content, err
}

func (d *dir) Open(name string) (Reader, error) {
	if err := checkName("open", name); err != nil {
		return nil, err
	}
	var r dirReader
	err := d.with("open", name, func(root *os.Root, local string) (err error) {
		r.File, r.size, err = openSized(root, local, os.O_RDONLY)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// openSized opens a file that is there, and tells its length.
func openSized(root *os.Root, local string, flag int) (*os.File, int64, error) {
	f, err := root.OpenFile(local, flag, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

type dirReader struct {
	*os.File
	size int64
}

func (r dirReader) Size() int64 { return r.size }

func (d *dir) Truncate(name string, size int64) error {
	if err := checkName("truncate", name); err != nil {
		return err
	}
	return d.with("truncate", name, func(root *os.Root, local string) error {
		f, now, err := openSized(root, local, os.O_WRONLY)
		if err != nil {
			return err
		}
		if size < 0 || size > now {
			err = fs.ErrInvalid
		} else if err = f.Truncate(size); err == nil {
			err = f.Sync()
		}
		return errors.Join(err, f.Close())
	})
}

func (d *dir) WriteFile(name string, content []byte, perm fs.FileMode) error {
	if err := checkName("write", name); err != nil {
		return err
	}
	if err := d.makeParents("write", name); err != nil {
		return err
	}
	d.sweep(path.Dir(name))
	temp := beside(name, "tmp-"+rand.Text())
	return d.with("write", name, func(root *os.Root, local string) error {
		localTemp := filepath.FromSlash(temp)
		err := writeNew(root, localTemp, content, perm)
		if err == nil {
			err = rename(root, localTemp, local)
		}
		if err != nil {
			_ = root.Remove(localTemp) // the error to tell is the first
			return err
		}
		return syncDir(root, filepath.Dir(local))
	})
}

// writeNew makes a file and returns when its content is on disk.
func writeNew(root *os.Root, name string, content []byte, perm fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(perm) // whatever the umask is
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeParents makes the directories above name that are missing.
func (d *dir) makeParents(op, name string) error {
	if err := makeDir(d.path); err != nil {
		return err
	}
	for _, parent := range ancestors(name) {
		err := d.with(op, parent, func(root *os.Root, local string) error {
			err := root.Mkdir(local, dirPerm)
			if err == nil {
				return syncDir(root, filepath.Dir(local))
			}
			info, statErr := root.Stat(local)
			switch {
			case statErr != nil:
				return err
			case !info.IsDir():
				return syscall.ENOTDIR
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes the root directory if it is missing.
func makeDir(full string) error {
	if info, err := os.Stat(full); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(full, dirPerm); err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(full))
	if err != nil {
		return nil // we may write to it, and may not look into it
	}
	defer root.Close()
	return syncDir(root, ".")
}

// sweep removes what a crash left of WriteFile in a directory, once a value
// and directory. It takes nothing from a writer that is at work.
func (d *dir) sweep(name string) {
	d.mu.Lock()
	swept := d.swept[name]
	d.swept[name] = true
	d.mu.Unlock()
	if swept {
		return
	}
	_ = d.with("sweep", name, func(root *os.Root, local string) error {
		entries, err := readDir(root, local)
		for _, entry := range entries {
			info, err := entry.Info()
			if err == nil && strings.HasPrefix(entry.Name(), reserved+"tmp-") && time.Since(info.ModTime()) > staleAfter {
				_ = root.Remove(filepath.Join(local, entry.Name()))
			}
		}
		return err
	})
}

func (d *dir) Append(name string, perm fs.FileMode) (Appender, error) {
	if err := checkName("append", name); err != nil {
		return nil, err
	}
	if err := d.makeParents("append", name); err != nil {
		return nil, err
	}
	var file *os.File
	err := d.with("append", name, func(root *os.Root, local string) (err error) {
		file, err = openAppend(root, local, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dirAppender{dir: d, name: name, file: file}, nil
}

// maxRenames is how often a file may be renamed while it is being opened. A
// symbolic link to nowhere looks like a file that is always renamed.
const maxRenames = 10

// openAppend makes a file, or opens the one that is there, which another
// process may rename in between.
func openAppend(root *os.Root, local string, perm fs.FileMode) (file *os.File, err error) {
	for range maxRenames {
		file, err = root.OpenFile(local, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		file, err = root.OpenFile(local, os.O_WRONLY|os.O_APPEND, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	if err != nil {
		return nil, err
	}
	if err := errors.Join(file.Chmod(perm), syncDir(root, filepath.Dir(local))); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

type dirAppender struct {
	dir  *dir
	name string
	file *os.File
}

func (a *dirAppender) Write(b []byte) (int, error) {
	n, err := a.file.Write(b)
	return n, a.dir.fail("append", a.name, err)
}

func (a *dirAppender) Sync() error  { return a.dir.fail("sync", a.name, a.file.Sync()) }
func (a *dirAppender) Close() error { return a.dir.fail("close", a.name, a.file.Close()) }

func (a *dirAppender) Size() int64 {
	info, err := a.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

func (d *dir) Rename(from, to string) error {
	if err := errors.Join(checkName("rename", from), checkName("rename", to)); err != nil {
		return err
	}
	if err := d.with("rename", from, func(root *os.Root, local string) error {
		info, err := root.Lstat(local)
		if err == nil && info.IsDir() {
			err = syscall.EISDIR
		}
		return err
	}); err != nil {
		return err
	}
	if err := d.makeParents("rename", to); err != nil {
		return err
	}
	return d.with("rename", to, func(root *os.Root, local string) error {
		source := filepath.FromSlash(from)
		if err := rename(root, source, local); err != nil {
			return err
		}
		return errors.Join(syncDir(root, filepath.Dir(source)), syncDir(root, filepath.Dir(local)))
	})
}

func (d *dir) Remove(name string) error {
	if err := checkName("remove", name); err != nil {
		return err
	}
	err := d.with("remove", name, func(root *os.Root, local string) error {
		info, err := root.Lstat(local)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return syscall.EISDIR
		}
		return root.Remove(local)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *dir) List(name string) (names []string, err error) {
	if err := checkDir("list", name); err != nil {
		return nil, err
	}
	err = d.with("list", name, func(root *os.Root, local string) error {
		entries, err := readDir(root, local)
		for _, entry := range entries {
			switch {
			case strings.HasPrefix(entry.Name(), reserved):
			case entry.IsDir():
				names = append(names, entry.Name()+"/")
			default:
				names = append(names, entry.Name())
			}
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	slices.Sort(names)
	return names, err
}

func readDir(root *os.Root, local string) ([]fs.DirEntry, error) {
	f, err := root.Open(local)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// Lock locks a reserved file beside name, and writes the note into name: some
// systems let nobody read a file that is locked.
func (d *dir) Lock(name, note string) (io.Closer, error) {
	if err := checkName("lock", name); err != nil {
		return nil, err
	}
	if err := d.makeParents("lock", name); err != nil {
		return nil, err
	}
	carrier := beside(name, "lock-"+path.Base(name))
	err := d.with("lock", name, func(root *os.Root, _ string) error {
		f, err := root.OpenFile(filepath.FromSlash(carrier), os.O_RDONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		return f.Close()
	})
	if err != nil {
		return nil, err
	}
	lock := flock.New(d.Path(carrier))
	switch held, err := lock.TryLock(); {
	case err != nil:
		return nil, d.fail("lock", name, err)
	case !held:
		return nil, fmt.Errorf("lock %s: %w", d.Path(name), ErrLocked)
	}
	if err := d.WriteFile(name, []byte(note), 0o600); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func (d *dir) LockNote(name string) (string, error) {
	note, err := d.ReadFile(name)
	return string(note), err
}
