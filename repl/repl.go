// Package repl is a shell as a library: a table of commands, one engine that
// runs them for a keyboard, a script, a pipe or a remote caller alike, and
// modes that say what a bare line means.
//
// A command is a value. Its one declaration feeds execution, help, completion
// and usage errors, so that none of them can fall out of step. A handler does
// not know who called it. The package knows nothing of peers and imports the
// standard library only; what it needs from a terminal it declares here
// (LineReader), and package repl/readline implements.
package repl

import (
	"context"
	"errors"
	"io"
)

// Errors that end a shell, or that a caller branches on.
var (
	// ErrQuit is returned by a command that ends the shell in order.
	ErrQuit = errors.New("quit")
	// ErrExit is returned by a command that ends the program at once.
	ErrExit = errors.New("exit")
	// ErrUnknown is matched by the error for a word that is no command.
	ErrUnknown = errors.New("unknown command")
	// ErrUsage is matched by the error for arguments that do not fit.
	ErrUsage = errors.New("wrong arguments")
	// ErrInterrupt is returned by ReadLine for a ctrl-C on the line.
	ErrInterrupt = errors.New("interrupted")
	// ErrUnread is returned by ReadLine when nobody reads what is printed.
	ErrUnread = errors.New("nobody reads the output any more")
)

// Any is the MaxArgs of a command that takes any number of arguments.
const Any = -1

// Command is one word of the shell.
type Command struct {
	Name    string   // lower case, one word
	Aliases []string // other names for it; shown in its help only
	Group   string   // heading under which help lists it
	Usage   string   // its arguments, "KEY TEXT", "[HOST:PORT ...]"; empty for none
	Summary string   // one line of at most 60 columns, no full stop
	Help    string   // more lines, with an example; may be empty

	MinArgs int  // fewest words it takes
	MaxArgs int  // most words it takes; Any for no bound
	Raw     bool // gets the rest of the line byte for byte in Call.Text; Args has it as its one element, or none if it is empty
	Query   bool // answers a question: takes --json anywhere among its arguments, and then prints JSON

	// Complete proposes words for the argument that is being typed: args are
	// the complete ones before it. Nil proposes nothing. The engine filters
	// by prefix and sorts.
	Complete func(args []string) []Candidate

	// CompleteText is Complete for a command, mostly a raw one, whose text has
	// a grammar of its own: as Mode.Complete, with what is typed after the
	// name, up to the cursor and beyond it. Nil leaves it to Complete.
	CompleteText func(text string, pos int) (candidates []Candidate, start int)

	// HintText tells what could follow the text of a raw command, as
	// Mode.Hint. Nil tells the usage as long as nothing is typed.
	HintText func(text string) string

	// File tells that the argument after the complete ones args is the name
	// of a file: then Config.Files proposes too. Nil means that none is.
	File func(args []string) bool

	// Run does it. A nil return means that it has happened. Output goes to
	// Call.Out; the error is one line that says what was wrong and what to do.
	Run func(ctx context.Context, c *Call) error
}

// Call is one execution of a command.
type Call struct {
	Name        string    // the command's name, however it was typed
	Args        []string  // the words after it, unquoted, without --json
	Text        string    // the rest of the line as typed, for a raw command
	JSON        bool      // --json was given
	Interactive bool      // a person at a keyboard typed it
	Out         io.Writer // where its output goes
}

// Candidate is one possible completion.
type Candidate struct {
	Text string // the whole word
	Help string // what it is, one short phrase; may be empty
	Part bool   // only the beginning of a word, as a directory is: more is to be typed
}

// Mode says what a bare line at the prompt means. "/" and a letter begin a
// command in every mode.
type Mode struct {
	Name   string        // "chat", "cmd", "go"
	Prompt func() string // one row; SGR sequences are the only escapes allowed

	// Refused is why nobody can choose this mode here; it is not listed then,
	// and what else it has may be nil. The first mode cannot be refused.
	Refused error

	// Run executes a bare line. Nil means that bare lines are commands.
	Run func(ctx context.Context, line string, out io.Writer) error

	// Hold looks at a bare line before Run and may ask back: a non-empty
	// question is printed, and the line runs only if Enter is pressed once
	// more right away, or the same line is typed again. Nil holds nothing.
	Hold func(line string) (question string)

	// Complete proposes completions at byte offset pos of a bare line and
	// tells at which offset the word they replace begins. Nil proposes
	// nothing.
	Complete func(line string, pos int) (candidates []Candidate, start int)

	// Hint tells what could follow a bare line, to be shown faintly after the
	// cursor. It is asked at every key, and must not wait. Nil tells nothing.
	Hint func(line string) string

	// Unfinished tells that more lines must follow before text can run; then
	// Complete and Hint get what is there of it, too. Nil means that every
	// line stands for itself.
	Unfinished func(text string) bool

	// Verbatim passes a line that begins with two slashes on as it is. In
	// other modes "//x" is how to write the bare line "/x".
	Verbatim bool
}

// LineReader reads what a person types, and prints above it. The plain reader
// of this package serves pipes and dumb terminals; repl/readline a terminal.
type LineReader interface {
	// ReadLine returns the next line without its end. Lines that were pasted
	// come as one text with line breaks in it. At the end of input it
	// is io.EOF, after ctrl-C ErrInterrupt, after ctx ended ctx.Err(); with
	// the latter two comes what was on the line. It is ErrUnread when nobody
	// reads what is printed any more. Only one goroutine may call it.
	ReadLine(ctx context.Context) (string, error)

	// Print shows whole lines above the line that is being typed, and leaves
	// that line as it is. It may be called from any goroutine, at any time;
	// after Close it does nothing. A missing newline at the end is added.
	Print(s string)

	// SetPrompt sets the prompt of the next lines: one row.
	SetPrompt(prompt string)

	// SetCompleter sets what Tab proposes; see Mode.Complete.
	SetCompleter(func(line string, pos int) (candidates []Candidate, start int))

	// SetHint sets what is shown faintly after the cursor while it is at the
	// end of the line: what could follow. It is no part of the line. Plain
	// readers show none.
	SetHint(func(line string) string)

	// AddHistory remembers a line. The engine calls it for lines that
	// succeeded.
	AddHistory(line string)

	// Recall remembers a line that did not succeed, so that it can be mended
	// and tried again: in this session only.
	Recall(line string)

	// Suspend gives the terminal to f, in the state in which it was found,
	// and takes it back.
	Suspend(f func() error) error

	// Close restores the terminal and ends a ReadLine under way with io.EOF.
	// It may be called twice.
	Close() error
}
