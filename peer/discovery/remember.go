package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/peerlab/peerlab/peer/extension"
)

const (
	rememberedFile    = "peers.json"
	rememberedVersion = 1
	maxRemembered     = 64
)

// Remembered is a peer that was in the group once. Whoever answers at its
// address now may be somebody else: ask before joining it.
type Remembered struct {
	Name string         `json:"name"`
	ID   string         `json:"id"`
	Addr netip.AddrPort `json:"addr"`
}

type remembered struct {
	V     int          `json:"v"`
	Group string       `json:"group"`
	Peers []Remembered `json:"peers"`
}

// Static are the addresses given on the command line.
func (d *Discovery) Static() []string { return slices.Clone(d.cfg.Static) }

// Remembered are the peers that Remember kept last, none if there are none or
// if they were of another group. A damaged file is an error.
func (d *Discovery) Remembered() ([]Remembered, error) {
	if d.cfg.Data == nil {
		return nil, nil
	}
	raw, err := d.cfg.Data.ReadFile(rememberedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read remembered peers: %w", err)
	}
	var r remembered
	if err := json.Unmarshal(raw, &r); err != nil || r.V != rememberedVersion {
		return nil, fmt.Errorf("remembered peers %s: %w, or of another version: remove it", d.cfg.Data.Path(rememberedFile), ErrCorrupt)
	}
	if r.Group != d.cfg.Group {
		return nil, nil
	}
	return r.Peers, nil
}

// Remember keeps the members for the next start. Nobody at all is no reason to
// forget those who were there before, and a damaged file is left as it is.
func (d *Discovery) Remember(members []extension.Member) error {
	if d.cfg.Data == nil {
		return nil
	}
	if _, err := d.Remembered(); err != nil {
		return err
	}
	r := remembered{V: rememberedVersion, Group: d.cfg.Group}
	for _, m := range members {
		if !m.Foreign && len(r.Peers) < maxRemembered {
			r.Peers = append(r.Peers, Remembered{Name: m.Name, ID: m.ID, Addr: m.Addr})
		}
	}
	if len(r.Peers) == 0 {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := d.cfg.Data.WriteFile(rememberedFile, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("remember peers: %w", err)
	}
	return nil
}
