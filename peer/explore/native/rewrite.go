package native

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

const (
	livePath = "github.com/peerlab/peerlab/peer/explore/live"
	liveName = check.Mark + "Live"

	// pluginPath is imported by every line for what the linker makes of it: what
	// gives large maps their values stays in then, used or not. Without, it is
	// left out of the first line that has a package, and a later line that uses
	// such a map finds it empty.
	pluginPath = "plugin"

	runName  = check.Mark + "Run"
	showName = check.Mark + "Show"
)

// Source is a unit as the compiler gets it.
type Source struct {
	Text    string
	Imports []string // paths of all packages that it imports
}

// Rewrite makes a Go file of package path out of a unit. It sets Home of the
// names that the unit declares. The error says which value cannot be had.
func Rewrite(u *check.Unit, path string) (Source, error) {
	for _, b := range u.New {
		if b.Kind != check.Import && b.Path == "" {
			b.Home = path
		}
	}
	r := &rewriter{u: u, path: path, edits: edits{src: u.Text}, imports: map[string]string{}, comm: map[ast.Node]bool{}, deferred: map[ast.Node]bool{}, aliases: map[string]bool{}, cells: map[*check.Binding]string{}}
	r.walk()
	r.hoist()
	return r.finish()
}

// rewriter rewrites one unit.
type rewriter struct {
	edits
	u        *check.Unit
	path     string
	imports  map[string]string         // path to name
	comm     map[ast.Node]bool         // operations that select itself carries out
	deferred map[ast.Node]bool         // function literals that are called by defer
	aliases  map[string]bool           // predeclared types that are embedded
	cells    map[*check.Binding]string // pointers to variables that the host keeps
	gotos    bool                      // there is a goto somewhere
	stack    []ast.Node                // from the file to the node at hand
	extra    strings.Builder           // declarations that come at the end
	start    strings.Builder           // what Run begins with
	err      error
}

// off is the place of a position in the text.
func (r *rewriter) off(p token.Pos) int { return r.u.Fset.File(p).Offset(p) }

func (r *rewriter) takeNode(n ast.Node) string { return r.take(r.off(n.Pos()), r.off(n.End())) }

// parent returns the n-th node above the one at hand; nil above the file.
func (r *rewriter) parent(n int) ast.Node {
	if i := len(r.stack) - 1 - n; i >= 0 {
		return r.stack[i]
	}
	return nil
}

// walk visits all nodes, inner ones first.
func (r *rewriter) walk() {
	ast.Inspect(r.u.File, func(n ast.Node) bool {
		if n == nil {
			r.visit(r.stack[len(r.stack)-1])
			r.stack = r.stack[:len(r.stack)-1]
			return true
		}
		if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			return false
		}
		r.ahead(n)
		r.stack = append(r.stack, n)
		return true
	})
}

// ahead notes what inner nodes have to know.
func (r *rewriter) ahead(n ast.Node) {
	switch n := n.(type) {
	case *ast.CommClause:
		switch c := n.Comm.(type) {
		case *ast.SendStmt:
			r.comm[c] = true
		case *ast.ExprStmt:
			r.comm[ast.Unparen(c.X)] = true
		case *ast.AssignStmt:
			r.comm[ast.Unparen(c.Rhs[0])] = true
		}
	case *ast.BranchStmt:
		r.gotos = r.gotos || n.Tok == token.GOTO
	case *ast.DeferStmt:
		r.deferred[ast.Unparen(n.Call.Fun)] = true
	}
}

func (r *rewriter) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		r.ident(n)
	case *ast.SelectorExpr:
		r.selector(n)
	case *ast.Field:
		r.field(n)
	case *ast.FuncDecl:
		if n.Body != nil && n != r.u.Run {
			r.enter(n.Body)
		}
	case *ast.FuncLit:
		if !r.deferred[n] {
			r.enter(n.Body)
		}
	case *ast.UnaryExpr, *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt, *ast.ForStmt, *ast.RangeStmt, *ast.BranchStmt:
		r.stoppable(n)
	case *ast.LabeledStmt:
		if r.u.Unused[n.Label.Pos()] {
			r.replace(r.off(n.Label.Pos()), r.off(n.Colon)+1, "")
		}
	case *ast.CallExpr:
		r.guards(n)
	case *ast.TypeAssertExpr:
		r.asserts(n)
	case *ast.BinaryExpr:
		r.compares(n)
	case *ast.SwitchStmt:
		r.switches(n)
	case *ast.TypeSwitchStmt:
		r.typeSwitches(n)
		r.unused(n)
	case *ast.AssignStmt, *ast.DeclStmt:
		r.unused(n)
	}
}

// ident writes the name that an object has in generated code.
func (r *rewriter) ident(id *ast.Ident) {
	if !id.Pos().IsValid() || id == r.u.File.Name {
		return
	}
	obj := r.u.Info.Uses[id]
	if obj == nil {
		obj = r.u.Info.Defs[id]
	}
	if obj == nil || id.Name == "_" {
		return
	}
	if text := r.name(id, obj); text != id.Name {
		r.replace(r.off(id.Pos()), r.off(id.End()), text)
	}
}

func (r *rewriter) name(id *ast.Ident, obj types.Object) string {
	if member(obj) {
		if obj.Pkg() != nil && obj.Pkg().Path() == check.Path {
			return check.Marked(id.Name)
		}
		return id.Name
	}
	if sel, ok := r.parent(1).(*ast.SelectorExpr); ok && sel.Sel == id {
		return id.Name
	}
	if id == r.u.Run.Name {
		return runName
	}
	switch o := obj.(type) {
	case *types.PkgName:
		return r.alias(o.Imported().Path())
	case *types.Builtin:
		switch o.Name() {
		case "print":
			return r.live("Print")
		case "println":
			return r.live("Println")
		}
		return id.Name
	}
	if id.Name == showName {
		return r.live("Show")
	}
	if t := r.narrow(id, obj); t != "" {
		return r.live("Bound") + "[" + t + "](\"" + r.u.Owner(obj).Name + "\")"
	}
	return r.object(id.Name, obj)
}

// narrow is the interface of the one method that is called of an object of the
// host; empty if it is used in another way. So a line needs not bring along the
// package of the object, which may be large.
func (r *rewriter) narrow(id *ast.Ident, obj types.Object) string {
	b := r.u.Owner(obj)
	sel, ok := r.parent(1).(*ast.SelectorExpr)
	if b == nil || b.Kind != check.Bound || !ok || sel.X != id {
		return ""
	}
	s := r.u.Info.Selections[sel]
	if s == nil || s.Kind() != types.MethodVal || !s.Obj().Exported() || !r.u.Writable(s.Type()) ||
		types.NewMethodSet(obj.Type()).Lookup(nil, s.Obj().Name()) == nil {
		return ""
	}
	return "interface{ " + s.Obj().Name() + strings.TrimPrefix(r.typeText(s.Type()), "func") + " }"
}

// object names an object that is neither a member nor a package.
func (r *rewriter) object(name string, obj types.Object) string {
	b := r.u.Owner(obj)
	switch {
	case b != nil && b.Kind == check.Bound:
		return r.live("Bound") + "[" + r.typeText(obj.Type()) + "](\"" + b.Name + "\")"
	case b != nil && b.Home == "" && b.Kind == check.Var && b.Path == "":
		return "(*" + r.cell(b, obj.Type()) + ")"
	case b != nil && b.Home == r.path:
		return check.Marked(b.Name)
	case b != nil && b.Home != "":
		return r.alias(b.Home) + "." + check.Marked(b.Name)
	case obj.Pkg() != nil && obj.Pkg().Path() != check.Path && obj.Parent() == obj.Pkg().Scope():
		return r.alias(obj.Pkg().Path()) + "." + name
	}
	return name
}

// cell names a pointer to a variable that the host keeps.
func (r *rewriter) cell(b *check.Binding, t types.Type) string {
	if r.cells[b] == "" {
		r.cells[b] = fmt.Sprintf("%scell%d", check.Mark, len(r.cells)+1)
		fmt.Fprintf(&r.extra, "var %s = %s[%s](%q)\n", r.cells[b], r.live("Heap"), r.typeText(t), HeapKey(b))
	}
	return r.cells[b]
}

// HeapKey is the name under which the host keeps a variable that no package
// holds.
func HeapKey(b *check.Binding) string { return fmt.Sprintf("%s#%d", b.Name, b.Input) }

// member tells a field or a method.
func member(obj types.Object) bool {
	switch o := obj.(type) {
	case *types.Var:
		return o.IsField()
	case *types.Func:
		return o.Signature().Recv() != nil
	}
	return false
}

// alias returns the name of an imported package.
func (r *rewriter) alias(path string) string {
	if path == livePath {
		return liveName
	}
	if r.imports[path] == "" {
		r.imports[path] = fmt.Sprintf("%sP%d", check.Mark, len(r.imports)+1)
	}
	return r.imports[path]
}

func (r *rewriter) live(name string) string { return liveName + "." + name }

// selector replaces what reaches for the process's own input and output, or
// cannot be stopped.
func (r *rewriter) selector(n *ast.SelectorExpr) {
	id, ok := n.X.(*ast.Ident)
	if !ok {
		return
	}
	if _, ok := r.u.Info.Uses[id].(*types.PkgName); !ok {
		return
	}
	obj := r.u.Info.Uses[n.Sel]
	if obj == nil || obj.Pkg() == nil {
		return
	}
	if text := r.instead(obj.Pkg().Path(), obj.Name()); text != "" {
		r.replace(r.off(n.Pos()), r.off(n.End()), text)
	}
}

func (r *rewriter) instead(path, name string) string {
	switch path + "." + name {
	case "time.Sleep":
		return r.live("Sleep")
	case "fmt.Print", "fmt.Println":
		return r.live("Printer") + "(" + r.alias("fmt") + ".F" + strings.ToLower(name[:1]) + name[1:] + ")"
	case "fmt.Printf":
		return r.live("Formatter") + "(" + r.alias("fmt") + ".Fprintf)"
	case "os.Stdout", "os.Stderr":
		return r.live("Bound") + "[*" + r.alias("os") + ".File](\"os.Stdout\")"
	}
	return ""
}

// typeText writes a type for the compiler.
func (r *rewriter) typeText(t types.Type) string {
	text, err := check.TypeWriter{
		Name: func(n *types.TypeName) (string, error) {
			if n.Pkg() == nil {
				return n.Name(), nil
			}
			return r.object(n.Name(), n), r.u.CanName(n)
		},
		Field: func(name string, pkg *types.Package) string {
			if pkg != nil && pkg.Path() == check.Path {
				return check.Marked(name)
			}
			return name
		},
		Tag:      func(f *types.Var, tag string) string { return tagText(f, tag) },
		Embedded: r.embedded,
	}.Write(t)
	r.err = errors.Join(r.err, err)
	return text
}

// embedded gives a predeclared type a name that can be embedded and seen from
// other packages.
func (r *rewriter) embedded(name string) string {
	if !r.aliases[name] {
		r.aliases[name] = true
		fmt.Fprintf(&r.extra, "type %s = %s\n", check.Marked(name), name)
	}
	return check.Marked(name)
}

// finish puts the file together.
func (r *rewriter) finish() (Source, error) {
	r.register()
	r.insertAfter(r.off(r.u.Run.Body.Lbrace)+1, r.start.String())
	body := r.take(r.off(r.u.File.Name.End()), len(r.u.Text)) + r.extra.String()
	src := Source{Imports: []string{livePath, pluginPath}}
	var b strings.Builder
	fmt.Fprintf(&b, "package repl; import _ %q\nimport %s %q\n", pluginPath, liveName, livePath)
	for _, path := range slices.Sorted(maps.Keys(r.imports)) {
		if strings.Contains(body, r.imports[path]+".") {
			fmt.Fprintf(&b, "import %s %q\n", r.imports[path], path)
			src.Imports = append(src.Imports, path)
		}
	}
	for _, path := range r.u.Blank {
		fmt.Fprintf(&b, "import _ %q\n", path)
		src.Imports = append(src.Imports, path)
	}
	src.Text = b.String() + body
	return src, r.err
}

// register writes the function by which a package makes itself known.
func (r *rewriter) register() {
	fmt.Fprintf(&r.extra, "\nfunc init() { %s(%q, %s", r.live("Register"), r.path, runName)
	for _, b := range r.u.New {
		if b.Home != r.path {
			continue
		}
		name := check.Marked(b.Name)
		switch obj := b.Object.(type) {
		case *types.Var:
			fmt.Fprintf(&r.extra, ", %q, &%s", b.Name, name)
		case *types.Func:
			if obj.Signature().TypeParams().Len() == 0 {
				fmt.Fprintf(&r.extra, ", %q, %s", b.Name, name)
			}
		case *types.TypeName:
			if plainType(obj.Type()) {
				fmt.Fprintf(&r.extra, ", %q, (*%s)(nil)", b.Name, name)
			}
		}
	}
	r.extra.WriteString(") }\n")
}

// plainType tells a type that values may have: neither generic nor a
// constraint.
func plainType(t types.Type) bool {
	switch n := t.(type) {
	case *types.Named:
		if n.TypeParams().Len() > 0 {
			return false
		}
	case *types.Alias:
		if n.TypeParams().Len() > 0 {
			return false
		}
	}
	i, ok := t.Underlying().(*types.Interface)
	return !ok || i.IsMethodSet()
}
