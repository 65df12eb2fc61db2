package repl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	moreLines  = "...> "
	howToLeave = "to leave, type /quit or press ctrl-D"
)

// Interact serves a person at a keyboard until a command ends the shell: then
// it returns ErrQuit or ErrExit. The end of input is the command quit. It
// returns ctx.Err() when ctx ends, and the reader's error when that fails.
//
// A line is read in this order: "?" is help; a slash and a letter begin
// commands; "//x" is the bare text "/x", unless the mode is Verbatim; anything
// else is a bare line, to which the mode gives a meaning. A text of several
// lines, as one pastes it, is read line by line up to the first failure; bare
// lines in it are asked back about once, and in a mode that is Verbatim belong
// together. Output of commands, questions and errors is printed through r.
func (s *Shell) Interact(ctx context.Context, r LineReader) error {
	if i, ok := r.(interface{ Interrupt() }); ok {
		s.setReader(i.Interrupt)
		defer s.setReader(nil)
	}
	k := keyboard{s: s, r: r}
	k.fromTheStart()
	for {
		r.SetPrompt(s.prompt())
		line, err := r.ReadLine(ctx)
		switch {
		case err == nil:
			err = k.line(ctx, line)
		case errors.Is(err, ErrInterrupt):
			k.interrupted(line)
			err = nil
		case errors.Is(err, ErrSyntax):
			k.report(err)
			err = nil
		case errors.Is(err, io.EOF):
			return k.end(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (s *Shell) setReader(interrupt func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reader = interrupt
}

func (s *Shell) prompt() string {
	m := s.Mode()
	if m.Prompt == nil {
		return m.Name + "> "
	}
	return m.Prompt()
}

// keyboard is the state of one Interact.
type keyboard struct {
	s      *Shell
	r      LineReader
	held   string // what was asked back about, if it was the last thing typed
	failed bool   // what ran last did not succeed
}

// line runs what was typed: a line, or several that were pasted. Only an error
// that ends the shell is returned; others are printed.
func (k *keyboard) line(ctx context.Context, text string) error {
	held := k.held
	k.held = ""
	text = strings.TrimRight(text, "\n")
	confirmed := held != "" && (text == held || strings.TrimSpace(text) == "")
	if confirmed {
		text = held
	}
	if strings.Contains(text, "\n") {
		return k.several(ctx, text, confirmed)
	}
	return k.single(ctx, text, confirmed)
}

// single runs one line, or text of several that belong together. confirmed
// says that it was asked back about already.
func (k *keyboard) single(ctx context.Context, line string, confirmed bool) error {
	trimmed := strings.TrimLeft(line, " \t")
	mode := k.s.Mode()
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case mode.Run == nil, isCommand(trimmed):
		return k.command(ctx, line)
	case strings.HasPrefix(trimmed, "//") && !mode.Verbatim:
		return k.bare(ctx, mode, line, trimmed[1:])
	}
	if mode.Hold != nil && !confirmed {
		if question := mode.Hold(line); question != "" {
			k.held = line
			k.r.Print(question)
			return nil
		}
	}
	return k.bare(ctx, mode, line, line)
}

// isCommand tells whether a line begins with a slash and a letter, or is "?"
// or "/?".
func isCommand(line string) bool {
	if strings.TrimSpace(line) == "?" {
		return true
	}
	if !strings.HasPrefix(line, "/") {
		return false
	}
	r, _ := utf8.DecodeRuneInString(line[1:])
	return unicode.IsLetter(r) || line == "/?" || strings.HasPrefix(line, "/? ")
}

func (k *keyboard) command(ctx context.Context, line string) error {
	return k.run(ctx, line, k.commands(line))
}

// commands are those of a line, to be run.
func (k *keyboard) commands(line string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, out io.Writer) error {
		o := origin{out: out, interactive: true, resolve: k.s.match}
		err := k.s.runLine(ctx, line, o, nil)
		if errors.Is(err, ErrUnknown) && k.s.Mode().Run != nil && isPath(line) {
			return fmt.Errorf("%w (text that begins with a slash is typed with two)", err)
		}
		return err
	}
}

// isPath tells a line that begins with a slash by chance, such as a path.
func isPath(line string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return strings.Count(first, "/") > 1
}

// bare runs text, and what must follow it, in mode. typed is its first line.
func (k *keyboard) bare(ctx context.Context, mode Mode, typed, text string) error {
	for mode.Unfinished != nil && mode.Unfinished(text) {
		k.goingOn(mode, text+"\n")
		k.r.SetPrompt(moreLines)
		line, err := k.r.ReadLine(ctx)
		switch {
		case errors.Is(err, ErrInterrupt), errors.Is(err, io.EOF):
			k.fromTheStart()
			return nil
		case err != nil:
			return err
		}
		typed += "\n" + line
		text += "\n" + line
	}
	k.fromTheStart()
	return k.run(ctx, typed, func(ctx context.Context, out io.Writer) error {
		return k.s.guard("mode "+mode.Name, func() error { return mode.Run(ctx, text, out) })
	})
}

// goingOn lets the reader complete a line that goes on with a text in mode.
func (k *keyboard) goingOn(mode Mode, text string) {
	k.r.SetCompleter(func(line string, pos int) ([]Candidate, int) {
		if mode.Complete == nil {
			return nil, pos
		}
		list, start := mode.Complete(text+line, len(text)+pos)
		return list, start - len(text)
	})
	k.r.SetHint(func(line string) string {
		if mode.Hint == nil {
			return ""
		}
		return mode.Hint(text + line)
	})
}

// fromTheStart lets it complete a line that stands for itself.
func (k *keyboard) fromTheStart() {
	k.r.SetCompleter(k.s.Complete)
	k.r.SetHint(k.s.Hint)
}

// run does what was typed such that Interrupt cancels it, prints its output
// and its error, and remembers it: if it failed, for this session. Empty,
// nothing was typed.
func (k *keyboard) run(ctx context.Context, typed string, f func(context.Context, io.Writer) error) error {
	runCtx, cancel := context.WithCancelCause(ctx)
	k.s.setCancel(cancel)
	out := &lineWriter{print: k.r.Print}
	err := f(runCtx, out)
	k.s.setCancel(nil)
	cancel(nil)
	out.flush()
	k.failed = err != nil
	switch {
	case typed == "":
	case err == nil, ends(err):
		k.r.AddHistory(typed)
	default:
		k.r.Recall(typed)
	}
	switch {
	case err == nil, ends(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case interrupted(runCtx, err):
		k.r.Print(ErrInterrupt.Error())
		return nil
	}
	k.report(err)
	return nil
}

func (s *Shell) setCancel(cancel context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel = cancel
}

// report prints an error; one of several lines keeps them.
func (k *keyboard) report(err error) {
	k.r.Print("error: " + brief(neutralLines(err.Error())))
}

// interrupted is a ctrl-C at the prompt, with what was on the line.
func (k *keyboard) interrupted(line string) {
	k.held = ""
	if strings.TrimSpace(line) == "" {
		k.r.Print(howToLeave)
	}
}

// end is the end of input: the command quit, and in any case the end.
func (k *keyboard) end(ctx context.Context) error {
	if _, ok := k.s.Table().Lookup("quit"); ok {
		if err := k.run(ctx, "", k.commands("quit")); err != nil {
			return err
		}
	}
	return ErrQuit
}

// lineWriter hands whole lines to print. It is not for concurrent use, like
// the writers that most commands are given.
type lineWriter struct {
	print func(string)
	part  []byte // a line without its end
}

func (w *lineWriter) Write(p []byte) (int, error) {
	if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
		w.print(string(w.part) + string(p[:i+1]))
		w.part = append(w.part[:0], p[i+1:]...)
	} else {
		w.part = append(w.part, p...)
	}
	return len(p), nil
}

// flush prints a last line without an end.
func (w *lineWriter) flush() {
	if len(w.part) > 0 {
		w.print(string(w.part) + "\n")
		w.part = nil
	}
}
