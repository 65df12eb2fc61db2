// Package complete proposes how to go on with a line of Go: names in scope,
// members of what stands before a dot, each with what it is, and those first
// that fit where they would stand. It also tells the type of an expression.
//
// It works on the line as far as it is typed: what is open is closed, the whole
// is checked beside the names of the session, and errors are ignored. The
// package is pure, and nothing of a line is run.
package complete

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Names are those of a session; *check.Session is one.
type Names interface {
	// Names returns what each name stands for.
	Names() []*check.Binding
	// Package returns a loaded package.
	Package(path string) (*types.Package, error)
}

// Candidate is one way to go on.
type Candidate struct {
	Text  string // the whole name
	Help  string // its type or signature, "package net/netip", "keyword"; one line
	Fits  bool   // its type is what is wanted there
	After string // what is written after it as a rule: "(", "()", ".", ": ", or nothing
}

// hole stands where the cursor is, so that the line can be parsed. It is a name
// that nobody has.
const hole = check.Mark + "hole"

// At proposes names for byte offset pos of a line, and tells at which offset
// the name that they would replace begins. Those that fit come first, and then
// by name. In strings, comments and numbers there are none.
func At(names Names, text string, pos int) (candidates []Candidate, start int) {
	pos = min(max(pos, 0), len(text))
	start = nameStart(text[:pos])
	if literal(text[:start]) {
		return nil, pos
	}
	prefix := text[start:pos]
	v := look(names, text[:start], !declares(text[:start]))
	switch {
	case v.selector != nil:
		candidates = v.members()
	case v.ident != nil:
		candidates = v.inScope()
	}
	candidates = slices.DeleteFunc(candidates, func(c Candidate) bool { return !hasPrefix(c.Text, prefix) })
	slices.SortFunc(candidates, func(a, b Candidate) int {
		if a.Fits != b.Fits {
			return map[bool]int{true: -1, false: 1}[a.Fits]
		}
		return cmp.Compare(a.Text, b.Text)
	})
	return slices.CompactFunc(candidates, func(a, b Candidate) bool { return a.Text == b.Text }), start
}

// hasPrefix ignores case where the prefix is in lower case.
func hasPrefix(name, prefix string) bool {
	if strings.HasPrefix(name, prefix) {
		return true
	}
	return prefix == strings.ToLower(prefix) && strings.HasPrefix(strings.ToLower(name), prefix)
}

// nameStart is where the name at the end of a text begins.
func nameStart(text string) int {
	for len(text) > 0 {
		r, size := utf8.DecodeLastRuneInString(text)
		if !letter(r) {
			break
		}
		text = text[:len(text)-size]
	}
	return len(text)
}

func letter(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// literal tells whether a text ends within a string, a rune, a comment or a
// number.
func literal(text string) bool {
	var s scanner.Scanner
	src := []byte(text + hole)
	open := false
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, src, func(token.Position, string) {}, scanner.ScanComments)
	for {
		at, tok, lit := s.Scan()
		if tok == token.EOF {
			return open
		}
		open = open || file.Offset(at)+len(lit) >= len(src) && tok != token.IDENT && tok.IsLiteral() || tok == token.COMMENT && strings.Contains(lit, hole)
	}
}

// view is a line that was checked as far as it goes.
type view struct {
	pkg      *types.Package
	info     *types.Info
	selector *ast.SelectorExpr // whose Sel is the hole
	ident    *ast.Ident        // the hole, if it is no part of a selector
	call     *ast.CallExpr     // of which the hole is an argument, directly
	arg      int
	literal  *ast.CompositeLit // of which the hole is a key, or the first element
}

// endings are what a hole may need behind it to be part of a statement: nothing,
// as the last of several values, or after go and defer.
func endings() []string { return []string{"", " = 0", "()"} }

// look checks a line that ends where the hole is: as statements, or as
// declarations.
func look(names Names, text string, statements bool) *view {
	open, closers := "package "+check.Path+"\n", closing(text)
	if statements {
		open, closers = open+"func _() {\n", closers+"\n}"
	}
	fset := token.NewFileSet()
	v := &view{info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}}
	var file *ast.File
	for _, end := range endings() {
		file, _ = parser.ParseFile(fset, "", open+text+hole+end+closers+"\n", parser.AllErrors|parser.SkipObjectResolution)
		if file == nil {
			continue
		}
		if v.find(file); v.selector != nil || v.ident != nil {
			break
		}
	}
	if v.selector == nil && v.ident == nil {
		return v
	}
	plain(file)
	v.pkg = scope(names)
	lastValue(v.pkg, file)
	config := types.Config{Error: func(error) {}, Importer: importer{names}, FakeImportC: true}
	_ = types.NewChecker(&config, fset, v.pkg, v.info).Files([]*ast.File{file})
	return v
}

// plain makes functions of methods, whose receivers may be types of earlier
// lines: the checker wants to see their declarations.
func plain(file *ast.File) {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
			f.Type.Params.List = append(f.Recv.List, f.Type.Params.List...)
			f.Recv = nil
		}
	}
}

// lastValue makes each "_" that is read the last value of the session, if there
// is one.
func lastValue(pkg *types.Package, within ast.Node) {
	if pkg.Scope().Lookup(check.LastName) == nil {
		return
	}
	blank := map[ast.Node]bool{} // what is written, or declared
	ast.Inspect(within, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				blank[x] = true
			}
		case *ast.RangeStmt:
			blank[n.Key], blank[n.Value] = true, true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				blank[id] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				blank[id] = true
			}
		case *ast.FuncDecl:
			blank[n.Name] = true
		case *ast.Ident:
			if n.Name == check.Last && !blank[n] {
				n.Name = check.LastName
			}
		}
		return true
	})
}

// importer takes packages from the session.
type importer struct{ names Names }

func (i importer) Import(path string) (*types.Package, error) { return i.names.Package(path) }

// scope is a package whose scope has the names of a session.
func scope(names Names) *types.Package {
	pkg := types.NewPackage(check.Path, check.Path)
	for _, b := range names.Names() {
		switch {
		case b.Object != nil && b.Object.Name() == b.Name:
			pkg.Scope().Insert(b.Object)
		case b.Kind == check.Import:
			if imported, err := names.Package(b.Path); err == nil {
				pkg.Scope().Insert(types.NewPkgName(token.NoPos, pkg, b.Name, imported))
			}
		}
	}
	return pkg
}

// find looks for the hole.
func (v *view) find(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if n.Sel.Name == hole {
				v.selector = n
			}
		case *ast.Ident:
			if n.Name == hole && (v.selector == nil || v.selector.Sel != n) {
				v.ident = n
			}
		case *ast.CompositeLit:
			if len(n.Elts) > 0 && isKey(n, n.Elts[len(n.Elts)-1]) {
				v.literal = n
			}
		case *ast.CallExpr:
			for i, arg := range n.Args {
				if arg.End() >= n.Rparen-1 && strings.HasSuffix(types.ExprString(arg), hole) {
					v.call, v.arg = n, i
				}
			}
		}
		return true
	})
}

// isKey tells that the hole stands where a key of a literal may.
func isKey(x *ast.CompositeLit, elt ast.Expr) bool {
	id, ok := elt.(*ast.Ident)
	if len(x.Elts) > 1 {
		_, keyed := x.Elts[0].(*ast.KeyValueExpr)
		ok = ok && keyed
	}
	return ok && id.Name == hole
}

// closing are the brackets that a text leaves open, closed. A function after go
// or defer is called.
func closing(text string) string {
	var s scanner.Scanner
	src := []byte(text)
	s.Init(token.NewFileSet().AddFile("", -1, len(src)), src, func(token.Position, string) {}, 0)
	var open []string
	called := -1 // how many brackets were open at the last go or defer
	for {
		_, tok, _ := s.Scan()
		switch tok {
		case token.GO, token.DEFER:
			called = len(open)
		case token.SEMICOLON:
			called = -1
		case token.EOF:
			slices.Reverse(open)
			return strings.Join(open, "")
		case token.LPAREN:
			open = append(open, ")")
		case token.LBRACK:
			open = append(open, "]")
		case token.LBRACE:
			if called == len(open) {
				open = append(open, "\n}()")
			} else {
				open = append(open, "\n}")
			}
			called = -1
		case token.RPAREN, token.RBRACK, token.RBRACE:
			open = open[:max(len(open)-1, 0)]
		}
	}
}

// declares tells a text that begins with the declaration of a function or a
// method from one that begins with a statement.
func declares(text string) bool {
	var s scanner.Scanner
	src := []byte(text)
	s.Init(token.NewFileSet().AddFile("", -1, len(src)), src, func(token.Position, string) {}, 0)
	next := func() token.Token { _, tok, _ := s.Scan(); return tok }
	if next() != token.FUNC {
		return false
	}
	tok := next()
	if tok != token.LPAREN {
		return tok == token.IDENT
	}
	for depth := 1; depth > 0 && tok != token.EOF; {
		switch tok = next(); tok {
		case token.LPAREN:
			depth++
		case token.RPAREN:
			depth--
		}
	}
	return next() == token.IDENT && next() == token.LPAREN // a literal has no name
}
