package complete

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Description is what is known of an expression that is not run.
type Description struct {
	Type    string   // its type; if it is one, "type" and what that is made of; one line
	Methods []string // of a named type, or of a pointer to one: name and signature, by name
}

// Describe tells what an expression is. The error is one line.
func Describe(names Names, src string) (Description, error) {
	x, err := parser.ParseExpr(src)
	if err != nil {
		return Description{}, fmt.Errorf("type: want an expression, and %q is none", src)
	}
	pkg := scope(names)
	lastValue(pkg, x)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	if err := types.CheckExpr(token.NewFileSet(), pkg, token.NoPos, x, info); err != nil {
		if p, ok := packageNamed(info, x); ok {
			return Description{Type: "package " + p}, nil
		}
		return Description{}, fmt.Errorf("type: %s", message(err))
	}
	tv := info.Types[x]
	return Description{Type: typeText(x, tv), Methods: methodTexts(tv)}, nil
}

func typeText(x ast.Expr, tv types.TypeAndValue) string {
	switch {
	case tv.IsType():
		under := tv.Type.Underlying()
		if under == tv.Type {
			return "type " + check.Plain(tv.Type)
		}
		return fmt.Sprintf("type %s %s", check.Plain(tv.Type), check.Plain(under))
	case tv.IsBuiltin():
		return "builtin " + types.ExprString(x)
	case tv.Value != nil:
		return fmt.Sprintf("const %s = %s", check.Plain(tv.Type), tv.Value)
	case tv.IsVoid():
		return "no value"
	}
	return check.Plain(tv.Type)
}

// methodTexts are the methods of a named type that a line may call. Those of
// an interface stand in its type already.
func methodTexts(tv types.TypeAndValue) []string {
	if tv.Type == nil || tv.IsVoid() || tv.IsType() && types.IsInterface(tv.Type) {
		return nil
	}
	t := types.Unalias(tv.Type)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if _, named := t.(*types.Named); !named {
		return nil
	}
	var all []string
	methods := types.NewMethodSet(receiver(tv.Type))
	for i := range methods.Len() {
		if m := methods.At(i).Obj(); visible(m) {
			all = append(all, m.Name()+strings.TrimPrefix(check.Plain(m.Type()), "func"))
		}
	}
	return all
}

func packageNamed(info *types.Info, x ast.Expr) (string, bool) {
	id, ok := x.(*ast.Ident)
	if !ok {
		return "", false
	}
	p, ok := info.Uses[id].(*types.PkgName)
	if !ok {
		return "", false
	}
	return p.Imported().Path(), true
}

func message(err error) string {
	if e, ok := errors.AsType[types.Error](err); ok {
		return e.Msg
	}
	return err.Error()
}
