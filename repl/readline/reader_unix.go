//go:build unix

package readline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	lib "github.com/chzyer/readline"
	"github.com/peerlab/peerlab/repl"
)

const supported = true

// veryWide is the width that the library is told: what does not fit the
// terminal is not its business.
const veryWide = 1 << 20

// reader is a repl.LineReader on a terminal.
type reader struct {
	cfg    Config
	tty    *tty
	screen *screen
	keys   *keys

	begin sync.Once // starts the goroutines, at the first use
	end   sync.Once
	done  chan struct{}
	// goesOn has a token when the process was continued.
	goesOn chan struct{}
	group  sync.WaitGroup // our own goroutines

	// active is held while a line is read, while the terminal is lent, and
	// while it is given back.
	active sync.Mutex
	edit   *lib.Instance // nil before the first line
	// learned tells that edit's history is not empty.
	learned bool
	pasted  bool     // the key is a paste; of the library's goroutine
	wanted  bool     // the key asks for the editor; of the library's goroutine
	instead *instead // what Tab makes of the line; of the library's goroutine

	mu        sync.Mutex
	prompt    string
	completer func(string, int) ([]repl.Candidate, int)
	history   []string // not yet told to the library
	closed    bool
	line      context.Context // of the line that is read; nil between two lines
	endLine   func()          // ends it
}

// New makes a reader on a terminal. It changes nothing there before the first
// line is read. Close must be called; for panics see RestoreOnPanic.
func New(cfg Config) (repl.LineReader, error) {
	cfg = cfg.withDefaults()
	t, err := openTTY(cfg.In, cfg.Out)
	if err != nil {
		return nil, err
	}
	columns, rows := t.size()
	r := &reader{cfg: cfg, tty: t, done: make(chan struct{}), goesOn: make(chan struct{}, 1), history: append([]string(nil), cfg.History...)}
	r.screen = newScreen(cfg.Out, columns, rows)
	r.keys, err = newKeys(t.in, r.screen.empty, r.stop)
	if err != nil {
		return nil, fmt.Errorf("open the terminal: %w", err)
	}
	return r, nil
}

// start starts what serves the terminal besides the library.
func (r *reader) start() {
	r.begin.Do(func() {
		r.group.Go(func() { r.screen.run(r.done) })
		r.follow()
	})
}

// lend gives the terminal to f as it was found, and takes it back.
func (r *reader) lend(f func() error) error {
	r.screen.lend(+1)
	defer r.screen.lend(-1)
	return r.tty.lend(f)
}

// open makes the library's part, when the first line is read.
func (r *reader) open() error {
	if r.edit != nil {
		return nil
	}
	cfg := &lib.Config{
		Prompt:                 "> ", // not shown: the screen has the prompt
		HistoryLimit:           maxHistory,
		DisableAutoSaveHistory: true,
		AutoComplete:           r,
		Listener:               r,
		FuncFilterInputRune:    r.filter,
		Painter:                r.screen,
		Stdin:                  r.keys,
		Stdout:                 r.screen,
		Stderr:                 io.Discard,
		ForceUseInteractive:    true,
		FuncGetWidth:           func() int { return veryWide },
		FuncIsTerminal:         func() bool { return true },
		FuncMakeRaw:            func() error { return nil },
		FuncExitRaw:            func() error { return nil },
		FuncOnWidthChanged:     func(func()) {},
	}
	edit, err := lib.NewEx(cfg)
	if err != nil {
		return fmt.Errorf("open the terminal: %w", err)
	}
	r.edit = edit
	return nil
}

// ReadLine implements repl.LineReader.
func (r *reader) ReadLine(ctx context.Context) (string, error) {
	r.active.Lock()
	defer r.active.Unlock()
	prompt, closed := r.state()
	if closed || r.keys.gone() {
		return "", io.EOF
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	r.start()
	if err := r.open(); err != nil {
		return "", err
	}
	r.learn()
	// The library sees blanks as wide as the prompt, for its searches.
	r.edit.SetPrompt(strings.Repeat(" ", r.screen.begin(prompt)))
	if err := r.tty.raw(); err != nil {
		return "", fmt.Errorf("read a line: %w", err)
	}
	defer r.beginLine(ctx)()
	text, err := r.cancellable(ctx, r.edit.Readline)
	if qerr := r.tty.quiet(); err == nil && qerr != nil && !r.keys.gone() {
		err = fmt.Errorf("read a line: %w", qerr)
	}
	return strings.ReplaceAll(text, string(newline), "\n"), r.meaning(ctx, err)
}

func (r *reader) state() (prompt string, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.prompt, r.closed
}

// cancellable calls read, and ends it when ctx ends.
func (r *reader) cancellable(ctx context.Context, read func() (string, error)) (string, error) {
	cancelled := make(chan struct{})
	release := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		r.screen.muteInterrupt()
		r.keys.cancel()
	})
	text, err := read()
	if !release() {
		<-cancelled
		r.keys.resume()
	}
	return text, err
}

// meaning turns the library's error into ours.
func (r *reader) meaning(ctx context.Context, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return io.EOF
	case errors.Is(err, lib.ErrInterrupt) && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, lib.ErrInterrupt):
		return repl.ErrInterrupt
	}
	return err
}

// learn tells the library the lines of the history that it does not know, and
// takes it to the history's end. It is called between two lines. A history
// without any line gets an empty one: a search in none makes the library fail.
func (r *reader) learn() {
	r.mu.Lock()
	lines := r.history
	r.history = nil
	r.mu.Unlock()
	if r.learned || len(lines) == 0 {
		_ = r.edit.SaveHistory("")
	}
	r.learned = true
	for _, l := range lines {
		_ = r.edit.SaveHistory(strings.ReplaceAll(l, "\n", string(newline)))
	}
}

// Print implements repl.LineReader. It returns before the text is on the
// screen. If 256 KiB wait already it waits too, but not for ever: a terminal
// that takes nothing for two seconds is taken for stopped, and up to 16 MiB
// are kept for the time when it goes on. What is more is counted, and the
// count is shown.
func (r *reader) Print(s string) {
	r.mu.Lock()
	closed := r.closed
	if !closed {
		r.start()
	}
	r.mu.Unlock()
	if !closed {
		r.screen.queue.Print(s)
	}
}

// SetPrompt implements repl.LineReader.
func (r *reader) SetPrompt(prompt string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prompt = prompt
}

// SetCompleter implements repl.LineReader.
func (r *reader) SetCompleter(f func(string, int) ([]repl.Candidate, int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.completer = f
}

// SetHint implements repl.LineReader.
func (r *reader) SetHint(f func(string) string) { r.screen.setHint(f) }

// AddHistory implements repl.LineReader. Arrow up finds the line from the next
// ReadLine on.
func (r *reader) AddHistory(line string) {
	line = strings.TrimRight(line, "\n")
	if strings.TrimSpace(line) == "" {
		return
	}
	r.Recall(line)
	if r.cfg.Save != nil {
		r.cfg.Save(line)
	}
}

// Recall implements repl.LineReader, from the next ReadLine on.
func (r *reader) Recall(line string) {
	line = strings.TrimRight(line, "\n")
	if strings.TrimSpace(line) == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, line)
}

// Suspend implements repl.LineReader. Messages wait meanwhile. It is an error
// while a line is being read.
func (r *reader) Suspend(f func() error) error {
	if !r.active.TryLock() {
		return errors.New("the terminal is in use: a line is being read")
	}
	defer r.active.Unlock()
	r.screen.hold(true)
	defer r.screen.hold(false)
	return r.lend(f)
}

// Close implements repl.LineReader. It returns when the terminal is as it was
// found and what was printed is on it.
func (r *reader) Close() error {
	var err error
	r.end.Do(func() { err = r.close() })
	return err
}

func (r *reader) close() error {
	r.mu.Lock()
	r.closed = true
	if r.endLine != nil {
		r.endLine() // of an editor, too
	}
	r.mu.Unlock()
	// A terminal that is stopped would keep us for ever. Whatever happens to
	// the output, the terminal is as it was found from here on.
	resumeOutput(r.tty.out)
	err := r.tty.finish()
	r.keys.end()
	r.active.Lock() // a ReadLine under way has ended
	defer r.active.Unlock()
	if r.edit != nil {
		_ = r.edit.Config.Stdin.Close()
		_ = r.edit.Terminal.Close()
	}
	close(r.done)
	r.group.Wait()
	r.screen.close()
	r.keys.release()
	if err != nil && r.edit != nil && !r.keys.gone() {
		return fmt.Errorf("restore the terminal: %w", err)
	}
	return nil
}

// restore is what Close does for the terminal at the least, for a program
// that ends by a panic. It waits for nobody.
func (r *reader) restore() {
	if r.tty.finish() == nil {
		_, _ = io.WriteString(r.cfg.Out, pasteOff+"\n")
	}
}
