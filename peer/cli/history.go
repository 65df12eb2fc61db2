package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/peerlab/peerlab/internal/files"
)

const (
	historyFile = "history"
	maxHistory  = 1000 // lines that are kept
)

// history is what was typed at this peer and succeeded, one line each, in a
// file that only its user can read. Line breaks within an entry are escaped.
type history struct{ data files.FS }

func escapes() *strings.Replacer   { return strings.NewReplacer(`\`, `\\`, "\n", `\n`) }
func unescapes() *strings.Replacer { return strings.NewReplacer(`\\`, `\`, `\n`, "\n") }

// load returns the entries, oldest first, and cuts the file when it has grown
// to twice what is kept. A file that is no text is refused and left alone.
func (h history) load() ([]string, error) {
	raw, err := h.data.ReadFile(historyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	if bytes.ContainsRune(raw, 0) {
		return nil, fmt.Errorf("history %s is damaged: remove it", h.data.Path(historyFile))
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if len(lines) > 2*maxHistory {
		lines = lines[len(lines)-maxHistory:]
		if err := h.data.WriteFile(historyFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("cut history: %w", err)
		}
	}
	for i, l := range lines {
		lines[i] = unescapes().Replace(l)
	}
	return lines, nil
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
