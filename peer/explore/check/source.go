package check

import (
	"go/ast"
	"go/token"
)

// Source returns where a line declares a name: the unit, and in it an
// *ast.FuncDecl, *ast.GenDecl, *ast.DeclStmt or *ast.AssignStmt. ok is false
// for names that no line has declared.
func (b *Binding) Source() (u *Unit, decl ast.Node, ok bool) {
	if b.unit == nil {
		return nil, nil, false
	}
	pos := b.Object.Pos()
	for _, d := range b.unit.File.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue // made by head, so it has no place
		}
		if d != b.unit.Run && d.Pos() <= pos && pos < d.End() {
			return b.unit, d, true
		}
	}
	for _, s := range b.unit.Run.Body.List {
		for l, labelled := s.(*ast.LabeledStmt); labelled; l, labelled = s.(*ast.LabeledStmt) {
			s = l.Stmt
		}
		if s.Pos() <= pos && pos < s.End() {
			return b.unit, s, true
		}
	}
	return nil, nil, false
}

// Methods returns the methods of a type that the unit declares.
func (u *Unit) Methods(name string) []*ast.FuncDecl {
	var all []*ast.FuncDecl
	for _, d := range u.File.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && receiver(f) == name {
			all = append(all, f)
		}
	}
	return all
}
