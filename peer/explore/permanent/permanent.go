// Package permanent makes a file of Go out of a function that a session has
// declared: a command for package shell of a peer, with all that the function
// needs of the session.
//
// Package check knows where a name was declared and what each word of that
// means; here the texts are copied, with the words changed that mean something
// else in a file. What has no state stands at package level, under its own
// names unless these are taken. Variables, and functions that use them, print
// or ask the peer, become locals of the command: a package of commands has no
// variables, since a process may hold many peers. The package is pure: it
// needs no files and no compiler.
package permanent

import (
	"errors"
	"fmt"
	"go/token"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// ErrCannot is matched by the error for a function that has no file: the
// session goes on with it, but nothing can be copied that would mean the same.
var ErrCannot = errors.New("it cannot be made permanent")

// Command is what a file is made for.
type Command struct {
	Name     string // of the command
	Summary  string // one line of at most 60 columns
	Example  string // a line that runs it, and works
	Function *check.Binding
	Takes    bool // the function takes arguments

	// Declared and Imported tell names that files of the package have at
	// package level, and for imports. Nil knows of none.
	Declared, Imported func(name string) bool
	// Module says what brings the module of a package that the program does
	// not have yet, "go get PATH@VERSION"; empty for others. Nil knows of none.
	Module func(importPath string) string
}

// File is a file that was made.
type File struct {
	Text  []byte
	Notes []string // what is different from the session; the text says it too
}

// New makes the file of a command. The error matches ErrCannot if something
// that the function needs cannot be copied, and says what to do.
func New(c Command) (*File, error) {
	g := &gatherer{decls: map[declKey]*decl{}}
	root, err := g.add(c.Function)
	if err != nil {
		return nil, err
	}
	w := &writer{command: c, gathered: g, root: root}
	if err := w.place(); err != nil {
		return nil, err
	}
	w.rename()
	return w.file()
}

// Method is the name of the method that is the command in its file. It is
// exported, or reflection would not see it.
func Method(command string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(command, func(r rune) bool { return r == '_' || r == '-' }) {
		b.WriteString(upper(part))
	}
	if name := b.String(); token.IsExported(name) {
		return name
	}
	return "Kept" + b.String()
}

func upper(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}

func lower(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[size:]
}

// FileName is the name of the file of a command.
func FileName(command string) string {
	return strings.ReplaceAll(command, "-", "_") + "_command.go"
}

func cannot(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCannot, fmt.Sprintf(format, args...))
}
