// Package scenario reads scenario files: what each peer of a run does, line
// by line. A parsed Script is plain data, the same for every engine; the
// short forms of the language are spelled out in it (what is inserted says
// so), so that whoever runs a Script needs to know its statements only.
//
// A file without a "peers" line is in the original form: the first word of a
// line is a peer, the rest goes to that peer's shell word for word. Peers
// exist from their first mention. Before the first msg after an init the
// statement "await converged within 10s" is inserted.
//
// The package is pure: no files, no sockets, no clock.
package scenario

import (
	"fmt"
	"strings"
	"time"
)

// Script is a whole scenario.
type Script struct {
	Name       string   // the file's name without folder and ending
	Path       string   // as it was given
	Source     string   // the file's text
	Peers      []string // in the order of their first mention
	Statements []Statement
}

// Pos is a place in a file. Line and Col count from 1, Col in characters.
type Pos struct {
	File      string
	Line, Col int
}

// String is file:line:column.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Kind says what a statement does.
type Kind int

// The kinds of statements.
const (
	Command        Kind = iota + 1 // Targets run Text in their shells
	AwaitConverged                 // all live peers see each other, within Within
)

// Statement is one step of a script.
type Statement struct {
	Pos      Pos
	Kind     Kind
	Targets  []string      // who runs a command; one in the original form
	Text     string        // the command line, as the peer's shell gets it
	Within   time.Duration // deadline of an await
	Inserted bool          // not in the file; Pos is that of the line it stands before
}

// convergeTime is the deadline of an inserted await.
const convergeTime = 10 * time.Second

// String is the statement as it could stand in a file.
func (s Statement) String() string {
	if s.Kind == AwaitConverged {
		return fmt.Sprintf("await converged within %s", s.Within)
	}
	return strings.Join(s.Targets, ",") + " " + s.Text
}

// Word is the first word of a command, without its slash; empty for other
// kinds.
func (s Statement) Word() string {
	word, _, _ := strings.Cut(strings.TrimSpace(s.Text), " ")
	return strings.TrimPrefix(word, "/")
}

// IsFilter tells whether the statement announces an expectation.
func (s Statement) IsFilter() bool { return s.Kind == Command && s.Word() == "testfilter" }

// Ends tells whether the command makes its peer end: it is quit or exit, or
// one of several commands between semicolons is.
func (s Statement) Ends() bool {
	for part := range strings.SplitSeq(s.Text, ";") {
		switch word := (Statement{Text: part}).Word(); word {
		case "quit", "exit":
			return true
		case "msg", "echo", "shell", "go", "import", "type", "doc", "@":
			return false // takes the rest of the line as it is
		}
	}
	return false
}
