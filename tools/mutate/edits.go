package main

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// mutant is one small fault.
type mutant struct {
	number   int
	pkg      *pkg
	file     *file
	line     int
	function string
	from, to string // on one line each
	dropped  bool   // it does not compile
	excepted bool
	reached  bool
	fate     fate
}

// fate is what became of a mutant.
type fate int

const (
	survived fate = iota
	killed
	timedOut // which is as good as killed
)

func (m *mutant) String() string { return m.place() + ": " + m.change() }

func (m *mutant) place() string { return m.file.show + ":" + itoa(m.line) + " " + m.function }

func (m *mutant) change() string { return m.from + " -> " + m.to }

// edits are changes of one file, each of a mutant. Nested expressions may be
// changed at once: the outer one is entered first.
type edits struct{ list []edit }

// edit puts text before a place, behind it, or instead of what stands there.
type edit struct {
	kind       editKind
	start, end int // offsets
	text       string
	of         []*mutant // it is made unless all of them were dropped
}

type editKind int

const (
	behind editKind = iota // at the end of an expression: inner ones first
	before                 // at its start: outer ones first
	instead
)

// wrap puts text around a node.
func (f *file) wrap(p *pkg, n ast.Node, prefix, suffix string, of ...*mutant) {
	from, to := p.offset(n.Pos()), p.offset(n.End())
	f.list = append(f.list, edit{before, from, from, prefix, of}, edit{behind, to, to, suffix, of})
}

// replace puts text instead of a token.
func (f *file) replace(p *pkg, at token.Pos, length int, text string, of ...*mutant) {
	from := p.offset(at)
	f.list = append(f.list, edit{instead, from, from + length, text, of})
}

func (p *pkg) offset(at token.Pos) int { return p.fset.Position(at).Offset }

// text is the source of a node.
func (f *file) text(p *pkg, n ast.Node) string {
	return string(f.src[p.offset(n.Pos()):p.offset(n.End())])
}

// short is the source of a node on one line.
func (f *file) short(p *pkg, n ast.Node) string {
	s := strings.Join(strings.Fields(f.text(p, n)), " ")
	if r := []rune(s); len(r) > 60 {
		s = string(r[:40]) + " ... " + string(r[len(r)-15:])
	}
	return s
}

// render is the file with all mutants in it. Lines stay where they were.
func (f *file) render() []byte {
	var made []edit
	for _, e := range f.list {
		if slices.ContainsFunc(e.of, func(m *mutant) bool { return !m.dropped }) {
			made = append(made, e)
		}
	}
	// What is behind comes inner ones first: those were entered last.
	order := make([]int, len(made))
	for i := range made {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := made[i], made[j]
		switch {
		case a.start != b.start:
			return a.start - b.start
		case a.kind != b.kind:
			return int(a.kind - b.kind)
		case a.kind == behind:
			return j - i
		}
		return i - j
	})
	var out bytes.Buffer
	at := 0
	for _, i := range order {
		e := made[i]
		out.Write(f.src[at:e.start])
		out.WriteString(e.text)
		at = e.end
	}
	out.Write(f.src[at:])
	return out.Bytes()
}
