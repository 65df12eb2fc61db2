package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Snapshot is the state of a run at one moment, for people who watch it.
type Snapshot struct {
	Scenario  string
	Phase     string        // its title
	Statement string        // that runs, as it stands in the file; empty for none
	Rows      int           // decided until now
	Failed    int           // of them
	Faults    []string      // in force, in the language's words
	Elapsed   time.Duration // since the start of the run
	Budget    time.Duration // after which it ends
	Peers     []PeerState
}

// PeerState is a peer in a Snapshot.
type PeerState struct {
	Name    string
	State   string // "ready", "starting", "paused", "gone"
	Boot    int
	Members int    // how many it sees in its group, itself included
	Chat    int    // and in its chat; 0 if its own is not open
	Command string // that it carries out; empty for none
}

// frame is how often the table is drawn at most.
const frame = 100 * time.Millisecond

// Live is a table of a run that is redrawn in place while the run goes on, on
// a terminal. Its methods may be called from several goroutines.
type Live struct {
	cfg LiveConfig

	mu       sync.Mutex
	newest   *Snapshot
	above    bytes.Buffer // lines that shall stand above the table
	changed  bool
	finished bool
}

// LiveConfig says where a table is drawn.
type LiveConfig struct {
	// Terminal is what it is drawn on. What is no terminal must not get one:
	// see IsTerminal.
	Terminal io.Writer
	// Size is how many columns and rows the terminal has now; it is asked
	// before each drawing. Nil, or nothing known, stands for 80 and 24.
	Size   func() (columns, rows int)
	Colour bool
}

// NewLive returns a table that is not drawn yet.
func NewLive(cfg LiveConfig) *Live { return &Live{cfg: cfg} }

// Show replaces what is shown. It does not block; of several snapshots
// between two drawings the last one is seen. The snapshot must not be changed
// afterwards.
func (l *Live) Show(s Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest, l.changed = &s, true
}

// Write puts whole lines above the table. They appear with the next drawing,
// or go straight to the terminal when Run has ended.
func (l *Live) Write(lines []byte) (int, error) {
	l.mu.Lock()
	finished := l.finished
	if !finished {
		l.above.Write(lines)
		l.changed = true
	}
	l.mu.Unlock()
	if finished {
		return l.cfg.Terminal.Write(lines)
	}
	return len(lines), nil
}

// Run draws the table, at most ten times a second and only when something has
// changed, until ctx ends; then it takes the table away and returns. An error
// is one of writing. It may be called once.
func (l *Live) Run(ctx context.Context) error {
	d := &drawing{}
	ticker := time.NewTicker(frame)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.finish(d)
		case <-ticker.C:
		}
		l.mu.Lock()
		s, above, changed := l.newest, l.takeAbove(), l.changed
		l.changed = false
		l.mu.Unlock()
		if !changed && d.sameSize(l.size()) {
			continue
		}
		columns, rows := l.size()
		if _, err := io.WriteString(l.cfg.Terminal, d.next(above, l.table(s, columns, rows), columns, rows)); err != nil {
			return err
		}
	}
}

// finish takes the table away. Lines that come later find it gone.
func (l *Live) finish(d *drawing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	columns, rows := l.size()
	l.finished = true
	_, err := io.WriteString(l.cfg.Terminal, d.next(l.takeAbove(), nil, columns, rows))
	return err
}

func (l *Live) takeAbove() string {
	s := l.above.String()
	l.above.Reset()
	return s
}

func (l *Live) size() (columns, rows int) {
	if l.cfg.Size != nil {
		columns, rows = l.cfg.Size()
	}
	if columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}

// drawing is what stands on the terminal.
type drawing struct {
	widths        []int // of the lines of the table
	columns, rows int
}

func (d *drawing) sameSize(columns, rows int) bool { return d.columns == columns && d.rows == rows }

// next replaces the table by lines, with the text above it. The cursor rests
// at the beginning of the line below the table, where the terminal echoes what
// is typed: that goes, too. Terminals that got narrower have broken the old
// lines into several.
func (d *drawing) next(above string, lines []string, columns, rows int) string {
	var b strings.Builder
	up := 0
	for _, w := range d.widths {
		up += max(1, (w+columns-1)/columns)
	}
	if up = min(up, rows-1); up > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", up)
	}
	// Line after line is replaced, and what is left cleared: nothing flickers,
	// and no terminal takes it for a screen to be kept in its history.
	written := 0
	put := func(line string) {
		b.WriteString(line + "\x1b[K\n")
		written += max(1, (visible(line)+columns-1)/columns)
	}
	for line := range strings.Lines(above) {
		put(strings.TrimSuffix(line, "\n"))
	}
	d.widths = d.widths[:0]
	for _, line := range lines {
		put(line)
		d.widths = append(d.widths, min(visible(line), columns))
	}
	if left := up - written; left > 0 {
		b.WriteString(strings.Repeat("\x1b[K\n", left) + "\x1b[K")
		fmt.Fprintf(&b, "\x1b[%dA", left)
	}
	if b.Len() > 0 {
		b.WriteString("\x1b[K")
	}
	d.columns, d.rows = columns, rows
	return b.String()
}

// visible is the width of a line without its colours.
func visible(s string) int {
	n := 0
	for {
		before, after, ok := strings.Cut(s, "\x1b[")
		n += width(before)
		if !ok {
			return n
		}
		_, s, _ = strings.Cut(after, "m")
	}
}

// table is the snapshot as lines that fit the terminal.
func (l *Live) table(s *Snapshot, columns, rows int) []string {
	if s == nil {
		return nil
	}
	i := ink(l.cfg.Colour)
	wide := columns - 1 // the last column is left free: some terminals break the line there
	fit := func(text string) string { return shorten(plain(text), wide) }
	lines := []string{
		i.paint(bold, fit(fmt.Sprintf("%s  %.1f s of %s  %s", s.Scenario, s.Elapsed.Seconds(), s.Budget, s.Phase))),
		fit(count(s.Rows, "row") + " done; now: " + s.Statement),
	}
	if s.Failed > 0 {
		lines = append(lines, i.paint(red, fit(count(s.Failed, "row")+" FAILED")))
	}
	if len(s.Faults) > 0 {
		lines = append(lines, i.paint(yellow, fit("faults: "+strings.Join(s.Faults, "; "))))
	}
	return append(lines, peerTable(s.Peers, i, wide, rows-2-len(lines))...)
}

// peerTable has a line for each peer. If there is no room for all, those that
// do nothing and are ready, as most are, are counted.
func peerTable(peers []PeerState, i ink, wide, room int) []string {
	if room < 2 || len(peers) == 0 {
		return nil
	}
	name := 4
	for _, p := range peers {
		name = max(name, len(p.Name))
	}
	name = min(name, 20)
	shown, rest := peers, 0
	if len(peers) > room-1 {
		shown, rest = pressing(peers, room-2)
	}
	lines := []string{i.paint(faint, shorten(fmt.Sprintf("%-*s  %-8s %4s  %7s  %4s  %s", name, "peer", "state", "boot", "members", "chat", "command"), wide))}
	for _, p := range shown {
		chat := "-"
		if p.Chat > 0 {
			chat = fmt.Sprint(p.Chat)
		}
		line := shorten(fmt.Sprintf("%-*s  %-8s %4d  %7d  %4s  %s", name, plain(p.Name), plain(p.State), p.Boot, p.Members, chat, plain(p.Command)), wide)
		if p.State == "gone" || p.State == "paused" {
			line = i.paint(yellow, line)
		}
		lines = append(lines, line)
	}
	if rest > 0 {
		lines = append(lines, shorten(fmt.Sprintf("and %d more", rest), wide))
	}
	return lines
}

// pressing picks the n peers that are worth a line, in their order, and
// counts the others.
func pressing(peers []PeerState, n int) (shown []PeerState, rest int) {
	n = max(1, n)
	quiet := n
	for _, p := range peers {
		if p.State != "ready" || p.Command != "" {
			quiet--
		}
	}
	for _, p := range peers {
		busy := p.State != "ready" || p.Command != ""
		if len(shown) < n && (busy || quiet > 0) {
			shown = append(shown, p)
			if !busy {
				quiet--
			}
			continue
		}
		rest++
	}
	return shown, rest
}
