// Package lab is what Go at the prompt of a peer has of that peer: the objects
// bound to the names peer, room, members and ctx have its types.
//
// Compiled lines import it, and each of them carries what it imports for good:
// so it has no more than a person needs, and imports the standard library
// only. A peer implements Backend and Chat; nothing else is done here.
package lab

import (
	"context"
	"io"
	"net/netip"
	"time"
)

// Member is a member of the group: this peer, or another.
type Member struct {
	Name  string
	ID    string // stays the same over restarts; empty for a foreign node
	Boot  int    // counts the starts of the peer
	Addr  netip.AddrPort
	State string        // alive or suspect
	Since time.Time     // when it came into that state; zero for this peer
	RTT   time.Duration // of the last answered probe; 0 if none was
	Self  bool          // this peer
}

// String is the member's name.
func (m Member) String() string { return m.Name }

// Delivery is what became of a message: names of members.
type Delivery struct {
	Reached []string // they have shown it
	Pending []string // it is kept for them
	Dropped []string // it is lost for them
}

// Backend is a peer.
type Backend interface {
	Name() string
	Group() string
	Ready() bool
	// Members returns those who are there now, this peer among them, sorted
	// by name. There are none before the membership is live.
	Members() []Member
	// Command runs a line of commands, as in a script.
	Command(ctx context.Context, line string, out io.Writer) error
}

// Peer is the peer in which a line runs.
type Peer struct{ backend Backend }

// NewPeer makes the object for the name peer.
func NewPeer(b Backend) *Peer { return &Peer{b} }

// Name returns the peer's name.
func (p *Peer) Name() string { return p.backend.Name() }

// Group returns the name of the group that it is in.
func (p *Peer) Group() string { return p.backend.Group() }

// Ready tells whether init is done.
func (p *Peer) Ready() bool { return p.backend.Ready() }

// Members returns those who are there now, this peer among them, by name.
func (p *Peer) Members() []Member { return p.backend.Members() }

// Member returns the member of that name.
func (p *Peer) Member(name string) (m Member, ok bool) {
	for _, m := range p.backend.Members() {
		if m.Name == name {
			return m, true
		}
	}
	return Member{}, false
}

// Command runs a line of commands, as a script would, and returns what it has
// printed.
func (p *Peer) Command(ctx context.Context, line string) (output string, err error) {
	var out text
	err = p.backend.Command(ctx, line, &out)
	return string(out), err
}

// String is the peer's name.
func (p *Peer) String() string { return "peer " + p.Name() }

// text is a writer into memory.
type text []byte

func (t *text) Write(b []byte) (int, error) {
	*t = append(*t, b...)
	return len(b), nil
}

// Chat is the chat of a peer.
type Chat interface {
	Send(ctx context.Context, text string) (Delivery, error)
	Ping(ctx context.Context, name string) (time.Duration, error)
	Members() ([]string, error)
}

// Room is the chat of the peer.
type Room struct{ chat Chat }

// NewRoom makes the object for the name room.
func NewRoom(c Chat) *Room { return &Room{c} }

// Send says a text, one line, to everybody in the chat.
func (r *Room) Send(ctx context.Context, text string) (Delivery, error) {
	return r.chat.Send(ctx, text)
}

// Ping asks a member of the chat for a sign of life and returns how long it
// took.
func (r *Room) Ping(ctx context.Context, name string) (time.Duration, error) {
	return r.chat.Ping(ctx, name)
}

// Members returns the names of the others in the chat, sorted.
func (r *Room) Members() ([]string, error) { return r.chat.Members() }

// String says what it is.
func (r *Room) String() string { return "the chat" }

// Context is the context of the line that runs: it ends when that is stopped.
type Context struct{ context.Context }
