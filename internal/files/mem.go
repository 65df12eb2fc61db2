package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Mem is an empty file system in memory. All who hold the value share its
// files and its locks, as processes share a directory. It keeps no modes.
func Mem() FS {
	return &mem{nodes: map[string]*node{".": {dir: true}}, locks: map[string]*memLock{}}
}

type mem struct {
	mu    sync.Mutex
	nodes map[string]*node // by name; a directory is there before what is in it
	locks map[string]*memLock
}

// node is a file or a directory. A file that was replaced or removed lives on
// for those who append to it.
type node struct {
	dir  bool
	data []byte
}

func (m *mem) Path(name string) string { return "memory:/" + strings.TrimPrefix(name, ".") }

func (m *mem) fail(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: m.Path(name), Err: err}
}

// file returns the file at name. m.mu is held.
func (m *mem) file(name string) (*node, error) {
	for _, dir := range ancestors(name) {
		if n := m.nodes[dir]; n != nil && !n.dir {
			return nil, syscall.ENOTDIR
		}
	}
	switch n := m.nodes[name]; {
	case n == nil:
		return nil, fs.ErrNotExist
	case n.dir:
		return nil, syscall.EISDIR
	default:
		return n, nil
	}
}

// put makes n the file at name, and the directories above it. m.mu is held.
func (m *mem) put(name string, n *node) error {
	if _, err := m.file(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, dir := range ancestors(name) {
		if m.nodes[dir] == nil {
			m.nodes[dir] = &node{dir: true}
		}
	}
	m.nodes[name] = n
	return nil
}

func (m *mem) ReadFile(name string) ([]byte, error) {
	if err := checkName("read", name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.file(name)
	if err != nil {
		return nil, m.fail("read", name, err)
	}
	return append([]byte{}, n.data...), nil
}

func (m *mem) WriteFile(name string, content []byte, _ fs.FileMode) error {
	if err := checkName("write", name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.put(name, &node{data: slices.Clone(content)}); err != nil {
		return m.fail("write", name, err)
	}
	return nil
}

func (m *mem) Append(name string, _ fs.FileMode) (Appender, error) {
	if err := checkName("append", name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.file(name)
	if errors.Is(err, fs.ErrNotExist) {
		n = &node{}
		err = m.put(name, n)
	}
	if err != nil {
		return nil, m.fail("append", name, err)
	}
	return &memAppender{mem: m, name: name, node: n}, nil
}

type memAppender struct {
	mem    *mem
	name   string
	node   *node // guarded by mem.mu
	closed bool  // guarded by mem.mu
}

func (a *memAppender) open(op string) error {
	if a.closed {
		return a.mem.fail(op, a.name, fs.ErrClosed)
	}
	return nil
}

func (a *memAppender) Write(b []byte) (int, error) {
	a.mem.mu.Lock()
	defer a.mem.mu.Unlock()
	if err := a.open("append"); err != nil {
		return 0, err
	}
	a.node.data = append(a.node.data, b...)
	return len(b), nil
}

func (a *memAppender) Sync() error {
	a.mem.mu.Lock()
	defer a.mem.mu.Unlock()
	return a.open("sync")
}

func (a *memAppender) Size() int64 {
	a.mem.mu.Lock()
	defer a.mem.mu.Unlock()
	return int64(len(a.node.data))
}

func (a *memAppender) Close() error {
	a.mem.mu.Lock()
	defer a.mem.mu.Unlock()
	err := a.open("close")
	a.closed = true
	return err
}

func (m *mem) Open(name string) (Reader, error) {
	if err := checkName("open", name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.file(name)
	if err != nil {
		return nil, m.fail("open", name, err)
	}
	return memReader{bytes.NewReader(n.data)}, nil
}

// memReader reads what a file had when it was opened: nothing writes over it.
type memReader struct{ *bytes.Reader }

func (memReader) Close() error { return nil }

func (m *mem) Truncate(name string, size int64) error {
	if err := checkName("truncate", name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.file(name)
	if err == nil && (size < 0 || size > int64(len(n.data))) {
		err = fs.ErrInvalid
	}
	if err != nil {
		return m.fail("truncate", name, err)
	}
	n.data = n.data[:size:size] // what is appended goes elsewhere: somebody may read here
	return nil
}

func (m *mem) Rename(from, to string) error {
	for _, name := range []string{from, to} {
		if err := checkName("rename", name); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.file(from)
	if err != nil {
		return m.fail("rename", from, err)
	}
	if err := m.put(to, n); err != nil {
		return m.fail("rename", to, err)
	}
	if from != to {
		delete(m.nodes, from)
	}
	return nil
}

func (m *mem) Remove(name string) error {
	if err := checkName("remove", name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch _, err := m.file(name); {
	case err == nil:
		delete(m.nodes, name)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return m.fail("remove", name, err)
	}
}

func (m *mem) List(dir string) ([]string, error) {
	if err := checkDir("list", dir); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch _, err := m.file(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, syscall.EISDIR):
	case err == nil:
		return nil, m.fail("list", dir, syscall.ENOTDIR)
	default:
		return nil, m.fail("list", dir, err)
	}
	var names []string
	for name, n := range m.nodes {
		switch {
		case name == "." || path.Dir(name) != dir:
		case n.dir:
			names = append(names, path.Base(name)+"/")
		default:
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (m *mem) Lock(name, note string) (io.Closer, error) {
	if err := checkName("lock", name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] != nil {
		return nil, fmt.Errorf("lock %s: %w", m.Path(name), ErrLocked)
	}
	if err := m.put(name, &node{data: []byte(note)}); err != nil {
		return nil, m.fail("lock", name, err)
	}
	lock := &memLock{mem: m, name: name}
	m.locks[name] = lock
	return lock, nil
}

func (m *mem) LockNote(name string) (string, error) {
	note, err := m.ReadFile(name)
	return string(note), err
}

type memLock struct {
	mem  *mem
	name string
}

func (l *memLock) Close() error {
	l.mem.mu.Lock()
	defer l.mem.mu.Unlock()
	if l.mem.locks[l.name] == l {
		delete(l.mem.locks, l.name)
	}
	return nil
}
