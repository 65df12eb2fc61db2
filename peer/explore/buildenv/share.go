package buildenv

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// What the linker makes is kept beside the sessions for all of this user: the
// same line, in the same state of a session, is linked once and loaded by each
// peer that is asked, and again by one that is started again.
const (
	shareName = "links"
	shareSize = 200 << 20      // all of it; the oldest go first
	shareAge  = 24 * time.Hour // not used for so long
)

// linkKey names all that a plugin is made of: packages by the name of their
// archive in Go's cache, which says what is in it; those that were compiled
// here by their content.
func (e *Env) linkKey(pkgPath string, args []string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	sum := sha256.New()
	for _, part := range slices.Concat([]string{"1", e.host.version, e.tools.GOTOOLDIR, pkgPath}, e.host.environ, args) {
		fmt.Fprintf(sum, "%q\n", part)
	}
	var lines []string
	for path, p := range e.packages {
		lines = append(lines, path+"="+p.Export)
	}
	for path, content := range e.sums {
		lines = append(lines, path+":"+content)
	}
	slices.Sort(lines)
	fmt.Fprintf(sum, "%q\n", lines)
	return sumText(sum)
}

func sumText(sum hash.Hash) string { return fmt.Sprintf("%x", sum.Sum(nil)[:16]) }

// sumOf is the digest of a file.
func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return sumText(sum), errors.Join(err, f.Close())
}

// shared writes the file out with what build writes there, or what it has
// written before under the same key, in this process or another one; what one
// makes the others wait for. Where nothing can be shared build does it.
func (e *Env) shared(ctx context.Context, key, out string, build func() error) error {
	if err := os.MkdirAll(e.share, 0o700); err != nil {
		return build()
	}
	lock := flock.New(filepath.Join(e.share, "lock-"+key[:1]))
	if _, err := lock.TryLockContext(ctx, 5*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return build()
	}
	defer func() { _ = lock.Close() }() // the system gives up the lock in any case
	kept := filepath.Join(e.share, key)
	if sameFile(kept, out) == nil {
		now := time.Now()
		_ = os.Chtimes(kept, now, now) // used: an older one goes first
		return nil
	}
	if err := build(); err != nil {
		return err
	}
	if sameFile(out, kept) == nil {
		bound(e.share, time.Now().Add(-shareAge), shareSize)
	}
	return nil
}

// sameFile makes to another name of the file from, or a copy where that cannot
// be. Other processes see none of it or all.
func sameFile(from, to string) error {
	_ = os.Remove(to) // mostly there is none
	if os.Link(from, to) == nil {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to+".new", content, 0o600); err != nil {
		return errors.Join(err, os.Remove(to+".new"))
	}
	return os.Rename(to+".new", to)
}

// bound removes the files of a directory that are older than oldest, and more
// of the old ones as long as all together are larger than size. Whoever has
// loaded one does not mind.
func bound(dir string, oldest time.Time, size int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var kept []os.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && !strings.HasPrefix(entry.Name(), "lock-") {
			kept = append(kept, info)
		}
	}
	slices.SortFunc(kept, func(a, b os.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, info := range kept {
		if size -= info.Size(); size < 0 || info.ModTime().Before(oldest) {
			_ = os.Remove(filepath.Join(dir, info.Name())) // the next one tries again
		}
	}
}
