package repl

import (
	"fmt"
	"slices"
)

// Add makes c a command of the shell from now on, after those that it has: in
// help, completion and scripts too. A command that was added before under the
// same name is replaced, in its place. It refuses what NewTable refuses; the
// name of a command that the shell was made with stays that command's. A line
// that is running finds c from its next command on.
func (s *Shell) Add(c Command) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := slices.Clone(s.added)
	if i := indexOf(added, c.Name); i >= 0 {
		added[i] = c
	} else {
		added = append(added, c)
	}
	return s.change(added)
}

// Remove takes away a command that was added. Calls of it that are running go
// on. The error for a name that was not added matches ErrUnknown.
func (s *Shell) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := indexOf(s.added, name)
	if i < 0 {
		return fmt.Errorf("%w %q: it is none that was added", ErrUnknown, name)
	}
	return s.change(slices.Delete(slices.Clone(s.added), i, i+1))
}

// Added returns the commands that were added, in order.
func (s *Shell) Added() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.added)
}

func indexOf(list []Command, name string) int {
	return slices.IndexFunc(list, func(c Command) bool { return c.Name == name })
}

// change replaces the table by one with other added commands, or leaves it as
// it is. Whoever reads has one table or the other. The caller holds mu, or is
// New.
func (s *Shell) change(added []Command) error {
	table, err := NewTable(slices.Concat(s.fixed, added)...)
	if err != nil {
		return err
	}
	s.added = added
	s.table.Store(table)
	return nil
}
