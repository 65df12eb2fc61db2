package explore

import "github.com/peerlab/peerlab/peer/explore/check"

// Name is what a name of a session stands for.
type Name struct {
	Name string
	Kind string // var, const, type, func, or peer for an object of the program
	Type string // as Go writes it
}

// Names returns what lines have declared and what is bound, sorted by name:
// the newest of each.
func (s *Session) Names() []Name {
	s.turn.Lock()
	defer s.turn.Unlock()
	kinds := map[check.Kind]string{check.Var: "var", check.Const: "const", check.Type: "type", check.Func: "func", check.Bound: "peer"}
	var all []Name
	for _, b := range s.check.Names() {
		kind, ok := kinds[b.Kind]
		if !ok || b.Object == nil || b.Name == check.LastName {
			continue
		}
		typ := b.Object.Type()
		if b.Kind == check.Type {
			typ = typ.Underlying()
		}
		all = append(all, Name{Name: b.Name, Kind: kind, Type: check.Plain(typ)})
	}
	return all
}
