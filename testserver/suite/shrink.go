package suite

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/testserver/language"
)

// Shrink drops from a script what it can do without, and returns what is left:
// same tells whether a script fails as the whole one does, and is asked about
// nothing twice. Statements go in halves, quarters and so on, first the outer
// ones, then those in blocks; blocks go and leave what was in them; then peers,
// with all that names them, attached files and groups. That is begun again
// until nothing more goes.
//
// What is left depends on the answers alone. It is minimal in that nothing of
// it can go alone; at the end of ctx it is what is known until then. The
// scripts that same gets stand in a file of the name of s; so does the result.
func Shrink(ctx context.Context, s *language.Script, same func(*language.Script) bool) *language.Script {
	r := &reduction{ctx: ctx, whole: s, same: same, known: map[string]bool{}, left: s}
	r.number(s.Body, 0)
	r.number(s.Cleanup, 0)
	for before := -1; before != r.cut.size(); {
		before = r.cut.size()
		r.statements()
		r.blocks()
		r.each(slices.Concat(s.Peers, s.Spawns), func(c *cut) map[string]bool { return c.peers })
		r.each(names(s.Files, func(f language.File) string { return f.Name }), func(c *cut) map[string]bool { return c.files })
		r.each(names(s.Groups, func(g language.Group) string { return g.Name }), func(c *cut) map[string]bool { return c.groups })
	}
	return r.left
}

func names[T any](list []T, name func(T) string) (all []string) {
	for _, one := range list {
		all = append(all, name(one))
	}
	return all
}

// cut is what is dropped from a script. Statements are named by where they
// stand.
type cut struct {
	gone   map[language.Pos]bool // with what is in them
	bare   map[language.Pos]bool // what is in them stays
	peers  map[string]bool
	files  map[string]bool
	groups map[string]bool
}

func (c cut) size() int {
	return len(c.gone) + len(c.bare) + len(c.peers) + len(c.files) + len(c.groups)
}

func (c cut) clone() cut {
	fresh := cut{map[language.Pos]bool{}, map[language.Pos]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	maps.Copy(fresh.gone, c.gone)
	maps.Copy(fresh.bare, c.bare)
	maps.Copy(fresh.peers, c.peers)
	maps.Copy(fresh.files, c.files)
	maps.Copy(fresh.groups, c.groups)
	return fresh
}

// reduction is one Shrink under way.
type reduction struct {
	ctx     context.Context
	whole   *language.Script
	same    func(*language.Script) bool
	known   map[string]bool  // answers, by source
	levels  [][]language.Pos // statements by the depth of their block
	blockAt []language.Pos   // those that have one
	cut     cut
	left    *language.Script // after cut
}

// number notes where the statements of a body stand.
func (r *reduction) number(body []language.Statement, depth int) {
	for i := range body {
		st := &body[i]
		if st.Inserted {
			continue
		}
		for len(r.levels) <= depth {
			r.levels = append(r.levels, nil)
		}
		r.levels[depth] = append(r.levels[depth], st.Pos)
		if in := *inner(st); in != nil {
			r.blockAt = append(r.blockAt, st.Pos)
			r.number(in, depth+1)
		}
	}
}

// try drops more, if what is left then fails as the whole does.
func (r *reduction) try(more func(*cut)) bool {
	if r.ctx.Err() != nil {
		return false
	}
	c := r.cut.clone()
	more(&c)
	source := Source(c.apply(r.whole))
	if source == Source(r.left) {
		r.cut = c // nothing else goes by it
		return true
	}
	s, err := language.Parse(r.whole.Path, []byte(source))
	if err != nil || len(s.Peers) == 0 {
		return false // it needs what was dropped
	}
	same, asked := r.known[source]
	if !asked {
		same = r.same(s)
		r.known[source] = same && r.ctx.Err() == nil
	}
	if !same || r.ctx.Err() != nil {
		return false
	}
	r.cut, r.left = c, s
	return true
}

// statements drops statements, level by level.
func (r *reduction) statements() {
	for _, level := range r.levels {
		inPieces(r.kept(level), func(some []language.Pos) bool {
			return r.try(func(c *cut) {
				for _, pos := range some {
					c.gone[pos] = true
				}
			})
		})
	}
}

// blocks drops blocks and leaves what is in them.
func (r *reduction) blocks() {
	for _, pos := range r.kept(r.blockAt) {
		if !r.cut.bare[pos] {
			r.try(func(c *cut) { c.bare[pos] = true })
		}
	}
}

func (r *reduction) kept(all []language.Pos) []language.Pos {
	return slices.DeleteFunc(slices.Clone(all), func(p language.Pos) bool { return r.cut.gone[p] })
}

// each drops things that have names.
func (r *reduction) each(all []string, of func(*cut) map[string]bool) {
	left := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return of(&r.cut)[name] })
	inPieces(left, func(some []string) bool {
		return r.try(func(c *cut) {
			for _, name := range some {
				of(c)[name] = true
			}
		})
	})
}

// inPieces tries to drop things, from the last ones on: in halves first, one
// by one in the end.
func inPieces[T any](all []T, drop func([]T) bool) {
	for size := (len(all) + 1) / 2; size > 0; size /= 2 {
		for to := len(all); to > 0; to -= size {
			from := max(0, to-size)
			if drop(all[from:to]) {
				all = slices.Delete(slices.Clone(all), from, to)
			}
		}
	}
}

// apply is a script without what is dropped.
func (c cut) apply(s *language.Script) *language.Script {
	left := *s
	left.Peers, left.Spawns = c.alive(s.Peers), c.alive(s.Spawns)
	left.Groups = nil
	for _, g := range s.Groups {
		if g.Peers = c.alive(g.Peers); len(g.Peers) > 0 && !c.groups[g.Name] {
			left.Groups = append(left.Groups, g)
		}
	}
	left.Files = slices.DeleteFunc(slices.Clone(s.Files), func(f language.File) bool { return c.files[f.Name] })
	left.Body, left.Cleanup = c.body(s.Body), c.body(s.Cleanup)
	return &left
}

func (c cut) alive(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return c.peers[n] })
}

func (c cut) body(body []language.Statement) []language.Statement {
	left := []language.Statement{}
	for _, st := range body {
		if c.gone[st.Pos] || st.Inserted {
			continue
		}
		in := *inner(&st)
		if in != nil {
			in = c.body(in)
		}
		if c.bare[st.Pos] {
			left = append(left, in...)
			continue
		}
		if len(c.peers) > 0 && !c.rename(&st) {
			continue
		}
		if in != nil {
			fill(&st, in)
		}
		left = append(left, st)
	}
	return left
}

// fill gives the statement another block, and changes no other one.
func fill(st *language.Statement, block []language.Statement) {
	if !isBackground(st) {
		st.Body = block
		return
	}
	st.Body = slices.Clone(st.Body)
	fill(&st.Body[0], block)
}

// rename takes the peers that are gone out of the statement's text. False
// means that the statement is about one of them.
func (c cut) rename(st *language.Statement) bool {
	head, tail := st.Text, ""
	if do, is := st.Do.(language.Command); is && do.Raw && do.Word() != "testfilter" && strings.HasSuffix(head, do.Line) {
		head, tail = strings.TrimSuffix(head, do.Line), do.Line // a message may name anybody
	}
	background := isBackground(st)
	head, ok := without(head, c.peers)
	if background {
		in := st.Body[0]
		renamed := c.rename(&in)
		ok = ok && renamed
		st.Body = []language.Statement{in}
	}
	st.Text = head + tail
	return ok
}
