package buildenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	sessionPrefix = "session-"
	lockName      = "lock"
	patience      = 10 * time.Second // for other starts on this machine
)

var errHeld = errors.New("somebody else holds it")

// openSession makes a directory in cache that is locked as long as this process
// lives, and removes those that nobody holds any more. One lock over the whole
// cache keeps a new directory from being swept before it is locked.
func openSession(ctx context.Context, cache string) (dir string, held *flock.Flock, err error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", nil, fmt.Errorf("directory for compiled Go: %w", err)
	}
	if cache, err = filepath.Abs(cache); err != nil {
		return "", nil, fmt.Errorf("directory for compiled Go: %w", err)
	}
	if err := private(cache); err != nil {
		return "", nil, fmt.Errorf("directory for compiled Go: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	gate := flock.New(filepath.Join(cache, lockName))
	if _, err := gate.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return "", nil, fmt.Errorf("lock %s: %w", gate.Path(), err)
	}
	defer func() { _ = gate.Close() }() // the system gives up the lock in any case

	sweep(cache)
	bound(filepath.Join(cache, shareName), time.Now().Add(-shareAge), shareSize)
	dir, err = os.MkdirTemp(cache, fmt.Sprintf("%s%d-", sessionPrefix, os.Getpid()))
	if err != nil {
		return "", nil, fmt.Errorf("directory for compiled Go: %w", err)
	}
	held = flock.New(filepath.Join(dir, lockName))
	if ok, err := held.TryLock(); err != nil || !ok {
		return "", nil, fmt.Errorf("lock %s: %w", held.Path(), errors.Join(cmp.Or(err, errHeld), os.RemoveAll(dir)))
	}
	return dir, held, nil
}

// sweep removes the sessions that nobody holds. What cannot be removed now is
// left to the next start.
func sweep(cache string) {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), sessionPrefix) {
			continue
		}
		dir := filepath.Join(cache, entry.Name())
		lock := flock.New(filepath.Join(dir, lockName))
		if free, err := lock.TryLock(); err == nil && free {
			_ = os.RemoveAll(dir)
			_ = lock.Close()
		}
	}
}
