package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/peerlab/peerlab/internal/testlink"
)

// Node is a member as a peer sees it.
type Node = testlink.Node

// sameNode tells whether a and b are the same boot of the same peer at the
// same address.
func sameNode(a, b Node) bool {
	return a.Name == b.Name && a.ID == b.ID && a.Boot == b.Boot && a.Addr == b.Addr
}

// view is the part of a Status by which convergence is judged, in order.
type view struct {
	ready, closing, chatOpen bool
	self                     Node
	members, chat            []Node
}

func viewOf(s testlink.Status) view {
	chat, open := s.Present["chat"]
	self := s.Self
	self.State = ""
	return view{
		ready: s.Ready && !s.Closing, closing: s.Closing, chatOpen: open, self: self,
		members: known(s.Members), chat: known(chat),
	}
}

// known are the nodes that count: those of our kind that are in the group.
func known(nodes []Node) []Node {
	var kept []Node
	for _, n := range nodes {
		in := n.State == "" || n.State == "alive" || n.State == "suspect"
		if in && !n.Foreign {
			kept = append(kept, n)
		}
	}
	slices.SortFunc(kept, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Boot, b.Boot), cmp.Compare(a.Addr, b.Addr))
	})
	return kept
}

func (v view) equal(o view) bool {
	return v.ready == o.ready && v.closing == o.closing && v.chatOpen == o.chatOpen && v.self == o.self &&
		slices.Equal(v.members, o.members) && slices.Equal(v.chat, o.chat)
}

func describe(n Node) string { return fmt.Sprintf("boot %d at %s", n.Boot, n.Addr) }

func sortedKeys(m map[string]Node) []string { return slices.Sorted(maps.Keys(m)) }
