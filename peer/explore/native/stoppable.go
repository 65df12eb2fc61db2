package native

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// enter makes a function look whether it is to stop. One that calls nothing
// comes to its end without.
func (r *rewriter) enter(body *ast.BlockStmt) {
	calls := false
	ast.Inspect(body, func(n ast.Node) bool {
		_, ok := n.(*ast.CallExpr)
		calls = calls || ok
		return !calls
	})
	if calls {
		r.insertAfter(r.off(body.Lbrace)+1, r.live("Enter")+"(); ")
	}
}

func (r *rewriter) stoppable(n ast.Node) {
	switch n := n.(type) {
	case *ast.ForStmt:
		r.insertAfter(r.off(n.Body.Lbrace)+1, r.live("Poll")+"(); ")
	case *ast.RangeStmt:
		r.ranged(n)
	case *ast.BranchStmt:
		if n.Tok == token.GOTO {
			r.insertBefore(r.off(n.Pos()), "{ "+r.live("Poll")+"(); ")
			r.insertAfter(r.off(n.End()), " }")
		}
	case *ast.UnaryExpr:
		r.receive(n)
	case *ast.SendStmt:
		if !r.comm[n] {
			r.insertBefore(r.off(n.Pos()), r.live("SendTo")+"(")
			r.replace(r.off(n.Arrow), r.off(n.Arrow)+2, ")(")
			r.insertAfter(r.off(n.End()), ")")
		}
	case *ast.SelectStmt:
		r.selects(n)
	case *ast.GoStmt:
		r.goes(n)
	}
}

func (r *rewriter) ranged(n *ast.RangeStmt) {
	unused := ""
	for _, e := range []ast.Expr{n.Key, n.Value} {
		if id, ok := e.(*ast.Ident); ok && r.u.Unused[id.Pos()] {
			unused += "_ = " + id.Name + "; "
		}
	}
	r.insertAfter(r.off(n.Body.Lbrace)+1, r.live("Poll")+"(); "+unused)
	if isChan(r.u.Info.Types[n.X].Type) {
		r.insertBefore(r.off(n.X.Pos()), r.live("Chan")+"(")
		r.insertAfter(r.off(n.X.End()), ")")
	}
}

// isChan tells a channel, or a type parameter that is always one.
func isChan(t types.Type) bool {
	if t == nil {
		return false
	}
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		i := p.Underlying().(*types.Interface)
		if i.NumEmbeddeds() != 1 {
			return false
		}
		u, ok := i.EmbeddedType(0).(*types.Union)
		if !ok {
			return isChan(i.EmbeddedType(0))
		}
		return u.Len() > 0 && isChan(u.Term(0).Type())
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

func (r *rewriter) receive(n *ast.UnaryExpr) {
	if n.Op != token.ARROW || r.comm[n] {
		return
	}
	name := "Recv"
	if _, two := r.u.Info.Types[n].Type.(*types.Tuple); two {
		name = "Recv2"
	}
	r.token(r.off(n.OpPos), r.off(n.OpPos)+2, r.live(name)+"(")
	r.insertAfter(r.off(n.End()), ")")
}

// token replaces a token.
func (r *rewriter) token(from, to int, text string) { r.add(from, to, over, text) }

// selects lets a select without default end with its line. The loop, which is
// never left, makes it a statement that ends a function, as before.
func (r *rewriter) selects(n *ast.SelectStmt) {
	for _, s := range n.Body.List {
		if s.(*ast.CommClause).Comm == nil {
			return
		}
	}
	r.insertAfter(r.off(n.Body.Lbrace)+1, " case <-"+r.live("Done")+"(): for { "+r.live("Halt")+"() }; ")
}

// goes starts a goroutine of the line. The function and its arguments are
// evaluated now; constants stay where they are, since they have no type yet.
func (r *rewriter) goes(n *ast.GoStmt) {
	call := n.Call
	var set, args []string
	temp := func() string { return fmt.Sprintf("%sgo%d", check.Mark, len(set)) }
	callee := r.takeNode(call.Fun)
	if !r.fixed(call.Fun) {
		name := temp()
		set = append(set, name+" := "+callee)
		callee = name
	}
	for _, a := range call.Args {
		text := r.takeNode(a)
		tv := r.u.Info.Types[a]
		tuple, many := tv.Type.(*types.Tuple)
		switch {
		case many:
			var names []string
			for range tuple.Len() {
				names = append(names, fmt.Sprintf("%sgo%d_%d", check.Mark, len(set), len(names)))
			}
			set = append(set, strings.Join(names, ", ")+" := "+text)
			args = append(args, names...)
		case tv.Value != nil || tv.IsNil() || tv.IsType():
			args = append(args, text)
		default:
			name := temp()
			set = append(set, name+" := "+text)
			args = append(args, name)
		}
	}
	dots := ""
	if call.Ellipsis.IsValid() {
		dots = "..."
	}
	set = append(set, fmt.Sprintf("%s(func() { %s(%s%s) })", r.live("Go"), callee, strings.Join(args, ", "), dots))
	r.replace(r.off(n.Pos()), r.off(n.End()), "{ "+strings.Join(set, "; ")+" }")
}

// guards lets the panic of a function that a library calls in a goroutine of its
// own be that of the line.
func (r *rewriter) guards(n *ast.CallExpr) {
	if f := check.Starts(r.u.Info, n); f != nil && !r.u.Info.Types[f].IsNil() {
		r.insertBefore(r.off(f.Pos()), r.live("Guard")+"(")
		r.insertAfter(r.off(f.End()), ")")
	}
}

// fixed tells a called function that is the same later: a declared or
// predeclared one.
func (r *rewriter) fixed(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return r.isFunc(e)
	case *ast.SelectorExpr:
		return r.isFunc(e.Sel)
	case *ast.IndexExpr:
		return r.fixed(e.X)
	case *ast.IndexListExpr:
		return r.fixed(e.X)
	}
	return false
}

func (r *rewriter) isFunc(id *ast.Ident) bool {
	switch o := r.u.Info.Uses[id].(type) {
	case *types.Builtin:
		return true
	case *types.Func:
		return o.Signature().Recv() == nil
	}
	return false
}
