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
	TypeChat      = "chat"      // a message of somebody else was shown; fields from, id, late
	TypeView      = "view"      // a line as shown to the person at this peer
	TypeMember    = "member"    // an announced change of the membership: "joined bob"
	TypeCommand   = "command"   // a command ended; fields ok, output, error, duration (seconds)
	TypeBootstrap = "bootstrap" // a call of the bootstrap service, or hosting it
	TypeNet       = "net"       // faults set and healed
	TypeLog       = "log"       // a warning or an error of the peer's log; field level
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
	Clock   Clock     // vector clock; nil when more than MaxClock entries are known
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
		b = e.Clock.appendJSON(b)
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
		v, err := json.Marshal(e.Fields[name])
		if err != nil {
			return b, fmt.Errorf("event %q: field %q: %w", e.Type, name, err)
		}
		b = append(b, ',')
		b = appendString(b, name)
		b = append(b, ':')
		b = append(b, v...)
	}
	return b, nil
}

// appendString appends s as a JSON string. Plain ASCII, nearly all that there
// is, is copied; the rest is left to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, _ := json.Marshal(s) // a string never fails
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// UnmarshalJSON reads an event. Members that are not the format's own go into
// Fields. ErrVersion and ErrCorrupt tell what is wrong.
func (e *Event) UnmarshalJSON(data []byte) error {
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if head.V != Version {
		return fmt.Errorf("%w: version %d, this program reads %d", ErrVersion, head.V, Version)
	}
	var known struct {
		Time    time.Time `json:"time"`
		Peer    string    `json:"peer"`
		Boot    int       `json:"boot"`
		Seq     uint64    `json:"seq"`
		Lamport uint64    `json:"lamport"`
		Clock   Clock     `json:"clock"`
		Type    string    `json:"type"`
		Text    string    `json:"text"`
	}
	if err := json.Unmarshal(data, &known); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return reserved(name) })
	if len(all) == 0 {
		all = nil
	}
	*e = Event{
		V: head.V, Time: known.Time, Peer: known.Peer, Boot: known.Boot,
		Seq: known.Seq, Lamport: known.Lamport, Clock: known.Clock,
		Type: known.Type, Text: known.Text, Fields: all,
	}
	return nil
}
