package explore

import (
	"maps"
	"reflect"
)

// Bind gives names to objects of the program, from the next input on: new
// ones, and new values for those that are bound already. A name keeps its type
// unless the value has another one. What a line of before reads from a bound
// name is the new value too. The packages of new types must be loaded.
func (s *Session) Bind(values map[string]any) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	old := s.config.Bound
	s.mu.Unlock()
	for name, v := range values {
		if b := s.check.Lookup(name); b != nil && reflect.TypeOf(old[name]) == reflect.TypeOf(v) {
			continue // bound, or hidden by a name of the session: so it stays
		}
		if err := s.check.Bind(name, reflect.TypeOf(v)); err != nil {
			return err
		}
	}
	all := maps.Clone(old)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, values)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Bound = all
	return nil
}

// Shown returns the values that the last input has shown, or nothing.
func (s *Session) Shown() []any {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.shown
}
