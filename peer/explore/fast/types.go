package fast

import (
	"go/token"
	"go/types"
	"reflect"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// commonTypes are unnamed types that this program has for certain. Others are
// not made up: a type that reflection made before a plugin brought it along is
// another type than the plugin's.
func commonTypes() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for text, t := range map[string]reflect.Type{
		"[]string": reflect.TypeFor[[]string](), "[]int": reflect.TypeFor[[]int](), "[]byte": reflect.TypeFor[[]byte](),
		"[]rune": reflect.TypeFor[[]rune](), "[]bool": reflect.TypeFor[[]bool](), "[]float64": reflect.TypeFor[[]float64](),
		"[]any": reflect.TypeFor[[]any](), "[]error": reflect.TypeFor[[]error](), "[]uint64": reflect.TypeFor[[]uint64](),
		"map[string]string": reflect.TypeFor[map[string]string](), "map[string]int": reflect.TypeFor[map[string]int](),
		"map[string]bool": reflect.TypeFor[map[string]bool](), "map[string]any": reflect.TypeFor[map[string]any](),
		"map[int]string": reflect.TypeFor[map[int]string](), "map[int]int": reflect.TypeFor[map[int]int](),
		"chan int": reflect.TypeFor[chan int](), "chan string": reflect.TypeFor[chan string](), "chan bool": reflect.TypeFor[chan bool](),
		"chan error": reflect.TypeFor[chan error](), "chan struct{}": reflect.TypeFor[chan struct{}](),
		"[]time.Duration": reflect.TypeFor[[]time.Duration](), "any": reflect.TypeFor[any](), "interface{}": reflect.TypeFor[any](),
	} {
		all[text] = t
		all[t.String()] = t
	}
	return all
}

// learn remembers the named types in a pair, and in what its unnamed types are
// made of. What a named type is made of is learned when an expression gets
// there.
func (e *Evaluator) learn(static types.Type, live reflect.Type) {
	static = types.Unalias(static)
	if live == nil {
		return
	}
	switch t := static.(type) {
	case *types.Named:
		if t.TypeArgs().Len() == 0 && live.Name() == memberName(t.Obj()) {
			e.known[t.Obj()] = live
		}
	case interface{ Elem() types.Type }: // pointer, slice, array, map, channel
		e.learn(t.Elem(), live.Elem())
		if m, ok := static.(*types.Map); ok {
			e.learn(m.Key(), live.Key())
		}
	case *types.Signature:
		e.learnSignature(t, live, 0)
	}
}

// learnSignature is learn for a function; the live one has skip parameters
// more in front.
func (e *Evaluator) learnSignature(s *types.Signature, live reflect.Type, skip int) {
	if s.TypeParams().Len() > 0 || s.RecvTypeParams().Len() > 0 || live.NumIn() != s.Params().Len()+skip || live.NumOut() != s.Results().Len() {
		return
	}
	for i := range s.Params().Len() {
		e.learn(s.Params().At(i).Type(), live.In(i+skip))
	}
	for i := range s.Results().Len() {
		e.learn(s.Results().At(i).Type(), live.Out(i))
	}
}

// live returns the program's type for a checked one, if it is known.
func (e *Evaluator) live(t types.Type) (reflect.Type, bool) {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		live, ok := e.basics[types.Default(t).(*types.Basic).Kind()]
		return live, ok
	case *types.Named:
		return e.named(t)
	case *types.Pointer:
		live, ok := e.live(t.Elem())
		if !ok || live.Name() == "" {
			return nil, false
		}
		return reflect.PointerTo(live), true // which comes with each named type
	case *types.Struct, *types.Signature, *types.TypeParam:
		return nil, false
	}
	live, ok := e.common[types.TypeString(t, (*types.Package).Name)]
	return live, ok && !local(t)
}

// local tells a type that a name of the session takes part in: its text may
// mean another one.
func local(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return t.Obj().Pkg() != nil && t.Obj().Pkg().Path() != "time"
	case *types.Map:
		return local(t.Key()) || local(t.Elem())
	case interface{ Elem() types.Type }:
		return local(t.Elem())
	}
	return false
}

func (e *Evaluator) named(t *types.Named) (reflect.Type, bool) {
	obj := t.Obj()
	if live, ok := e.known[obj]; ok {
		return live, true
	}
	switch {
	case obj == types.Universe.Lookup("error"):
		return reflect.TypeFor[error](), true
	case obj.Pkg() == nil || t.TypeArgs().Len() > 0 || obj.Parent() != obj.Pkg().Scope():
		return nil, false
	}
	if live, ok := e.bound(obj).(reflect.Type); ok {
		return live, true
	}
	return e.env.Type(obj)
}

// bound returns what the table has for an object of a package: a function, a
// pointer to a variable, a reflect.Type, or nil.
func (e *Evaluator) bound(obj types.Object) any {
	if obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() || obj.Pkg().Path() == check.Path {
		return nil
	}
	path := obj.Pkg().Path()
	t, ok := e.tables[path]
	if !ok {
		t = Table(path)
		e.tables[path] = t
	}
	return t[obj.Name()]
}

// memberName is the name that a field or method has in the program.
func memberName(obj types.Object) string {
	if obj.Pkg() != nil && obj.Pkg().Path() == check.Path {
		return check.Marked(obj.Name())
	}
	return obj.Name()
}

// visible tells whether reflection may use a member of that name.
func visible(name string) bool { return token.IsExported(name) }
