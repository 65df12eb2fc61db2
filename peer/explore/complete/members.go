package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// members are what may stand after the dot.
func (v *view) members() []Candidate {
	if id, ok := v.selector.X.(*ast.Ident); ok {
		if p, ok := v.info.Uses[id].(*types.PkgName); ok {
			return v.objects(p.Imported().Scope())
		}
	}
	tv, ok := v.info.Types[v.selector.X]
	if !ok || tv.Type == nil {
		return nil
	}
	var all []Candidate
	methods := types.NewMethodSet(receiver(tv.Type))
	for i := range methods.Len() {
		if m := methods.At(i).Obj(); visible(m) {
			all = append(all, v.candidate(m, m.Type()))
		}
	}
	if tv.IsType() {
		return all // method expressions
	}
	return append(all, v.fields(tv.Type, map[types.Type]bool{})...)
}

// receiver is a type with all methods that a variable of t has.
func receiver(t types.Type) types.Type {
	if _, pointer := t.Underlying().(*types.Pointer); pointer || types.IsInterface(t) {
		return t
	}
	return types.NewPointer(t)
}

// fields are those of a struct, and of what it embeds.
func (v *view) fields(t types.Type, seen map[types.Type]bool) []Candidate {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || seen[t] {
		return nil
	}
	seen[t] = true
	var all []Candidate
	for f := range s.Fields() {
		if visible(f) {
			all = append(all, v.candidate(f, f.Type()))
		}
		if f.Embedded() {
			all = append(all, v.fields(f.Type(), seen)...)
		}
	}
	return all
}

// visible tells whether a line may use a member.
func visible(obj types.Object) bool {
	return obj.Exported() || obj.Pkg() != nil && obj.Pkg().Path() == check.Path
}

// objects are those of a package that a line may use.
func (v *view) objects(scope *types.Scope) []Candidate {
	var all []Candidate
	for _, name := range scope.Names() {
		if obj := scope.Lookup(name); obj.Exported() {
			all = append(all, v.candidate(obj, obj.Type()))
		}
	}
	return all
}

// inScope are all names that may stand where the hole is.
func (v *view) inScope() []Candidate {
	all := v.keys()
	seen := map[string]bool{}
	for scope := v.innermost(); scope != nil; scope = scope.Parent() {
		for _, name := range scope.Names() {
			obj := scope.Lookup(name)
			if seen[name] || strings.HasPrefix(name, check.Mark) || name == "_" || v.later(scope, obj) {
				continue
			}
			seen[name] = true
			all = append(all, v.candidate(obj, obj.Type()))
		}
	}
	for tok := token.BREAK; tok <= token.VAR; tok++ {
		if tok.IsKeyword() {
			all = append(all, Candidate{Text: tok.String(), Help: "keyword"})
		}
	}
	return all
}

// keys are the fields that a literal of a struct may set where the hole is.
func (v *view) keys() []Candidate {
	if v.literal == nil {
		return nil
	}
	t := v.info.TypeOf(v.literal)
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var all []Candidate
	for f := range s.Fields() {
		if visible(f) {
			all = append(all, Candidate{Text: f.Name(), Help: check.Plain(f.Type()), Fits: true, After: ": "})
		}
	}
	return all
}

// innermost is the smallest scope around the hole.
func (v *view) innermost() *types.Scope {
	if s := v.pkg.Scope().Innermost(v.ident.Pos()); s != nil {
		return s
	}
	return v.pkg.Scope()
}

// later tells a local name that is declared after the hole.
func (v *view) later(scope *types.Scope, obj types.Object) bool {
	return scope != v.pkg.Scope() && scope != types.Universe && obj.Pos() >= v.ident.Pos()
}

// candidate describes an object, and tells whether it fits.
func (v *view) candidate(obj types.Object, t types.Type) Candidate {
	return Candidate{Text: obj.Name(), Help: help(obj, t), Fits: v.fits(obj, t), After: v.after(obj, t)}
}

// after is what follows a name as a rule: a function is called, unless one is
// wanted, and of a package something is used.
func (v *view) after(obj types.Object, t types.Type) string {
	switch obj.(type) {
	case *types.PkgName:
		return "."
	case *types.Builtin:
		return "("
	case *types.TypeName:
		return ""
	}
	if t == nil {
		return ""
	}
	s, ok := t.Underlying().(*types.Signature)
	if !ok || v.wanted() != nil && types.AssignableTo(t, v.wanted()) {
		return ""
	}
	if s.Params().Len() == 0 {
		return "()"
	}
	return "("
}

func help(obj types.Object, t types.Type) string {
	switch obj := obj.(type) {
	case *types.PkgName:
		return "package " + obj.Imported().Path()
	case *types.Builtin:
		return "builtin"
	case *types.Nil:
		return "nil"
	case *types.TypeName:
		return "type " + kind(t)
	case *types.Const:
		return "const " + check.Plain(t)
	}
	return check.Plain(t)
}

// kind is what a type is made of, in a word where it is made of much.
func kind(t types.Type) string {
	switch t.Underlying().(type) {
	case *types.Struct:
		return "struct"
	case *types.Interface:
		return "interface"
	}
	return check.Plain(t.Underlying())
}

// fits tells whether an object, or the one result of calling it, is what the
// call around the hole wants there.
func (v *view) fits(obj types.Object, t types.Type) bool {
	want := v.wanted()
	if want == nil || t == nil || types.IsInterface(want) && want.Underlying().(*types.Interface).Empty() {
		return false
	}
	switch obj.(type) {
	case *types.TypeName, *types.PkgName, *types.Builtin:
		return false
	}
	if types.AssignableTo(t, want) {
		return true
	}
	s, ok := t.Underlying().(*types.Signature)
	return ok && s.Results().Len() == 1 && types.AssignableTo(s.Results().At(0).Type(), want)
}

// wanted is the type of the parameter for which the hole stands, or nil.
func (v *view) wanted() types.Type {
	if v.call == nil {
		return nil
	}
	t := v.info.TypeOf(v.call.Fun)
	if t == nil {
		return nil
	}
	s, ok := t.Underlying().(*types.Signature)
	if !ok || s.Params().Len() == 0 {
		return nil
	}
	last := s.Params().Len() - 1
	if s.Variadic() && v.arg >= last {
		if slice, ok := s.Params().At(last).Type().(*types.Slice); ok {
			return slice.Elem()
		}
	}
	if v.arg > last {
		return nil
	}
	return s.Params().At(v.arg).Type()
}
