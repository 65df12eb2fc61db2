// Package testlink is the wire between a peer and a test server: one
// persistent WebSocket per peer, JSON messages, version 1.
//
// The peer dials (Dial, then Link.Run). The server sends command lines; the
// peer runs them one after another and answers each with a Result. Beside
// that the peer tells, without being asked, every event of its journal and
// what it sees of the group (Status), and may ask the server about the run
// (Register, Ask).
//
// # Order
//
// All that one peer sends travels in one stream, in the order in which it was
// handed over: an event that a command caused, and that was recorded before
// the command returned, is at the server before the command's Result. A
// Status overtakes nothing but older Statuses: the latest wins.
//
// # Peer side
//
//	link, err := testlink.Dial(ctx, testlink.Config{URL: url, Token: token, Hello: hello})
//	detach := journalWriter.Attach(link.Sink) // before the first event: a gap is a failure of the run
//	link.Status(status)                       // whenever it changes
//	err = link.Run(ctx, handler)              // serves until ctx ends (nil) or the server goes (ErrClosed, ErrLost)
//
// Sink, Event and Status never block: what they are given waits in a bounded
// queue. When it overflows the link ends with ErrOverflow, for a journal with
// a gap would make the verdict lie. A peer whose link has ended must end too.
//
// # Server side
//
// Server is an http.Handler; what it hears it hands to Config.Receive, in
// order per peer: Opened, then Recorded, Status, Finished, Asked, Fenced and
// Faulted, at last Closed. Conn sends commands, cancels, answers, fences and
// faults, and never blocks either.
//
// # Who may
//
// Each run has a token, sent as a bearer token and compared in constant time.
// Requests with an Origin header come from web pages and are refused. The
// package listens nowhere by itself; programs listen on loopback unless told.
//
// testlink must not know of membership, chat, scenarios or processes.
package testlink

import (
	"errors"
	"fmt"
	"time"
)

// Version is the format of a message, its member "v".
const Version = 1

// Path is where a Server is reached below its URL.
const Path = "/testlink"

// Errors that callers branch on.
var (
	// ErrUnauthorized is matched by Dial's error for a wrong token.
	ErrUnauthorized = errors.New("the test server refused the token")
	// ErrVersion is matched when the two sides speak different versions.
	ErrVersion = errors.New("different versions of the test link")
	// ErrRefused is matched by Dial's error when the server has no place for
	// this peer: an unknown name, or one that is taken.
	ErrRefused = errors.New("the test server refused this peer")
	// ErrOverflow ends a link whose other side reads too slowly.
	ErrOverflow = errors.New("too much waits to be sent")
	// ErrProtocol is matched when the other side sends what makes no sense.
	ErrProtocol = errors.New("unexpected message on the test link")
	// ErrClosed is matched when the other side has ended the link in order;
	// its reason follows.
	ErrClosed = errors.New("test link closed by the other side")
	// ErrFailed is matched when the other side has given up: its queue
	// overflowed, or what it got made no sense. Its reason follows.
	ErrFailed = errors.New("the other side of the test link gave up")
	// ErrLost is matched when the connection ended without a word.
	ErrLost = errors.New("test link lost")
)

// Hello says who dials.
type Hello struct {
	Name    string `json:"name"`    // unique in the run
	ID      string `json:"id"`      // UUID of its public key; may be empty
	Boot    int    `json:"boot"`    // counts its starts, from 1
	PID     int    `json:"pid"`     // its process; 0 for none of its own
	Version string `json:"version"` // of the program, for people
}

// Node is a member of the group as some peer sees it.
type Node struct {
	Name    string `json:"name"`
	ID      string `json:"id,omitempty"`
	Boot    int    `json:"boot,omitempty"`
	Addr    string `json:"addr,omitempty"`  // host:port
	State   string `json:"state,omitempty"` // alive, suspect, dead, left; empty stands for alive
	Foreign bool   `json:"foreign,omitempty"`
}

// Status is what a peer sees of the group now. Convergence is judged by it,
// so a peer sends one whenever any part of it changes, and at once.
type Status struct {
	// Ready is true from the end of init until leaving begins.
	Ready bool `json:"ready"`
	// Self is the peer as the others should see it, with the address that it
	// advertises. It is meaningful as soon as membership listens.
	Self Node `json:"self"`
	// Members are the others that are in the group (alive or suspect), and
	// those that were (dead, left), foreign ones included. The order does not
	// matter.
	Members []Node `json:"members"`
	// Present has one entry for each extension that is open on this peer, by
	// the extension's name: who else takes part, as this peer sees it. An
	// open extension in which nobody else takes part has an empty entry; one
	// that is not open has none.
	Present map[string][]Node `json:"present"`
	// Health is memberlist's score of this peer's own health; 0 is best.
	Health int `json:"health,omitempty"`
	// Closing is true once the peer has begun to leave in order.
	Closing bool `json:"closing,omitempty"`
}

// Result is the end of a command.
type Result struct {
	OK       bool          `json:"ok"`
	Output   string        `json:"output,omitempty"` // what it printed; cut to MaxOutput bytes
	Error    string        `json:"error,omitempty"`  // one line; empty if OK
	Duration time.Duration `json:"duration_ns"`
}

// MaxOutput is how many bytes of a command's output travel. The rest is
// replaced by a line that says so.
const MaxOutput = 256 << 10

// Filter expects exactly Count lines that begin with Pattern on Stream, at
// the peer that registers it.
type Filter struct {
	Stream  string `json:"stream"` // an event type; "messagesView" is another name for "view"
	Count   int    `json:"count"`  // >= 0
	Pattern string `json:"pattern"`
}

// The questions that a peer may ask.
const (
	AskFilters = "filters" // all filters of the run: Answer.Filters
	AskSummary = "summary" // the rows of the run so far: Answer.Rows
	AskRun     = "run"     // all rows, those that the server put in too, and all filters
	AskReset   = "reset"   // forget the asking peer's filters, and what they could have seen
	AskPrepare = "prepare" // wait until all filters have their counts, or will not get them: Answer.Rows, judged
)

// Answer is what the server knows of the run that the peer takes part in.
type Answer struct {
	Scenario string         `json:"scenario,omitempty"`
	Filters  []FilterStatus `json:"filters,omitempty"`
	Rows     []Row          `json:"rows,omitempty"`
}

// FilterStatus is a registered filter and how often it has matched.
type FilterStatus struct {
	Peer   string `json:"peer"`
	Filter Filter `json:"filter"`
	Seen   int    `json:"seen"`
}

// Row is one row of the run's summary.
type Row struct {
	Kind   string `json:"kind"`   // command, event
	Text   string `json:"text"`   // "alice msg hello"
	Status string `json:"status"` // OK, FAILED, MISSED, or empty while it is open
}

// versionError says in one line what both sides speak, and what to do.
func versionError(theirs int) error {
	return fmt.Errorf("%w: this program speaks version %d, the other side version %d; use the same release of peer and testserver",
		ErrVersion, Version, theirs)
}
