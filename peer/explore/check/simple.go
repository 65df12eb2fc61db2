package check

import (
	"go/ast"
	"go/token"
)

// Statements returns what a line does, if that is nothing but statements and
// declarations of variables, in their order; the last one may be the call that
// shows the last expressions. ok is false for any other line. One that only
// imports has none.
func (l *Line) Statements() (all []ast.Stmt, ok bool) {
	if len(l.Units) != 1 || len(l.Units[0].Blank) > 0 {
		return nil, false
	}
	u := l.Units[0]
	for _, d := range u.File.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d != u.Run {
				return nil, false
			}
		case *ast.GenDecl:
			// More than one variable may have to be made in another order.
			if d.Tok == token.IMPORT {
				continue
			}
			if d.Tok != token.VAR || len(d.Specs) != 1 || len(all) > 0 {
				return nil, false
			}
			all = append(all, &ast.DeclStmt{Decl: d})
		}
	}
	return append(all, u.Run.Body.List...), true
}
