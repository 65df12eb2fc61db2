package native

import (
	"go/ast"
	"go/token"
	"go/types"
)

// The compiler compares interfaces that have methods by their method tables,
// which it takes to be one for each pair of interface and type. With plugins
// there may be two: one that the runtime has made for an early line, and one
// that comes with a later plugin. So what asks for the type of such a value is
// asked of an empty interface, which holds the type itself.

// asserts makes x.(T) ask for the type.
func (r *rewriter) asserts(n *ast.TypeAssertExpr) {
	if n.Type == nil || types.IsInterface(r.u.Info.Types[n.Type].Type) || !r.hasMethods(n.X) {
		return
	}
	r.emptied(n.X)
}

// compares makes x == y ask for the types.
func (r *rewriter) compares(n *ast.BinaryExpr) {
	if (n.Op == token.EQL || n.Op == token.NEQ) && r.hasMethods(n.X) && r.hasMethods(n.Y) {
		r.emptied(n.X)
	}
}

// switches makes switch x { case y: } ask for the types.
func (r *rewriter) switches(n *ast.SwitchStmt) {
	if n.Tag != nil && r.hasMethods(n.Tag) {
		r.emptied(n.Tag)
	}
}

// typeSwitches makes switch v := x.(type) ask for the type. In a clause of
// several types, or none, v is of the type of x again.
func (r *rewriter) typeSwitches(n *ast.TypeSwitchStmt) {
	var x ast.Expr
	name := ""
	switch s := n.Assign.(type) {
	case *ast.ExprStmt:
		x = s.X.(*ast.TypeAssertExpr).X
	case *ast.AssignStmt:
		x = s.Rhs[0].(*ast.TypeAssertExpr).X
		if id := s.Lhs[0].(*ast.Ident); !r.u.Unused[id.Pos()] {
			name = id.Name
		}
	}
	t := r.u.Info.Types[x].Type
	if !r.hasMethods(x) || !r.u.Writable(t) {
		return
	}
	r.emptied(x)
	for _, s := range n.Body.List {
		c := s.(*ast.CaseClause)
		if name == "" || len(c.List) == 1 && !r.u.Info.Types[c.List[0]].IsNil() {
			continue
		}
		r.insertAfter(r.off(c.Colon)+1, " { "+name+" := "+r.live("As")+"["+r.typeText(t)+"]("+name+"); _ = "+name+"; ")
		r.insertAfter(r.off(c.End()), " }")
	}
}

// hasMethods tells an expression whose value is an interface with methods.
func (r *rewriter) hasMethods(e ast.Expr) bool {
	t := r.u.Info.Types[e].Type
	if t == nil {
		return false
	}
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return false
	}
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.NumMethods() > 0
}

func (r *rewriter) emptied(e ast.Expr) {
	r.insertBefore(r.off(e.Pos()), r.live("Any")+"(")
	r.insertAfter(r.off(e.End()), ")")
}
