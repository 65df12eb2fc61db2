package permanent_test

import (
	"container/list"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/check/checktest"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/explore/permanent"
)

var exports = checktest.Exports(check.ErrNotLoaded,
	"fmt", "errors", "os", "strings", "sort", "time", "math/bits", "math/rand/v2", "text/template", "html/template", "github.com/peerlab/peerlab/peer/explore/lab", "container/list")

// session is one in which lines were typed.
func session(t *testing.T, lines string) *check.Session {
	t.Helper()
	e := exports(t)
	s, err := check.New(check.Config{Packages: e, Open: e.Open,
		Imports: map[string]string{"fmt": "fmt", "errors": "errors", "os": "os", "strings": "strings", "sort": "sort", "time": "time", "context": "context"},
		Bound: map[string]reflect.Type{"peer": reflect.TypeFor[*lab.Peer](), "members": reflect.TypeFor[func() []lab.Member](),
			"room": reflect.TypeFor[*lab.Room](), "ml": reflect.TypeFor[*list.List](), "ctx": reflect.TypeFor[lab.Context](), check.LastName: reflect.TypeFor[int]()}})
	if err != nil {
		t.Fatal(err)
	}
	for n, src := range strings.Split(strings.TrimSpace(lines), "\n") {
		in, err := s.Parse(n+1, strings.TrimSpace(src))
		if err != nil {
			t.Fatal(err)
		}
		line, err := s.Check(in)
		if err != nil {
			t.Fatal(err)
		}
		s.Commit(line.Units...)
	}
	return s
}

// inShell are the names that package shell has.
func inShell(t *testing.T, pattern string) (declared, imported map[string]bool) {
	t.Helper()
	declared, imported = map[string]bool{}, map[string]bool{}
	fset := token.NewFileSet()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name != "shell" {
			continue
		}
		for _, i := range f.Imports {
			imported[strings.Trim(i.Path.Value[strings.LastIndexByte(i.Path.Value, '/')+1:], `"`)] = true
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				declared[d.Name.Name] = d.Recv == nil || declared[d.Name.Name]
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						declared[s.Name.Name] = true
					case *ast.ValueSpec:
						declared[s.Names[0].Name] = true
					}
				}
			}
		}
	}
	return declared, imported
}

func command(t *testing.T, name, function string, s *check.Session) permanent.Command {
	declared, imported := inShell(t, "../../shell/*.go")
	b := s.Lookup(function)
	return permanent.Command{Name: name, Summary: "of a test", Example: name, Function: b,
		Takes:    strings.Contains(b.Object.Type().String(), "[]string"),
		Declared: func(n string) bool { return declared[n] }, Imported: func(n string) bool { return imported[n] }}
}

// TestFiles makes a file of each session, compares what must and must not be in
// it, and compiles all of them in package shell.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	earlier := map[string]bool{}
	for n, c := range []struct{ name, lines, want, not string }{
		{"nothing but itself", `func run(ctx context.Context) error { return nil }`, "return run(ctx)\n", "out :="},
		{"arguments", `func run(ctx context.Context, args []string) error { return errors.New(args[0]) }`, "un(ctx, call.Args)", "out :="},
		{"it prints", `func run(ctx context.Context) error { fmt.Println("a"); fmt.Print(); println(1); fmt.Fprintf(os.Stdout, "x"); return nil }`,
			"fmt.Fprintln(out, \"a\")\n\t\t\t\tfmt.Fprint(out)\n\t\t\t\tfmt.Fprintln(out, 1)\n\t\t\t\tfmt.Fprintf(out, \"x\")", `"os"`},
		{"printing as a value", `func run(ctx context.Context) error { p, q := fmt.Println, fmt.Printf; p(1); q("%d", 2); return nil }`, "fmt.Fprintf(out, format, a...)", ""},
		{"what it needs, and what that needs",
			"const top = 3\ntype pair struct{ a, b int }; func (p pair) sum() int { return p.a + p.b + top }\nfunc add(p pair) int { return twice(p.sum()) }; func twice(n int) int { return 2*n }\nfunc other() {}\nfunc run(ctx context.Context) error { if add(pair{1, 2}) == 0 { return nil }; return nil }",
			"const top = 3", "func other"},
		{"variables are kept from call to call", "count := 7\nfunc next() int { count++; return count }\nfunc run(ctx context.Context) error { fmt.Println(next()); return nil }",
			"count := 7\n\treturn repl.Command", "var count"},
		{"asked of the peer at each call", "me := members()[0]\nfunc run(ctx context.Context) error { fmt.Println(me.Name, peer.Name()); return nil }", "peer := k.peer\n\t\t\tmembers := k.peer.Members\n\t\t\tme := members()[0]", ""},
		{"the newest, and an older one that is still used", "x := 1\nfunc old() int { return x }\nx := \"text\"\nfunc run(ctx context.Context) error { fmt.Println(x, old()); return nil }", "x := 1\n", ""},
		{"names that the package has", "func count(n int) int { return n }\ntype lines struct{ n int }\ntype all struct { lines; m int }\nfunc run(ctx context.Context) error { a := all{lines: lines{n: 1}}; if a.lines.n != count(a.n) { return errors.New(\"no\") }; return nil }",
			"a := all{", "func count("},
		{"names of the language", "func max(n int) int { return n }\nfunc run(ctx context.Context) error { if max(1) != 1 { return nil }; return nil }", "Max(1)", "func max("},
		{"functions in a circle, with output", "func even(n int) bool { print(n); if n == 0 { return true }; return odd(n-1) }; func odd(n int) bool { if n == 0 { return false }; return even(n-1) }\nfunc run(ctx context.Context) error { even(4); return nil }",
			"var even func(n int) bool\n", ""},
		{"recursion, with output", "func down(n int) { println(n); if n > 0 { down(n-1) } }\nfunc run(ctx context.Context) error { down(2); return nil }", "down = func(n int)", ""},
		{"generic", "type set[K comparable] struct { m map[K]bool }; func (s *set[K]) add(k K) { s.m[k] = true }\nfunc mapf[T, U any](s []T, f func(T) U) (o []U) { for _, v := range s { o = append(o, f(v)) }; return o }\nfunc run(ctx context.Context) error { s := set[string]{map[string]bool{}}; s.add(\"a\"); fmt.Println(s, mapf([]int{1}, func(int) string { return \"\" })); return nil }", "func mapf[T, U any]", ""},
		{"unused, as a session takes it", "func two() (int, error) { return 1, nil }\nfunc run(ctx context.Context) error { a, b := two(); n, err := two(); fmt.Println(err); var z int; for i := range 3 { fmt.Println() }; for i, v := range []int{1} { fmt.Println() }; if u := 1; true { fmt.Println() }; switch t := any(1).(type) { case int: }; L: for { break }; return nil }",
			"_, _ = two()", ""},
		{"a variable nobody reads", "var seen int\na, b := 1, 2\nfunc run(ctx context.Context) error { seen = a; return nil }", "_ = seen", ""},
		{"a variable that is a function", "run := func(ctx context.Context, args []string) error { fmt.Println(args); return nil }", "return run(ctx, call.Args)", "As variables begin"},
		{"packages of the same name", "import \"text/template\"\nfunc a() *template.Template { return template.New(\"a\") }\nimport \"html/template\"\nfunc b() *template.Template { return template.New(\"b\") }\nfunc run(ctx context.Context) error { fmt.Println(a().Name(), b().Name()); return nil }", "template2", ""},
		{"a package under another name", "import str \"strings\"\nimport . \"math/bits\"\nimport \"math/rand/v2\"\nfunc run(ctx context.Context) error { fmt.Println(str.ToUpper(\"a\"), OnesCount(3), rand.IntN(3)); return nil }", "bits.OnesCount(3)", ""},
		{"the frame's own names", "call, out, k := 1, 2, 3\nfunc run(ctx context.Context) error { repl := 4; fmt.Println(call, out, k, repl); return nil }", "out2 := call2.Out", ""},
		{"a method that prints", "type loud struct{}; func (loud) shout() { fmt.Println(\"!\"); println(2) }\nfunc run(ctx context.Context) error { loud{}.shout(); return nil }", "goes to the standard output", "out :="},
		{"constants together", "const ( a = iota; b )\nfunc run(ctx context.Context) error { fmt.Println(b); return nil }", "= iota", ""},
		{"errors of the same name", "func two() (int, error) { return 1, nil }\na, err := two()\nb, err := two()\nfunc run(ctx context.Context) error { fmt.Println(a, b, err); return err }", "", ""},
		{"the live memberlist, beside names that it needs", "group, err := 1, errors.New(\"x\")\nfunc run(ctx context.Context) error { fmt.Println(ml, group, err); return nil }", "group2, err2 := k.group()", ""},
		{"interfaces, aliases, embedded generics", "type shape interface { area() float64 }; type sq struct{ s float64 }; func (q sq) area() float64 { return q.s * q.s }\ntype list[T any] []T; func (l list[T]) len() int { return len(l) }\ntype named = list[string]\ntype both struct { *list[int]; shape; named }\nfunc run(ctx context.Context) error { b := both{list: &list[int]{1}, shape: sq{2}, named: named{\"a\"}}; f := b.shape.area; fmt.Println(b.list.len(), f(), b.named.len()); return nil }", "", ""},
		{"variables together", "var ( p, q = 1, \"a\"; r float64 )\nvar s, t = 2, []int{p}\nfunc run(ctx context.Context) error { fmt.Println(p, q, r, s, t); return nil }", "var s, t = 2, []int{p}", ""},
		{"closures over each other", "n := 0\ninc := func() int { n++; return n }\ntwice := func() int { inc(); return inc() }\nfunc run(ctx context.Context) error { fmt.Println(twice()); return nil }", "", ""},
		{"raw strings and tags", "type row struct { A int `json:\"a\"`; b string }\nfunc run(ctx context.Context) error { fmt.Printf(`%v\\n`, row{1, `//`}); return nil }", "`json:\"a\"`", ""},
		{"a select, labels and defer", "done := make(chan bool, 1)\nfunc run(ctx context.Context) error { defer fmt.Println(\"end\"); again: for i := range 3 { select { case v := <-done: continue again; case done <- i > 1: default: break again } }; return nil }", "", ""},
		{"methods that the session added later", "type q struct { n int }\nfunc (x q) one() int { return x.n }\nfunc (x q) two() int { return x.one() * 2 }\nfunc run(ctx context.Context) error { if (q{1}).two() != 2 { return errors.New(\"no\") }; return nil }", "two() int", ""},
		{"an older type beside the newer", "type v struct { n int }\nfunc first() v { return v{1} }\ntype v struct { s string }\nfunc run(ctx context.Context) error { fmt.Println(first().n, v{\"a\"}.s); return nil }", "", ""},
		{"names of other letters", "type größe struct { n int }\nfunc count(n int) größe { return größe{n} }\nfunc run(ctx context.Context) error { fmt.Println(count(1)); return nil }", "", ""},
		{"several lines, with a comment", "func run(ctx context.Context) error { /* why */ return nil } ", "/* why */", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := fmt.Sprintf("case%d", n)
			cmd := command(t, name, "run", session(t, c.lines))
			shell := cmd.Declared
			cmd.Declared = func(name string) bool { return shell(name) || earlier[name] }
			f, err := permanent.New(cmd)
			if err != nil {
				t.Fatal(err)
			}
			text := string(f.Text)
			if !strings.Contains(text, c.want) {
				t.Errorf("%q is not in\n%s", c.want, text)
			}
			if c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("%q is in\n%s", c.not, text)
			}
			for _, note := range f.Notes {
				if !strings.Contains(strings.ReplaceAll(text, "\n// ", " "), note) {
					t.Errorf("the text does not tell: %s", note)
				}
			}
			file := filepath.Join(dir, permanent.FileName(name))
			if err := os.WriteFile(file, f.Text, 0o600); err != nil {
				t.Fatal(err)
			}
			declared, _ := inShell(t, file)
			maps.Copy(earlier, declared)
		})
	}
	compile(t, dir)
}

// compile compiles package shell with the files of a directory.
func compile(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) < 20 {
		t.Fatalf("only %d files, %v", len(files), err)
	}
	replace := map[string]string{}
	for _, f := range files {
		target, err := filepath.Abs(filepath.Join("../../shell", filepath.Base(f)))
		if err != nil {
			t.Fatal(err)
		}
		replace[target] = f
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "../../shell").CombinedOutput(); err != nil {
		t.Errorf("not all compile: %v\n%s", err, out)
	}
}

// What cannot be copied is an error that says what to do.
func TestCannot(t *testing.T) {
	for _, c := range []struct{ name, lines, want string }{
		{"a method that uses a variable", "n := 1\ntype p struct{}; func (p) add() { n++ }\nfunc run(ctx context.Context) error { p{}.add(); return nil }", "a method of p uses the variable n"},
		{"a method that asks the peer, through a function", "func who() int { return len(members()) }\ntype p struct{}; func (p) ask() int { return who() }\nfunc run(ctx context.Context) error { p{}.ask(); return nil }", "a method of p asks for members"},
		{"a generic function with a variable", "n := 1\nfunc g[T any](v T) { n++ }\nfunc run(ctx context.Context) error { g(1); return nil }", "g uses the variable n"},
		{"the last value", "func run(ctx context.Context) error { println(_); return nil }", "the last value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := permanent.New(command(t, "x", "run", session(t, c.lines)))
			if !errors.Is(err, permanent.ErrCannot) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	s := session(t, "a, n := 1, time.Now()\nme := members()\nfunc run(ctx context.Context) error { fmt.Println(a, n, me); os.Getpid(); return nil }")
	c := command(t, "x", "run", s)
	c.Module = func(path string) string {
		return map[string]string{"time": "go get example.com/time@v1.2.3"}[path]
	}
	f, err := permanent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(f.Notes, "\n")
	for _, want := range []string{"As variables begin: a, n,", "Made anew at every call, since the peer is asked for it: me.", "Package os is not for package shell", "go get example.com/time@v1.2.3"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among\n%s", want, all)
		}
	}
}

// Only what does something else in a file is told.
func TestNothingToNote(t *testing.T) {
	s := session(t, "f := func() { fmt.Println(len(members())) }\ng := func() int { return 1 }\nfunc run(ctx context.Context) error { f(); g(); println(peer.Name()); return nil }")
	f, err := permanent.New(command(t, "x", "run", s))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Notes) > 0 {
		t.Errorf("%q", f.Notes)
	}
}

// What is declared again is what the newest names need, in its order.
func TestInputs(t *testing.T) {
	s := session(t, strings.Join([]string{
		"x := 1",
		"func old() int { return x }",
		"func gone() int { return x }",
		"type p struct{ n int }; func (v p) sum() int { return v.n + old() }",
		"x := \"text\"; println(x)",
		"const ( a = iota; b )",
		"func even(n int) bool { return n == 0 || odd(n-1) }; func odd(n int) bool { return n != 0 && even(n-1) }",
		"func last() { println(_) }",
		"func gone() string { return x }",
		"base := 3",
		"func also() int { return base + _ }",
		"func usesAlso() int { return also() + base }",
		"x = \"more\"",
	}, "\n"))
	var names []*check.Binding
	for _, b := range s.Names() {
		if b.Input > 0 {
			names = append(names, b)
		}
	}
	inputs, notes := permanent.Inputs(names)
	want := []string{
		"x := 1",
		"func old() int { return x }",
		"type p struct{ n int }\nfunc (v p) sum() int { return v.n + old() }",
		"x := \"text\"",
		"const ( a = iota; b )",
		"func even(n int) bool { return n == 0 || odd(n-1) }\nfunc odd(n int) bool { return n != 0 && even(n-1) }",
		"func gone() string { return x }",
		"base := 3",
	}
	if !slices.Equal(inputs, want) {
		t.Errorf("%q\nwant %q", inputs, want)
	}
	for i, name := range []string{"also", "last", "usesAlso"} {
		if len(notes) != 3 || !strings.HasPrefix(notes[i], name+" is left out: ") {
			t.Errorf("notes: %q, want one about %s", notes, name)
		}
	}
	again := session(t, "x := 0")
	for n, src := range inputs {
		in, err := again.Parse(n+2, src)
		if err != nil {
			t.Fatal(err)
		}
		line, err := again.Check(in)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		again.Commit(line.Units...)
	}
}

func TestNames(t *testing.T) {
	for command, want := range map[string][2]string{"hello": {"Hello", "hello_command.go"}, "say-it_now": {"SayItNow", "say_it_now_command.go"}, "größe": {"Größe", "größe_command.go"}, "你好": {"Kept你好", "你好_command.go"}} {
		if m, f := permanent.Method(command), permanent.FileName(command); m != want[0] || f != want[1] {
			t.Errorf("%s: %s, %s", command, m, f)
		}
	}
}
