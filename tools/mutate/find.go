package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// finder enters the mutants of one function, outer expressions first.
type finder struct {
	s        *survey
	p        *pkg
	f        *file
	function string
	results  []*types.Tuple // of the functions around, the innermost last
	plain    map[ast.Expr]bool
}

// mutate finds the mutants of a package, and drops those that do not compile.
func (s *survey) mutate(p *pkg) error {
	first := len(s.mutants)
	for _, f := range p.files {
		for _, d := range f.ast.Decls {
			fn, is := d.(*ast.FuncDecl)
			if is && fn.Body != nil && p.funcs.MatchString(fn.Name.Name) {
				w := &finder{s: s, p: p, f: f, function: fn.Name.Name, plain: map[ast.Expr]bool{}}
				w.body(p.info.Defs[fn.Name].Type().(*types.Signature), fn.Body)
			}
		}
	}
	return p.drop(s.mutants[first:])
}

// mutant enters one mutant.
func (w *finder) mutant(at ast.Node, from, to string) *mutant {
	m := &mutant{
		number: len(w.s.mutants) + 1, pkg: w.p, file: w.f, function: w.function,
		line: w.p.fset.Position(at.Pos()).Line, from: from, to: to,
	}
	w.s.mutants = append(w.s.mutants, m)
	return m
}

// body looks at the body of a function of that type.
func (w *finder) body(sig *types.Signature, b *ast.BlockStmt) {
	w.results = append(w.results, sig.Results())
	ast.Inspect(b, w.look)
	w.results = w.results[:len(w.results)-1]
}

// look enters the mutants of a node, and tells whether to look into it.
func (w *finder) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		w.body(w.p.info.Types[n].Type.(*types.Signature), n.Body)
		return false
	case *ast.BlockStmt:
		w.statements(n.List)
	case *ast.CaseClause:
		w.statements(n.Body)
	case *ast.CommClause:
		w.statements(n.Body)
	case *ast.IfStmt:
		w.condition(n.Cond)
	case *ast.ForStmt:
		w.loop(n)
	case *ast.RangeStmt:
		w.skipLoop(n, n.Body)
	case *ast.ReturnStmt:
		w.returns(n)
	case *ast.AssignStmt:
		w.assign(n)
	case *ast.TypeSwitchStmt:
		for _, c := range n.Body.List {
			for _, e := range c.(*ast.CaseClause).List {
				w.plain[e] = true
			}
		}
	case *ast.SwitchStmt:
		w.cases(n)
	case *ast.CompositeLit:
		w.literal(n)
	case *ast.DeclStmt:
		g, is := n.Decl.(*ast.GenDecl)
		return is && g.Tok == token.VAR
	case *ast.ArrayType, *ast.MapType, *ast.StructType, *ast.FuncType, *ast.InterfaceType, *ast.ChanType:
		return false
	case ast.Expr:
		return w.expression(n)
	}
	return true
}

// statements may each be left out.
func (w *finder) statements(list []ast.Stmt) {
	for _, st := range list {
		if w.removable(st) {
			m := w.mutant(st, w.f.short(w.p, st), "nothing")
			w.f.wrap(w.p, st, "if !mutantOn("+itoa(m.number)+") { ", " }", m)
		}
	}
}

// removable tells whether the rest still compiles without a statement, or at
// least may.
func (w *finder) removable(st ast.Stmt) bool {
	switch st := st.(type) {
	case *ast.ExprStmt:
		call, is := st.X.(*ast.CallExpr)
		if !is {
			return true
		}
		id, is := call.Fun.(*ast.Ident)
		return !is || id.Name != "panic"
	case *ast.AssignStmt:
		return st.Tok != token.DEFINE
	case *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt:
		return true
	case *ast.BranchStmt:
		return st.Tok == token.CONTINUE || st.Tok == token.BREAK
	case *ast.ReturnStmt:
		return w.results[len(w.results)-1].Len() == 0
	}
	return false
}

// condition may be the other way round. Comparisons are turned where they are
// looked at themselves.
func (w *finder) condition(e ast.Expr) {
	if b, is := ast.Unparen(e).(*ast.BinaryExpr); is && b.Op != token.LAND && b.Op != token.LOR {
		return
	}
	w.negate(e)
}

func (w *finder) negate(e ast.Expr) {
	text := w.f.short(w.p, e)
	m := w.mutant(e, text, "!("+text+")")
	w.f.wrap(w.p, e, "((", ") != mutantOn("+itoa(m.number)+"))", m)
}

// loop may be left out, if it has a condition.
func (w *finder) loop(n *ast.ForStmt) {
	if n.Cond != nil {
		w.skipLoop(n, n.Body)
	}
}

func (w *finder) skipLoop(n ast.Node, body *ast.BlockStmt) {
	head := string(w.f.src[w.p.offset(n.Pos()):w.p.offset(body.Lbrace)])
	m := w.mutant(n, oneLine(head), "no loop")
	w.f.replace(w.p, body.Lbrace, 1, "{ if mutantOn("+itoa(m.number)+") { break };", m)
}

// cases of a switch without a value are conditions.
func (w *finder) cases(n *ast.SwitchStmt) {
	if n.Tag != nil {
		return
	}
	for _, c := range n.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			w.condition(e)
		}
	}
}

// literal keeps away from the keys of structs and arrays.
func (w *finder) literal(n *ast.CompositeLit) {
	_, isMap := w.p.info.Types[n].Type.Underlying().(*types.Map)
	for _, e := range n.Elts {
		if kv, is := e.(*ast.KeyValueExpr); is && !isMap {
			w.plain[kv.Key] = true
		}
	}
	if n.Type != nil {
		w.plain[n.Type] = true
	}
}

// returns gives other results: the zero value, or the other truth.
func (w *finder) returns(n *ast.ReturnStmt) {
	results := w.results[len(w.results)-1]
	if len(n.Results) != results.Len() {
		return
	}
	for i, e := range n.Results {
		t := results.At(i).Type()
		tv := w.p.info.Types[e]
		switch {
		case tv.IsNil() || isZero(tv.Value):
		case isBool(t):
			w.returnsBool(e, tv)
		case tv.Value != nil && !isString(t):
			// as a constant, below
		default:
			w.returnsNone(e, t)
		}
	}
}

// returnsBool turns what is neither a constant nor a comparison; those are
// turned where they are looked at themselves.
func (w *finder) returnsBool(e ast.Expr, tv types.TypeAndValue) {
	if tv.Value == nil {
		w.condition(e)
	}
}

func (w *finder) returnsNone(e ast.Expr, t types.Type) {
	name, ok := w.typeName(t)
	if !ok {
		return
	}
	m := w.mutant(e, "return "+w.f.short(w.p, e), "no "+name)
	w.f.wrap(w.p, e, "mutantNone["+name+"]("+itoa(m.number)+", ", ")", m)
}

// assign changes what is added or taken away.
func (w *finder) assign(n *ast.AssignStmt) {
	for _, l := range n.Lhs {
		if _, is := l.(*ast.Ident); is {
			w.plain[l] = true
		}
	}
	other := map[token.Token]string{token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+="}[n.Tok]
	if other == "" || isString(w.p.info.Types[n.Lhs[0]].Type) {
		return
	}
	text := w.f.short(w.p, n.Rhs[0])
	m := w.mutant(n, n.Tok.String()+" "+text, other+" "+text)
	w.f.wrap(w.p, n.Rhs[0], "mutantEither("+itoa(m.number)+", ", ", -("+w.f.text(w.p, n.Rhs[0])+"))", m)
}

// expression enters the mutants of an expression, and tells whether to look
// into it.
func (w *finder) expression(e ast.Expr) bool {
	tv, known := w.p.info.Types[e]
	if w.plain[e] || known && tv.IsType() {
		return false
	}
	if known && tv.Value != nil {
		w.constant(e, tv)
		return false
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		w.binary(e)
	case *ast.SelectorExpr:
		w.plain[e.Sel] = true
	}
	return true
}

// constant is one more or one less, the other truth; a time is twice as long,
// or none.
func (w *finder) constant(e ast.Expr, tv types.TypeAndValue) {
	text := w.f.short(w.p, e)
	if isBool(tv.Type) {
		m := w.mutant(e, text, map[bool]string{true: "false", false: "true"}[constant.BoolVal(tv.Value)])
		w.f.wrap(w.p, e, "((", ") != mutantOn("+itoa(m.number)+"))", m)
		return
	}
	name, ok := w.typeName(tv.Type)
	if b, is := tv.Type.Underlying().(*types.Basic); !ok || !is || b.Info()&types.IsNumeric == 0 {
		return
	}
	others := []string{"+1", "-1"}
	if name == "time.Duration" {
		others = []string{"*2", "*0"}
	}
	for _, other := range others {
		if isZero(tv.Value) && other != "+1" {
			continue
		}
		m := w.mutant(e, text, text+other)
		w.f.wrap(w.p, e, "mutantEither["+name+"]("+itoa(m.number)+", ", ", ("+w.f.text(w.p, e)+")"+other+")", m)
	}
}

// binary turns comparisons and their bounds, swaps arithmetic, and leaves out
// parts of conditions.
func (w *finder) binary(e *ast.BinaryExpr) {
	switch e.Op {
	case token.EQL, token.NEQ:
		m := w.mutant(e, w.f.short(w.p, e), w.with(e, map[token.Token]string{token.EQL: "!=", token.NEQ: "=="}[e.Op]))
		w.f.wrap(w.p, e, "((", ") != mutantOn("+itoa(m.number)+"))", m)
	case token.LAND:
		w.part(e.X, e, "(mutantOn(", ") || (", "true")
		w.part(e.Y, e, "(mutantOn(", ") || (", "true")
	case token.LOR:
		w.part(e.X, e, "(!mutantOn(", ") && (", "false")
		w.part(e.Y, e, "(!mutantOn(", ") && (", "false")
	case token.LSS, token.GTR, token.LEQ, token.GEQ:
		w.bound(e)
	case token.ADD, token.SUB, token.MUL, token.QUO:
		w.arithmetic(e)
	}
}

// with is a binary expression with another operator, for people.
func (w *finder) with(e *ast.BinaryExpr, op string) string {
	return w.f.short(w.p, e.X) + " " + op + " " + w.f.short(w.p, e.Y)
}

// part is one side of "&&" or "||", which does not count any more.
func (w *finder) part(e ast.Expr, in *ast.BinaryExpr, head, middle, as string) {
	m := w.mutant(e, w.f.short(w.p, e)+" (beside "+in.Op.String()+")", as)
	w.f.wrap(w.p, e, head+itoa(m.number)+middle, "))", m)
}

func (w *finder) bound(e *ast.BinaryExpr) {
	type turn struct{ name, bound, other string }
	t := map[token.Token]turn{
		token.LSS: {"mutantLess", "<=", ">="}, token.GTR: {"mutantMore", ">=", "<="},
		token.LEQ: {"mutantAtMost", "<", ">"}, token.GEQ: {"mutantAtLeast", ">", "<"},
	}[e.Op]
	text := w.f.short(w.p, e)
	m1, m2 := w.mutant(e, text, w.with(e, t.bound)), w.mutant(e, text, w.with(e, t.other))
	w.call(e, t.name+"("+itoa(m1.number)+", "+itoa(m2.number), m1, m2)
}

func (w *finder) arithmetic(e *ast.BinaryExpr) {
	if b, is := w.p.info.Types[e].Type.Underlying().(*types.Basic); !is || b.Info()&(types.IsInteger|types.IsFloat) == 0 {
		return
	}
	type swap struct{ name, op string }
	s := map[token.Token]swap{
		token.ADD: {"mutantAdd", "-"}, token.SUB: {"mutantSub", "+"},
		token.MUL: {"mutantMul", "/"}, token.QUO: {"mutantDiv", "*"},
	}[e.Op]
	m := w.mutant(e, w.f.short(w.p, e), w.with(e, s.op))
	w.call(e, s.name+"("+itoa(m.number), m)
}

// call makes a call of a binary expression: its operands become arguments.
func (w *finder) call(e *ast.BinaryExpr, head string, of ...*mutant) {
	w.f.wrap(w.p, e, head+", ", ")", of...)
	w.f.replace(w.p, e.OpPos, len(e.Op.String()), ",", of...)
}

// typeName is a type as this file can write it.
func (w *finder) typeName(t types.Type) (name string, ok bool) {
	ok = true
	name = types.TypeString(t, func(o *types.Package) string {
		if o == w.p.types {
			return ""
		}
		for _, i := range w.f.ast.Imports {
			if i.Name == nil && i.Path.Value == `"`+o.Path()+`"` {
				return o.Name()
			}
		}
		ok = false
		return o.Name()
	})
	return name, ok && !strings.HasPrefix(name, "untyped ") && name != "invalid type"
}

func isBool(t types.Type) bool { return isBasic(t, types.IsBoolean) }

func isString(t types.Type) bool { return isBasic(t, types.IsString) }

func isBasic(t types.Type, info types.BasicInfo) bool {
	b, is := t.Underlying().(*types.Basic)
	return is && b.Info()&info != 0
}

// isZero tells a constant that is the zero value of its type.
func isZero(v constant.Value) bool {
	if v == nil {
		return false
	}
	switch v.Kind() {
	case constant.String:
		return constant.StringVal(v) == ""
	case constant.Int, constant.Float:
		return constant.Sign(v) == 0
	}
	return false
}
