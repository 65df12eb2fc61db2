// Package readline is the LineReader of a terminal: editing, history and
// completion by chzyer/readline, on a screen of our own.
//
// The library is used as the state machine of editing alone. It is given keys
// by our reader of the terminal, and tells what the line is; all that reaches
// the terminal is written by one screen, which knows the row that is being
// edited and puts messages above it in one write. The library is never called
// from a goroutine other than that of ReadLine and its own, because it is not
// safe for that.
//
// While a line is read the terminal is raw. Between two lines keys are not
// echoed and wait for the next line, and ctrl-C is a signal: so that what a
// command or a message prints is never torn. Close gives the terminal back as
// it was found.
//
// What is pasted is marked by the terminal, and becomes part of the line as a
// whole, tabs and line breaks included: nothing of it runs before Enter. Who
// prints is not kept for ever by a terminal that was stopped; see the reader's
// Print. A program that panics in a goroutine gives the terminal back by
// RestoreOnPanic. There is no vi mode: the library changes to it half only.
//
// The line can be taken into an editor and back, by ctrl-X ctrl-E. The editor
// has the terminal alone, as a job of its own; messages wait until it ends.
//
// The package depends on repl and on the terminal, and on nothing of a peer.
package readline

import (
	"os"

	"github.com/peerlab/peerlab/repl"
	"golang.org/x/term"
)

// Config describes a reader.
type Config struct {
	// In and Out are the terminal; nil means standard input and output. They
	// are not closed.
	In, Out *os.File

	// History is what was typed in earlier sessions, oldest first.
	History []string

	// Save is called for each line that AddHistory adds, to keep it for later
	// sessions; a line may contain line breaks. Nil keeps nothing.
	Save func(line string)

	// Editor is the command that ctrl-X ctrl-E opens the line in, as it
	// stands in VISUAL or EDITOR of the environment: the name of a file is
	// added to it, and it is run by the system's shell. Empty means that
	// there is none.
	Editor string
}

// maxHistory bounds the lines that arrow up can reach.
const maxHistory = 1000

func (c Config) withDefaults() Config {
	if c.In == nil {
		c.In = os.Stdin
	}
	if c.Out == nil {
		c.Out = os.Stdout
	}
	return c
}

// Interactive tells whether in and out are a terminal on which lines can be
// edited; termName is the environment's TERM. Where it is false, in pipes and
// on dumb terminals, NewPlain serves.
func Interactive(in, out *os.File, termName string) bool {
	return supported && termName != "" && termName != "dumb" &&
		term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

// NewPlain makes a repl.PlainReader, for a terminal that cannot draw or whose
// user does not want it to. There is no history. Close lets output go on that
// was stopped by ctrl-S, so that nothing is lost.
func NewPlain(cfg Config) repl.LineReader {
	cfg = cfg.withDefaults()
	return &plainReader{repl.NewPlainReader(cfg.In, cfg.Out, true), cfg.Out}
}

type plainReader struct {
	*repl.PlainReader
	out *os.File
}

// Close implements repl.LineReader.
func (p *plainReader) Close() error {
	resumeOutput(int(p.out.Fd()))
	return p.PlainReader.Close()
}
