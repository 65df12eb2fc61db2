package membership

import "github.com/hashicorp/memberlist"

// Memberlist is the live memberlist, for who wants to look at it itself: a
// person who types Go. Its methods are memberlist's own, with its traps; it
// belongs to the Group, and ends with it.
func (g *Group) Memberlist() (*memberlist.Memberlist, error) { return g.live() }
