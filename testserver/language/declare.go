package language

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// declareNames reads which peers and groups there are, before anything else:
// their order does not matter to people. ok is false if a peers line is
// wrong.
func (p *parser) declareNames(root *block) (ok bool) {
	before := len(p.errs.all)
	for _, it := range root.items {
		if it.shape.word == "peers" && it.text != "" {
			p.declarePeers(it, &p.script.Peers)
		}
	}
	ok = len(p.errs.all) == before
	p.declareSpawns(root)
	for _, it := range root.items {
		if it.shape.word == "group" && it.text != "" {
			p.declareGroup(it)
		}
	}
	return ok
}

// declareSpawns finds the peers that spawn statements name.
func (p *parser) declareSpawns(b *block) {
	for _, it := range b.items {
		if it.block != nil {
			p.declareSpawns(it.block)
		}
		sh, text := it.shape, it.text
		if sh.inner > 0 {
			it.pos.Col += utf8.RuneCountInString(text[:sh.inner])
			text = text[sh.inner:]
			sh = shapeOf(text)
		}
		if sh.word == "spawn" {
			p.declarePeers(item{pos: it.pos, text: text, shape: sh}, &p.script.Spawns)
		}
	}
}

// declarePeers adds the names of a statement to a list.
func (p *parser) declarePeers(it item, to *[]string) {
	r := p.reader(it.pos, it.text)
	body := it.text[it.shape.body:]
	if it.shape.word == "spawn" {
		body = strings.ReplaceAll(body, ",", " ")
	}
	words := strings.Fields(body)
	if len(words) == 0 && it.shape.word == "peers" {
		r.fail(len(it.text), "which peers? `peers alice bob`, or `peers p[1..50]`")
	}
	at := it.shape.body
	for _, word := range words {
		at += strings.Index(it.text[at:], word)
		p.declarePeer(r, at, word, to)
		at += len(word)
	}
	if r.wrong != nil {
		p.errs.add(r.wrong.Pos, "%s", r.wrong.Msg)
	}
}

// declarePeer adds a name, or all of a range.
func (p *parser) declarePeer(r *reader, at int, word string, to *[]string) {
	n := p.script.names
	all, wrong, ok := rangeNames(word)
	switch {
	case !ok:
		all = []string{word}
	case wrong != "":
		r.fail(at, "%s", wrong)
		return
	}
	if strings.Contains(word, ",") {
		r.fail(at, "peers are separated by blanks here, not by commas")
		return
	}
	for _, name := range all {
		before, twice := n.peers[name]
		switch wrong := wrongName(name, nil); {
		case wrong != "":
			r.fail(at, "%s", wrong)
		case twice:
			r.fail(at, "%s is declared on line %d already%s", name, before.Line, spawnHint(r.shape.word, r.text))
		case len(n.peers) >= maxPeers:
			r.fail(at, "more than %d peers", maxPeers)
		default:
			n.peers[name] = r.pos
			n.order = append(n.order, name)
			*to = append(*to, name)
			continue
		}
		return
	}
}

// spawnHint tells how a peer is started again.
func spawnHint(word, text string) string {
	if word == "spawn" || strings.HasPrefix(text, "spawn") {
		return ": spawn makes a new peer, `restart` starts one again"
	}
	return ""
}

// declareGroup reads "group NAME = TARGETS".
func (p *parser) declareGroup(it item) {
	n := p.script.names
	r := p.reader(it.pos, it.text)
	r.tokenize(span{it.shape.body, len(it.text)})
	name, at := r.plain("the name of the group")
	r.need("=", "group LEFT = alice,bob")
	of := r.targets("group LEFT = alice,bob")
	r.finish()
	_, isPeer := n.peers[name]
	_, isGroup := n.groups[name]
	switch {
	case isPeer:
		r.fail(at, "%s is a peer: give the group another name", name)
	case isGroup:
		r.fail(at, "a group %s is declared already", name)
	case slices.Contains(Reserved(), name):
		r.fail(at, "a group cannot be called %q, which is a word of the language: choose another name", name)
	case r.deferred:
		r.fail(it.shape.body, "a group is made before anything runs: no variables")
	}
	g := Group{Name: name}
	for _, t := range of.Terms {
		switch t.Kind {
		case Named:
			g.Peers = append(g.Peers, t.Name)
		case Grouped:
			g.Peers = append(g.Peers, n.groups[t.Name]...)
		default:
			r.fail(it.shape.body, "a group is made of peers, ranges and groups")
		}
	}
	slices.Sort(g.Peers)
	g.Peers = slices.Compact(g.Peers)
	if r.wrong != nil {
		p.errs.add(r.wrong.Pos, "%s", r.wrong.Msg)
		return
	}
	n.groups[name], n.at[name] = g.Peers, it.pos
	n.order = append(n.order, name)
	p.script.Groups = append(p.script.Groups, g)
}
