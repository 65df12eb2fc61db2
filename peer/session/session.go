// Package session turns what has happened at one peer into a scenario: what
// the person there typed, what the others said, who came and went, and after
// each of these that this peer saw what it saw then. It is a test that was
// made by doing it once.
//
// The package is pure: events come in, text goes out. It writes the language
// of scenarios and does not import what reads it; a test does.
//
// What cannot be repeated is left as a comment that says why: commands of the
// operating system, files, faults set by hand, Go that failed or was false. Waits take the place of time
// that passed. What a command printed is not compared, because most of it is
// addresses and times.
package session

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

// Sentinels of making a scenario.
var (
	// ErrEmpty is matched when there is nothing to repeat.
	ErrEmpty = errors.New("nothing has happened in this session yet")
	// ErrForgotten is matched when the beginning of the session is missing.
	ErrForgotten = errors.New("the session is too long: its beginning is not in the journal any more")
)

// About says what the head of the scenario says.
type About struct {
	Group string
	File  string    // where it will lie
	Saved time.Time // now
}

// head begins every scenario of this package, in all versions.
const head = "# A session of "

// Ours tells whether a text is a scenario of this package, which may take the
// place of one.
func Ours(text []byte) bool { return strings.HasPrefix(string(text), head) }

// Scenario makes a scenario of the events of one boot of one peer, from its
// first event on. Errors match ErrEmpty, ErrForgotten, or are those of events.
func Scenario(events iter.Seq2[journal.Event, error], about About) (string, error) {
	var w writer
	items, err := w.read(events)
	if err != nil {
		return "", err
	}
	start, rest := w.prelude(items)
	w.begin(start)
	for i := range rest {
		w.item(&rest[i], rest[i+1:])
	}
	if w.statements == 0 {
		return "", ErrEmpty
	}
	return w.head(about, start) + w.body.String(), nil
}

// item is one event, at the time at which what it stands for began.
type item struct {
	at time.Time
	journal.Event
}

func (i *item) field(name string) string {
	s, _ := i.Fields[name].(string)
	return s
}

// read takes the events that count. A command is recorded when it has ended,
// and stands where it began.
func (w *writer) read(events iter.Seq2[journal.Event, error]) ([]item, error) {
	var items []item
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		if w.self == "" {
			w.self = e.Peer
			if e.Seq != 1 {
				return nil, ErrForgotten
			}
		}
		i := item{e.Time, e}
		switch e.Type {
		case journal.TypeCommand:
			if d, ok := e.Fields["duration"].(float64); ok {
				i.at = e.Time.Add(-time.Duration(d * float64(time.Second)))
			}
		case journal.TypeChat, journal.TypeView, journal.TypeMember, journal.TypeBootstrap, "broadcast":
		default:
			continue
		}
		items = append(items, i)
	}
	if len(items) == 0 {
		return nil, ErrEmpty
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Seq, b.Seq)) })
	return items, nil
}

// beginning is how a session began.
type beginning struct {
	peers  []string // who was there when the person began, sorted
	bare   bool     // the person starts the peer step by step
	values []item   // of the broadcast set
}

// prelude takes off what happened before the person here, or somebody else,
// said or did anything: that is how the session began.
func (w *writer) prelude(items []item) (beginning, []item) {
	first, inited := -1, false
	there := map[string]bool{}
	b := beginning{bare: true}
	for i := range items {
		e := &items[i]
		switch {
		case e.Type == journal.TypeCommand && command(e.Text) == "init" && ok(e) && !inited:
			inited, b.bare = true, false
			continue
		case e.Type == journal.TypeCommand, e.Type == journal.TypeChat:
			first = i
		case e.Type == journal.TypeMember:
			b.bare = false
			word, name, _ := strings.Cut(e.Text, " ")
			there[name] = word == "joined" || word == "back" || word == "suspect" && there[name]
		case e.Type == "broadcast":
			b.values = append(b.values, *e)
		default:
			b.bare = b.bare && e.Type != journal.TypeBootstrap
		}
		if first >= 0 {
			break
		}
	}
	for name, is := range there {
		if is && validName.MatchString(name) {
			b.peers = append(b.peers, name)
		}
	}
	slices.Sort(b.peers)
	if first < 0 {
		return b, nil
	}
	return b, items[first:]
}

func ok(i *item) bool { return i.Fields["ok"] == true }

// command is the first word of a line.
func command(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return strings.TrimPrefix(word, "/")
}

// head is the prose that the file begins with.
func (w *writer) head(about About, b beginning) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s%s in the group %s, saved on %s.\n", head, w.self, about.Group, about.Saved.UTC().Format("2006-01-02 15:04 UTC"))
	t.WriteString("# It repeats what was typed there, has the others say and do what they said and\n" +
		"# did, and expects that " + w.self + " sees the same again. Change it as you like.\n" +
		"# Run it with: testserver run " + about.File + "\n\n")
	patience := "15s"
	if w.compiles {
		patience = "60s" // the first line of Go after a build takes its time
	}
	fmt.Fprintf(&t, "peers %s\ntimeout %s\n", strings.Join(append([]string{w.self}, b.peers...), " "), patience)
	return t.String()
}
