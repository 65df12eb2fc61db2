// Package journal is the one source of truth of a run: every peer writes what
// happens to it as typed events, one JSON object a line, numbered without a
// gap and stamped with logical time. Assertions, reports and diagrams are
// derived from journals, and can be derived again.
//
// A Writer numbers and stamps; it hands each event to its sinks (a bounded
// file, a test server) in order. A Reader reads journals of this version and
// refuses others. The package imports nothing of the peer.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Version is the format of an event, its member "v".
const Version = 1

// The event types that the peer itself writes. Extensions add their own.
const (
	TypeChat      = "chat"      // a message of somebody else was shown; fields from, id, late, behind
	TypeSent      = "sent"      // a message of this peer is on its way; fields id, to (names it is owed to)
	TypeView      = "view"      // a line as shown to the person at this peer
	TypeMember    = "member"    // an announced change of the membership: "joined bob"
	TypeCommand   = "command"   // a command ended; fields ok, output, error, duration (seconds), cut (text is its beginning)
	TypeBootstrap = "bootstrap" // a call of the bootstrap service, or hosting it
	TypeNet       = "net"       // faults set and healed
	TypeScript    = "script"    // a statement of a scenario has ended; written by the test server only
	TypeLog       = "log"       // a warning or an error of the peer's log; field level
	TypeProbe     = "probe"     // a member has answered a probe; text its name, field rtt (seconds)
)

// Event is one line of a journal. In JSON, Fields are flattened into the
// object beside the other members, whose names they must not use.
type Event struct {
	V       int       // Version
	Time    time.Time // wall time at the peer
	Peer    string    // who wrote it
	Boot    int       // counts the starts of that peer, from 1
	Seq     uint64    // from 1, without a gap per (Peer, Boot)
	Lamport uint64    // Lamport time
	Clock   Clock     // vector clock; nil when more than MaxClock processes are known
	Type    string
	Text    string
	Fields  map[string]any // what the type adds; nil for nothing
}

// Sentinels of reading.
var (
	// ErrVersion is matched when a line is of another version of the format.
	ErrVersion = errors.New("journal of another version")
	// ErrCorrupt is matched when a line is no event.
	ErrCorrupt = errors.New("corrupt journal line")
)

// reserved are the members of the JSON object that Fields must not use.
func reserved(name string) bool {
	switch name {
	case "v", "time", "peer", "boot", "seq", "lamport", "clock", "type", "text":
		return true
	}
	return false
}

// MarshalJSON writes the event as one object. The order of its members is
// fixed, fields follow sorted by name. A field with a reserved name is an
// error.
func (e Event) MarshalJSON() ([]byte, error) {
	return e.append(nil)
}

func (e Event) append(b []byte) ([]byte, error) {
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(e.V), 10)
	b = append(b, `,"time":"`...)
	b = e.Time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","peer":`...)
	b = appendString(b, e.Peer)
	b = append(b, `,"boot":`...)
	b = strconv.AppendInt(b, int64(e.Boot), 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `,"lamport":`...)
	b = strconv.AppendUint(b, e.Lamport, 10)
	if e.Clock != nil {
		b = append(b, `,"clock":`...)
		b = e.Clock.AppendJSON(b)
	}
	b = append(b, `,"type":`...)
	b = appendString(b, e.Type)
	b = append(b, `,"text":`...)
	b = appendString(b, e.Text)
	b, err := e.appendFields(b)
	return append(b, '}'), err
}

func (e Event) appendFields(b []byte) ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		if reserved(name) {
			return b, fmt.Errorf("event %q: the field name %q is reserved", e.Type, name)
		}
		b = append(b, ',')
		b = appendString(b, name)
		b = append(b, ':')
		var err error
		if b, err = appendValue(b, e.Fields[name]); err != nil {
			return b, fmt.Errorf("event %q: field %q: %w", e.Type, name, err)
		}
	}
	return b, nil
}

// appendString appends s as a JSON string. Plain ASCII, nearly all that there
// is, is copied.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			b, _ = appendValue(b, s) // a string never fails
			return b
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendValue appends v as JSON, with "<alice>" left as it is: people search
// journals with grep.
func appendValue(b []byte, v any) ([]byte, error) {
	out := bytes.NewBuffer(b)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return b, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), nil
}

// UnmarshalJSON reads an event. Members that are not the format's own go into
// Fields, their numbers as float64. ErrVersion and ErrCorrupt tell what is
// wrong.
func (e *Event) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	var got Event
	if err := got.readVersion(all); err != nil {
		return err
	}
	if err := got.readMembers(all); err != nil {
		return err
	}
	for name, raw := range all {
		if reserved(name) {
			continue
		}
		if got.Fields == nil {
			got.Fields = map[string]any{}
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("%w: field %q: %w", ErrCorrupt, name, err)
		}
		got.Fields[name] = v
	}
	*e = got
	return nil
}

func (e *Event) readVersion(all map[string]json.RawMessage) error {
	if err := readMember(all, "v", &e.V); err != nil {
		return err
	}
	if e.V != Version {
		return fmt.Errorf("%w: version %d, this program reads %d", ErrVersion, e.V, Version)
	}
	return nil
}

func (e *Event) readMembers(all map[string]json.RawMessage) error {
	for _, m := range []struct {
		name string
		to   any
	}{
		{"time", &e.Time}, {"peer", &e.Peer}, {"boot", &e.Boot}, {"seq", &e.Seq},
		{"lamport", &e.Lamport}, {"type", &e.Type}, {"text", &e.Text},
	} {
		if err := readMember(all, m.name, m.to); err != nil {
			return err
		}
	}
	if _, ok := all["clock"]; ok {
		if err := readMember(all, "clock", &e.Clock); err != nil {
			return err
		}
	}
	if e.Peer == "" || e.Type == "" || e.Boot < 1 || e.Seq < 1 {
		return fmt.Errorf("%w: peer, boot, seq or type is missing", ErrCorrupt)
	}
	return nil
}

// readMember reads one member by its exact name: encoding/json would take a
// field "Text" for the member "text".
func readMember(all map[string]json.RawMessage, name string, to any) error {
	raw, ok := all[name]
	if !ok {
		return fmt.Errorf("%w: no member %q", ErrCorrupt, name)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%w: member %q: %w", ErrCorrupt, name, err)
	}
	return nil
}
