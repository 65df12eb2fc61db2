package repl

import (
	"errors"
	"fmt"
	"strings"
)

// usageError is an error for arguments that do not fit. The engine fills in
// the usage line.
type usageError struct {
	usage   string // "broadcastadd KEY TEXT"; empty until the engine sees it
	problem string
	err     error // what the command returned, or nil
}

// Usagef is for commands: it makes an error that matches ErrUsage and that
// the engine shows together with the command's usage line. The text says what
// is wrong with the arguments.
func Usagef(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &usageError{problem: err.Error(), err: errors.Unwrap(err)}
}

func (e *usageError) Error() string {
	if e.usage == "" {
		return e.problem
	}
	return fmt.Sprintf("usage: %s (%s)", e.usage, e.problem)
}

func (e *usageError) Is(target error) bool { return target == ErrUsage }

func (e *usageError) Unwrap() error { return e.err }

// withUsage adds c's usage line to an error of c that matches ErrUsage and has
// none yet; other errors are returned as they are.
func withUsage(c *Command, err error) error {
	if !errors.Is(err, ErrUsage) {
		return err
	}
	var u *usageError
	switch {
	case !errors.As(err, &u):
		return &usageError{usage: usageLine(c), problem: err.Error(), err: err}
	case u.usage != "":
		return err
	default:
		return &usageError{usage: usageLine(c), problem: err.Error(), err: u.err}
	}
}

// usageLine is the command's name and arguments, as help shows them.
func usageLine(c *Command) string {
	if c.Usage == "" {
		return c.Name
	}
	return c.Name + " " + c.Usage
}

// maxShown is how much of an error is shown, in bytes: a huge argument is
// repeated in part.
const maxShown = 2000

// brief cuts the middle out of the text of a huge error.
func brief(text string) string {
	if len(text) <= maxShown {
		return text
	}
	head, tail := text[:maxShown*3/4], text[len(text)-maxShown/4:]
	return fmt.Sprintf("%s ... %s (%d bytes)", strings.ToValidUTF8(head, ""), strings.ToValidUTF8(tail, ""), len(text))
}

// ScriptError says where in a script an error happened. Err may be another
// ScriptError, of a script that this one executes.
type ScriptError struct {
	Name string // of the script, as it was given
	Line int    // from 1
	Err  error
}

func (e *ScriptError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }

func (e *ScriptError) Unwrap() error { return e.Err }

// ends tells that an error ends the shell rather than reporting a failure.
func ends(err error) bool { return errors.Is(err, ErrQuit) || errors.Is(err, ErrExit) }
