package mirror_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/mirror"
)

type inner struct{ Deep int }

func (i *inner) Dig() int { return i.Deep }

// Tree refers to itself, embeds, and hides.
type Tree struct {
	inner
	Left, Right *Tree
	Key         string
	Data        []byte
	Count       uint8
	Names       map[string]func(time.Duration, ...string) (int, error)
	hidden      url.URL
	locks       map[string]hidden
}

type hidden struct{ F func() }

func (t Tree) Size() int                { return 1 + len(t.locks) + len(t.hidden.Host) }
func (t *Tree) Add(more ...*Tree) *Tree { return more[0] }
func (t Tree) String() string           { return t.Key }

// Walker is an interface that Tree has.
type Walker interface {
	fmt.Stringer
	Size() int
}

type colour int

func (c colour) String() string { return "red" }

func table(path string) map[string]any {
	switch path {
	case "strings":
		return map[string]any{"ToUpper": strings.ToUpper, "Builder": reflect.TypeFor[strings.Builder]()}
	case "time":
		return map[string]any{"Second": mirror.Const{Type: reflect.TypeFor[time.Duration](), Value: constant.MakeInt64(1e9)},
			"Duration": reflect.TypeFor[time.Duration](), "UTC": &time.UTC}
	case "math":
		return map[string]any{"Big": mirror.Const{Kind: types.UntypedInt, Value: constant.Shift(constant.MakeInt64(1), token.SHL, 100)}}
	}
	return nil
}

// scope is a package in which names stand for values of the types given, and
// the packages of the table are imported.
func scope(t *testing.T, w *mirror.World, vars map[string]reflect.Type) *types.Package {
	t.Helper()
	p := types.NewPackage("repl", "repl")
	for name, typ := range vars {
		p.Scope().Insert(types.NewVar(token.NoPos, p, name, w.TypeOf(typ)))
	}
	for _, path := range []string{"strings", "time", "math"} {
		imported, err := w.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		p.Scope().Insert(types.NewPkgName(token.NoPos, p, path, imported))
	}
	return p
}

func TestExpressions(t *testing.T) {
	type local struct{ A int }
	p := scope(t, mirror.New(table), map[string]reflect.Type{
		"t": reflect.TypeFor[Tree](), "p": reflect.TypeFor[*Tree](), "w": reflect.TypeFor[Walker](), "c": reflect.TypeFor[colour](), "l": reflect.TypeFor[local](),
		"b": reflect.TypeFor[*bytes.Buffer](), "n": reflect.TypeFor[atomic.Pointer[url.URL]](), "e": reflect.TypeFor[error](), "x": reflect.TypeFor[any](),
		"ch": reflect.TypeFor[<-chan Tree](), "s": reflect.TypeFor[struct{ A, b int }](), "arr": reflect.TypeFor[[3]uint8](),
	})
	for src, want := range map[string]string{
		`t`: "mirror_test.Tree", `p.Left.Right.Key`: "string", `t.Deep`: "int", `p.Dig()`: "int", `t.Size() + t.Left.Size()`: "int", `p.Add(p, &t).Data`: "[]byte",
		`t.Count`: "uint8", `arr`: "[3]byte", `t.Names["x"]`: "func(time.Duration, ...string) (int, error)", `w.Size()`: "int", `w.String()`: "string", `Walkers`: "!undefined",
		`t == t`: "!cannot be compared", `p == p`: "untyped bool", `c.String()`: "string", `c + 1`: "mirror_test.colour", `l.A`: "int", `b.Len()`: "int", `b.Bytes()`: "[]byte",
		`n.Load().Host`: "string", `e.Error()`: "string", `x == nil`: "untyped bool", `<-ch`: "mirror_test.Tree", `s.A`: "int", `s.b`: "!undefined", `t.hidden`: "!undefined", `t.Nothing`: "!undefined",
		`strings.ToUpper(t.Key)`: "string", `strings.Builder{}`: "strings.Builder", `time.Second * 2`: "time.Duration", `time.UTC.String()`: "string", `math.Big >> 98`: "untyped int", `t.Names["x"](time.Second)`: "(int, error)",
		`strings.Split("")`: "!undefined", `t.Size("")`: "!too many arguments", `p.Add(1)`: "!cannot use 1", `time.Duration(3).Hours()`: "float64",
	} {
		tv, err := types.Eval(token.NewFileSet(), p, token.NoPos, src)
		if text, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want an error with %q", src, err, text)
			}
		} else if err != nil || types.TypeString(tv.Type, (*types.Package).Name) != want {
			t.Errorf("%s: %v %v, want %s", src, tv.Type, err, want)
		}
	}
}

// TestIdentity: a type is the same however it is reached, and leads back to the
// program's.
func TestIdentity(t *testing.T) {
	w := mirror.New(table)
	tree := w.TypeOf(reflect.TypeFor[Tree]())
	left := tree.Underlying().(*types.Struct).Field(1).Type().(*types.Pointer).Elem()
	if left != tree || w.TypeOf(reflect.TypeFor[*Tree]()).(*types.Pointer).Elem() != tree {
		t.Error("a type that refers to itself is two")
	}
	if live, ok := w.Live(tree.(*types.Named).Obj()); !ok || live != reflect.TypeFor[Tree]() {
		t.Errorf("live type %v, %v", live, ok)
	}
	walker := w.TypeOf(reflect.TypeFor[Walker]()).Underlying().(*types.Interface)
	if !types.Implements(tree, walker) || types.Implements(w.TypeOf(reflect.TypeFor[colour]()), walker) {
		t.Error("who implements an interface is not told apart")
	}
	a, b := w.TypeOf(reflect.TypeOf(func() any { type T struct{ A int }; return T{} }())), w.TypeOf(reflect.TypeOf(func() any { type T struct{ B int }; return T{} }()))
	if types.Identical(a, b) {
		t.Error("two types of one name, declared in functions, are one")
	}
}

// TestHollow: a type that is first seen where code cannot get to, and later
// where it can, is whole then.
func TestHollow(t *testing.T) {
	w := mirror.New(table)
	w.TypeOf(reflect.TypeFor[Tree]())
	_, err := types.Eval(token.NewFileSet(), scope(t, w, map[string]reflect.Type{"u": reflect.TypeFor[*url.URL](), "t": reflect.TypeFor[Tree]()}), token.NoPos, `u.Host + t.Key + u.JoinPath("x").Port()`)
	if err != nil {
		t.Error(err)
	}
}

func TestUnknownPackage(t *testing.T) {
	if _, err := mirror.New(table).Import("net/http"); !errors.Is(err, mirror.ErrUnknown) {
		t.Error(err)
	}
}
