package explore

import (
	"fmt"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/permanent"
)

// Declared is what makes the names of a session once more, in another one.
type Declared struct {
	Imports []Imported
	Inputs  []string // in their order
	Notes   []string // what cannot be had again
}

// Imported is an import that somebody typed.
type Imported struct {
	Name string // "." for all names of the package
	Path string
}

// Input is the import as it is typed.
func (i Imported) Input() string { return fmt.Sprintf("import %s %q", i.Name, i.Path) }

// Declared returns what declares the names that the session has now, with all
// that they need. Variables begin with the values that they were declared with;
// other statements are left out.
func (s *Session) Declared() Declared {
	s.turn.Lock()
	defer s.turn.Unlock()
	var d Declared
	var names []*check.Binding
	dotted := map[string]bool{}
	for _, b := range s.check.Names() {
		switch {
		case b.Input == 0, b.Kind == check.Bound:
		case b.Kind == check.Import:
			d.Imports = append(d.Imports, Imported{b.Name, b.Path})
		case b.Path != "":
			if !dotted[b.Path] {
				dotted[b.Path] = true
				d.Imports = append(d.Imports, Imported{".", b.Path})
			}
		default:
			names = append(names, b)
		}
	}
	d.Inputs, d.Notes = permanent.Inputs(names)
	return d
}
