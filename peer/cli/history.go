package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/internal/files"
)

const (
	historyFile = "history"
	historyOld  = "history.old"  // the generation before
	historyLock = "history.lock" // of who makes a new generation
	maxHistory  = 1000           // lines that are kept at the least
)

// history is what was typed at this peer and succeeded, one line each, in a
// file that only its user can read. Line breaks within an entry are escaped.
//
// Several processes may share it and lose nothing: each entry is one write at
// the file's end, and the file is never written anew. When it has grown it
// becomes the old generation, the one before that goes, and who has it open
// still writes to a file that is read.
type history struct{ data files.FS }

func escapes() *strings.Replacer   { return strings.NewReplacer(`\`, `\\`, "\n", `\n`) }
func unescapes() *strings.Replacer { return strings.NewReplacer(`\\`, `\`, `\n`, "\n") }

// load returns the last entries, oldest first. A file that is no text is
// refused and left alone.
func (h history) load() ([]string, error) {
	lines, err := h.read(historyFile)
	if err != nil {
		return nil, err
	}
	old, err := h.read(historyOld)
	if err != nil {
		return nil, err
	}
	if len(lines) >= maxHistory {
		if err := h.renew(); err != nil {
			return nil, fmt.Errorf("cut history: %w", err)
		}
	}
	if len(lines) <= len(old) && slices.Equal(lines, old[:len(lines)]) {
		lines = nil // it became the old generation between the two reads
	}
	lines = append(old, lines...)
	lines = lines[max(0, len(lines)-maxHistory):]
	for i, l := range lines {
		lines[i] = unescapes().Replace(l)
	}
	return lines, nil
}

// read returns the lines of a generation, none if it is not there.
func (h history) read(name string) ([]string, error) {
	raw, err := h.data.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	if bytes.ContainsRune(raw, 0) {
		return nil, fmt.Errorf("history %s is damaged: remove it", h.data.Path(name))
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n"), nil
}

// renew begins a new generation, unless another process has just done it.
func (h history) renew() (err error) {
	lock, err := h.data.Lock(historyLock, "")
	if errors.Is(err, files.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if lines, err := h.read(historyFile); err != nil || len(lines) < maxHistory {
		return err
	}
	return h.data.Rename(historyFile, historyOld)
}

// save appends an entry. It has nobody to tell of a failure: a full disk
// costs the history, not the peer.
func (h history) save(line string) {
	f, err := h.data.Append(historyFile, 0o600)
	if err != nil {
		return
	}
	_, _ = f.Write([]byte(escapes().Replace(line) + "\n"))
	_ = f.Close()
}
