package peerlab_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// aside are the files of tests that start programs without childtest, and why.
func aside() map[string]string {
	return map[string]string{
		"repl/readline/stop_test.go":    "repl is a library of its own; the terminal of the programs ends with the test",
		"repl/readline/signals_test.go": "repl is a library of its own; the terminal of the programs ends with the test",
		"testserver/local/fake_test.go": "a peer that leaves somebody behind, whom the runner has to find",
		"testserver/trust/lies_test.go": "a peer that leaves somebody behind, whom the runner has to find",
	}
}

// TestProgramsEndWithTheirTests finds tests whose programs live on when the test
// process is aborted. Tools of Go that only build or tell end by themselves.
func TestProgramsEndWithTheirTests(t *testing.T) {
	excused := map[string]bool{}
	for _, f := range goFiles(t, true) {
		switch {
		case !startsPrograms(f.ast) || slices.Contains(f.imports, "internal/childtest"):
		case aside()[f.name] != "":
			excused[f.name] = true
		default:
			t.Errorf("%s starts a program by itself: start it by internal/childtest, so that it ends with the test process, however that ends", f.name)
		}
	}
	for name := range aside() {
		if !excused[name] {
			t.Errorf("%s is an exception and starts no program", name)
		}
	}
}

// startsPrograms tells whether a file makes a command other than a tool of Go.
func startsPrograms(f *ast.File) (does bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "exec" || !strings.HasPrefix(sel.Sel.Name, "Command") {
			return true
		}
		args := call.Args
		if sel.Sel.Name == "CommandContext" {
			args = args[1:]
		}
		does = does || !isTool(args)
		return true
	})
	return does
}

// isTool tells the arguments of a go command that runs nothing of ours.
func isTool(args []ast.Expr) bool {
	word := func(i int) string {
		if lit, ok := args[i].(*ast.BasicLit); ok {
			return lit.Value
		}
		return ""
	}
	return len(args) > 1 && word(0) == `"go"` && slices.Contains([]string{`"build"`, `"env"`, `"list"`, `"tool"`}, word(1))
}

// TestProgramsAreSeen shows that the rule sees what it forbids.
func TestProgramsAreSeen(t *testing.T) {
	for call, want := range map[string]bool{
		`exec.Command(path, "go", "build")`:             true,
		`exec.CommandContext(ctx, "go", "run", file)`:   true,
		`exec.CommandContext(ctx, "go", args...)`:       true,
		`exec.CommandContext(ctx, "go", "build", "-o")`: false,
		`exec.Command("go", "env", name).Output()`:      false,
		`other.Command(path)`:                           false,
		`exec.LookPath("peer")`:                         false,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f() { "+call+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := startsPrograms(f); got != want {
			t.Errorf("%s: %t, want %t", call, got, want)
		}
	}
}

// skipText is how a test says why it is not run: what it needs or costs, and
// what to do about it.
var skipText = regexp.MustCompile(`^"(needs|takes|builds|compiles|fetches|makes|measures|is a part of)\b[^:]*: ..`)

// TestSkipsSayWhatToDo finds skips that do not.
func TestSkipsSayWhatToDo(t *testing.T) {
	found := 0
	for _, f := range append(goFiles(t, true), goFiles(t, false)...) {
		if !strings.HasSuffix(f.name, "_test.go") && !strings.HasSuffix(f.dir, "test") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Skip" && sel.Sel.Name != "Skipf" {
				return true
			}
			found++
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok || !skipText.MatchString(lit.Value) {
				t.Errorf("%s: a test is skipped without a text such as %q", f.name, "needs nice: install it")
			}
			return true
		})
	}
	if found < 30 {
		t.Errorf("only %d skips were found", found)
	}
}
