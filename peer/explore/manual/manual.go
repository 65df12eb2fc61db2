// Package manual finds what the documentation of Go says about a name: of a
// package, of what it declares, of a method, or of what a value of the session
// is. It reads the source of the very version that the program runs with.
//
// The package is pure: the source comes as file systems from whoever knows
// where it is. It runs nothing.
package manual

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"io/fs"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// ErrNothing is matched by the error for a name of which nothing is known.
var ErrNothing = errors.New("no documentation")

// Builtin is the path of the package that documents what the language itself
// has, such as len and error.
const Builtin = "builtin"

// Source finds the source of packages.
type Source interface {
	// Source returns the directory of a package, and the names of its files
	// there that belong to this program.
	Source(importPath string) (dir fs.FS, files []string, err error)
}

// Names are those of a session; *check.Session is one.
type Names interface {
	Lookup(name string) *check.Binding
	Names() []*check.Binding
}

// Of returns the documentation of a query: an import path or the name of an
// imported package; PACKAGE.NAME; PACKAGE.TYPE.MEMBER; or a name of the
// session, which stands for its type, and NAME.MEMBER. What a package does not
// have is looked for among the methods of its types, so memberlist.Join is
// found. The error is one line, and names what is near.
func Of(names Names, source Source, query string) (string, error) {
	query = strings.TrimSuffix(strings.TrimSpace(query), "()")
	path, rest := resolve(names, query)
	if path == "" {
		return "", fmt.Errorf("%s: %w: want a package, PACKAGE.NAME, or a name of this session", query, ErrNothing)
	}
	p, err := read(source, path)
	if err != nil {
		return "", err
	}
	if len(rest) == 0 {
		return p.overview(), nil
	}
	head := ""
	if b := names.Lookup(query); b != nil && b.Object != nil {
		head = query + " :: " + check.Plain(b.Object.Type()) + "\n\n"
	}
	text, ok := p.find(rest)
	if !ok {
		return "", fmt.Errorf("%s: %w: package %s has no %s%s", query, ErrNothing, path, strings.Join(rest, "."), p.near(rest[len(rest)-1]))
	}
	return head + text, nil
}

// resolve tells of which package a query is, and what of it is meant.
func resolve(names Names, query string) (path string, rest []string) {
	head, tail, dotted := strings.Cut(query, ".")
	if !strings.Contains(query, "/") {
		if dotted {
			rest = strings.Split(tail, ".")
		}
		if b := names.Lookup(head); b != nil {
			return ofBinding(b, rest)
		}
	}
	slash := strings.LastIndex(query, "/")
	if slash < 0 {
		for _, b := range names.Names() { // a package that another name stands for
			if b.Kind == check.Import && strings.HasSuffix("/"+b.Path, "/"+head) {
				return b.Path, rest
			}
		}
	}
	for i := slash + 1; i < len(query); i++ { // the first dot after the last slash
		if query[i] == '.' {
			return query[:i], strings.Split(query[i+1:], ".")
		}
	}
	return query, nil
}

// ofBinding is what a name of the session stands for: a package, or the type of
// an object.
func ofBinding(b *check.Binding, rest []string) (string, []string) {
	if b.Kind == check.Import {
		return b.Path, rest
	}
	if b.Object == nil {
		return "", nil
	}
	t := types.Unalias(b.Object.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() == check.Path {
		return "", nil
	}
	return named.Obj().Pkg().Path(), append([]string{named.Obj().Name()}, rest...)
}

// pack is a package with its documentation.
type pack struct {
	*doc.Package
	fset *token.FileSet
}

func read(source Source, path string) (*pack, error) {
	dir, names, err := source.Source(path)
	if err != nil {
		return nil, err
	}
	p := &pack{fset: token.NewFileSet()}
	var files []*ast.File
	for _, name := range names {
		content, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("%s: source: %w", path, err)
		}
		f, err := parser.ParseFile(p.fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("%s: source: %w", path, err)
		}
		files = append(files, f)
	}
	var mode any = doc.Mode(0)
	if path == Builtin {
		mode = doc.AllDecls // none begins with a capital letter
	}
	if p.Package, err = doc.NewFromFiles(p.fset, files, path, mode); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// overview is the package's own comment, and what it declares.
func (p *pack) overview() string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s // import %q\n\n%s", p.Name, p.ImportPath, p.Text(p.Doc))
	for _, v := range append(slices.Clone(p.Consts), p.Vars...) {
		b.WriteString("\n" + short("", v.Names, v.Decl))
	}
	for _, f := range p.Funcs {
		b.WriteString("\n" + p.line(f.Decl))
	}
	for _, t := range p.Types {
		b.WriteString("\ntype " + t.Name)
		for _, f := range t.Funcs {
			b.WriteString("\n    " + p.line(f.Decl))
		}
	}
	return b.String() + "\n"
}

// short is a group of constants or variables in a line.
func short(indent string, names []string, decl *ast.GenDecl) string {
	dots := ""
	if len(names) > 4 {
		names, dots = names[:4], ", ..."
	}
	return indent + decl.Tok.String() + " " + strings.Join(names, ", ") + dots
}

// find looks for a name, or for a member of a type.
func (p *pack) find(rest []string) (string, bool) {
	name := rest[0]
	for _, t := range p.Types {
		if t.Name == name && len(rest) > 1 {
			return p.member(t, rest[1])
		}
	}
	if len(rest) > 1 {
		return "", false
	}
	if f, ok := p.function(name); ok {
		return f, true
	}
	for _, t := range p.Types {
		if t.Name == name {
			return p.typ(t), true
		}
	}
	if v, ok := p.value(name); ok {
		return v, true
	}
	return p.anywhere(name)
}

func (p *pack) function(name string) (string, bool) {
	funcs := slices.Clone(p.Funcs)
	for _, t := range p.Types {
		funcs = append(funcs, t.Funcs...)
	}
	for _, f := range funcs {
		if f.Name == name {
			return p.entry(f.Decl, f.Doc), true
		}
	}
	return "", false
}

func (p *pack) value(name string) (string, bool) {
	values := append(slices.Clone(p.Consts), p.Vars...)
	for _, t := range p.Types {
		values = append(append(values, t.Consts...), t.Vars...)
	}
	for _, v := range values {
		if slices.Contains(v.Names, name) {
			return p.entry(v.Decl, v.Doc), true
		}
	}
	return "", false
}

// typ is a type with a line for each of its functions and methods.
func (p *pack) typ(t *doc.Type) string {
	var b strings.Builder
	b.WriteString(p.entry(t.Decl, t.Doc))
	for _, f := range slices.Concat(t.Funcs, t.Methods) {
		b.WriteString("\n" + p.line(f.Decl))
	}
	return b.String() + "\n"
}

// member is a method of a type, or a field of a struct, or a method that an
// interface asks for.
func (p *pack) member(t *doc.Type, name string) (string, bool) {
	for _, m := range t.Methods {
		if m.Name == name {
			return p.entry(m.Decl, m.Doc), true
		}
	}
	var found *ast.Field
	ast.Inspect(t.Decl, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncType); ok {
			return false // parameters are no members
		}
		if f, ok := n.(*ast.Field); ok && slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return id.Name == name }) {
			found = f
		}
		return found == nil
	})
	if found == nil {
		return "", false
	}
	return p.entry(&ast.Field{Names: []*ast.Ident{{Name: t.Name + "." + name}}, Type: found.Type}, cmp.Or(found.Doc.Text(), found.Comment.Text())), true
}

// anywhere looks for a member of that name in all types: of one type, or of the
// one whose name is most like the package's.
func (p *pack) anywhere(name string) (string, bool) {
	sorted := slices.Clone(p.Types)
	slices.SortStableFunc(sorted, func(a, b *doc.Type) int { return p.distance(a) - p.distance(b) })
	var all []string
	var best string
	for _, t := range sorted {
		if text, ok := p.member(t, name); ok {
			if best == "" {
				best = text
			}
			all = append(all, t.Name+"."+name)
		}
	}
	if len(all) > 1 {
		best += "\nAlso: " + strings.Join(all[1:], ", ") + "\n"
	}
	return best, len(all) > 0
}

func (p *pack) distance(t *doc.Type) int {
	if strings.EqualFold(t.Name, p.Name) {
		return 0
	}
	return 1
}

// near names what begins or reads alike.
func (p *pack) near(name string) string {
	var all []string
	for _, f := range p.Funcs {
		all = append(all, f.Name)
	}
	for _, t := range p.Types {
		all = append(all, t.Name)
		for _, f := range slices.Concat(t.Funcs, t.Methods) {
			all = append(all, f.Name)
		}
	}
	alike := strings.ToLower(name)
	all = slices.DeleteFunc(all, func(s string) bool {
		s = strings.ToLower(s)
		return !strings.Contains(s, alike) && !strings.HasPrefix(alike, s) && !strings.HasPrefix(s, alike[:(len(alike)+1)/2])
	})
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return "; near are " + strings.Join(all[:min(5, len(all))], ", ")
}

// indent is before what is said about a declaration.
const indent = "    "

// entry is a declaration, and below it what is said about it.
func (p *pack) entry(decl any, text string) string {
	out := p.print(decl) + "\n"
	printer := p.Printer()
	printer.TextWidth = 80 - 1 - len(indent)
	for line := range strings.Lines(string(printer.Text(p.Parser().Parse(text)))) {
		if strings.TrimSpace(line) != "" {
			line = indent + line
		}
		out += line
	}
	return out
}

// line is a function without its body, on one line.
func (p *pack) line(decl *ast.FuncDecl) string {
	return strings.Join(strings.Fields(p.print(decl)), " ")
}

func (p *pack) print(node any) string {
	switch n := node.(type) {
	case *ast.FuncDecl:
		bare := *n
		bare.Body, bare.Doc = nil, nil
		node = &bare
	case *ast.GenDecl:
		bare := *n
		bare.Doc = nil
		node = &bare
	case *ast.Field:
		return n.Names[0].Name + " " + types.ExprString(n.Type)
	}
	var b bytes.Buffer
	config := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 4}
	if err := config.Fprint(&b, p.fset, node); err != nil {
		return err.Error()
	}
	return b.String()
}
