package shell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// ErrNoFaults is matched by what net answers in a peer whose network takes no
// faults from its shell.
var ErrNoFaults = errors.New("no faults can be set here")

// net is the command that breaks the network between this peer and others.
func (p *peer) net() []repl.Command {
	return []repl.Command{p.development(repl.Command{
		Name: "net", Group: "net", Query: true, MaxArgs: repl.Any,
		Usage:   "[FAULT|heal [N]|show]",
		Summary: "break the network between this peer and others",
		Help: `FAULT is one of these; without one, what is in force is shown.

	net partition alice | bob,charly
	net oneway alice -> bob
	net link alice <-> all latency 200ms jitter 50ms loss 5%
	net link alice -> bob dup 1% reorder 2% rate 64kbit
	net reset alice <-> bob
	net heal 2
	net heal

It holds for what this peer sends and receives, whatever the others know of
it: this peer has to be on one side. all are the members that no other side
names. In a partition nothing passes, and streams stand still; a reset breaks
open streams once. Several faults add up. A member that comes back at
another address is followed.`,
		Complete: p.completeNet,
		Run:      p.netCommand,
	})}
}

// netWords are the words after net.
func netWords() []string {
	return []string{"partition", "oneway", "link", "reset", "heal", "show"}
}

func (p *peer) netCommand(_ context.Context, c *repl.Call) error {
	faults, err := p.faults()
	if err != nil {
		return err
	}
	word, args := "show", c.Args
	if len(args) > 0 {
		word, args = args[0], args[1:]
	}
	if c.JSON && word != "show" {
		return repl.Usagef("only show takes --json")
	}
	switch word {
	case "show":
		return showFaults(c, faults, args)
	case "heal":
		return heal(c, faults, args)
	case "partition", "oneway", "link", "reset":
		return p.setFault(c, faults, word, args)
	}
	if near := repl.Nearest(word, netWords()); near != "" {
		return repl.Usagef("%q is no fault; did you mean %s?", word, near)
	}
	return repl.Usagef("%q is no fault: use %s", word, strings.Join(netWords(), ", "))
}

func (p *peer) faults() (*node.Faults, error) {
	switch faults := p.Node.Faults(); {
	case p.Harness != nil:
		return nil, fmt.Errorf("%w: the test server sets those of its run; write fault in the scenario", ErrNoFaults)
	case faults == nil:
		return nil, fmt.Errorf("%w: this peer's network takes none", ErrNoFaults)
	default:
		return faults, nil
	}
}

// setFault reads a fault, puts it in force, and says whom it concerns.
func (p *peer) setFault(c *repl.Call, faults *node.Faults, word string, args []string) error {
	fault, err := p.parseFault(word, args)
	if err != nil {
		return err
	}
	text := strings.Join(c.Args, " ")
	if word == "reset" {
		n, err := faults.Reset(text, fault.names)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.Out, "%s broken with %s\n", count(n, "stream"), strings.Join(fault.names, ", "))
		return nil
	}
	peers := map[string]node.Between{}
	for _, name := range fault.names {
		peers[name] = fault.between
	}
	set, err := faults.Set(text, peers)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "fault %d: %s; between this peer and %s\n", set.Number, set.Text, strings.Join(set.Names(), ", "))
	return nil
}

// localFault is a fault as it concerns this peer.
type localFault struct {
	names   []string     // of the others, sorted
	between node.Between // the same for each of them
}

// parseFault reads what follows one of the words for faults.
func (p *peer) parseFault(word string, args []string) (localFault, error) {
	if word == "partition" {
		names, _, err := p.sides(args, "|")
		cut := faulty.Rule{Cut: true}
		return localFault{names, node.Between{To: cut, From: cut}}, err
	}
	end, arrow := arrowIn(args)
	if arrow == "" || arrow == "->" && word == "reset" || arrow == "<->" && word == "oneway" {
		return localFault{}, repl.Usagef("write %s", exampleOf(word))
	}
	rule := faulty.Rule{Cut: true}
	rest := args[min(len(args), end+2):]
	if word == "link" {
		var err error
		if rule, err = faulty.ParseRule(rest); err != nil {
			return localFault{}, repl.Usagef("%s", err)
		}
	} else if len(rest) > 0 {
		return localFault{}, repl.Usagef("%q is too much: write %s", rest[0], exampleOf(word))
	}
	names, first, err := p.sides(args[:min(len(args), end+2)], arrow)
	between := node.Between{}
	if first || arrow == "<->" {
		between.To = rule
	}
	if !first || arrow == "<->" {
		between.From = rule
	}
	return localFault{names, between}, err
}

// arrowIn finds the arrow between two sides.
func arrowIn(args []string) (at int, arrow string) {
	for i, a := range args {
		if a == "->" || a == "<->" {
			return i, a
		}
	}
	return 0, ""
}

func exampleOf(word string) string {
	switch word {
	case "partition":
		return "net partition alice | bob,charly"
	case "oneway":
		return "net oneway alice -> bob"
	case "reset":
		return "net reset alice <-> bob"
	}
	return "net link alice <-> bob latency 200ms"
}

// sides reads "alice | bob,charly": the names on the other sides than this
// peer's, and whether this peer is on the first one.
func (p *peer) sides(args []string, between string) (others []string, first bool, err error) {
	self := p.Node.Name()
	known := p.knownPeers()
	var sides [][]string
	for side := range strings.SplitSeq(strings.Join(args, ","), between) {
		names := strings.FieldsFunc(side, func(r rune) bool { return r == ',' })
		if len(names) == 0 {
			return nil, false, repl.Usagef("a side has no name: write NAMES %s NAMES", between)
		}
		sides = append(sides, names)
	}
	if len(sides) < 2 {
		return nil, false, repl.Usagef("there is one side only: write NAMES %s NAMES", between)
	}
	all := slices.Concat(sides...)
	own := -1
	for i, side := range sides {
		if slices.Contains(side, self) || slices.Contains(side, "all") && !slices.Contains(all, self) {
			own = i
		}
	}
	if own < 0 {
		return nil, false, repl.Usagef("this peer, %s, is on no side, and rules only its own traffic", self)
	}
	for i, side := range sides {
		if i == own {
			continue
		}
		if slices.Contains(side, self) {
			return nil, false, repl.Usagef("%s is on two sides", self)
		}
		names, err := expand(side, known, all)
		if err != nil {
			return nil, false, err
		}
		others = append(others, names...)
	}
	slices.Sort(others)
	others = slices.Compact(others)
	if len(others) == 0 {
		return nil, false, errors.New("there is nobody on the other side")
	}
	return others, own == 0, nil
}

// expand are the names of one side. named are those of all sides.
func expand(side, known, named []string) ([]string, error) {
	var names []string
	for _, name := range side {
		switch {
		case name == "all":
			for _, k := range known {
				if !slices.Contains(named, k) {
					names = append(names, k)
				}
			}
		case slices.Contains(known, name):
			names = append(names, name)
		default:
			return nil, unknownPeer(name, known)
		}
	}
	return names, nil
}

func unknownPeer(name string, known []string) error {
	if near := repl.Nearest(name, known); near != "" {
		return fmt.Errorf("this peer knows no %s; did you mean %s?", name, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("this peer knows no %s, nor anybody else", name)
	}
	return fmt.Errorf("this peer knows no %s; it knows %s", name, strings.Join(known, ", "))
}

// knownPeers are the others that this peer has an address of, lost ones too.
func (p *peer) knownPeers() []string {
	var names []string
	for _, m := range p.Node.Status().Members {
		names = append(names, m.Member.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func heal(c *repl.Call, faults *node.Faults, args []string) error {
	number := 0
	if len(args) > 1 {
		return repl.Usagef("heal one fault by its number, or all")
	}
	if len(args) == 1 {
		var err error
		if number, err = strconv.Atoi(args[0]); err != nil || number < 1 {
			return repl.Usagef("%q is no number of a fault: net show has them", args[0])
		}
	}
	healed, err := faults.Heal(number)
	if errors.Is(err, node.ErrNoFault) {
		return fmt.Errorf("%w: net show has those that are in force", err)
	}
	if err != nil {
		return err
	}
	if len(healed) == 0 {
		fmt.Fprintln(c.Out, "no fault is in force")
	}
	for _, f := range healed {
		fmt.Fprintf(c.Out, "healed %d: %s\n", f.Number, f.Text)
	}
	return nil
}

// shownFaults is `net show` in JSON.
type shownFaults struct {
	Faults []shownFault `json:"faults"`
	Links  []shownLink  `json:"links"`
}

type shownFault struct {
	Number int      `json:"fault"`
	Text   string   `json:"text"`
	Peers  []string `json:"peers"`
}

// shownLink is what all faults together make of the link with one peer.
type shownLink struct {
	Peer string `json:"peer"`
	Addr string `json:"addr"`
	To   string `json:"to"`   // in the words of net link, or cut
	From string `json:"from"` // the same
}

func showFaults(c *repl.Call, faults *node.Faults, args []string) error {
	if len(args) > 0 {
		return repl.Usagef("show takes no more words")
	}
	shown := shownFaults{Faults: []shownFault{}, Links: []shownLink{}}
	for _, f := range faults.All() {
		shown.Faults = append(shown.Faults, shownFault{f.Number, f.Text, f.Names()})
	}
	for _, l := range faults.Links() {
		shown.Links = append(shown.Links, shownLink{l.Name, l.Addr.String(), l.To.String(), l.From.String()})
	}
	if c.JSON {
		return printJSON(c.Out, shown)
	}
	if len(shown.Faults) == 0 {
		fmt.Fprintln(c.Out, "no fault is in force")
		return nil
	}
	var rows [][]string
	for _, f := range shown.Faults {
		rows = append(rows, []string{strconv.Itoa(f.Number), f.Text, strings.Join(f.Peers, ", ")})
	}
	if err := printTable(c.Out, []string{"FAULT", "WHAT", "WITH"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, l := range shown.Links {
		rows = append(rows, []string{l.Peer, l.Addr, orFree(l.To), orFree(l.From)})
	}
	return printTable(c.Out, []string{"PEER", "ADDRESS", "TO IT", "FROM IT"}, rows)
}

func orFree(rule string) string {
	if rule == "" {
		return "-"
	}
	return rule
}

// completeNet proposes the kinds of faults, names, and the parts of a rule.
func (p *peer) completeNet(args []string) []repl.Candidate {
	if len(args) == 0 {
		return candidates(netWords()...)
	}
	last := args[len(args)-1]
	_, arrow := arrowIn(args)
	switch {
	case args[0] == "heal" || args[0] == "show":
		return nil
	case len(args) == 1 || last == "|" || last == "->" || last == "<->":
		return candidates(append(p.knownPeers(), p.Node.Name(), "all")...)
	case args[0] == "partition":
		return candidates("|")
	case arrow == "":
		return candidates("->", "<->")
	case args[0] == "link":
		return candidates(faulty.RuleWords()...)
	}
	return nil
}
