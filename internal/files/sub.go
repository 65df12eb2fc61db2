package files

import (
	"io"
	"io/fs"
	"path"
)

// Sub is the part of fsys below dir, as a file system of its own. It is there
// before the directory is. Sub panics if dir does not satisfy fs.ValidPath.
func Sub(fsys FS, dir string) FS {
	if err := checkDir("sub", dir); err != nil {
		panic(err)
	}
	return sub{fsys, dir}
}

type sub struct {
	fsys FS
	dir  string
}

// inner is what the file system below calls name. A name that is not valid
// stays so: it must not become valid by what comes before it.
func (s sub) inner(name string) string {
	if !fs.ValidPath(name) {
		return name
	}
	return path.Join(s.dir, name)
}

// file is inner for a name that must not be the directory itself.
func (s sub) file(name string) string {
	if name == "." {
		return name
	}
	return s.inner(name)
}

func (s sub) Path(name string) string { return s.fsys.Path(s.inner(name)) }

func (s sub) ReadFile(name string) ([]byte, error) { return s.fsys.ReadFile(s.file(name)) }

func (s sub) WriteFile(name string, content []byte, perm fs.FileMode) error {
	return s.fsys.WriteFile(s.file(name), content, perm)
}

func (s sub) Append(name string, perm fs.FileMode) (Appender, error) {
	return s.fsys.Append(s.file(name), perm)
}

func (s sub) Open(name string) (Reader, error) { return s.fsys.Open(s.file(name)) }

func (s sub) Truncate(name string, size int64) error { return s.fsys.Truncate(s.file(name), size) }

func (s sub) Rename(from, to string) error { return s.fsys.Rename(s.file(from), s.file(to)) }

func (s sub) Remove(name string) error { return s.fsys.Remove(s.file(name)) }

func (s sub) List(dir string) ([]string, error) { return s.fsys.List(s.inner(dir)) }

func (s sub) Lock(name, note string) (io.Closer, error) { return s.fsys.Lock(s.file(name), note) }

func (s sub) LockNote(name string) (string, error) { return s.fsys.LockNote(s.file(name)) }
