package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// refuse finds what would end the whole peer, by the objects that names mean
// and not by their spelling. It is advice, no fence: a library may still exit.
func (u *Unit) refuse() error {
	first, text := token.NoPos, ""
	for id, obj := range u.Info.Uses {
		if why := fatal(obj); why != "" && (!first.IsValid() || id.Pos() < first) {
			first, text = id.Pos(), why
		}
	}
	if text != "" {
		return u.refusal(first, text)
	}
	for _, d := range u.File.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			return u.refusal(f.Name.Pos(), "func init has no meaning in a session: type its statements instead")
		}
	}
	return u.refuseBound()
}

func (u *Unit) refusal(pos token.Pos, text string) error {
	return &Error{Where: u.Fset.Position(pos).String(), Text: clean(text), Err: ErrRefused}
}

// fatal says why an object is refused; it is empty for most.
func fatal(obj types.Object) string {
	if f, ok := obj.(*types.Func); ok && ends(f) {
		return f.FullName() + " would end the whole peer: refused"
	}
	if name := listens(obj); name != "" {
		return name + " takes what is typed to the peer itself: refused; read from a string or a file"
	}
	return ""
}

func ends(f *types.Func) bool {
	switch name := f.FullName(); name {
	case "os.Exit", "syscall.Exit", "syscall.Kill", "runtime.Breakpoint", "runtime/debug.SetMaxStack", "runtime/debug.SetMaxThreads":
		return true
	default:
		return strings.HasPrefix(name, "log.Fatal") || strings.HasPrefix(name, "(*log.Logger).Fatal")
	}
}

// listens names what reads the peer's own input; it is empty for all else.
func listens(obj types.Object) string {
	if obj.Pkg() == nil {
		return ""
	}
	switch name := obj.Pkg().Path() + "." + obj.Name(); name {
	case "os.Stdin", "fmt.Scan", "fmt.Scanf", "fmt.Scanln":
		return name
	}
	return ""
}

// refuseBound finds assignments to objects of the host, which are not
// variables for all that the checker knows.
func (u *Unit) refuseBound() (err error) {
	bound := func(e ast.Expr) {
		id, ok := ast.Unparen(e).(*ast.Ident)
		if !ok || err != nil {
			return
		}
		if b := u.Owner(u.Info.Uses[id]); b != nil && b.Kind == Bound {
			err = u.refusal(id.Pos(), strings.Replace(id.Name, LastName, Last, 1)+" is the peer's own: it cannot be changed; make a variable of your own with :=")
		}
	}
	ast.Inspect(u.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					bound(e)
				}
			}
		case *ast.IncDecStmt:
			bound(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				bound(n.X)
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				bound(n.Key)
				bound(n.Value)
			}
		}
		return err == nil
	})
	return err
}
