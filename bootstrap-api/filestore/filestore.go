// Package filestore keeps the states of a bootstrap service in one JSON file,
// which a person can read.
//
// An update that returned is on disk. The file is replaced as a whole each
// time, so a crash at any moment leaves the old content or the new one.
// Updates that come while the file is being written wait for each other and
// share the next write: thirty-two clients at once cost little more than one.
// The store has no goroutine of its own: one of the waiting callers writes
// for all.
//
// The file is locked as long as the store is open. A file that cannot be read
// is refused and never overwritten. The package imports the contract and the
// file system seam; it knows nothing of HTTP.
package filestore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/files"
)

var (
	// ErrCorrupt is matched by the error for a file that is not what a store
	// of this version writes.
	ErrCorrupt = errors.New("not a file of a bootstrap store of this version")
	// errClosed is what updates of a closed store get.
	errClosed = fmt.Errorf("%w: the store is closed", bootstrap.ErrUnavailable)
)

// Store is a bootstrap.Store in a file. Use Open.
type Store struct {
	files files.FS
	name  string
	lock  io.Closer

	turn   chan struct{}    // holds one value while a caller leads; what follows is the leader's
	table  *bootstrap.Table // what the file says
	closed bool

	mu      sync.Mutex
	waiting []*update
}

// update is one call of Update. Its leader sets err and panicked, then closes
// done.
type update struct {
	group    string
	fn       func(*bootstrap.State) error
	done     chan struct{}
	err      error
	panicked any
}

// Open locks and reads the file; a missing one is a store without groups, and
// comes into being with the first change. The error matches files.ErrLocked
// while another store has the file, and ErrCorrupt if it cannot be read.
func Open(fsys files.FS, name string) (*Store, error) {
	path := fsys.Path(name)
	lock, err := fsys.Lock(name+".lock", strconv.Itoa(os.Getpid()))
	if errors.Is(err, files.ErrLocked) {
		return nil, lockedBy(fsys, name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("lock bootstrap store %s: %w", path, err)
	}
	table, err := read(fsys, name)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Store{files: fsys, name: name, lock: lock, turn: make(chan struct{}, 1), table: table}, nil
}

func lockedBy(fsys files.FS, name string, err error) error {
	holder := "another process"
	if note, noteErr := fsys.LockNote(name + ".lock"); noteErr == nil && note != "" {
		holder = fmt.Sprintf("process %.20s", note)
	}
	return fmt.Errorf("bootstrap store %s is in use by %s: stop it, or use another file: %w", fsys.Path(name), holder, err)
}

func read(fsys files.FS, name string) (*bootstrap.Table, error) {
	data, err := fsys.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return bootstrap.NewTable(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read bootstrap store %s: %w", fsys.Path(name), err)
	}
	table, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s is %w: %w; move it away to begin anew, or restore it", fsys.Path(name), ErrCorrupt, err)
	}
	return table, nil
}

func decode(data []byte) (*bootstrap.Table, error) {
	table := new(bootstrap.Table)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(table); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows its JSON value")
	}
	if table.Groups == nil {
		return nil, errors.New("it has no groups")
	}
	return table, table.Check()
}

// Update implements bootstrap.Store. An update whose fn has begun is carried
// through: the end of ctx ends the wait for a turn, not the write.
func (s *Store) Update(ctx context.Context, group string, fn func(*bootstrap.State) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{group: group, fn: fn, done: make(chan struct{})}
	s.enqueue(u)
	select {
	case <-u.done:
	case s.turn <- struct{}{}:
		s.lead()
	case <-ctx.Done():
		if s.withdraw(u) {
			return ctx.Err()
		}
		<-u.done
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.err
}

func (s *Store) enqueue(u *update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, u)
}

// withdraw takes u back, unless a leader has taken it.
func (s *Store) withdraw(u *update) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, w := range s.waiting {
		if w == u {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			return true
		}
	}
	return false
}

func (s *Store) takeWaiting() []*update {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.waiting
	s.waiting = nil
	return batch
}

// lead brings all waiting updates to their end and gives the turn back. The
// caller has the turn; its own update is among the waiting ones, or is done.
func (s *Store) lead() {
	defer func() { <-s.turn }()
	batch := s.takeWaiting()
	err := s.commit(batch)
	for _, u := range batch {
		if err != nil {
			u.err = err
		}
		close(u.done)
	}
}

// commit runs the updates one after the other and writes what they made of
// the table. If that fails, all of them fail, also those that only read: they
// may have seen what is not on disk.
func (s *Store) commit(batch []*update) error {
	if s.closed {
		return errClosed
	}
	next, changed := s.table.Clone(), false
	for _, u := range batch {
		changed = u.run(next) || changed
	}
	if !changed {
		return nil
	}
	if err := s.write(next); err != nil {
		return fmt.Errorf("%w: write bootstrap store: %w", bootstrap.ErrUnavailable, err)
	}
	s.table = next
	return nil
}

// run keeps a panic of fn for the goroutine whose fn it is.
func (u *update) run(t *bootstrap.Table) (changed bool) {
	defer func() {
		if p := recover(); p != nil {
			u.panicked = p
		}
	}()
	changed, u.err = t.Update(u.group, u.fn)
	return changed && u.err == nil
}

func (s *Store) write(t *bootstrap.Table) error {
	data, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return err
	}
	return s.files.WriteFile(s.name, append(data, '\n'), 0o600)
}

// Close waits for the updates under way and gives the file free. Later
// updates are ErrUnavailable. It may be called twice.
func (s *Store) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.lock.Close()
}
