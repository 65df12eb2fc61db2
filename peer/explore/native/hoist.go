package native

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// hoist makes package variables of the variables at the top level. They get
// their values in Run, so that a panic or a stop there is that of the line.
func (r *rewriter) hoist() {
	r.packageVars()
	for i, s := range r.u.Run.Body.List {
		for {
			l, ok := s.(*ast.LabeledStmt)
			if !ok {
				break
			}
			s = l.Stmt
		}
		switch s := s.(type) {
		case *ast.AssignStmt:
			r.hoistAssign(s, i == 0)
		case *ast.DeclStmt:
			if d := s.Decl.(*ast.GenDecl); d.Tok == token.VAR {
				r.hoistDecl(d, i == 0)
			}
		}
	}
	if r.u.Bare {
		show := r.u.Show
		r.replace(r.off(show.Pos()), r.off(show.Lparen)+1, "")
		r.token(r.off(show.Args[0].End()), r.off(show.Rparen)+1, "")
	}
}

// packageVars moves what variables at package level begin with into Run, in
// the order that Go says. If the type of one cannot be written, all stay.
func (r *rewriter) packageVars() {
	var decls []*ast.GenDecl
	writable := true
	for _, d := range r.u.File.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.VAR {
			decls = append(decls, d)
		}
	}
	for _, b := range r.u.New {
		if v, ok := b.Object.(*types.Var); ok && b.Home == r.path && !r.u.Writable(v.Type()) && v.Parent() == r.u.Pkg.Scope() {
			writable = false
		}
	}
	if len(decls) == 0 || !writable {
		return
	}
	for _, init := range r.u.Info.InitOrder {
		var names []string
		for _, v := range init.Lhs {
			names = append(names, check.Marked(v.Name()))
		}
		fmt.Fprintf(&r.start, "%s%s = %s; ", r.directive(init.Rhs.Pos()), strings.Join(names, ", "), r.takeNode(init.Rhs))
	}
	for _, d := range decls {
		r.replace(r.off(d.Pos()), r.off(d.End()), "")
		for _, s := range d.Specs {
			for _, id := range s.(*ast.ValueSpec).Names {
				r.declare(r.u.Info.Defs[id])
			}
		}
	}
}

// directive says where a position was typed.
func (r *rewriter) directive(p token.Pos) string {
	at := r.u.Fset.Position(p)
	return fmt.Sprintf("/*line %s:%d:%d*/", at.Filename, at.Line, at.Column)
}

// declare declares a package variable of its own type.
func (r *rewriter) declare(obj types.Object) {
	if obj != nil && obj.Name() != "_" {
		fmt.Fprintf(&r.extra, "var %s %s\n", check.Marked(obj.Name()), r.typeText(obj.Type()))
	}
}

// initialised tells that a statement becomes a declaration at package level
// with its values, since the type of a variable cannot be written.
func (r *rewriter) initialised(ids []*ast.Ident, first bool) bool {
	return first && slices.ContainsFunc(ids, func(id *ast.Ident) bool {
		obj := r.u.Info.Defs[id]
		return obj != nil && id.Name != "_" && !r.u.Writable(obj.Type())
	})
}

func (r *rewriter) hoistAssign(s *ast.AssignStmt, first bool) {
	if s.Tok != token.DEFINE {
		return
	}
	ids := check.Declares(s)
	if r.initialised(ids, first) {
		r.initialise(ids, s.Rhs)
		r.replace(r.off(s.Pos()), r.off(s.End()), "")
		return
	}
	r.token(r.off(s.TokPos), r.off(s.TokPos)+2, "=")
	for _, id := range ids {
		r.declare(r.u.Info.Defs[id])
	}
}

// initialise declares variables with the values that they begin with.
func (r *rewriter) initialise(ids []*ast.Ident, values []ast.Expr) {
	fmt.Fprintf(&r.extra, "%svar %s = %s\n", r.directive(values[0].Pos()), names(ids), r.takeList(values))
}

// names are the generated names of what is declared.
func names(ids []*ast.Ident) string {
	var all []string
	for _, id := range ids {
		all = append(all, check.Marked(id.Name))
	}
	return strings.Join(all, ", ")
}

func (r *rewriter) takeList(list []ast.Expr) string {
	return r.take(r.off(list[0].Pos()), r.off(list[len(list)-1].End()))
}

// hoistDecl makes assignments of a var statement.
func (r *rewriter) hoistDecl(d *ast.GenDecl, first bool) {
	var parts []string
	for _, spec := range d.Specs {
		s := spec.(*ast.ValueSpec)
		if len(s.Values) > 0 && r.initialised(s.Names, first) {
			r.initialise(s.Names, s.Values)
			continue
		}
		if blank(s) {
			parts = append(parts, r.directive(s.Pos())+"var "+r.takeNode(s))
			continue
		}
		for _, id := range s.Names {
			r.declare(r.u.Info.Defs[id])
		}
		if len(s.Values) > 0 {
			parts = append(parts, r.directive(s.Pos())+names(s.Names)+" = "+r.takeList(s.Values))
			continue
		}
		for _, id := range s.Names { // a goto may come back here
			if r.gotos && id.Name != "_" {
				parts = append(parts, fmt.Sprintf("%s = *new(%s)", check.Marked(id.Name), r.typeText(r.u.Info.Defs[id].Type())))
			}
		}
	}
	r.replace(r.off(d.Pos()), r.off(d.End()), strings.Join(parts, "; "))
}

// blank tells a declaration of nothing but "_".
func blank(s *ast.ValueSpec) bool {
	return !slices.ContainsFunc(s.Names, func(id *ast.Ident) bool { return id.Name != "_" })
}

// unused uses the variables that a statement declares and nobody uses: the
// compiler insists, a session does not.
func (r *rewriter) unused(n ast.Node) {
	switch n := n.(type) {
	case *ast.TypeSwitchStmt:
		if s, ok := n.Assign.(*ast.AssignStmt); ok && r.u.Unused[s.Lhs[0].Pos()] {
			r.replace(r.off(s.Lhs[0].Pos()), r.off(s.Rhs[0].Pos()), "")
		}
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			r.use(n, check.Declares(n))
		}
	case *ast.DeclStmt:
		r.use(n, check.Declares(n))
	}
}

func (r *rewriter) use(s ast.Stmt, ids []*ast.Ident) {
	text := ""
	for _, id := range ids {
		if obj := r.u.Info.Defs[id]; obj != nil && r.u.Unused[id.Pos()] && r.u.Owner(obj) == nil {
			text += "_ = " + id.Name + "; "
		}
	}
	if text == "" {
		return
	}
	switch p := r.parent(1).(type) {
	case *ast.IfStmt:
		r.insertAfter(r.off(p.Body.Lbrace)+1, text)
	case *ast.ForStmt:
		r.insertAfter(r.off(p.Body.Lbrace)+1, text)
	case *ast.CommClause:
		if p.Comm == s {
			r.insertAfter(r.off(p.Colon)+1, " "+text)
			return
		}
		r.insertAfter(r.off(s.End()), "; "+strings.TrimSuffix(text, "; "))
	case *ast.TypeSwitchStmt:
		if p.Init == s {
			r.blankOut(s, ids)
		}
	case *ast.SwitchStmt:
		r.blankOut(s, ids)
	default:
		r.insertAfter(r.off(s.End()), "; "+strings.TrimSuffix(text, "; "))
	}
}

// blankOut drops the names that the head of a switch declares in vain.
func (r *rewriter) blankOut(s ast.Stmt, ids []*ast.Ident) {
	a, ok := s.(*ast.AssignStmt)
	if !ok {
		return
	}
	left := 0
	for _, id := range ids {
		if r.u.Unused[id.Pos()] {
			r.replace(r.off(id.Pos()), r.off(id.End()), "_")
		} else {
			left++
		}
	}
	if left == 0 {
		r.token(r.off(a.TokPos), r.off(a.TokPos)+2, "=")
	}
}
