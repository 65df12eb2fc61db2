package permanent

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// decl is a declaration that the command needs.
type decl struct {
	unit *check.Unit
	node ast.Node         // as of Binding.Source
	also []*ast.FuncDecl  // methods of the types
	all  []*check.Binding // what it declares and somebody needs
	refs []ref            // its words that mean something

	level level
	loud  bool // at package level, and it prints
	seen  bool // it has been written
}

// ref is a word of a declaration, or several with dots between them.
type ref struct {
	from, to token.Pos
	kind     refKind
	binding  *check.Binding // of toName and toBound
	decl     *decl          // of toName; the declaration itself for its own names
	path     string         // of toPackage and toDotted
	name     string         // of toPackage, toDotted and toOutput: Println, Stdout, println
	call     *ast.CallExpr  // of toOutput, if it is called
	assigned bool           // of toName: it is assigned to, and not read
}

type refKind int

const (
	toName    refKind = iota // a name of the session
	toField                  // a field that is embedded under a name of the session
	toBound                  // an object of the peer
	toPackage                // a package
	toDotted                 // a name of a package that was imported with a dot
	toOutput                 // where output goes, or what prints there
	toUnused                 // a variable that nobody uses
	toDefine                 // a := that declares only such
	toNothing                // what may be left out
)

type declKey struct {
	unit *check.Unit
	node ast.Node
}

// gatherer finds what a declaration needs.
type gatherer struct {
	decls map[declKey]*decl
	order []*decl
}

// sorted returns the declarations in the order in which they were typed.
func (g *gatherer) sorted() []*decl {
	all := slices.Clone(g.order)
	slices.SortStableFunc(all, func(a, b *decl) int {
		return cmp.Or(cmp.Compare(a.unit.Input, b.unit.Input), cmp.Compare(a.node.Pos(), b.node.Pos()))
	})
	return all
}

// add gathers the declaration of a name, and what that needs.
func (g *gatherer) add(b *check.Binding) (*decl, error) {
	u, node, ok := b.Source()
	if !ok {
		return nil, cannot("nothing is known of the declaration of %s", b.Name)
	}
	d := g.decls[declKey{u, node}]
	if d == nil {
		d = &decl{unit: u, node: node}
		g.decls[declKey{u, node}] = d
		g.order = append(g.order, d)
		if err := g.read(d); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(d.all, b) {
		d.all = append(d.all, b)
	}
	return d, nil
}

// forget drops all but the first n declarations: those that somebody else needs
// are gathered again for him.
func (g *gatherer) forget(n int) {
	for _, d := range g.order[n:] {
		delete(g.decls, declKey{d.unit, d.node})
	}
	g.order = g.order[:n]
}

// read finds the words of a declaration that mean something.
func (g *gatherer) read(d *decl) error {
	if gen, ok := d.node.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
		for _, s := range gen.Specs {
			d.also = append(d.also, d.unit.Methods(s.(*ast.TypeSpec).Name.Name)...)
		}
	}
	r := &reader{gatherer: g, d: d, calls: map[ast.Expr]*ast.CallExpr{}, assigned: map[*ast.Ident]bool{}}
	for _, n := range d.nodes() {
		ast.Inspect(n, r.visit)
	}
	return r.err
}

// nodes are the declaration and its methods.
func (d *decl) nodes() []ast.Node {
	all := []ast.Node{d.node}
	for _, m := range d.also {
		all = append(all, m)
	}
	return all
}

// reader reads one declaration.
type reader struct {
	*gatherer
	d        *decl
	calls    map[ast.Expr]*ast.CallExpr // by what is called
	assigned map[*ast.Ident]bool
	err      error
}

func (r *reader) add(f ref) { r.d.refs = append(r.d.refs, f) }

func (r *reader) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		r.calls[n.Fun] = n
	case *ast.SelectorExpr:
		return !r.output(n)
	case *ast.Ident:
		r.ident(n)
	case *ast.AssignStmt:
		r.assign(n)
	case *ast.RangeStmt:
		r.ranges(n)
	case *ast.ValueSpec:
		for _, id := range n.Names {
			r.unused(id)
		}
	case *ast.TypeSwitchStmt:
		if s, ok := n.Assign.(*ast.AssignStmt); ok && r.d.unit.Unused[s.Lhs[0].Pos()] {
			r.add(ref{from: s.Lhs[0].Pos(), to: s.Rhs[0].Pos(), kind: toNothing})
		}
	case *ast.LabeledStmt:
		if r.d.unit.Unused[n.Label.Pos()] {
			r.add(ref{from: n.Label.Pos(), to: n.Colon + 1, kind: toNothing})
		}
	}
	return r.err == nil
}

// assign notes what is only assigned to, and variables that nobody uses: a
// session takes them, the compiler does not.
func (r *reader) assign(s *ast.AssignStmt) {
	declares, used := 0, 0
	for _, e := range s.Lhs {
		id, ok := e.(*ast.Ident)
		if !ok {
			continue
		}
		if s.Tok == token.ASSIGN {
			r.assigned[id] = true
		}
		if s.Tok != token.DEFINE || r.d.unit.Info.Defs[id] == nil || id.Name == "_" {
			continue
		}
		declares++
		if !r.blank(id) {
			used++
		}
		r.unused(id)
	}
	if declares > 0 && used == 0 {
		r.add(ref{from: s.TokPos, to: s.TokPos + 2, kind: toDefine})
	}
}

// ranges notes the variables of a loop that nobody uses.
func (r *reader) ranges(s *ast.RangeStmt) {
	used := false
	for _, e := range []ast.Expr{s.Key, s.Value} {
		id, ok := e.(*ast.Ident)
		used = used || ok && id.Name != "_" && !r.blank(id)
		if ok {
			r.unused(id)
		}
	}
	if s.Tok == token.DEFINE && !used {
		r.add(ref{from: s.TokPos, to: s.TokPos + 2, kind: toDefine})
	}
}

// blank tells a local variable that nobody uses.
func (r *reader) blank(id *ast.Ident) bool {
	obj := r.d.unit.Info.Defs[id]
	return obj != nil && id.Name != "_" && r.d.unit.Unused[id.Pos()] && r.d.unit.Owner(obj) == nil
}

func (r *reader) unused(names ...ast.Expr) {
	for _, e := range names {
		if id, ok := e.(*ast.Ident); ok && r.blank(id) {
			r.add(ref{from: id.Pos(), to: id.End(), kind: toUnused})
		}
	}
}

// output notes a selector that reaches for the output of the line; false for
// other ones.
func (r *reader) output(n *ast.SelectorExpr) bool {
	id, ok := n.X.(*ast.Ident)
	if !ok {
		return false
	}
	p, ok := r.d.unit.Info.Uses[id].(*types.PkgName)
	if !ok {
		return false
	}
	switch p.Imported().Path() + "." + n.Sel.Name {
	case "fmt.Print", "fmt.Println", "fmt.Printf", "os.Stdout", "os.Stderr":
		r.add(ref{from: n.Pos(), to: n.End(), kind: toOutput, path: p.Imported().Path(), name: n.Sel.Name, call: r.calls[n]})
		return true
	}
	return false
}

func (r *reader) ident(id *ast.Ident) {
	info := r.d.unit.Info
	obj := info.Uses[id]
	if obj == nil {
		obj = info.Defs[id]
	}
	if obj == nil || !id.Pos().IsValid() || id.Name == "_" {
		return
	}
	f := ref{from: id.Pos(), to: id.End(), name: id.Name, assigned: r.assigned[id]}
	switch o := obj.(type) {
	case *types.PkgName:
		f.kind, f.path = toPackage, o.Imported().Path()
		r.add(f)
		return
	case *types.Builtin:
		if o.Name() == "print" || o.Name() == "println" {
			f.kind, f.call = toOutput, r.calls[id]
			r.add(f)
		}
		return
	case *types.Var:
		if o.IsField() {
			r.field(f, o)
			return
		}
	case *types.Func:
		if o.Signature().Recv() != nil {
			return
		}
	}
	r.object(f, obj)
}

// field notes a field that has the name of a type of the session.
func (r *reader) field(f ref, v *types.Var) {
	if !v.Embedded() {
		return
	}
	t := v.Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return
	}
	if b := r.d.unit.Owner(named.Origin().Obj()); b != nil && b.Name == f.name {
		f.kind, f.binding = toField, b
		r.add(f)
	}
}

func (r *reader) object(f ref, obj types.Object) {
	b := r.d.unit.Owner(obj)
	switch {
	case b == nil:
		return // of the language, or local
	case b.Name == check.LastName:
		r.err = cannot("%s is the last value of a session: give it a name with :=", check.Last)
		return
	case b.Kind == check.Bound:
		f.kind, f.binding = toBound, b
	case b.Path != "":
		f.kind, f.path = toDotted, b.Path
	default:
		f.kind, f.binding = toName, b
		d, err := r.gatherer.add(b)
		if err != nil {
			r.err = err
			return
		}
		f.decl = d
	}
	r.add(f)
}
