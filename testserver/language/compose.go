package language

import (
	"bytes"
	"slices"
)

// Compose makes one scenario of a script and what its folder shares: the
// statements of setup come before those of the script, those of teardown, and
// the cleanups of all three, are run after it, whatever happened. Peers,
// groups and files of all of them are there. Setup and teardown may be nil;
// none of the three is changed.
//
// The scenario is script's: its name, path and form, what it says of skip,
// fails and timeout; where it does not say, setup's word holds. Every
// statement keeps the place in its own file. The errors are *Error values: a
// name that two files use for different things.
func Compose(setup, script, teardown *Script) (*Script, error) {
	c := *script
	c.names = nil
	c.Peers, c.Spawns, c.Groups, c.Files, c.Body, c.Cleanup = nil, nil, nil, nil, nil, nil
	errs := &errorList{}
	for _, part := range []*Script{setup, script, teardown} {
		if part != nil {
			c.takeNames(part, errs)
			c.takeFiles(part, errs)
		}
	}
	if setup != nil {
		c.takeRemarks(setup)
		c.Body = slices.Clone(setup.Body)
	}
	c.Body = append(c.Body, script.Body...)
	c.Cleanup = append(c.Cleanup, script.Cleanup...)
	if teardown != nil {
		c.Cleanup = slices.Concat(c.Cleanup, teardown.Body, teardown.Cleanup)
	}
	if setup != nil {
		c.Cleanup = append(c.Cleanup, setup.Cleanup...)
	}
	c.checkNames(errs)
	c.checkBackgrounds(errs)
	if err := errs.err(); err != nil {
		return nil, err
	}
	c.names = namesOf(&c)
	return &c, nil
}

func (s *Script) takeNames(part *Script, errs *errorList) {
	begin := Pos{part.Path, 1, 1}
	for _, p := range part.Peers {
		if !slices.Contains(s.Peers, p) {
			s.Peers = append(s.Peers, p)
		}
	}
	for _, p := range part.Spawns {
		if !slices.Contains(s.Spawns, p) {
			s.Spawns = append(s.Spawns, p)
		}
	}
	for _, g := range part.Groups {
		i := slices.IndexFunc(s.Groups, func(o Group) bool { return o.Name == g.Name })
		switch {
		case i < 0:
			s.Groups = append(s.Groups, g)
		case !slices.Equal(s.Groups[i].Peers, g.Peers):
			errs.add(begin, "group %s is another one in the files that are run with this one: choose another name", g.Name)
		}
	}
}

func (s *Script) takeFiles(part *Script, errs *errorList) {
	for _, f := range part.Files {
		i := slices.IndexFunc(s.Files, func(o File) bool { return o.Name == f.Name })
		switch {
		case i < 0:
			s.Files = append(s.Files, f)
		case !bytes.Equal(s.Files[i].Data, f.Data):
			errs.add(Pos{part.Path, 1, 1}, "the attached file %s is another one in the files that are run with this one: choose another name", f.Name)
		}
	}
}

// checkNames finds names that two files declare as different things.
func (s *Script) checkNames(errs *errorList) {
	begin := Pos{s.Path, 1, 1}
	for _, g := range s.Groups {
		if slices.Contains(s.Peers, g.Name) || slices.Contains(s.Spawns, g.Name) {
			errs.add(begin, "%s is a peer in one file and a group in another one that is run with it: choose another name", g.Name)
		}
	}
	for _, p := range s.Spawns {
		if slices.Contains(s.Peers, p) {
			errs.add(begin, "%s is declared in one file and spawned in another one that is run with it: leave out one of them", p)
		}
	}
}

// takeRemarks takes from setup what the script does not say.
func (s *Script) takeRemarks(setup *Script) {
	if s.Timeout == DefaultTimeout {
		s.Timeout = setup.Timeout
	}
	if s.Skip == nil {
		s.Skip = setup.Skip
	}
	if s.Fails == nil {
		s.Fails = setup.Fails
	}
}

// checkBackgrounds finds names of bg statements that two files use.
func (s *Script) checkBackgrounds(errs *errorList) {
	seen := map[string]Pos{}
	Walk(slices.Concat(s.Body, s.Cleanup), func(st *Statement) bool {
		if b, ok := st.Do.(Background); ok {
			if before, twice := seen[b.Name]; twice {
				errs.add(st.Pos, "a bg is called %s in %s:%d already", b.Name, before.File, before.Line)
			}
			seen[b.Name] = st.Pos
		}
		return true
	})
}
