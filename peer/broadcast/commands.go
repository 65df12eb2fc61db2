package broadcast

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/peerlab/peerlab/repl"
)

// group is the heading of the commands in help.
const group = "broadcast"

// Commands are the set's part of the shell.
func (s *Set) Commands() []repl.Command {
	return []repl.Command{
		{
			Name: "broadcastadd", Group: group, Usage: "KEY TEXT", MinArgs: 2, MaxArgs: repl.Any,
			Summary: "put a text under a key, on all members",
			Help: "Replaces the text that is there. Words after the key are joined by single\n" +
				"spaces; quote the text to keep it as it is.\n\n\tbroadcastadd colour dark blue",
			Complete: s.completeKey,
			Run: func(ctx context.Context, c *repl.Call) error {
				spread, err := s.Add(ctx, c.Args[0], strings.Join(c.Args[1:], " "))
				if err != nil {
					return err
				}
				return report(c.Out, "added", spread)
			},
		},
		{
			Name: "broadcastdel", Group: group, Usage: "KEY...", MinArgs: 1, MaxArgs: repl.Any,
			Summary:  "delete keys, on all members",
			Help:     "Deletes all of the keys or, if one is not in the set, none.\n\n\tbroadcastdel colour size",
			Complete: s.completeKey,
			Run: func(ctx context.Context, c *repl.Call) error {
				spread, err := s.Delete(ctx, c.Args...)
				if err != nil {
					return err
				}
				return report(c.Out, "deleted", spread)
			},
		},
		{
			Name: "broadcastlist", Group: group, Query: true,
			Summary: "the key/value set that all members have",
			Run: func(_ context.Context, c *repl.Call) error {
				items, err := s.Items()
				if err != nil {
					return err
				}
				return list(c, items)
			},
		},
	}
}

// report prints how far a change has come.
func report(w io.Writer, what string, s Spread) error {
	var err error
	switch all := len(s.Reached) + len(s.Missing); {
	case all == 0:
		_, err = fmt.Fprintf(w, "%s here; nobody else is there yet\n", what)
	case len(s.Missing) == 0:
		_, err = fmt.Fprintf(w, "%s here and on %d\n", what, all)
	default:
		_, err = fmt.Fprintf(w, "%s here and on %d of %d; not yet: %s (as soon as it can be reached)\n", what, len(s.Reached), all, strings.Join(s.Missing, ", "))
	}
	return err
}

// list prints "KEY TEXT" a line, harmless to a terminal, or JSON.
func list(c *repl.Call, items []Item) error {
	if c.JSON {
		return json.NewEncoder(c.Out).Encode(items)
	}
	if len(items) == 0 {
		_, err := fmt.Fprintln(c.Out, "the set is empty: broadcastadd KEY TEXT adds to it")
		return err
	}
	for _, i := range items {
		if _, err := fmt.Fprintf(c.Out, "%s %s\n", repl.Neutral(i.Key), repl.Neutral(i.Value)); err != nil {
			return err
		}
	}
	return nil
}

// completeKey proposes the keys of the set.
func (s *Set) completeKey([]string) []repl.Candidate {
	items, err := s.Items()
	if err != nil {
		return nil
	}
	list := make([]repl.Candidate, len(items))
	for i, item := range items {
		list[i] = repl.Candidate{Text: item.Key, Help: item.Value}
	}
	return list
}
