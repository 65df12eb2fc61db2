package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
)

// Config describes a shell.
type Config struct {
	// Commands are the shell's own commands. The built-in ones are added:
	// help, mode, quit and exit (group cli) before them, echo, sleep and
	// execute (group script) after them. A command with the name of a
	// built-in one takes its place.
	Commands []Command

	// Modes says what a bare line at the prompt can mean; the first one is
	// set at the start. Without any, bare lines are commands (mode "cmd").
	Modes []Mode

	// Intro is what help says first: what to try. Each line at most 80
	// columns wide.
	Intro []string

	// Open opens the file of `execute FILE`. Nil refuses all files.
	Open func(name string) (io.ReadCloser, error)

	// Files proposes the names of files that Open would find and that begin
	// with prefix, for arguments that are files. Nil proposes nothing.
	Files func(prefix string) []Candidate

	// Around is called around each command of whatever origin, to record it.
	// line is the command as typed, with its full name and without a slash;
	// out is where its output goes. It must call run once, with a context
	// and a writer derived from its own, and return run's error. A line that
	// cannot be parsed passes through it too. It may be called from several
	// goroutines. Nil is a plain call.
	Around func(ctx context.Context, line string, out io.Writer, run func(context.Context, io.Writer) error) error

	// Log gets the stack of a command that panicked. Nil drops it.
	Log io.Writer
}

// Shell runs commands. The same command line means the same for a keyboard
// (Interact), a script (Script), a pipe (Pipe) and a program (Execute); only a
// keyboard is offered modes, prefixes, completion and hints. All methods may
// be called from several goroutines.
type Shell struct {
	cfg   Config
	table atomic.Pointer[Table] // replaced as a whole, see Add
	modes []Mode
	fixed []Command // those that it was made with

	mu     sync.Mutex
	added  []Command               // those that came later
	mode   int                     // index into modes
	cancel context.CancelCauseFunc // ends what the keyboard runs now; nil at the prompt
	reader func()                  // interrupts the reader; nil if it sees ctrl-C itself
}

// New makes a shell. It refuses a bad command table, modes without a name or
// with the same one, and a first mode that is refused.
func New(cfg Config) (*Shell, error) {
	s := &Shell{cfg: cfg, modes: append([]Mode(nil), cfg.Modes...)}
	if len(s.modes) == 0 {
		s.modes = []Mode{{Name: "cmd", Prompt: func() string { return "> " }}}
	}
	if err := checkModes(s.modes); err != nil {
		return nil, err
	}
	s.fixed = s.withBuiltins(cfg.Commands)
	if err := s.change(nil); err != nil {
		return nil, err
	}
	return s, nil
}

func checkModes(modes []Mode) error {
	if modes[0].Refused != nil {
		return fmt.Errorf("mode %q is where a shell begins: it cannot be refused", modes[0].Name)
	}
	seen := make(map[string]bool)
	for _, m := range modes {
		if checkName(m.Name) != nil || seen[m.Name] {
			return fmt.Errorf("mode %q: a mode needs a name of its own, one lower-case word", m.Name)
		}
		seen[m.Name] = true
	}
	return nil
}

// Table returns the commands that the shell has now, built-in ones included.
func (s *Shell) Table() *Table { return s.table.Load() }

// Mode returns what a bare line at the prompt means now.
func (s *Shell) Mode() Mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modes[s.mode]
}

// SetMode chooses another mode by its name. The prompt follows when the next
// line is read. It returns what the mode is refused with, if it is.
func (s *Shell) SetMode(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.modes {
		if m.Name == name && m.Refused != nil {
			return m.Refused
		}
		if m.Name == name {
			s.mode = i
			return nil
		}
	}
	return fmt.Errorf("no mode %q: choose one of %s", name, strings.Join(s.modeNames(), ", "))
}

func (s *Shell) modeNames() []string {
	var names []string
	for _, m := range s.modes {
		if m.Refused == nil {
			names = append(names, m.Name)
		}
	}
	return names
}

// Execute runs one line in which everything is a command, as in a script: the
// commands one after the other, up to the first that fails. It returns that
// one's error as it is; errors for words that are no command match ErrUnknown,
// for arguments that do not fit ErrUsage, for a line that cannot be taken
// apart ErrSyntax, and ErrQuit and ErrExit mean that the caller should end.
func (s *Shell) Execute(ctx context.Context, line string, out io.Writer) error {
	return s.runLine(ctx, line, origin{out: out, resolve: s.exact}, nil)
}

// origin is where a line comes from.
type origin struct {
	out         io.Writer
	interactive bool
	resolve     func(name string) (*Command, error)
}

// exact is how scripts find a command: without prefixes and guesses, so that
// a new command cannot change what an old script means.
func (s *Shell) exact(name string) (*Command, error) {
	t := s.Table()
	if c, ok := t.Lookup(name); ok {
		return c, nil
	}
	return nil, t.unknown(name)
}

// match is how a person at a keyboard finds a command.
func (s *Shell) match(name string) (*Command, error) { return s.Table().Match(name) }

// runLine runs the commands of a line. failed is asked whether to go on after
// one that failed; nil never does.
func (s *Shell) runLine(ctx context.Context, line string, o origin, failed func(error) bool) error {
	line = strings.TrimSuffix(line, "\r")
	list, err := parse(line, func(name string) bool {
		c, err := o.resolve(name)
		return err == nil && c.Raw
	})
	if err != nil {
		err = s.around(ctx, line, o.out, func(context.Context, io.Writer) error { return err })
		return goOn(err, failed)
	}
	for i := range list {
		if err := goOn(s.runOne(ctx, line, &list[i], o), failed); err != nil {
			return err
		}
	}
	return nil
}

// goOn returns the error that ends the line, or nil to go on.
func goOn(err error, failed func(error) bool) error {
	if err == nil || !ends(err) && failed != nil && failed(err) {
		return nil
	}
	return err
}

func (s *Shell) around(ctx context.Context, line string, out io.Writer, run func(context.Context, io.Writer) error) error {
	if s.cfg.Around == nil {
		return run(ctx, out)
	}
	return s.cfg.Around(ctx, line, out, run)
}

// runOne runs one command. A context that ended already is an error.
func (s *Shell) runOne(ctx context.Context, line string, st *statement, o origin) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := o.resolve(st.name.text)
	name := st.name.text
	if err == nil && !isNameOf(c, name) {
		name = c.Name // a prefix was typed
	}
	return s.around(ctx, st.source(line, name), o.out, func(ctx context.Context, out io.Writer) error {
		if err != nil {
			return err
		}
		call := &Call{Name: c.Name, Interactive: o.interactive, Out: out}
		if err := fill(call, c, st); err != nil {
			return withUsage(c, err)
		}
		return withUsage(c, s.guard(c.Name, func() error { return c.Run(ctx, call) }))
	})
}

func isNameOf(c *Command, word string) bool {
	for _, a := range c.Aliases {
		if a == word {
			return true
		}
	}
	return c.Name == word
}

// fill gives a call its arguments, and refuses those that do not fit c.
func fill(call *Call, c *Command, st *statement) error {
	if c.Raw != st.raw {
		return errors.New("the command has changed since the line began: give it again")
	}
	if c.Raw {
		call.Text = st.text
		if st.text != "" {
			call.Args = []string{st.text}
		}
		if c.MinArgs > 0 && strings.TrimSpace(st.text) == "" {
			return Usagef("the text is missing")
		}
		return nil
	}
	for _, w := range st.args {
		switch {
		case w.text != "--json" || w.quoted:
			call.Args = append(call.Args, w.text)
		case !c.Query:
			return Usagef("%s prints no JSON", c.Name)
		default:
			call.JSON = true
		}
	}
	return checkCount(len(call.Args), c.MinArgs, c.MaxArgs)
}

func checkCount(n, least, most int) error {
	switch {
	case n < least && n == 0:
		return Usagef("arguments are missing")
	case n < least:
		return Usagef("%d of %d arguments are missing", least-n, least)
	case most == 0 && n > 0:
		return Usagef("it takes no arguments")
	case most != Any && n > most:
		return Usagef("%d too many arguments", n-most)
	}
	return nil
}

// guard turns a panic of a command into an error.
func (s *Shell) guard(name string, run func() error) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		err = fmt.Errorf("%s failed inside (%v): this is a mistake in the program, and the shell goes on", name, v)
		if s.cfg.Log != nil {
			_, _ = fmt.Fprintf(s.cfg.Log, "panic in command %s: %v\n%s", name, v, debug.Stack())
		}
	}()
	return run()
}

// Interrupt is what a ctrl-C does that reaches the process as a signal: it
// cancels what Interact runs now; at the prompt it interrupts a reader that
// cannot see ctrl-C itself, such as PlainReader. False means that there was
// nothing to interrupt.
func (s *Shell) Interrupt() bool {
	s.mu.Lock()
	cancel, reader := s.cancel, s.reader
	s.mu.Unlock()
	switch {
	case cancel != nil:
		cancel(ErrInterrupt)
	case reader != nil:
		reader()
	default:
		return false
	}
	return true
}

// interrupted tells that err comes from an Interrupt of ctx.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(context.Cause(ctx), ErrInterrupt) &&
		(errors.Is(err, context.Canceled) || errors.Is(err, ErrInterrupt))
}
