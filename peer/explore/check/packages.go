package check

import (
	"errors"
	"go/ast"
	"go/types"
)

// Errors that callers branch on.
var (
	// ErrNotLoaded is returned by Packages.Export for a package that must be
	// loaded first.
	ErrNotLoaded = errors.New("package is not loaded")
)

// Packages finds the compiler's export data.
type Packages interface {
	// Export names the file with the export data of a package exactly as the
	// running binary has it, or would have it. It is fast and starts no
	// program: what nobody loaded yet is ErrNotLoaded.
	Export(importPath string) (file string, err error)
}

// Expr is a checked expression: what a fast evaluator gets.
type Expr struct {
	Node ast.Expr
	Info *types.Info    // knows every node below Node
	Pkg  *types.Package // the line's own package; its path is Path
}
