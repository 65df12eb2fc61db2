package shell

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/repl"
)

// cli are the commands of the shell itself that need the peer.
func (p *peer) cli() []repl.Command {
	return []repl.Command{
		{
			Name: "init", Group: "cli",
			Summary: "start everything, and return when the peer is ready",
			Help:    "All steps of starting at once: listen, join the bootstrap service, join the\nmembers, open the chat. On a ready peer it does nothing.",
			Run:     p.init,
		},
		{
			Name: "log", Group: "cli", MaxArgs: 3,
			Usage:   "[on FILE | off | level COMPONENT LEVEL | tail [N]]",
			Summary: "where the log goes, and what is in it",
			Help:    "Without arguments it says where the log goes. The component \"all\" stands for\nall of them.\n\n\tlog level membership debug",
			Complete: func(args []string) []repl.Candidate {
				return completeLog(args)
			},
			File: func(args []string) bool { return len(args) == 1 && args[0] == "on" },
			Run:  p.log,
		},
		{
			Name: "exit", Group: "cli",
			Summary: "leave at once without a word, as a crash would",
			Help:    "The others see <lost>. To leave in order, use quit.",
			Run:     p.exit,
		},
	}
}

func (p *peer) init(ctx context.Context, c *repl.Call) error {
	start := time.Now()
	if p.Node.Status().Ready {
		fmt.Fprintln(c.Out, "ready already")
		return nil
	}
	if err := p.Node.Init(ctx); err != nil {
		return err
	}
	s := p.Node.Status()
	others := 0
	for _, m := range s.Members {
		if present(m) {
			others++
		}
	}
	fmt.Fprintf(c.Out, "ready as %s at %s in group %s after %s; %s\n",
		s.Self.Name, s.Self.Addr, p.Node.Group(), round(time.Since(start)), count(others, "other member"))
	return nil
}

func (p *peer) exit(_ context.Context, c *repl.Call) error {
	if c.Interactive {
		fmt.Fprintf(c.Out, "leaving without a word: the others will see <lost> %s is gone\n", p.Node.Name())
	}
	return repl.ErrExit
}

func completeLog(args []string) []repl.Candidate {
	switch {
	case len(args) == 0:
		return candidates("on", "off", "level", "tail")
	case len(args) == 1 && args[0] == "level":
		return candidates(append([]string{"all"}, logbook.Components()...)...)
	case len(args) == 2 && args[0] == "level":
		return candidates(logbook.Levels()...)
	}
	return nil
}

func (p *peer) log(_ context.Context, c *repl.Call) error {
	verb, rest := "", c.Args
	if len(rest) > 0 {
		verb, rest = rest[0], rest[1:]
	}
	logger := p.Book.Logger("shell")
	switch {
	case verb == "":
	case verb == "on" && len(rest) == 1:
		if err := p.logOn(rest[0]); err != nil {
			return err
		}
		logger.WithLevel(switched).Msg("log on")
	case verb == "off" && len(rest) == 0:
		logger.WithLevel(switched).Msg("log off")
		if err := p.Book.Off(); err != nil {
			return err
		}
	case verb == "level" && len(rest) == 2:
		l, err := logbook.ParseLevel(rest[1])
		if err != nil {
			return err
		}
		if err := p.Book.SetLevel(rest[0], l); err != nil {
			return err
		}
		logger.WithLevel(switched).Msg("log level " + rest[0] + " " + l.String())
	case verb == "tail" && len(rest) <= 1:
		return p.logTail(c, rest)
	default:
		return repl.Usagef("%q does not fit", c.Args)
	}
	fmt.Fprintln(c.Out, "log is", p.Book.State())
	return nil
}

// switched is the level of lines that every level lets through: a switch of
// the log is itself logged.
const switched = logbook.Always

func (p *peer) logOn(name string) error {
	if p.Place == nil {
		return errNoFiles
	}
	dir, base, err := p.Place(name)
	if err != nil {
		return err
	}
	return p.Book.On(dir, base)
}

const tailLines = 10

func (p *peer) logTail(c *repl.Call, rest []string) error {
	n := tailLines
	if len(rest) == 1 {
		var err error
		if n, err = strconv.Atoi(rest[0]); err != nil || n < 1 {
			return repl.Usagef("%q is no number of lines", rest[0])
		}
	}
	for _, line := range p.Book.Tail(n) {
		fmt.Fprintln(c.Out, repl.Neutral(line))
	}
	return nil
}
