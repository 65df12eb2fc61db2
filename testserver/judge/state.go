package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/language"
)

// State is what a Predicate is about: what one peer sees, and whom the run's
// bootstrap service lists.
type State struct {
	Status testlink.Status
	Listed []string
}

// Members are who is in the group as the peer sees it, sorted: the others of
// our kind that are alive or suspect, and the peer itself from the moment it
// has an address until it begins to leave.
func (s State) Members() []string {
	names := names(known(s.Status.Members))
	if s.present() {
		names = append(names, s.Status.Self.Name)
	}
	return sortedSet(names)
}

// present tells whether the peer itself takes part.
func (s State) present() bool {
	return !s.Status.Closing && (s.Status.Ready || s.Status.Self.Addr != "")
}

// Chat is who is in the chat as the peer sees it, sorted, the peer itself
// included; nobody if its chat is not open.
func (s State) Chat() []string {
	others, open := s.Status.Present["chat"]
	if !open {
		return nil
	}
	return sortedSet(append(names(known(others)), s.Status.Self.Name))
}

// View is how the peer sees the one of that name. Of several entries with one
// name, as after a restart, the one most alive counts.
func (s State) View(name string) language.State {
	if name == s.Status.Self.Name && s.present() {
		return language.Alive
	}
	best := language.Absent
	for _, n := range s.Status.Members {
		if n.Name == name && !n.Foreign {
			best = livelier(best, stateOf(n))
		}
	}
	return best
}

func stateOf(n Node) language.State {
	switch n.State {
	case "", "alive":
		return language.Alive
	case "suspect":
		return language.Suspect
	case "dead":
		return language.Dead
	}
	return language.Absent
}

func livelier(a, b language.State) language.State {
	for _, s := range []language.State{language.Alive, language.Suspect, language.Dead} {
		if a == s || b == s {
			return s
		}
	}
	return language.Absent
}

func names(nodes []Node) []string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Name)
	}
	return all
}

func sortedSet(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Holds tells whether the predicate holds, and what is seen instead or, if it
// holds, as well. want are the names of a predicate about members or the
// chat; peer is the one that it names otherwise.
func (s State) Holds(p language.Predicate, want []string, peer string) (ok bool, seen string) {
	switch p.Subject {
	case language.Members:
		return compareSets("members", s.Members(), sortedSet(slices.Clone(want)), p.Op)
	case language.Chat:
		if _, open := s.Status.Present["chat"]; !open {
			return compareSets("chat is closed; chat", nil, sortedSet(slices.Clone(want)), p.Op)
		}
		return compareSets("chat", s.Chat(), sortedSet(slices.Clone(want)), p.Op)
	case language.MembersCount:
		is := s.Members()
		return p.Op.Holds(len(is), p.N), fmt.Sprintf("%d members: %s", len(is), listing(is))
	case language.View:
		is := s.View(peer)
		return (is == p.State) == (p.Op != language.NotEqual), fmt.Sprintf("view(%s) is %s", peer, is)
	case language.Bootstrap:
		is := sortedSet(slices.Clone(s.Listed))
		return slices.Contains(is, peer) == (p.Op != language.NotEqual), "bootstrap lists " + listing(is)
	case language.Health:
		return p.Op.Holds(s.Status.Health, p.N), fmt.Sprintf("health is %d", s.Status.Health)
	}
	return false, fmt.Sprintf("%q is nothing that a peer has", p.Subject)
}

// compareSets compares two sorted sets and says how they differ.
func compareSets(what string, is, want []string, op language.Op) (bool, string) {
	seen := fmt.Sprintf("%s: %s", what, listing(is))
	if op == language.NotEqual {
		return !slices.Equal(is, want), seen
	}
	if missing := without(want, is); len(missing) > 0 {
		seen += "; missing: " + listing(missing)
	}
	if extra := without(is, want); len(extra) > 0 {
		seen += "; too many: " + listing(extra)
	}
	return slices.Equal(is, want), seen
}

// without are the names of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(n string) bool { return slices.Contains(b, n) })
}

// listing names up to 20 peers.
func listing(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	if rest := len(names) - 20; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:20], " "), rest)
	}
	return strings.Join(names, " ")
}
