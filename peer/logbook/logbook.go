// Package logbook is a peer's log: zerolog JSON with one level per component,
// which may be changed, switched to another file and looked at while the peer
// runs. Nothing of it reaches the prompt.
package logbook

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/internal/files"
)

// Components are the parts of a peer that log.
func Components() []string {
	return []string{"bootstrap", "chat", "broadcast", "membership", "node", "shell", "test"}
}

// Always is the level of lines that every level lets through, disabled too.
const Always = zerolog.NoLevel

const (
	keep     = 1000     // lines in memory; half of them are dropped at once
	maxBytes = 16 << 20 // a log file is renamed to NAME.old at half of this
)

// Book is a log. Make it with New.
type Book struct {
	// mu guards the fields below. A line is appended while it is held, so
	// that lines come out whole and in order.
	mu     sync.Mutex
	out    files.Appender // nil while the log is off
	dir    files.FS
	name   string
	level  zerolog.Level
	levels map[string]zerolog.Level // by component, where it differs
	tail   []string                 // the last lines, oldest first
	failed error
}

// New returns a log that is off and keeps what is at least at level.
func New(level zerolog.Level) *Book {
	return &Book{level: level, levels: map[string]zerolog.Level{}}
}

// Levels are what ParseLevel reads, from the one that lets all lines through
// to the one that lets none through.
func Levels() []string {
	return []string{"trace", "debug", "info", "warn", "error", "disabled"}
}

// ParseLevel reads a level's name.
func ParseLevel(s string) (zerolog.Level, error) {
	name := strings.ToLower(s)
	if !slices.Contains(Levels(), name) {
		return 0, fmt.Errorf("no log level %q: use one of %s", s, strings.Join(Levels(), ", "))
	}
	return zerolog.ParseLevel(name)
}

// Logger returns the logger of a component.
func (b *Book) Logger(component string) zerolog.Logger {
	return zerolog.New(writer{b, component}).With().Timestamp().Str("component", component).Logger()
}

// On writes the log to name in dir from now on, and no longer where it was
// written before. If it fails, nothing has changed.
func (b *Book) On(dir files.FS, name string) error {
	out, err := dir.Append(name, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.out
	b.out, b.dir, b.name, b.failed = out, dir, name, nil
	return closeIf(old)
}

// Off writes the log nowhere from now on. It may be called twice.
func (b *Book) Off() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.out
	b.out = nil
	return closeIf(old)
}

func closeIf(a files.Appender) error {
	if a == nil {
		return nil
	}
	return a.Close()
}

// SetLevel sets the level of a component, or of all with "all".
func (b *Book) SetLevel(component string, l zerolog.Level) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case component == "all":
		b.level = l
		clear(b.levels)
	case slices.Contains(Components(), component):
		b.levels[component] = l
	default:
		return fmt.Errorf("no component %q: use all, %s", component, strings.Join(Components(), ", "))
	}
	return nil
}

// Tail returns the last n lines that were logged, oldest first, as far as they
// are kept: the last 500 are. Lines are kept while the log is off, too.
func (b *Book) Tail(n int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(max(n, 0), len(b.tail))
	return slices.Clone(b.tail[len(b.tail)-n:])
}

// State describes where the log goes and at which levels.
func (b *Book) State() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	where := "off"
	if b.out != nil {
		where = "on " + b.dir.Path(b.name)
	}
	s := fmt.Sprintf("%s, level %s", where, b.level)
	for _, c := range slices.Sorted(maps.Keys(b.levels)) {
		s += fmt.Sprintf(", %s %s", c, b.levels[c])
	}
	if b.failed != nil {
		s += ", failed: " + b.failed.Error()
	}
	return s
}

// writer is one component's way into the book.
type writer struct {
	book      *Book
	component string
}

func (w writer) Write(p []byte) (int, error) { return w.WriteLevel(zerolog.NoLevel, p) }

// WriteLevel never fails: a full disk must not stop a peer. State tells.
func (w writer) WriteLevel(l zerolog.Level, p []byte) (int, error) {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	w.book.write(w.component, l, p)
	return len(p), nil
}

func (b *Book) write(component string, l zerolog.Level, p []byte) {
	limit, ok := b.levels[component]
	if !ok {
		limit = b.level
	}
	if l < limit && l != Always {
		return
	}
	if len(b.tail) == keep {
		b.tail = slices.Delete(b.tail, 0, keep/2)
	}
	b.tail = append(b.tail, strings.TrimRight(string(p), "\n"))
	if b.out == nil {
		return
	}
	if b.out.Size() > maxBytes/2 {
		b.note(b.rotate())
	}
	_, err := b.out.Write(p)
	b.note(err)
}

// note keeps the last failure. Lines are missing since, so nothing takes it
// back but On.
func (b *Book) note(err error) {
	if err != nil {
		b.failed = err
	}
}

// rotate begins a new file. On a failure the old one is written on.
func (b *Book) rotate() error {
	if err := b.dir.Rename(b.name, b.name+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := b.dir.Append(b.name, 0o600)
	if err != nil {
		return err
	}
	err = b.out.Close()
	b.out = out
	return err
}
