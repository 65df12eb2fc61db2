package check

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Input is what a person typed, cut into items.
type Input struct {
	N     int
	Notes []string // what the session has to say about it

	items []item
}

// Line is a checked input. Its units run one after the other.
type Line struct {
	N     int
	Units []*Unit
	Notes []string

	// Values are the values of the last expressions, if these are the end of
	// the input.
	Values []Value
}

// Value is one value of the last expressions, as far as the checker knows it.
type Value struct {
	Type   types.Type
	Const  constant.Value // of a constant
	IsType bool           // it is a type: Type itself
}

// Unit is a part of an input that is compiled as one package: declarations,
// and after them statements. Its AST has the positions of Text, its Info knows
// every node of it.
type Unit struct {
	Text string // the whole source file that was checked
	Fset *token.FileSet
	File *ast.File
	Pkg  *types.Package
	Info *types.Info

	Run    *ast.FuncDecl      // holds the statements; its body may be empty
	Show   *ast.CallExpr      // in Run, what gets the last expressions; nil for none
	Bare   bool               // Show's one argument is a statement: it has no value to show
	Unused map[token.Pos]bool // where variables and labels are declared that nobody uses
	Blank  []string           // packages imported for their effects
	New    []*Binding         // names that it gives to the session
	Input  int

	session *Session
	owners  map[types.Object]*Binding
}

// Owner returns the binding of an object of this unit or an earlier one, nil
// for local and foreign objects.
func (u *Unit) Owner(obj types.Object) *Binding {
	if b := u.owners[obj]; b != nil {
		return b
	}
	return u.session.objects[obj]
}

// Exprs returns the expressions of a line that is nothing else; nil otherwise.
func (l *Line) Exprs() []Expr {
	if len(l.Units) != 1 || l.Units[0].Show == nil || len(l.Units[0].Run.Body.List) != 1 || len(l.Units[0].File.Decls) != l.Units[0].headers()+1 {
		return nil
	}
	u := l.Units[0]
	all := make([]Expr, len(u.Show.Args))
	for i, e := range u.Show.Args {
		all[i] = Expr{Node: e, Info: u.Info, Pkg: u.Pkg}
	}
	return all
}

// headers counts the import declarations at the head of the file.
func (u *Unit) headers() int {
	if len(u.File.Decls) > 0 {
		if d, ok := u.File.Decls[0].(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			return 1
		}
	}
	return 0
}

// Parse cuts an input into items; n is its number, from 1.
func (s *Session) Parse(n int, src string) (*Input, error) {
	if strings.Contains(src, Mark) {
		return nil, &Error{Text: "the letters " + Mark + " are the session's own: leave them out", Err: ErrRefused}
	}
	items, bad := split(src, n)
	if bad != nil {
		line, col := place(src, min(bad.offset, len(src)))
		return nil, &Error{Where: where(n, line, col), Text: bad.msg}
	}
	in := &Input{N: n}
	s.pull(in, items)
	return in, nil
}

func where(n, line, col int) string {
	return "‹" + strconv.Itoa(n) + "›:" + strconv.Itoa(line) + ":" + strconv.Itoa(col)
}

// Needs returns the import paths that must be loaded before Check.
func (s *Session) Needs(in *Input) []string {
	paths := map[string]bool{}
	for _, it := range in.items {
		if it.kind == itemImport {
			for _, spec := range importSpecs(it.text) {
				paths[spec.path] = true
			}
			continue
		}
		for name := range qualifiers(it.text) {
			if b := s.names[name]; b != nil && b.Kind == Import {
				paths[b.Path] = true
			}
		}
	}
	delete(paths, "C")
	return slices.Sorted(maps.Keys(paths))
}

// qualifiers returns the names before a dot.
func qualifiers(text string) map[string]bool {
	words, _ := scan(text)
	names := map[string]bool{}
	for i := 0; i+1 < len(words); i++ {
		if words[i].tok == token.IDENT && words[i+1].tok == token.PERIOD {
			names[words[i].lit] = true
		}
	}
	return names
}

// Check checks an input. The session is as before until Commit.
func (s *Session) Check(in *Input) (line *Line, err error) {
	defer func() {
		// go/types holds for whole packages of files; what a line makes of it
		// may be more than it was made for, and the peer must live.
		if v := recover(); v != nil {
			line, err = nil, &Error{Where: where(in.N, 1, 1), Text: fmt.Sprintf("the checker gives up on this input (%v): write it differently", v)}
		}
	}()
	c := &checker{session: s, names: maps.Clone(s.names), line: &Line{N: in.N, Notes: slices.Clone(in.Notes)}}
	if err := c.all(in.items); err != nil {
		return nil, err
	}
	return c.line, nil
}

// checker checks one input: its units in turn, each seeing the names of those
// before it.
type checker struct {
	session *Session
	names   map[string]*Binding
	line    *Line
	blank   []string
	imports []*Binding
}

func (c *checker) all(items []item) error {
	last := -1
	for i, it := range items {
		if it.kind != itemImport {
			last = i
		}
	}
	var group []item
	for i, it := range items {
		switch {
		case it.kind == itemImport:
			if err := c.flush(&group, false); err != nil {
				return err
			}
			if err := c.imported(it); err != nil {
				return err
			}
			continue
		case it.kind == itemDecl && slices.ContainsFunc(group, isStatement):
			if err := c.flush(&group, false); err != nil {
				return err
			}
		}
		group = append(group, it)
		if i == last {
			if err := c.flush(&group, it.kind == itemExprs); err != nil {
				return err
			}
		}
	}
	if len(c.imports)+len(c.blank) > 0 {
		c.importsOnly()
	}
	return nil
}

func isStatement(it item) bool { return it.kind == itemStmt || it.kind == itemExprs }

// flush checks what was gathered as a unit, or as several.
func (c *checker) flush(group *[]item, show bool) error {
	items := *group
	*group = nil
	if len(items) == 0 {
		return nil
	}
	lead := slices.IndexFunc(items, isStatement)
	if lead < 0 {
		lead = len(items)
	}
	if !slices.ContainsFunc(items[:lead], func(it item) bool { return it.kind == itemVar }) {
		return c.unit(items, lead, show)
	}
	err := c.unit(items, lead, show)
	if err == nil || !strings.Contains(err.Error(), "initialization cycle") && !strings.Contains(err.Error(), "refers to itself") {
		return err
	}
	if c.inTurn(items, show) != nil {
		return err
	}
	return nil
}

// inTurn checks items so that variables are declared in their order, as in a
// function: var x = x + 1 is made of the x before.
func (c *checker) inTurn(items []item, show bool) error {
	for len(items) > 0 {
		decls := slices.IndexFunc(items, func(it item) bool { return it.kind != itemDecl })
		if decls < 0 {
			return c.unit(items, len(items), show)
		}
		end := decls
		for end < len(items) && items[end].kind != itemDecl {
			end++
		}
		if err := c.unit(items[:end], decls, show && end == len(items)); err != nil {
			return err
		}
		items = items[end:]
	}
	return nil
}

// unit checks items as one unit, whose first lead ones stand at package level.
func (c *checker) unit(items []item, lead int, show bool) error {
	u := c.assemble(items, lead, show)
	if err := c.parse(u); err != nil {
		return err
	}
	if err := c.strangers(u); err != nil {
		return err
	}
	if err := c.check(u); err != nil {
		return err
	}
	if i := u.unwritable(); i > 0 {
		// The variable gets its value when the package is opened: what stands
		// before must have run by then.
		if err := c.unit(items[:lead+i], lead, false); err != nil {
			return err
		}
		return c.unit(items[lead+i:], 0, show)
	}
	c.adopt(u)
	return nil
}

// adopt makes the names of a checked unit known to the next.
func (c *checker) adopt(u *Unit) {
	u.Blank = append(u.Blank, c.blank...)
	u.New = append(c.imports, u.New...)
	c.blank, c.imports = nil, nil
	for _, b := range u.New {
		c.names[b.Name] = b
		if b.Object != nil {
			c.session.objects[b.Object] = b
		}
	}
	c.line.Units = append(c.line.Units, u)
}

// importsOnly is the unit of an input that imports and does nothing else.
func (c *checker) importsOnly() {
	u := c.assemble(nil, 0, false)
	if err := c.parse(u); err == nil && c.check(u) == nil {
		c.adopt(u)
	}
}
