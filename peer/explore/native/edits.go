package native

import (
	"slices"
	"strings"
)

// side says what an edit at a place belongs to.
type side int

const (
	after  side = iota // an insertion that belongs to what ends there; inner ones first
	before             // an insertion that belongs to what begins there; outer ones first
	over               // a replacement
)

// edit replaces the bytes from..to of a text.
type edit struct {
	from, to int
	side     side
	text     string
	seq      int
}

// edits is a text and what is to be changed in it. Inner parts are edited
// before those that they are in.
type edits struct {
	src string
	all []edit // in the order in which they stand in the text
	seq int
}

func (e *edits) add(from, to int, s side, text string) {
	e.seq++
	x := edit{from, to, s, text, e.seq}
	i, _ := slices.BinarySearchFunc(e.all, x, order)
	e.all = slices.Insert(e.all, i, x)
}

func (e *edits) insertAfter(at int, text string)  { e.add(at, at, after, text) }
func (e *edits) insertBefore(at int, text string) { e.add(at, at, before, text) }
func (e *edits) replace(from, to int, text string) {
	e.take(from, to)
	e.add(from, to, over, text)
}

// inside tells an edit of the part from..to.
func (x edit) inside(from, to int) bool {
	switch x.side {
	case after:
		return x.from > from && x.from <= to
	case before:
		return x.from >= from && x.from < to
	}
	return x.from >= from && x.to <= to
}

// take returns a part of the text as it is after its edits, and forgets them:
// the caller puts the part somewhere.
func (e *edits) take(from, to int) string {
	first, _ := slices.BinarySearchFunc(e.all, from, beginning)
	behind, _ := slices.BinarySearchFunc(e.all, to+1, beginning)
	var mine, rest []edit
	for _, x := range e.all[first:behind] {
		if x.inside(from, to) {
			mine = append(mine, x)
		} else {
			rest = append(rest, x)
		}
	}
	e.all = slices.Replace(e.all, first, behind, rest...)
	var b strings.Builder
	at := from
	for _, x := range mine {
		if x.from < at { // inside of what was replaced
			continue
		}
		b.WriteString(e.src[at:x.from])
		b.WriteString(x.text)
		at = x.to
	}
	b.WriteString(e.src[at:to])
	return b.String()
}

func beginning(x edit, at int) int { return x.from - at }

func order(a, b edit) int {
	switch {
	case a.from != b.from:
		return a.from - b.from
	case a.side != b.side:
		return int(a.side - b.side)
	case a.side == before:
		return b.seq - a.seq
	}
	return a.seq - b.seq
}
