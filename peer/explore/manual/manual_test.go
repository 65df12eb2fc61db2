package manual_test

import (
	"errors"
	"fmt"
	"go/types"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/manual"
)

const source = `// Package group keeps members together.
//
// It is small.
package group

// Default is the group of everybody.
const Default = "lab"

// ErrGone is returned after the end.
var ErrGone error

// Member is one of a group.
type Member struct {
	// Name is how the others call it.
	Name string
	Age  int // counts the years
	secret int
}

// Join is for members, too.
func (m *Member) Join() {}

// Group has members.
type Group struct{}

// New makes a group.
func New(name string) (*Group, error) { return nil, nil }

// Join contacts the peers at addresses.
//
//	n, err := g.Join("a:1")
func (g *Group) Join(addresses ...string) (int, error) { return 0, nil }

// Watcher hears of changes.
type Watcher interface {
	// Changed is called after each.
	Changed(m *Member)
}
`

type library map[string]string

func (l library) Source(path string) (fs.FS, []string, error) {
	text, ok := l[path]
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", path, check.ErrNotLoaded)
	}
	return fstest.MapFS{"a.go": {Data: []byte(text)}}, []string{"a.go"}, nil
}

type names map[string]*check.Binding

func (n names) Lookup(name string) *check.Binding { return n[name] }

func (n names) Names() []*check.Binding {
	var all []*check.Binding
	for _, b := range n {
		all = append(all, b)
	}
	return all
}

func session() names {
	pkg := types.NewPackage("example.com/group", "group")
	typ := types.NewNamed(types.NewTypeName(0, pkg, "Group", nil), types.NewStruct(nil, nil), nil)
	return names{
		"g": {Name: "g", Kind: check.Import, Path: "example.com/group"}, "strings": {Name: "strings", Kind: check.Import, Path: "strings"},
		"all":   {Name: "all", Kind: check.Bound, Object: types.NewVar(0, pkg, "all", types.NewPointer(typ))},
		"count": {Name: "count", Kind: check.Var, Object: types.NewVar(0, pkg, "count", types.Typ[types.Int])},
	}
}

func TestOf(t *testing.T) {
	for _, test := range []struct {
		query string
		want  []string // in this order
		err   string
	}{
		{"g", []string{"package group // import", "keeps members together", "const Default", "var ErrGone", "type Group", "    func New(name string) (*Group, error)"}, ""},
		{"example.com/group", []string{"package group"}, ""},
		{"group", []string{"package group"}, ""},
		{"g.New", []string{"func New(name string) (*Group, error)\n    New makes a group."}, ""},
		{"group.New()", []string{"func New("}, ""},
		{"example.com/group.Group.Join", []string{"func (g *Group) Join(addresses ...string) (int, error)\n", "    Join contacts", "g.Join(\"a:1\")"}, ""},
		{"g.Join", []string{"func (g *Group) Join", "Also: Member.Join"}, ""},
		{"g.Member.Join", []string{"func (m *Member) Join"}, ""},
		{"g.Member.Name", []string{"Member.Name string\n    Name is how"}, ""},
		{"g.Member.Age", []string{"Member.Age int\n    counts the years"}, ""},
		{"g.m", nil, "package example.com/group has no m"},
		{"g.Watcher.m", nil, "package example.com/group has no Watcher.m"},
		{"g.Changed", []string{"Watcher.Changed func(m *Member)\n    Changed is called"}, ""},
		{"g.Member", []string{"type Member struct", "Member is one of a group.", "func (m *Member) Join()"}, ""},
		{"g.Default", []string{"const Default = \"lab\"\n    Default is the group"}, ""},
		{"g.ErrGone", []string{"var ErrGone error"}, ""},
		{"all", []string{"all :: *group.Group\n\ntype Group struct"}, ""},
		{"all.Join", []string{"func (g *Group) Join"}, ""},
		{"builtin.len", []string{"func len(v Type) int\n    The len built-in"}, ""},
		{"g.Member.secret", nil, "package example.com/group has no Member.secret"},
		{"g.Joined", nil, "near are Join"},
		{"g.join", nil, "near are Join"},
		{"count", nil, "no documentation"},
		{"strings.Split", nil, "package is not loaded"},
		{"nothing", nil, "package is not loaded"},
	} {
		t.Run(test.query, func(t *testing.T) {
			got, err := manual.Of(session(), library{"example.com/group": source, "builtin": "package builtin\n\n// The len built-in function returns the length.\nfunc len(v Type) int\n\ntype Type int\n"}, test.query)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want one line with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rest := got
			for _, want := range test.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("got\n%s\nwant %q in it, after what came before", got, want)
				}
				rest = after
			}
		})
	}
	if _, err := manual.Of(session(), library{}, "count"); !errors.Is(err, manual.ErrNothing) {
		t.Errorf("%v is not %v", err, manual.ErrNothing)
	}
}
