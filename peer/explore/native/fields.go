package native

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Hidden is the tag of fields that were lower-case: encoders must not see them.
const Hidden = `json:"-" xml:"-" yaml:"-" toml:"-"`

// tagText is the tag of a field in generated code, with a space before it. The
// user's own keys follow ours, and the first of two equal keys counts. It
// depends on nothing but the field, so that equal types stay equal.
func tagText(f *types.Var, tag string) string {
	if check.Marked(f.Name()) != f.Name() && f.Pkg().Path() == check.Path && !inlined(f) {
		tag = strings.TrimSpace(Hidden + " " + tag)
	}
	if tag == "" {
		return ""
	}
	return " " + strconv.Quote(tag)
}

// inlined tells an embedded struct: encoders look into it, whatever its name.
func inlined(f *types.Var) bool {
	t := f.Type()
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	_, ok := t.Underlying().(*types.Struct)
	return f.Embedded() && ok
}

// field gives the fields of a struct their tags, each of its own.
func (r *rewriter) field(n *ast.Field) {
	if _, ok := r.parent(2).(*ast.StructType); !ok {
		return
	}
	tag := ""
	if n.Tag != nil {
		tag, _ = strconv.Unquote(n.Tag.Value) // the parser has looked at it
	}
	if len(n.Names) == 0 {
		r.embeddedField(n, tag)
		return
	}
	typ := r.takeNode(n.Type)
	var parts []string
	for _, id := range n.Names {
		name, own := id.Name, ""
		if f, ok := r.u.Info.Defs[id].(*types.Var); ok {
			name, own = check.Marked(id.Name), tagText(f, tag)
		}
		parts = append(parts, name+" "+typ+own)
	}
	r.replace(r.off(n.Pos()), r.off(n.End()), strings.Join(parts, "; "))
}

func (r *rewriter) embeddedField(n *ast.Field, tag string) {
	id := embeddedName(n.Type)
	if id == nil {
		return
	}
	if obj := r.u.Info.Uses[id]; obj != nil && obj.Pkg() == nil {
		r.replace(r.off(id.Pos()), r.off(id.End()), r.embedded(id.Name))
	}
	f, ok := r.u.Info.Defs[id].(*types.Var)
	if !ok {
		return
	}
	text := r.takeNode(n.Type) + tagText(f, tag)
	r.replace(r.off(n.Pos()), r.off(n.End()), text)
}

// embeddedName returns the identifier that names an embedded field; nil for a
// type of another package.
func embeddedName(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.StarExpr:
		return embeddedName(e.X)
	case *ast.ParenExpr:
		return embeddedName(e.X)
	case *ast.IndexExpr:
		return embeddedName(e.X)
	case *ast.IndexListExpr:
		return embeddedName(e.X)
	}
	return nil
}
