package explore

import (
	"github.com/peerlab/peerlab/peer/explore/complete"
	"github.com/peerlab/peerlab/peer/explore/manual"
)

// Propose tells how one could go on at byte offset pos of an input, and at
// which offset the name begins that the candidates replace. It does not wait:
// while an input is evaluated there are none.
func (s *Session) Propose(text string, pos int) (candidates []complete.Candidate, start int) {
	if !s.turn.TryLock() {
		return nil, pos
	}
	defer s.turn.Unlock()
	return complete.At(s.check, text, pos)
}

// Rest tells what is left of the call in which a text ends; see complete.Rest.
// It does not wait: while an input is evaluated it tells nothing.
func (s *Session) Rest(text string) string {
	if !s.turn.TryLock() {
		return ""
	}
	defer s.turn.Unlock()
	return complete.Rest(s.check, text)
}

// Describe tells what an expression is, without running it. The error is one
// line.
func (s *Session) Describe(expr string) (complete.Description, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	return complete.Describe(s.check, expr)
}

// Doc returns the documentation of a name; see manual.Of.
func (s *Session) Doc(source manual.Source, query string) (string, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	return manual.Of(s.check, source, query)
}

// Knows tells whether a name stands for something in the session.
func (s *Session) Knows(name string) bool {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.check.Lookup(name) != nil
}
