// Package journal is the one source of truth of a run: every peer writes what
// happens to it as typed events, one JSON object a line, numbered without a
// gap and stamped with logical time. Assertions, reports and diagrams are
// derived from journals, and can be derived again.
//
// A Writer numbers and stamps; it hands each event to its sinks (a bounded
// file, a test server) in order. A Reader reads journals of this version and
// refuses others. The package imports nothing of the peer.
package journal

import "time"

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
	V       int               // Version
	Time    time.Time         // wall time at the peer
	Peer    string            // who wrote it
	Boot    int               // counts the starts of that peer, from 1
	Seq     uint64            // from 1, without a gap per (Peer, Boot)
	Lamport uint64            // Lamport time
	Clock   map[string]uint64 // vector clock, "NAME#BOOT" to count; nil when more than MaxClock peers are known
	Type    string
	Text    string
	Fields  map[string]any // what the type adds; nil for nothing
}

// MaxClock is the largest number of entries a vector clock may have before
// events carry the Lamport time alone.
const MaxClock = 64
