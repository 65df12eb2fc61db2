package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/testserver/language"
)

// peer is what the boots of one peer have in common.
type peer struct {
	name   string
	dir    string // absolute
	starts int    // of its process in this run

	// Guarded by the mutex of house.
	now   *boot        // nil when it does not run
	ended map[int]bool // its processes that have ended
}

// The directories of a peer, below its own.
const (
	dataDir = "data"
	workDir = "work"
)

// peer returns the peer of that name, with its directory.
func (h *house) peer(name string) (*peer, error) {
	h.mu.Lock()
	p := h.peers[name]
	h.mu.Unlock()
	if p != nil {
		return p, nil
	}
	dir, err := h.cfg.Dir(name)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	p = &peer{name: name, dir: dir, ended: map[int]bool{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peers[name] = p
	return p, nil
}

// furnish prepares the directories for the next boot. The first boot, and a
// fresh one, finds the attached files and nothing else.
func (p *peer) furnish(fresh bool, attached []language.File) error {
	if p.starts > 0 && !fresh {
		return nil
	}
	if p.starts > 0 {
		if err := p.putAway(); err != nil {
			return fmt.Errorf("fresh data for %s: %w", p.name, err)
		}
	}
	work := filepath.Join(p.dir, workDir)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	for _, f := range attached {
		if err := lay(work, f); err != nil {
			return fmt.Errorf("attached file %s: %w", f.Name, err)
		}
	}
	return nil
}

// putAway takes what earlier boots have left out of the way. Who the peer is
// stays, and how many boots it has had: others would refuse a stranger under
// its name, and a boot is told from all others by its number.
func (p *peer) putAway() error {
	for _, dir := range []string{dataDir, workDir} {
		path := filepath.Join(p.dir, dir)
		err := os.Rename(path, fmt.Sprintf("%s.before-%d", path, p.starts+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	path := filepath.Join(p.dir, dataDir)
	old, e1 := files.Dir(fmt.Sprintf("%s.before-%d", path, p.starts+1))
	data, e2 := files.Dir(path)
	if err := errors.Join(e1, e2); err != nil {
		return err
	}
	return identity.Copy(data, old)
}

// lay writes an attached file into a directory.
func lay(dir string, f language.File) error {
	name, err := filepath.Localize(f.Name)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, f.Data, 0o644)
}

// file is the path of something that each boot leaves behind: "stdout" for
// the first one, "stdout.2" for the second.
func (p *peer) file(what string, boot int) string {
	if boot > 1 {
		what = fmt.Sprintf("%s.%d", what, boot)
	}
	return filepath.Join(p.dir, what)
}

// openFiles opens the files of a boot's standard streams, all or none.
func (p *peer) openFiles(boot int) (in, out, errs *os.File, err error) {
	var e1, e2, e3 error
	in, e1 = os.Open(os.DevNull)
	out, e2 = os.Create(p.file("stdout", boot))
	errs, e3 = os.Create(p.file("stderr", boot))
	if err = errors.Join(e1, e2, e3); err != nil {
		in.Close()
		out.Close()
		errs.Close() // closing a file that is nil is an error, and harmless
	}
	return in, out, errs, err
}
