package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/peerlab/peerlab/repl"
)

// group is the heading of the chat's commands in help.
const group = "chat"

// nobody is the answer to a message when nobody else is there.
const nobody = `nobody else is in the chat yet: start another peer with "peer bob"`

// Commands are the chat's part of the shell.
func (r *Room) Commands() []repl.Command {
	return []repl.Command{
		{
			Name: "msg", Group: group, Usage: "TEXT", MinArgs: 1, MaxArgs: repl.Any, Raw: true,
			Summary: "say something to everyone in the chat",
			Help: "Returns when the message was shown at everybody who can be reached, and says\n" +
				"who did not get it yet.\n\n\tmsg hello, who is there?",
			Run: func(ctx context.Context, c *repl.Call) error {
				d, err := r.Send(ctx, c.Text)
				if err != nil {
					return err
				}
				return report(c.Out, d)
			},
		},
		{
			Name: "chatmembers", Group: group, Query: true,
			Summary: "who else is in the chat",
			Run: func(_ context.Context, c *repl.Call) error {
				names, err := r.Members()
				if err != nil {
					return err
				}
				return printNames(c, names)
			},
		},
		{
			Name: "chatmemberping", Group: group, Usage: "NAME", MinArgs: 1, MaxArgs: 1,
			Summary:  "reach a member of the chat over its stream",
			Help:     "Prints the time until its answer came.\n\n\tchatmemberping bob",
			Complete: r.completeName,
			Run: func(ctx context.Context, c *repl.Call) error {
				ctx, cancel := context.WithTimeout(ctx, pingWait)
				defer cancel()
				d, err := r.Ping(ctx, c.Args[0])
				if err == nil {
					_, err = fmt.Fprintf(c.Out, "%s answered in %v\n", c.Args[0], d.Round(time.Microsecond))
				}
				return err
			},
		},
	}
}

// pingWait is how long chatmemberping waits.
const pingWait = 5 * time.Second

// report prints a delivery. A message that is lost for everybody is an error.
func report(w io.Writer, d Delivery) error {
	lost := ""
	if len(d.Dropped) > 0 {
		lost = fmt.Sprintf("not kept for %s: too many messages wait there already, or it has left", strings.Join(d.Dropped, ", "))
	}
	all := len(d.Reached) + len(d.Pending) + len(d.Dropped)
	var err error
	switch {
	case d.Nobody():
		_, err = fmt.Fprintln(w, nobody)
	case len(d.Dropped) == all:
		err = fmt.Errorf("the message reached nobody; %s", lost)
	case len(d.Reached) == all:
		_, err = fmt.Fprintf(w, "delivered to %d\n", all)
	default:
		text := fmt.Sprintf("delivered to %d of %d", len(d.Reached), all)
		if len(d.Pending) > 0 {
			text += fmt.Sprintf("; not reached yet: %s (kept until it is back)", strings.Join(d.Pending, ", "))
		}
		if lost != "" {
			text += "; " + lost
		}
		_, err = fmt.Fprintln(w, text)
	}
	return err
}

// printNames prints names one a line, or as JSON.
func printNames(c *repl.Call, names []string) error {
	if c.JSON {
		return json.NewEncoder(c.Out).Encode(names)
	}
	if len(names) == 0 {
		_, err := fmt.Fprintln(c.Out, nobody)
		return err
	}
	_, err := fmt.Fprintln(c.Out, strings.Join(names, "\n"))
	return err
}

// completeName proposes the members of the chat.
func (r *Room) completeName(args []string) []repl.Candidate {
	if len(args) > 0 {
		return nil
	}
	names, err := r.Members()
	if err != nil {
		return nil
	}
	list := make([]repl.Candidate, len(names))
	for i, name := range names {
		list[i] = repl.Candidate{Text: name}
	}
	return list
}
