package membership

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// savedVersion is the version of a saved configuration.
const savedVersion = 1

// savedKind tells a saved configuration from other JSON files.
const savedKind = "peerlab membership configuration"

// saved is a configuration in a file. All tunable fields are in it, so that a
// later version with another profile reads what was meant. Names, addresses,
// keys and tokens belong to a peer and are never in it.
type saved struct {
	V      int               `json:"v"`
	Kind   string            `json:"kind"`
	Fields map[string]string `json:"fields"`
}

// ErrCorrupt is matched when a saved configuration cannot be read.
var ErrCorrupt = errors.New("no configuration that this program can load")

// Encode writes the settings, for DecodeSettings.
func (s *Settings) Encode() ([]byte, error) {
	out := saved{V: savedVersion, Kind: savedKind, Fields: map[string]string{}}
	for _, f := range s.List() {
		out.Fields[f.Name] = f.Value
	}
	raw, err := json.MarshalIndent(out, "", "  ")
	return append(raw, '\n'), err
}

// DecodeSettings reads what Encode wrote. The error matches ErrCorrupt: the
// data is damaged, of another version, or has a field or a value that this
// program does not know. A field that is not there has the profile's value.
func DecodeSettings(raw []byte) (*Settings, error) {
	var in saved
	var head struct{ V int }
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, fmt.Errorf("%w: it is damaged: %v", ErrCorrupt, err)
	}
	if head.V != savedVersion {
		return nil, fmt.Errorf("%w: it has version %d, this program reads version %d", ErrCorrupt, head.V, savedVersion)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	if in.Kind != savedKind {
		return nil, fmt.Errorf("%w: it is not a %s", ErrCorrupt, savedKind)
	}
	s := &Settings{}
	profile := map[string]string{}
	for _, f := range s.List() {
		profile[f.Name] = f.Value
	}
	for name, value := range in.Fields {
		if profile[name] == value {
			continue
		}
		if err := s.Set(name, value); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrCorrupt, err)
		}
	}
	return s, nil
}
