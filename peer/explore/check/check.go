// Package check is the front end of a session of Go: what an input is made of,
// whether it is complete, what its names mean, and what is wrong with it.
//
// Every input is checked by go/types as a package of its own, before anything
// is built. Into its scope go the newest objects of those names of the session
// that it mentions, so shadowing is nothing but "the newest wins". All these
// packages have the same path, Path: identity of lower-case fields and methods
// goes by the path, so a line may use those of earlier lines. What the session
// has is kept by Session; checking changes nothing until Commit.
//
// The package is pure: files come through Config.Open. It knows nothing of how
// lines are run, and is independent of the rest of the project.
package check

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const (
	// Path is the import path of every line, as the checker sees it.
	Path = "repl"
	// Mark begins the name that a lower-case name has in generated code, so
	// that other packages may use it. It is an upper-case letter and one more,
	// which nobody writes: inputs with it are refused.
	Mark = "Ɐꟸ"
	// Last is the name under which a session keeps its last value: "_".
	Last = "_"
	// LastName is what the checker and the host call it.
	LastName = Mark + "Last"

	show = Mark + "Show" // what the last expression of an input is given to
	run  = Mark + "Run"  // the function that the statements of an input form
)

// Errors that callers branch on.
var (
	// ErrRefused is matched by the error for code that would end the peer.
	ErrRefused = errors.New("refused")
	// ErrUnnamed is matched by the error for a type that no other package can
	// write down.
	ErrUnnamed = errors.New("the type has no name here")
)

// Config says what a session is given.
type Config struct {
	Packages Packages                                 // export data; required unless there is a Source
	Source   Source                                   // knows packages and types instead; nil is Packages
	Open     func(file string) (io.ReadCloser, error) // opens what Packages names; required
	Imports  map[string]string                        // packages known from the start: name to path
	Bound    map[string]reflect.Type                  // objects of the host, by name
}

// Kind tells what a name stands for.
type Kind int

// The kinds of names.
const (
	Import Kind = iota
	Var
	Const
	Type
	Func
	Bound // an object of the host
)

// Binding is what a name of the session stands for.
type Binding struct {
	Name   string
	Kind   Kind
	Path   string       // of an import
	Object types.Object // nil for an import
	Input  int          // the input that made it; 0 for what was there from the start
	Home   string       // import path of the compiled package that holds it; empty if none does

	source []chunk // of a type: its declaration and its methods, to be declared again
	unit   *Unit   // that declares it; nil if none does
}

// Session holds the names of a session. It is not safe for concurrent use.
type Session struct {
	config   Config
	fset     *token.FileSet
	importer types.Importer
	names    map[string]*Binding
	objects  map[types.Object]*Binding // every object that ever had a name
}

// New makes a session that knows the imports and bound objects of c.
func New(c Config) (*Session, error) {
	s := &Session{config: c, fset: token.NewFileSet(), names: map[string]*Binding{}, objects: map[types.Object]*Binding{}}
	s.importer = s.newImporter()
	for name, path := range c.Imports {
		s.names[name] = &Binding{Name: name, Kind: Import, Path: path}
	}
	for name, t := range c.Bound {
		if err := s.Bind(name, t); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Bind gives a name to an object of the host. The packages of its type must be
// loaded.
func (s *Session) Bind(name string, t reflect.Type) error {
	typ, err := s.TypeOf(t)
	if err != nil {
		return fmt.Errorf("bind %s: %w", name, err)
	}
	s.BindType(name, typ)
	return nil
}

// BindType is Bind for a type that the checker knows.
func (s *Session) BindType(name string, typ types.Type) {
	s.add(&Binding{Name: name, Kind: Bound, Object: types.NewVar(token.NoPos, types.NewPackage(Path, "peer"), name, typ)})
}

func (s *Session) add(b *Binding) {
	s.names[b.Name] = b
	if b.Object != nil {
		s.objects[b.Object] = b
	}
}

// Commit makes the names of units known to the lines that follow.
func (s *Session) Commit(units ...*Unit) {
	for _, u := range units {
		for _, b := range u.New {
			s.add(b)
		}
	}
}

// Names returns what the names of the session stand for, sorted by name.
func (s *Session) Names() []*Binding {
	all := slices.Collect(maps.Values(s.names))
	slices.SortFunc(all, func(a, b *Binding) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Lookup returns what a name stands for, nil if nothing.
func (s *Session) Lookup(name string) *Binding { return s.names[name] }

// Owner returns the binding that an object of this or an earlier line has, nil
// for local and foreign ones.
func (s *Session) Owner(obj types.Object) *Binding { return s.objects[obj] }

// Marked returns the name that an object called name has in generated code.
func Marked(name string) string {
	if name == "_" || token.IsExported(name) {
		return name
	}
	return Mark + name
}
