// Package coordinator runs a scenario in a world: it carries out statements,
// waits with deadlines, and writes down what holds.
package coordinator

import (
	"context"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/language"
)

// World is where the peers of a scenario live: processes of this machine,
// peers in this process on a simulated network, peers that people started
// elsewhere.
type World interface {
	// Run makes the world and keeps it until ctx ends. Then it ends every
	// peer, delivers what they still said, and returns; nothing of the world
	// is left. deliver may block, and is not called after Run has returned.
	// An error means that the world itself could not work.
	Run(ctx context.Context, deliver func(Message)) error

	// Do begins to carry out an order and does not block. A Done with the
	// same ID is delivered when that has succeeded or failed.
	Do(o Order)
}

// Order is what the coordinator wants done to a world.
type Order struct {
	ID   uint64
	Verb Verb
	Peer string // for all verbs but Ail

	Fresh bool                  // Start: without the data of earlier boots
	Files []language.File       // Start: laid into the working directory of a first or fresh boot
	Ail   language.ServiceFault // Ail
}

// Verb is what an Order does.
type Verb string

// The verbs. Done comes, for Start, when the peer exists (Opened follows when
// it can be driven, or Gone); for Kill and Stop when it is gone (Gone came
// before); for Pause and Resume when it stands still, and runs again.
const (
	Start  Verb = "start"
	Kill   Verb = "kill"
	Stop   Verb = "stop"
	Pause  Verb = "pause"
	Resume Verb = "resume"
	Ail    Verb = "ail" // the bootstrap service
)

// Message is what a world tells. Body is a message of package testlink, or
// one of the types below. All that one boot of a peer says comes in order:
// Opened, then what it said, Closed, and Gone as the last.
type Message struct {
	Peer string
	Link Driver // with testlink.Opened
	Body any
}

// Done says how an order ended.
type Done struct {
	ID  uint64
	Err error
}

// Gone says that a boot of a peer has ended.
type Gone struct {
	State    string   // "exit status 2", "killed by the script"
	OK       bool     // it ended in order
	Stderr   []string // the last lines that it wrote to its error output
	Problems []string // what must never happen: a data race, a process left behind
}

// Listed says whom the run's bootstrap service lists now. It comes at every
// change.
type Listed struct{ Names []string }

// Driver is what a peer is driven by, a *testlink.Conn for example. None of
// its methods blocks.
type Driver interface {
	// Command runs a line in the peer's shell; testlink.Finished follows.
	Command(line string) (id uint64)
	Cancel(id uint64)
	Answer(id uint64, a testlink.Answer)
	Refuse(id uint64, why error)
	// Fence asks for a sign that comes behind all that the peer has said so
	// far: testlink.Fenced.
	Fence() (id uint64)
	// Faults gives the peer its table of faults; testlink.Faulted follows
	// when it is in force. Reset names peers to which open streams break.
	Faults(t faulty.Table, reset []string) (id uint64)
}
