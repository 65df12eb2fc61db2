package explore_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// piece is a declaration, or statements, of an input.
type piece struct {
	text       string
	decl       ast.Decl // nil for statements
	stmts      []ast.Stmt
	imports    []*ast.ImportSpec
	vars, uses []string
}

// cut cuts an input where a semicolon outside of brackets ends something that
// can be parsed. It is false for what cannot.
func cut(src string) (all []piece, whole bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), nil, 0)
	from, depth := 0, 0
	for {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		at := file.Offset(pos)
		if tok != token.EOF && (tok != token.SEMICOLON || depth != 0) {
			continue
		}
		if p, ok := parsePiece(strings.Trim(src[from:min(at, len(src))], "; \n")); ok {
			if p.text != "" {
				all = append(all, p)
			}
			from = min(at+1, len(src))
		}
		if tok == token.EOF {
			return all, strings.Trim(src[min(from, len(src)):], "; \n") == ""
		}
	}
}

func parsePiece(text string) (piece, bool) {
	p := piece{text: text}
	parse := func(src string) *ast.File {
		f, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
		if err != nil {
			return nil
		}
		for _, id := range f.Unresolved {
			p.uses = append(p.uses, id.Name)
		}
		return f
	}
	first, _, _ := strings.Cut(text, " ")
	if first == "type" || first == "const" || first == "func" || first == "import" {
		if f := parse(declHead + text); f != nil {
			p.imports, p.decl = f.Imports, f.Decls[0]
			return p, len(f.Decls) == 1
		}
	}
	f := parse("package p\nfunc _() {\n" + text + "\n}")
	if f == nil {
		return p, parse("package p\nvar _ = f("+text+")") != nil
	}
	p.stmts = f.Decls[0].(*ast.FuncDecl).Body.List
	if len(p.stmts) == 0 {
		p.text = "" // a comment
	}
	for _, s := range p.stmts {
		p.vars = append(p.vars, declares(s)...)
	}
	return p, true
}

const declHead = "package p\n"

// declares are the variables that a statement declares.
func declares(s ast.Stmt) (names []string) {
	var ids []*ast.Ident
	switch s := s.(type) {
	case *ast.LabeledStmt:
		return declares(s.Stmt)
	case *ast.AssignStmt:
		for _, e := range s.Lhs {
			if id, ok := e.(*ast.Ident); ok && s.Tok == token.DEFINE {
				ids = append(ids, id)
			}
		}
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				ids = append(ids, v.Names...)
			}
		}
	}
	for _, id := range ids {
		if id.Name != "_" {
			names = append(names, id.Name)
		}
	}
	return names
}

// isValue tells an expression that is no statement.
func (p *piece) isValue() bool {
	if len(p.stmts) != 1 {
		return len(p.stmts) == 0
	}
	s, ok := p.stmts[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return true
	}
	_, isType := call.Fun.(*ast.ArrayType)
	f, isName := call.Fun.(*ast.Ident)
	return isType || isName && slices.Contains([]string{"make", "len", "cap", "new", "append", "min", "max"}, f.Name)
}

// ends tells statements that have to do with the end of their function.
func (p *piece) ends() (found bool) {
	for _, s := range p.stmts {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.DeferStmt, *ast.ReturnStmt:
				found = true
			}
			return !found
		})
	}
	return found
}

// declaration describes a declaration. The names of a function are its own; a
// method has none.
func (p *piece) declaration() decl {
	d := decl{text: p.text, uses: p.uses}
	switch n := p.decl.(type) {
	case *ast.FuncDecl:
		if n.Recv != nil {
			return d
		}
		d.names = []string{n.Name.Name}
		if n.Type.TypeParams == nil && n.Body != nil {
			signature := p.text[int(n.Type.Params.Pos())-1-len(declHead):]
			typ := p.text[int(n.Type.Params.Pos())-1-len(declHead) : int(n.Body.Pos())-1-len(declHead)]
			d.closure = fmt.Sprintf("var %s func%s; %s = func%s", n.Name.Name, typ, n.Name.Name, signature)
		}
	case *ast.GenDecl:
		d.closure = p.text
		for _, s := range n.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				d.names = append(d.names, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					d.names = append(d.names, id.Name)
				}
			}
		}
	}
	return d
}
