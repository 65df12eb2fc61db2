package shell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// ErrNotDev is matched by what commands for development answer in a peer that
// was not started for that.
var ErrNotDev = errors.New("a command for development")

// development makes a command one that only a peer for development runs. Who
// drives such a peer can run code on its machine.
func (p *peer) development(c repl.Command) repl.Command {
	c.Help = strings.TrimSpace(c.Help + "\n\nFor development: the peer must have been started with --dev.")
	run := c.Run
	c.Run = func(ctx context.Context, call *repl.Call) error {
		if !p.Dev {
			return notDev(c.Name)
		}
		return run(ctx, call)
	}
	return c
}

// notDev refuses what was typed in a peer that is not for development.
func notDev(what string) error {
	return fmt.Errorf("%s is %w: start the peer with --dev, and let nobody drive it whom you do not trust", what, ErrNotDev)
}

// developer are the commands that look inside.
func (p *peer) developer() []repl.Command {
	return []repl.Command{
		p.development(repl.Command{
			Name: "dump", Group: "development", Usage: "NAME FILE", MinArgs: 2, MaxArgs: 2,
			Summary:  "save a value from inside the peer as JSON",
			Help:     "A NAME that there is not makes it list those that there are.\n\n\tdump members members.json",
			Complete: p.completeDump,
			File:     func(args []string) bool { return len(args) == 1 },
			Run:      p.dump,
		}),
		p.development(p.play()),
	}
}

// dumped is the file of a dump.
type dumped struct {
	V     int       `json:"v"`
	Peer  string    `json:"peer"`
	Time  time.Time `json:"time"`
	Name  string    `json:"name"`
	Value any       `json:"value"`
}

func (p *peer) dump(_ context.Context, c *repl.Call) error {
	v, ok := p.value(c.Args[0])
	if !ok {
		var names []string
		for _, v := range p.Node.Values() {
			names = append(names, v.Name)
		}
		return repl.Usagef("there is no value %q; there are %s", c.Args[0], strings.Join(names, ", "))
	}
	value, err := v.Get()
	if err != nil {
		return fmt.Errorf("dump %s: %w", v.Name, err)
	}
	raw, err := json.MarshalIndent(dumped{V: 1, Peer: p.Node.Name(), Time: time.Now().UTC(), Name: v.Name, Value: value}, "", "  ")
	if err != nil {
		return fmt.Errorf("dump %s: %w", v.Name, err)
	}
	path, err := p.write(c.Args[1], append(raw, '\n'))
	if err != nil {
		return fmt.Errorf("dump %s: %w", v.Name, err)
	}
	fmt.Fprintf(c.Out, "saved %s to %s\n", v.Name, repl.Neutral(path))
	return nil
}

func (p *peer) value(name string) (node.Value, bool) {
	for _, v := range p.Node.Values() {
		if v.Name == name {
			return v, true
		}
	}
	return node.Value{}, false
}

func (p *peer) completeDump(args []string) []repl.Candidate {
	if len(args) > 0 {
		return nil
	}
	var all []repl.Candidate
	for _, v := range p.Node.Values() {
		all = append(all, repl.Candidate{Text: v.Name, Help: v.Help})
	}
	return all
}
