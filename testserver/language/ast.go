// Package language is the language of scenarios: what a file says, as plain
// data, the same for every world in which it is run.
//
// A file without a "peers" line is in the original form: the first word of a
// line is a peer, the rest goes to that peer's shell word for word. A file
// with one is in the full form: statements, blocks, targets, variables. The
// short forms of both are spelled out in the Script (what is inserted says
// so), so that whoever runs it needs to know its statements only.
//
// The package is pure: no files, no sockets, no clock.
package language

import (
	"fmt"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
)

// Script is a whole scenario.
type Script struct {
	Name     string        // the file's name without folder and ending
	Path     string        // as it was given
	Source   string        // the file's text
	Original bool          // in the original form
	Peers    []string      // declared, or in the order of their first mention
	Spawns   []string      // peers that only spawn statements name
	Groups   []Group       // in the order of the file
	Timeout  time.Duration // default deadline of waits; DefaultTimeout if the file does not say
	Skip     *Remark       // the scenario is not to be run
	Fails    *Remark       // the scenario is expected not to pass
	Body     []Statement
	Cleanup  []Statement // always run, after Body
	Files    []File      // attached, to be laid into the peers' working directories

	names *names // of peers and groups, for Resolve; nil in a Script that Parse has not made
}

// DefaultTimeout is the deadline of waits in a file that sets none.
const DefaultTimeout = 10 * time.Second

// Group is a name for several peers.
type Group struct {
	Name  string
	Peers []string
}

// File is an attached file. Name is a slash-separated relative path that
// stays below the directory it is laid into.
type File struct {
	Name string
	Data []byte
}

// Remark is a statement about the scenario itself, with its reason.
type Remark struct {
	Pos        Pos
	Conditions []Condition
	Reason     string
}

// Pos is a place in a file. Line and Col count from 1, Col in characters.
type Pos struct {
	File      string
	Line, Col int
}

// String is file:line:column, or line:column if the file has no name.
func (p Pos) String() string {
	if p.File == "" {
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Statement is one step of a script.
type Statement struct {
	Pos        Pos
	Text       string   // as it stands in the file, without comment and body
	Comment    []string // the comment lines right above it, without "#"
	Conditions []Condition
	Outcome    Outcome
	Do         Action
	Body       []Statement // of a block; nil if it has none
	Inserted   bool        // not in the file; Pos is that of the line it stands before
	// Deferred says that Text has variables which may change what the
	// statement is: Do is what Resolve makes of it when it is reached, and
	// until then nil.
	Deferred bool
}

// Condition is one word of "[engine:sim !race]": the statement counts only
// where it holds.
type Condition struct {
	Word string // engine:sim, race, short, GOOS:linux
	Not  bool
}

// Outcome says how a command has to end.
type Outcome int

// The outcomes. A cancelled or timed-out command has not failed in the sense
// of MustFail or MayFail.
const (
	MustSucceed Outcome = iota
	MustFail            // "!"
	MayFail             // "?"
)

// Action is what a statement does; one of the types below.
type Action interface{ action() }

// Command runs Line in the shell of each target, all at once. Unless Raw, the
// line is to be expanded for each target first: see Expand.
type Command struct {
	Targets Targets
	Line    string
	Raw     bool   // byte for byte: msg without "$ ", and all commands of the original form
	Let     string // variable that gets what the command prints; empty for none
}

// Output looks at what the last command printed, or at its error.
type Output struct {
	Stderr  bool
	Pattern Term // Exact: the output contains it. Regexp: named groups become variables. Nothing to expand
}

// Expect asks for events at each target: satisfied as soon as the count is.
// Equal also has to hold for a moment.
type Expect struct {
	Targets Targets
	Stream  string
	Pattern Pattern
	Count   Count
	Within  time.Duration // 0: the script's timeout
	Since   Since
}

// Never is violated at the first matching event.
type Never struct {
	Targets Targets
	Stream  string
	Pattern Pattern
	For     time.Duration
	Since   Since
}

// Await waits until a state holds at each target.
type Await struct {
	Targets   Targets
	Predicate Predicate
	Within    time.Duration // 0: the script's timeout
}

// Stable is violated when the state does not hold at some target, at any time
// of the span.
type Stable struct {
	Targets   Targets
	Predicate Predicate
	For       time.Duration
}

// Converged waits until the live peers, or those of Group, see each other.
type Converged struct {
	Group  *Targets      // nil: all
	Within time.Duration // 0: the script's timeout
}

// Phase begins a section of the report.
type Phase struct{ Title string }

// Mark names a point in time.
type Mark struct{ Name string }

// Par runs the statements of its body at once. The first failure cancels the
// others.
type Par struct{}

// Repeat runs its body Times times.
type Repeat struct{ Times int }

// For runs its body for each target, with Var set to its name.
type For struct {
	Var     string
	Targets Targets
}

// Background runs its body, one statement, beside the script.
type Background struct{ Name string }

// Join waits for a Background to end.
type Join struct {
	Name   string
	Within time.Duration // 0: the script's timeout
}

// Life changes whether peers run.
type Life struct {
	Verb    Verb
	Targets Targets
	Fresh   bool // Restart without the data of earlier boots
}

// Verb is a change of a peer's life.
type Verb string

// The verbs.
const (
	Kill    Verb = "kill"    // SIGKILL
	Stop    Verb = "stop"    // in order
	Restart Verb = "restart" // again, init included if the last boot had done it
	Pause   Verb = "pause"   // SIGSTOP
	Resume  Verb = "resume"  // SIGCONT
	Spawn   Verb = "spawn"   // a peer that the peers line does not name
)

// Fault breaks the network, until the end of its body, or until Heal if it
// has none.
type Fault struct {
	Kind  FaultKind
	Sides []Targets   // for FaultPartition, two or more: Rule holds between any two of them
	A, B  Targets     // for FaultOneway, FaultLink and FaultReset
	Both  bool        // Rule holds from B to A too
	Rule  faulty.Rule // what holds from A to B; not for FaultReset and FaultBootstrap
	// Service is what ails the bootstrap service, for FaultBootstrap.
	Service ServiceFault
	Block   bool // undone at the end of the body
}

// FaultKind is the word after "fault".
type FaultKind string

// The kinds of faults.
const (
	FaultPartition FaultKind = "partition"
	FaultOneway    FaultKind = "oneway"
	FaultLink      FaultKind = "link"
	FaultReset     FaultKind = "reset" // open streams between A and B break, once
	FaultBootstrap FaultKind = "bootstrap"
)

// ServiceFault ails the bootstrap service. The zero value is a healthy one.
type ServiceFault struct {
	Down   bool          `json:"down,omitempty"`    // connections are closed at once
	Slow   time.Duration `json:"slow_ns,omitempty"` // before each answer
	Errors float64       `json:"errors,omitempty"`  // probability of status 503, 0 to 1
}

// Heal undoes all faults that are in force without a block.
type Heal struct{}

// Nemesis makes random faults, drawn from the seed of the run.
type Nemesis struct {
	Kinds []string // partition, oneway, link, kill, pause, bootstrap
	Every time.Duration
	For   time.Duration
}

// Check runs a checker over the whole journal.
type Check struct{ What Checker }

// Checker is the word after "check".
type Checker string

// The checkers.
const (
	CheckDelivery   Checker = "delivery"   // nothing lost or doubled between connected peers
	CheckOrder      Checker = "order"      // messages of one sender arrive in order
	CheckCausal     Checker = "causal"     // no effect is shown before its cause
	CheckMembership Checker = "membership" // nobody is called dead without a fault
)

// Sleep lets time pass.
type Sleep struct{ For time.Duration }

func (Command) action()    {}
func (Output) action()     {}
func (Expect) action()     {}
func (Never) action()      {}
func (Await) action()      {}
func (Stable) action()     {}
func (Converged) action()  {}
func (Phase) action()      {}
func (Mark) action()       {}
func (Par) action()        {}
func (Repeat) action()     {}
func (For) action()        {}
func (Background) action() {}
func (Join) action()       {}
func (Life) action()       {}
func (Fault) action()      {}
func (Heal) action()       {}
func (Nemesis) action()    {}
func (Check) action()      {}
func (Sleep) action()      {}

// Targets are peers as a script names them: "alice,p[1..9]". A peer may be in
// it more than once, by several ways.
type Targets struct {
	Text  string // without blanks, and with the values of variables
	Terms []Target
}

// Target is one part of Targets.
type Target struct {
	Kind TargetKind
	Name string   // of a peer or a group; "$self" in a Predicate, for the peer it is about
	N    int      // how many, for Any
	Of   *Targets // for Others and Any
}

// TargetKind says what a Target is.
type TargetKind int

// The kinds of targets. All are the peers that run and are not paused; what
// the script has ended is not among them, what ended by itself is.
const (
	Named   TargetKind = iota + 1 // a peer
	Grouped                       // the peers of a group
	All                           // all peers
	Others                        // all peers but those of Of
	Any                           // N of Of, drawn from the seed of the run
)

// Pattern is what an event has to be like: all terms hold. Without terms
// every event matches. The texts of its terms are to be expanded for each
// target: see Expand.
type Pattern struct {
	Text  string // as it stands in the file
	Terms []Term
}

// Term is one part of a Pattern.
type Term struct {
	Kind  TermKind
	Text  string // the text, the expression, or the field's value
	Field string // for Field
}

// TermKind says what a Term compares.
type TermKind int

// The kinds of terms.
const (
	Exact  TermKind = iota + 1 // "text": the event's whole text
	Regexp                     // /expression/: somewhere in the text
	Field                      // field:value: a field of the event, as a string
)

// Count is how often something has to be seen.
type Count struct {
	Op Op
	N  int
}

// Op compares two numbers.
type Op string

// The comparisons.
const (
	Equal          Op = "=="
	NotEqual       Op = "!="
	AtLeast        Op = ">="
	AtMost         Op = "<="
	MoreThan       Op = ">"
	LessThan       Op = "<"
	defaultCountOp    = AtLeast
)

// Holds tells whether "n Op m".
func (o Op) Holds(n, m int) bool {
	switch o {
	case Equal:
		return n == m
	case NotEqual:
		return n != m
	case AtLeast:
		return n >= m
	case AtMost:
		return n <= m
	case MoreThan:
		return n > m
	case LessThan:
		return n < m
	}
	return false
}

// Since says from where on events count. The zero value is the phase.
type Since struct {
	From SinceKind
	Mark string // for SinceMark
}

// SinceKind is the word after "since".
type SinceKind string

// The beginnings.
const (
	SincePhase SinceKind = "" // the phase that the statement is in
	SinceStart SinceKind = "start"
	SinceNow   SinceKind = "now"
	SinceMark  SinceKind = "mark"
)

// Predicate is a state of one peer.
type Predicate struct {
	Text    string // as it stands in the file
	Subject Subject
	Op      Op      // Equal or NotEqual for names and states; Equal for Bootstrap
	Names   Targets // members, chat: the peer itself is one of them
	N       int     // members.count, health
	Peer    string  // view(PEER), bootstrap contains PEER; may be "$self"
	State   State   // of view
}

// Subject is what a Predicate is about.
type Subject string

// The subjects.
const (
	Members      Subject = "members"       // who is in the group, the peer itself included
	MembersCount Subject = "members.count" // how many
	View         Subject = "view"          // in which state the peer sees another one
	Chat         Subject = "chat"          // who is in the chat, the peer itself included if its chat is open
	Bootstrap    Subject = "bootstrap"     // whom the bootstrap service lists
	Health       Subject = "health"        // memberlist's health score; 0 is best
)

// State is how one peer sees another one.
type State string

// The states. Absent is who was never known, or has left.
const (
	Alive   State = "alive"
	Suspect State = "suspect"
	Dead    State = "dead"
	Absent  State = "absent"
)
