package peerlab_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/peerlab/peerlab/"

// rule says who may import what, and why. Paths of this module are written
// without its prefix; "peer/..." stands for peer and all below it.
type rule struct {
	why     string
	who     []string // packages the rule is about
	except  []string // of them, those that it is not about
	never   []string // imports that they must not have
	only    []string // or the only imports that they may have
	onlyStd bool     // or nothing but the standard library
}

// rules keep the directions of import. The reason is what a failure prints.
func rules() []rule {
	return []rule{
		{why: "repl is a library of its own: it knows nothing of peers, and declares what it needs",
			who: []string{"repl"}, onlyStd: true},
		{why: "one adapter touches the line editor, so that it can be replaced",
			who: []string{"..."}, except: []string{"repl/readline"}, never: []string{"github.com/chzyer/readline"}},
		{why: "the adapter serves the shell, not the peer",
			who: []string{"repl/readline"}, never: []string{"peer/...", "internal/..."}},
		{why: "the template is a whole program for strangers to copy: repl, repl/readline and the standard library",
			who: []string{"repl/template"}, never: []string{"peer/...", "internal/...", "bootstrap-api/...", "testserver/...", "github.com/...", "golang.org/..."}},
		{why: "memberlist and its traps stay in one package",
			who: []string{"..."}, except: []string{"peer/membership"}, never: []string{"github.com/hashicorp/memberlist"}},
		{why: "extensions are pure: they reach the world through extension.Services only",
			who: []string{"peer/chat", "peer/broadcast", "peer/extension"}, never: []string{"net", "net/http", "os", "os/...", "syscall", "internal/...", "peer/node", "peer/membership", "github.com/hashicorp/..."}},
		{why: "a node and its shell get a Config; they never see flags, the environment, standard input or exits",
			who: []string{"peer/node", "peer/shell", "peer/membership", "peer/discovery", "peer/identity", "peer/logbook"}, never: []string{"os", "os/...", "flag", "syscall", "github.com/spf13/..."}},
		{why: "layers import downwards only: membership knows neither discovery nor extensions that run on it",
			who: []string{"peer/membership"}, never: []string{"peer/discovery", "peer/node", "peer/shell", "peer/chat", "peer/broadcast", "bootstrap-api"}},
		{why: "discovery keeps records; contacting members is membership's business",
			who: []string{"peer/discovery"}, never: []string{"peer/membership", "peer/node", "peer/shell"}},
		{why: "a node does not know which extensions it runs",
			who: []string{"peer/node", "peer/shell"}, never: []string{"peer/chat", "peer/broadcast"}},
		{why: "the seams know nothing of what is built on them",
			who: []string{"internal/..."}, never: []string{"peer/...", "testserver/...", "bootstrap-server/...", "repl/..."}},
		{why: "the bootstrap contract serves every host, so it knows none",
			who: []string{"bootstrap-api"}, never: []string{"peer/...", "testserver/...", "bootstrap-server/...", "os", "os/..."}},
		{why: "judging is a function of events: no clock, no sockets, no worlds",
			who: []string{"testserver/judge"}, never: []string{"net", "net/...", "os", "os/...", "peer/...", "bootstrap-api/...", "testserver/coordinator", "testserver/local", "testserver/remote"}},
		{why: "the scenario language is pure: a parsed file is data, the same for every world; of the faults it takes their description",
			who: []string{"testserver/language"}, never: []string{"net", "net/...", "os", "os/...", "syscall", "peer/...", "bootstrap-api/...", "testserver/...", "internal/files", "internal/netx", "internal/netsim", "github.com/...", "golang.org/..."}},
		{why: "logical time is mathematics",
			who: []string{"internal/vclock"}, onlyStd: true},
		{why: "a session becomes a scenario by its events alone",
			who: []string{"peer/session", "internal/trace"}, never: []string{"net", "net/http", "os", "os/...", "peer/...", "testserver/..."}},
		{why: "a coordinator knows worlds, not peers; of the worlds one makes nodes, and one moves a peer's identity; a test binary is the program of its peers",
			who: []string{"testserver/..."}, except: []string{"testserver/inprocess", "testserver/local", "testserver/cli", "testserver/scenario"}, never: []string{"peer/...", "internal/netsim"}},
		{why: "which scenarios there are does not depend on where they are run",
			who: []string{"testserver/suite"}, never: []string{"net", "net/http", "os/exec", "syscall", "testserver/coordinator", "testserver/local", "testserver/remote", "testserver/inprocess"}},
		{why: "processes are started and told to end; what they are made of is the program's business",
			who: []string{"testserver/local"}, never: []string{"peer/node", "peer/shell", "peer/harness", "peer/membership", "internal/netsim"}},
		{why: "nodes in this process live in bubbles, without the machine",
			who: []string{"testserver/inprocess"}, never: []string{"os", "os/...", "net", "syscall", "peer/cli", "testserver/local", "testserver/remote"}},
		{why: "how a test server is reached is not the harness's business",
			who: []string{"peer/harness"}, never: []string{"net", "net/http", "os", "os/...", "peer/cli", "peer/chat", "peer/broadcast"}},
		{why: "what looks at Go code, or evaluates it on values, needs no machine: it works where nothing can be compiled",
			who: []string{"peer/explore/check", "peer/explore/fast", "peer/explore/complete", "peer/explore/manual", "peer/explore/mirror", "peer/explore/permanent"}, never: []string{"os", "os/...", "net", "net/http", "syscall", "plugin", "internal/...", "peer/node", "peer/shell", "peer/explore/buildenv", "peer/explore/native"}},
		{why: "who builds does not load: what was compiled is run in one place",
			who: []string{"peer/explore/buildenv"}, never: []string{"plugin", "peer/node", "peer/shell", "peer/explore", "peer/explore/native", "internal/..."}},
		{why: "plugin makes programs larger and wants cgo: who runs peers in this process, and compiles nothing, does without",
			who: []string{"..."}, except: []string{"peer/explore/loader"}, never: []string{"plugin"}},
		{why: "what is compiled can be loaded in programs only that say so: a session gets the loader from there",
			who: []string{"..."}, except: []string{"peer/cli"}, never: []string{"peer/explore/loader"}},
		{why: "types are mirrored where there is nothing but the program itself",
			who: []string{"peer/explore/mirror"}, onlyStd: true},
		{why: "Firestore and the cloud belong to the service that runs there",
			who: []string{"..."}, except: []string{"bootstrap-cloudfunctions/..."}, never: []string{"cloud.google.com/..."}},
	}
}

// file is one parsed Go file of this module that is no test.
type file struct {
	name    string // slash-separated, from the root
	dir     string // its package's folder; "." is the root
	pkg     string
	imports []string // paths of this module without its prefix
	ast     *ast.File
	lines   int
}

func goFiles(t *testing.T, tests bool) []file {
	t.Helper()
	fset := token.NewFileSet()
	var all []file
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipDir(name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") != tests:
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		one := file{name: name, dir: path.Dir(name), pkg: f.Name.Name, ast: f, lines: fset.Position(f.End()).Line}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			one.imports = append(one.imports, strings.TrimPrefix(p, module))
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go files found: the test must run in the root of the module")
	}
	return all
}

// skipDir leaves out hidden folders, folders of test data, run directories,
// and modules of their own.
func skipDir(name string) bool {
	base := path.Base(name)
	if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || name == "runs" || name == "bin") {
		return true
	}
	_, err := os.Stat(path.Join(name, "go.mod"))
	return name != "." && err == nil
}

// matches tells whether a package path is one of the patterns.
func matches(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		tree, isTree := strings.CutSuffix(p, "...")
		root := strings.TrimSuffix(tree, "/")
		return pkg == p || isTree && (root == "" || pkg == root || strings.HasPrefix(pkg, tree))
	})
}

// breach returns what rule r has against f, if anything.
func (r rule) breach(f file) string {
	if !matches(f.dir, r.who) || matches(f.dir, r.except) {
		return ""
	}
	for _, i := range f.imports {
		std := !strings.Contains(strings.Split(i, "/")[0], ".") && !isOurs(i)
		switch {
		case matches(i, r.never), r.onlyStd && !std, r.only != nil && !matches(i, r.only):
			return fmt.Sprintf("%s imports %s: %s", f.name, i, r.why)
		}
	}
	return ""
}

// isOurs tells an import of this module from one of the standard library.
func isOurs(i string) bool {
	for _, top := range []string{"repl", "peer", "bootstrap-api", "bootstrap-server", "testserver", "internal"} {
		if i == top || strings.HasPrefix(i, top+"/") {
			_, err := os.Stat(i)
			return err == nil
		}
	}
	return false
}

func TestDirectionsOfImport(t *testing.T) {
	files := goFiles(t, false)
	for _, r := range rules() {
		for _, f := range files {
			if b := r.breach(f); b != "" {
				t.Error(b)
			}
		}
	}
}

// TestRulesCanFail shows that the rules see what they forbid.
func TestRulesCanFail(t *testing.T) {
	for _, f := range []file{
		{name: "x", dir: "repl", imports: []string{"github.com/google/uuid"}},
		{name: "x", dir: "peer/explore/fast", imports: []string{"os"}},
		{name: "x", dir: "peer/explore/buildenv", imports: []string{"plugin"}},
		{name: "x", dir: "peer/explore/native", imports: []string{"plugin"}},
		{name: "x", dir: "testserver/inprocess", imports: []string{"peer/explore/loader"}},
		{name: "x", dir: "peer/explore/mirror", imports: []string{"github.com/google/uuid"}},
		{name: "x", dir: "repl", imports: []string{"peer/node"}},
		{name: "x", dir: "repl/template", imports: []string{"golang.org/x/term"}},
		{name: "x", dir: "peer/shell", imports: []string{"github.com/chzyer/readline"}},
		{name: "x", dir: "peer/node", imports: []string{"github.com/hashicorp/memberlist"}},
		{name: "x", dir: "peer/chat", imports: []string{"net"}},
		{name: "x", dir: "peer/node", imports: []string{"os/exec"}},
		{name: "x", dir: "internal/netx", imports: []string{"peer/node"}},
		{name: "x", dir: "testserver/judge", imports: []string{"net/http"}},
		{name: "x", dir: "testserver/coordinator", imports: []string{"peer/node"}},
		{name: "x", dir: "testserver/local", imports: []string{"peer/node"}},
		{name: "x", dir: "testserver/suite", imports: []string{"testserver/local"}},
		{name: "x", dir: "testserver/inprocess", imports: []string{"os"}},
		{name: "x", dir: "peer/harness", imports: []string{"net"}},
		{name: "x", dir: "testserver/language", imports: []string{"os"}},
		{name: "x", dir: "testserver/language", imports: []string{"testserver/judge"}},
	} {
		if !slices.ContainsFunc(rules(), func(r rule) bool { return r.breach(f) != "" }) {
			t.Errorf("no rule is against %s importing %s", f.dir, f.imports[0])
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range goFiles(t, false) {
		comments[f.dir] = append(comments[f.dir], nil...)
		if f.ast.Doc != nil {
			comments[f.dir] = append(comments[f.dir], f.name)
		}
	}
	for dir, in := range comments {
		if len(in) != 1 {
			t.Errorf("package %s has %d package comments %v, want one: its purpose, its model, what it must not depend on", dir, len(in), in)
		}
	}
}

func TestMainsAreThin(t *testing.T) {
	mains := map[string]bool{}
	files := goFiles(t, false)
	for _, f := range files {
		if f.pkg == "main" {
			mains[f.dir] = true
			if f.lines > 60 {
				t.Errorf("%s has %d lines: a main is flags and wiring, at most 60", f.name, f.lines)
			}
		}
	}
	for _, f := range files {
		for _, i := range f.imports {
			if mains[i] {
				t.Errorf("%s imports the program %s", f.name, i)
			}
		}
	}
}

// stateful are packages whose state belongs to the process, with the reason.
func stateful() map[string]string {
	return map[string]string{
		"peer/explore/live": "a plugin reaches its host through package variables only",
	}
}

// TestNoGlobalState finds package variables and init functions. Errors,
// compiled patterns, embedded files and assertions of interfaces are no state.
func TestNoGlobalState(t *testing.T) {
	for _, f := range goFiles(t, false) {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s has an init function: nothing may happen by being imported", f.name)
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR && !embeds(d) && stateful()[f.dir] == "" {
					checkVars(t, f, d)
				}
			}
		}
	}
}

func embeds(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed")
	})
}

func checkVars(t *testing.T, f file, d *ast.GenDecl) {
	t.Helper()
	for _, s := range d.Specs {
		v := s.(*ast.ValueSpec)
		for i, name := range v.Names {
			isError := strings.HasPrefix(strings.ToLower(name.Name), "err")
			if name.Name == "_" || isError || i < len(v.Values) && constant(v.Values[i]) {
				continue
			}
			t.Errorf("%s: package variable %s: state belongs into a value that somebody makes", f.name, name.Name)
		}
	}
}

// constant tells a value that never changes: a compiled pattern.
func constant(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name+"."+sel.Sel.Name == "regexp.MustCompile"
}

// TestOneWayToTheNetwork finds sockets that do not go through the seam.
func TestOneWayToTheNetwork(t *testing.T) {
	for _, f := range goFiles(t, false) {
		if f.dir == "internal/netx" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if ok && x.Name == "net" && sel.Sel.Name != "Listener" && (strings.HasPrefix(sel.Sel.Name, "Dial") || strings.HasPrefix(sel.Sel.Name, "Listen")) ||
				ok && x.Name == "http" && slices.Contains([]string{"Get", "Post", "Head", "DefaultClient", "DefaultTransport", "ListenAndServe"}, sel.Sel.Name) {
				t.Errorf("%s uses %s.%s: all traffic goes through internal/netx", f.name, x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

// unguarded are goroutines of a peer that need no guard, by file and function,
// and why.
func unguarded() map[string]string {
	return map[string]string{
		"peer/cli/system.go runSystem": "it starts a process of the machine and calls nothing of the peer",
		"peer/cli/harness.go serve":    "a peer of a test is a process of its own without a terminal, and the test server reports how it ended",
		"peer/cli/demo.go runDemo":     "it waits for interrupts; the screen restores the terminal",
		"peer/cli/demo.go answer":      "it calls the shell, which catches panics of commands",
		"peer/cli/demo.go start":       "it is the life of a node, which catches its panics, and tells of them",
	}
}

// TestGoroutinesAreGuarded finds goroutines of a peer whose panic would end the
// process: each defers guard.Catch, or what gives the terminal back. A function
// that is started by its name defers it itself.
func TestGoroutinesAreGuarded(t *testing.T) {
	pkgs := []string{"peer/node", "peer/membership", "peer/discovery", "peer/chat", "peer/broadcast", "peer/shell", "peer/session", "peer/harness", "peer/cli"}
	files, started, excused := goFiles(t, false), 0, map[string]bool{}
	for _, f := range files {
		if !matches(f.dir, pkgs) {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			for _, body := range goroutinesOf(fn, f.dir, files) {
				started++
				where := f.name + " " + fn.Name.Name
				switch {
				case isGuarded(body):
				case unguarded()[where] != "":
					excused[where] = true
				default:
					t.Errorf("%s starts a goroutine that does not defer guard.Catch: its panic would end the process, and all other peers in it", where)
				}
			}
		}
	}
	if started < 15 {
		t.Errorf("only %d goroutines were found", started)
	}
	for where := range unguarded() {
		if !excused[where] {
			t.Errorf("%s is an exception and starts no such goroutine", where)
		}
	}
}

// goroutinesOf are the bodies of the goroutines that fn starts, by go or by a
// method Go; nil stands for one that is not in this package.
func goroutinesOf(fn *ast.FuncDecl, dir string, files []file) (bodies []*ast.BlockStmt) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			bodies = append(bodies, bodyOf(n.Call.Fun, dir, files))
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" && len(n.Args) == 1 {
				bodies = append(bodies, bodyOf(n.Args[0], dir, files))
			}
		}
		return true
	})
	return bodies
}

// bodyOf is the body of a function literal, or of what is named in a package.
func bodyOf(e ast.Expr, dir string, files []file) *ast.BlockStmt {
	name := ""
	switch e := e.(type) {
	case *ast.FuncLit:
		return e.Body
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	}
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.dir == dir && fn.Name.Name == name {
				return fn.Body
			}
		}
	}
	return nil
}

// isGuarded tells whether a body defers a guard before it does anything else.
func isGuarded(body *ast.BlockStmt) bool {
	if body == nil {
		return false
	}
	for _, s := range body.List {
		d, ok := s.(*ast.DeferStmt)
		if !ok {
			return false
		}
		sel, ok := d.Call.Fun.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		x, ok := sel.X.(*ast.Ident)
		if ok && (x.Name == "guard" && sel.Sel.Name == "Catch" || x.Name == "readline" && sel.Sel.Name == "RestoreOnPanic") {
			return true
		}
	}
	return false
}

// TestUnguardedIsSeen shows that the rule sees what it forbids.
func TestUnguardedIsSeen(t *testing.T) {
	const head = "package x\nfunc f() { "
	for body, want := range map[string]bool{
		"go func() { defer guard.Catch(c); g() }()":              true,
		"go func() { defer close(d); defer guard.Catch(c) }()":   true,
		"w.Go(func() { defer readline.RestoreOnPanic(r); g() })": true,
		"go func() { g() }()":                                    false,
		"go func() { g(); defer guard.Catch(c) }()":              false,
		"w.Go(func() { defer other.Catch(c); g() })":             false,
		"go named() }; func named() { defer guard.Catch(c)":      true,
		"w.Go(t.read) }; func (t *T) read() { g()":               false,
		"go elsewhere.Run()":                                     false,
		"w.Go(func() { func() { defer guard.Catch(c) }() })":     false,
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "x.go", head+body+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		all := []file{{dir: "x", ast: parsed}}
		got := goroutinesOf(parsed.Decls[0].(*ast.FuncDecl), "x", all)
		if len(got) != 1 || isGuarded(got[0]) != want {
			t.Errorf("%s: %d goroutines, guarded: %v, want one, and %v", body, len(got), len(got) == 1 && isGuarded(got[0]), want)
		}
	}
}
