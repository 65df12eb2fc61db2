package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/peerlab/peerlab/internal/trace"
	"github.com/peerlab/peerlab/peer/session"
	"github.com/peerlab/peerlab/repl"
)

// journal are the commands that look back at what has happened.
func (p *peer) journal() []repl.Command {
	return []repl.Command{
		{
			Name: "trace", Group: "journal", MaxArgs: 3, Query: true,
			Usage:   "[relation M1 M2 | export FILE]",
			Summary: "the order of two messages; the journal for ShiViz",
			Help: "Without arguments it lists the messages and their ids. Relation tells whether\n" +
				"message M1 was sent before M2, after it, or at the same time as far as anybody\n" +
				"can tell (concurrent), and why. A message is named by its text, the latest one\n" +
				"counts, or by its id. Export writes this peer's journal as a log for ShiViz,\n" +
				"which draws who knew of what.\n\n" +
				"\ttrace relation \"hello\" \"hello alice\"\n\ttrace export alice.log",
			Complete: p.completeTrace,
			File:     func(args []string) bool { return len(args) == 1 && args[0] == "export" },
			Run:      p.trace,
		},
		{
			Name: "save", Group: "journal", Usage: "FILE", MinArgs: 1, MaxArgs: 1, File: first,
			Summary: "this session so far as a scenario that can be run",
			Help: "It repeats what you typed and what the others said and did, and expects that\n" +
				"this peer sees the same again. What cannot be repeated is a comment that says\n" +
				"why. A file that save did not write is left alone.\n\n" +
				"\tsave monday.cmd\n\nRun it with: testserver run monday.cmd",
			Run: p.save,
		},
	}
}

func (p *peer) trace(_ context.Context, c *repl.Call) error {
	if len(c.Args) == 0 {
		return p.traceList(c)
	}
	switch verb := c.Args[0]; {
	case verb == "relation" && len(c.Args) == 3:
		return p.traceRelation(c)
	case verb == "export" && len(c.Args) == 2:
		return p.traceExport(c)
	}
	return repl.Usagef("%q does not fit", c.Args)
}

// relation is the answer of trace relation.
type relation struct {
	M1       traced `json:"m1"`
	M2       traced `json:"m2"`
	Relation string `json:"relation"` // before, after, concurrent, equal, unknown
	Reason   string `json:"reason"`
}

type traced struct {
	ID   string `json:"id"`
	From string `json:"from"`
	Text string `json:"text"`
}

func tracedOf(m trace.Message) traced { return traced{m.ID, m.From, m.Text} }

func (p *peer) traceList(c *repl.Call) error {
	all, err := trace.Messages(p.Node.History())
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	list, rows := []traced{}, [][]string{}
	for _, m := range all {
		list = append(list, tracedOf(m))
		rows = append(rows, []string{m.Short(), m.Text})
	}
	if c.JSON {
		return printJSON(c.Out, list)
	}
	return printTable(c.Out, []string{"ID", "MESSAGE"}, rows)
}

func (p *peer) traceRelation(c *repl.Call) error {
	all, err := trace.Messages(p.Node.History())
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	var m [2]trace.Message
	for i := range m {
		if m[i], err = trace.Find(all, c.Args[1+i]); err != nil {
			return err
		}
	}
	r := trace.Relate(m[0], m[1])
	if c.JSON {
		return printJSON(c.Out, relation{tracedOf(m[0]), tracedOf(m[1]), r.Order.String(), r.Reason})
	}
	fmt.Fprintf(c.Out, "%s: %s\n", r.Order, repl.Neutral(r.Reason))
	return nil
}

func (p *peer) traceExport(c *repl.Call) error {
	var log bytes.Buffer
	n, err := trace.ShiViz(&log, p.Node.History())
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	path, err := p.write(c.Args[1], log.Bytes())
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	fmt.Fprintf(c.Out, "wrote %s to %s\n", count(n, "event"), repl.Neutral(path))
	return nil
}

func (p *peer) completeTrace(args []string) []repl.Candidate {
	switch {
	case len(args) == 0:
		return candidates("relation", "export")
	case args[0] != "relation" || len(args) > 2:
		return nil
	}
	all, err := trace.Messages(p.Node.History())
	if err != nil {
		return nil
	}
	var words []repl.Candidate
	for _, m := range all {
		words = append(words, repl.Candidate{Text: m.Short(), Help: m.Text})
	}
	return words
}

// save writes a scenario, over one that it has written, and over nothing else.
func (p *peer) save(_ context.Context, c *repl.Call) error {
	text, err := session.Scenario(p.Node.History(), session.About{Group: p.Node.Group(), File: c.Args[0], Saved: time.Now()})
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if p.Place == nil {
		return errNoFiles
	}
	dir, base, err := p.Place(c.Args[0])
	if err != nil {
		return err
	}
	switch old, err := dir.ReadFile(base); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("save: %w", err)
	case !session.Ours(old):
		return fmt.Errorf("save: %s is there, and is no saved session: give another name, or remove it", repl.Neutral(dir.Path(base)))
	}
	if err := dir.WriteFile(base, []byte(text), 0o600); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	fmt.Fprintf(c.Out, "saved to %s; run it with: testserver run %s\n", repl.Neutral(dir.Path(base)), repl.Neutral(c.Args[0]))
	return nil
}
