package shell

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// memberlist are the commands of the membership.
func (p *peer) memberlist() []repl.Command {
	return []repl.Command{
		{
			Name: "memberlist", Aliases: []string{"members"}, Group: "memberlist", Query: true,
			Summary: "who is there: state, address, since when, round trip",
			Help:    "States: alive, suspect, lost (it crashed or cannot be reached), left, and\nforeign for a stock memberlist node.",
			Run:     p.members,
		},
		{
			Name: "localnode", Group: "memberlist", Query: true,
			Summary: "this peer as the others see it",
			Run:     p.localNode,
		},
		{
			Name: "memberlistconfigure", Group: "memberlist", MaxArgs: repl.Any,
			Usage:   "[FIELD VALUE]...",
			Summary: "set fields of the configuration, or show it",
			Help:    "Fields have memberlist's names. They hold from the next memberlistcreate on.\n\n\tmemberlistconfigure ProbeInterval 500ms SuspicionMult 3",
			Complete: func(args []string) []repl.Candidate {
				if len(args)%2 == 0 {
					return candidates(membership.Fields()...)
				}
				return nil
			},
			Run: p.configure,
		},
		{
			Name: "memberlistcreate", Group: "memberlist",
			Summary: "open this peer's address and make a member on it",
			Run:     p.create,
		},
		{
			Name: "memberliststart", Group: "memberlist",
			Summary: "make the member live, so that others can join it",
			Run:     p.start,
		},
		{
			Name: "memberlistjoin", Group: "memberlist", MaxArgs: repl.Any,
			Usage:   "[HOST:PORT ...]",
			Summary: "join members; without addresses, those of bootstrap",
			Help:    "\tmemberlistjoin 127.0.0.1:7946",
			Run:     p.join,
		},
	}
}

// memberRow is one member in JSON.
type memberRow struct {
	Name    string    `json:"name"`
	Self    bool      `json:"self,omitempty"`
	ID      string    `json:"id,omitempty"`
	Boot    int       `json:"boot,omitempty"`
	Addr    string    `json:"addr"`
	State   string    `json:"state"`
	Since   time.Time `json:"since,omitzero"`
	RTT     float64   `json:"rtt_seconds,omitempty"`
	Foreign bool      `json:"foreign,omitempty"`
}

func (p *peer) members(_ context.Context, c *repl.Call) error {
	s := p.Node.Status()
	if !s.Started {
		return fmt.Errorf("membership: %w: type init", node.ErrNotStarted)
	}
	self := memberRow{Name: s.Self.Name, Self: true, ID: s.Self.ID, Boot: s.Self.Boot, Addr: s.Self.Addr.String(), State: string(membership.Alive)}
	all := []memberRow{self}
	for _, m := range s.Members {
		all = append(all, rowOf(m))
	}
	if c.JSON {
		return printJSON(c.Out, all)
	}
	var rows [][]string
	for _, m := range all {
		rows = append(rows, m.cells())
	}
	return printTable(c.Out, []string{"NAME", "STATE", "SINCE", "RTT", "ADDRESS"}, rows)
}

func rowOf(m membership.Info) memberRow {
	return memberRow{
		Name: m.Member.Name, ID: m.Member.ID, Boot: m.Member.Boot, Addr: m.Member.Addr.String(),
		State: string(m.State), Since: m.Since, RTT: m.RTT.Seconds(), Foreign: m.Member.Foreign,
	}
}

func (m memberRow) cells() []string {
	name, state, since, rtt := m.Name, m.State, "-", "-"
	if m.Self {
		name += " (you)"
	}
	if m.Foreign {
		state += ", foreign"
	}
	if !m.Since.IsZero() {
		since = round(time.Since(m.Since)).String()
	}
	if m.RTT > 0 {
		rtt = round(time.Duration(m.RTT * float64(time.Second))).String()
	}
	return []string{name, state, since, rtt, m.Addr}
}

func (p *peer) localNode(_ context.Context, c *repl.Call) error {
	s := p.Node.Status()
	row := struct {
		memberRow
		Node  string `json:"node"`
		Group string `json:"group"`
		Ready bool   `json:"ready"`
	}{memberRow: memberRow{Name: s.Self.Name, Self: true, ID: s.Self.ID, Boot: s.Self.Boot, State: "not created"}, Node: s.Node, Group: p.Node.Group(), Ready: s.Ready}
	if s.Created {
		row.Addr, row.State = s.Self.Addr.String(), "created"
	}
	if s.Started {
		row.State = string(membership.Alive)
	}
	if s.End != "" {
		row.State = s.End
	}
	if c.JSON {
		return printJSON(c.Out, row)
	}
	for _, l := range [][2]string{
		{"name", row.Name}, {"id", row.ID}, {"boot", strconv.Itoa(row.Boot)}, {"node", row.Node},
		{"group", row.Group}, {"address", row.Addr}, {"state", row.State}, {"ready", strconv.FormatBool(row.Ready)},
	} {
		fmt.Fprintf(c.Out, "%-8s %s\n", l[0], l[1])
	}
	return nil
}

func (p *peer) configure(_ context.Context, c *repl.Call) error {
	if len(c.Args)%2 != 0 {
		return repl.Usagef("the value of %q is missing", c.Args[len(c.Args)-1])
	}
	for i := 0; i < len(c.Args); i += 2 {
		if err := p.Node.Configure(c.Args[i], c.Args[i+1]); err != nil {
			return err
		}
	}
	p.sayForNext(c)
	return p.printSettings(c)
}

func (p *peer) create(ctx context.Context, c *repl.Call) error {
	if err := p.Node.Create(ctx); err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "created at", p.Node.Status().Self.Addr)
	return nil
}

func (p *peer) start(ctx context.Context, c *repl.Call) error {
	if err := p.Node.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "live as", p.Node.Status().Node)
	return nil
}

func (p *peer) join(ctx context.Context, c *repl.Call) error {
	for _, a := range c.Args {
		if _, port, err := net.SplitHostPort(a); err != nil || port == "" {
			return repl.Usagef("%q is no HOST:PORT", a)
		}
	}
	n, err := p.Node.Join(ctx, c.Args)
	if err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(c.Out, "nobody to join yet")
		return nil
	}
	fmt.Fprintf(c.Out, "joined; %s answered\n", count(n, "address"))
	return nil
}

// present tells whether a member is in the group now.
func present(m membership.Info) bool {
	return m.State == membership.Alive || m.State == membership.Suspect
}

// round cuts a duration to what a person reads: three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

// count is a number with its noun: "1 peer", "2 peers", "0 addresses".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun[len(noun)-1] == 's' {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
