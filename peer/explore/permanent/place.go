package permanent

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// level is where a declaration stands in the file.
type level int

const (
	atPackage level = iota
	atCommand       // in the method that makes the command: kept from call to call
	atCall          // in the command's Run
)

// writer writes the file.
type writer struct {
	command  Command
	gathered *gatherer
	root     *decl
	notes    []string
	names
	out strings.Builder
}

// place decides where each declaration stands. Types with methods and generic
// functions can stand at package level only, and so must what they need.
func (w *writer) place() error {
	for _, d := range w.gathered.order {
		if d.isVar() {
			d.level = atCommand
		}
	}
	for w.raise() {
	}
	for _, d := range w.gathered.order {
		if d.onlyAtPackage() {
			if err := d.force(d.title(), map[*decl]bool{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// raise moves declarations to where what they need is at hand; false if all
// stand right.
func (w *writer) raise() bool {
	changed := false
	for _, d := range w.gathered.order {
		if to := d.needs(); to > d.level {
			d.level, changed = to, true
		}
	}
	return changed
}

// needs is where a declaration must stand for what it mentions.
func (d *decl) needs() level {
	most := d.level
	for _, f := range d.refs {
		switch {
		case f.kind == toOutput, f.kind == toBound:
			return atCall
		case f.kind == toName && f.decl != d && f.decl.isVar() && !d.isVar():
			return atCall
		case f.kind == toName && f.decl != d:
			most = max(most, f.decl.level)
		}
	}
	return most
}

// force puts a declaration and what it needs at package level, for who can
// stand nowhere else.
func (d *decl) force(who string, seen map[*decl]bool) error {
	if seen[d] {
		return nil
	}
	seen[d] = true
	d.level = atPackage
	for _, f := range d.refs {
		switch f.kind {
		case toOutput:
			d.loud = true
		case toBound:
			return cannot("%s asks for %s, which a command has only while it runs: give it that as an argument", who, f.binding.Name)
		case toName:
			if f.decl.isVar() {
				return cannot("%s uses the variable %s, and a package of commands has none: give it that as an argument", who, f.binding.Name)
			}
			if err := f.decl.force(who, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decl) isVar() bool {
	switch n := d.node.(type) {
	case *ast.AssignStmt, *ast.DeclStmt:
		return true
	case *ast.GenDecl:
		return n.Tok == token.VAR
	}
	return false
}

// function is the declaration of a function; nil for others.
func (d *decl) function() *ast.FuncDecl {
	f, _ := d.node.(*ast.FuncDecl)
	return f
}

// onlyAtPackage tells a type, a constant, or a generic function.
func (d *decl) onlyAtPackage() bool {
	f := d.function()
	return f == nil && !d.isVar() || f != nil && f.Type.TypeParams != nil
}

// title says what is declared.
func (d *decl) title() string {
	var all []string
	for _, b := range d.all {
		all = append(all, b.Name)
	}
	text := strings.Join(all, ", ")
	if len(d.also) > 0 {
		return "a method of " + text
	}
	return text
}

// note notes something that is not as in the session.
func (w *writer) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}
