package check

import (
	"go/ast"
	"go/types"
)

// Starts returns the argument of a call that a function of the standard library
// is going to call in a goroutine of its own: a func(), whose panic nobody would
// recover. It is nil for other calls.
func Starts(info *types.Info, call *ast.CallExpr) ast.Expr {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	f, ok := info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Signature().Params().Len() != len(call.Args) {
		return nil
	}
	switch f.FullName() {
	case "(*sync.WaitGroup).Go", "time.AfterFunc", "context.AfterFunc":
		return call.Args[len(call.Args)-1]
	}
	return nil
}
