package permanent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Inputs returns what declares those names once more, and all that they need, in
// the order in which it was typed: one input for each that declared something,
// without its other statements. notes tell what cannot be had again.
func Inputs(names []*check.Binding) (inputs, notes []string) {
	g := &gatherer{decls: map[declKey]*decl{}}
	for _, b := range names {
		before := len(g.order)
		if _, err := g.add(b); err != nil {
			g.forget(before)
			notes = append(notes, fmt.Sprintf("%s is left out: %v", b.Name, err))
		}
	}
	var parts []string
	var unit *check.Unit
	end := func() {
		if len(parts) > 0 {
			inputs = append(inputs, strings.Join(parts, "\n"))
		}
		parts = nil
	}
	for _, d := range g.sorted() {
		if d.unit != unit {
			end()
			unit = d.unit
		}
		for _, n := range d.nodes() {
			file := d.unit.Fset.File(n.Pos())
			if text := d.unit.Text[file.Offset(n.Pos()):file.Offset(n.End())]; !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
		}
	}
	end()
	return inputs, notes
}
