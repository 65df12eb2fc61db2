// Package extension is the seam between a peer and what runs on top of it.
//
// The infrastructure of a peer (network, bootstrap, membership, shell) is
// closed for modification; features come as extensions. Chat is the first
// one and has no private door, the broadcast set is the second. An extension
// never sees sockets, files, flags or memberlist: it gets Services.
package extension

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/peerlab/peerlab/repl"
)

// Member is somebody in the group, or ourselves. It is a value and may be
// compared: two Members are equal when they are the same boot of the same
// peer at the same address.
type Member struct {
	Name    string         // what people call it, unique in the group: "alice"
	ID      string         // UUID of its public key; empty for a foreign node
	Boot    int            // counts the starts of this peer, from 1; 0 for a foreign node
	Addr    netip.AddrPort // its one address
	Foreign bool           // a stock memberlist node: no metadata, no streams
}

// Kind says what happened to a member.
type Kind int

// The kinds of change. A new boot of a known id is Back, whether or not its
// crash had been noticed; so is a member that was lost and answers again.
const (
	Joined Kind = iota + 1
	Back
	Suspect
	Left
	Lost
)

// String returns the word people see: joined, back, suspect, left, lost.
func (k Kind) String() string {
	switch k {
	case Joined:
		return "joined"
	case Back:
		return "back"
	case Suspect:
		return "suspect"
	case Left:
		return "left"
	case Lost:
		return "lost"
	}
	return "unknown"
}

// Change is one announced change of the membership, never of ourselves.
type Change struct {
	Kind   Kind
	Member Member
}

// Stream is a reliable, ordered connection between the same extension on two
// peers. Every net.Conn is one.
type Stream interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Event is what an extension writes into the peer's journal. Fields are
// flattened into the journal's JSON object; their names must not be those of
// the journal's own members. Who is given an Event does not keep Fields.
type Event struct {
	Type   string // by convention the extension's name, or a stream it owns
	Text   string
	Fields map[string]any
}

// Services is what a running extension may use. Its methods may be called
// from several goroutines, and never block but where they take a context.
type Services interface {
	// Self is this peer as the others see it.
	Self() Member

	// Members are the other members that are in the group now (alive or
	// suspect), foreign ones included, sorted by name.
	Members() []Member

	// Open dials the same extension on a member. ErrClosed means that the
	// member answered and does not run the extension now.
	Open(ctx context.Context, to Member) (Stream, error)

	// Record writes an event into the peer's journal. It is in the journal
	// when Record returns.
	Record(Event)

	// Sent records the sending of a message and returns the stamp of that
	// event, to travel with the message: what the message causes is after it,
	// and after nothing that the sender did later. By convention the event's
	// type is "sent". The stamp is nil, or not to be modified.
	Sent(Event) (stamp []byte)

	// Received observes the stamp that travelled with a message and records
	// the receiving of it, so that the order of messages can be told
	// afterwards. With a malformed stamp the event is recorded all the same,
	// and the error tells.
	Received(stamp []byte, e Event) error

	// Show puts one line before the person at this peer, above what they are
	// typing, and records it in the journal as an event of type "view". The
	// line is neutralised first: escapes, control and bidi characters of a
	// stranger never reach a terminal.
	Show(Line)

	// Present tells who else takes part in the extension, as this peer sees
	// it, each time that changes. Convergence is judged by it.
	Present(members []Member)

	// Stamp is the peer's logical time, opaque and cheap to ask for: nil, or
	// equal to the last one, while nothing was recorded. Who sends a message
	// sends a stamp along, and the receiver gives it to Observe before it
	// records what the message caused. Stamps must not be modified.
	Stamp() []byte

	// Observe merges the stamp of a received message into the peer's logical
	// time. A malformed stamp is an error and changes nothing.
	Observe(stamp []byte) error
}

// Line is one line shown to a person: "<Label> Text". The kind decides the
// colour only; nothing depends on it.
type Line struct {
	Kind  LineKind
	Label string // a peer's name, or one of joined, left, lost, info, warn, error
	Text  string
}

// LineKind groups lines by how they are coloured.
type LineKind int

// Good lines are green, Caution yellow, Bad red, Plain uncoloured.
const (
	Plain LineKind = iota
	Good
	Caution
	Bad
)

// Extension is a feature of a peer.
//
// The node that owns it calls Run at most once at a time; between two runs
// the extension is closed, and its commands must say so instead of failing in
// other ways. Changed and Accept are called only while Run runs, each from
// one goroutine at a time.
type Extension interface {
	// Name is a lower-case word, unique in the peer: the label of the
	// extension's streams and the type of its events.
	Name() string

	// Commands are the extension's part of the shell. They are asked for
	// once, before the first Run, and stay in the table for good.
	Commands() []repl.Command

	// Run opens the extension and serves it until ctx ends. It calls ready
	// once, when the extension is announced to all present members and they
	// have answered, or have had a fair time to. When ctx ends it takes leave
	// of the others, within about a second, and returns after its last
	// goroutine has ended; nil is the orderly end. ready may be called late
	// or not at all when ctx ends first. If the cause of ctx's end is
	// ErrSilent, it takes no leave.
	Run(ctx context.Context, s Services, ready func()) error

	// Changed tells of a change of the membership. It must not block: it
	// enqueues.
	Changed(Change)

	// Accept takes over a stream that the same extension on another peer
	// opened. It must not block; it owns the stream, and closes it at the
	// latest when Run returns.
	Accept(Stream)
}

// ErrSilent is the cause (context.Cause) of the end of an extension that shall
// close without a word to the others.
var ErrSilent = errors.New("closed without a word")

// ErrClosed is returned by Services.Open when the member is there and does
// not run the extension.
var ErrClosed = errors.New("not open on that peer")
