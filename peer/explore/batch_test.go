package explore_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/check/checktest"
)

// A batch is the program that a table would be if its inputs stood in a file:
// declarations at package level, the rest in main, each input in a block inside
// of the one before, so that a name may be declared again. What Go does not
// allow there (a type declared twice, a method on an older type) is left out,
// and so is what depends on it. What is left runs under go run and in a
// session, and both must print the same.
type batch struct {
	parts []*part
	names map[string]string // imported: name to path
	with  types.Importer
}

// part is one input.
type part struct {
	n       int
	decls   []decl
	body    string   // statements, the last value given to batchShow
	vars    []string // that it declares
	uses    []string // that it does not declare itself
	imports []*ast.ImportSpec
	dropped bool
	quiet   bool // it has no effect: leaving it out leaves the rest alone
}

// decl is a declaration at the top level.
type decl struct {
	text    string
	names   []string
	uses    []string
	closure string // the same as a variable of main; empty if that cannot be
}

const batchHelp = "func batchShow(all ...any) { for _, v := range all { fmt.Printf(\"%+v :: %T\\n\", v, v) } }"

// exports are of what the lines of the tables use.
var exports = checktest.Exports(check.ErrNotLoaded, "bufio", "bytes", "context", "encoding/binary", "encoding/json", "fmt", "iter", "maps",
	"math/rand/v2", "net/http", "os/exec", "reflect", "regexp", "slices", "sort", "sync", "time")

// TestBatch compares a few inputs with go run; with PEERLAB_SOAK, all.
func TestBatch(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds programs: run without -short")
	}
	files, most, least := []string{"testdata/short.txt"}, 16, 8
	if os.Getenv("PEERLAB_SOAK") != "" {
		more, err := filepath.Glob("testdata/lines/*.txt")
		if err != nil {
			t.Fatal(err)
		}
		files, most, least = append(files, more...), math.MaxInt, 500
	}
	with := exports(t).Importer()
	total, ran := 0, 0
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			ran++
			lines := readLines(t, f)
			b := newBatch(lines[:min(most, len(lines))], with)
			want := goRun(t, b.program(t))
			p := start(t)
			if _, err := p.eval(batchHelp); err != nil {
				t.Fatal(err)
			}
			for _, part := range b.parts {
				if part.dropped {
					continue
				}
				total++
				got, err := p.eval(part.source())
				if err != nil {
					t.Fatal(err)
				}
				if got, want := plain(got), plain(want[part.n]); got != want {
					t.Errorf("%d: %s\nthe session prints\n%s\nand go run\n%s", part.n, part.source(), got, want)
				}
			}
			t.Logf("%d of %d inputs", b.kept(), len(b.parts))
		})
	}
	if ran == len(files) && total < least {
		t.Errorf("only %d inputs were compared", total)
	}
	t.Logf("%d inputs compared", total)
}

// plain leaves out what differs by design: the package's name, addresses,
// times, notes.
func plain(out string) string {
	out = strings.ReplaceAll(varying.ReplaceAllString(out, "~"), "main.", "repl.")
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "note: ") {
			b.WriteString(line)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func newBatch(lines []line, with types.Importer) *batch {
	b := &batch{with: with, names: map[string]string{"json": "encoding/json", "atomic": "sync/atomic", "rand": "math/rand/v2", "utf8": "unicode/utf8"}}
	for _, name := range strings.Fields("bufio bytes cmp context errors fmt io iter maps math os reflect regexp runtime slices sort strconv strings sync time unicode unsafe") {
		b.names[name] = name
	}
	for i, l := range lines {
		p := &part{n: i + 1}
		p.dropped = !p.read(l)
		for _, spec := range p.imports {
			b.imported(spec)
		}
		p.quiet = p.quiet || strings.HasPrefix(l.want, "ERR ‹")
		b.parts = append(b.parts, p)
	}
	return b
}

// special is what a batch cannot do: it ends the program, or is never the same.
var special = regexp.MustCompile(`//|/\*|\.Tag\b|runtime\.|unsafe\.Pointer|\["self"\]|time\.Now|time\.Since|\bfetch\b|\bos\.Exit|syscall|println?\(`)

// read takes an input apart. It is false for what no batch has.
func (p *part) read(l line) bool {
	pieces, ok := cut(l.src)
	p.gather(pieces)
	end := lastLine(l.want)
	panics, shown := strings.HasPrefix(end, "ERR panic:"), strings.Contains(end, " :: ")
	if !ok || special.MatchString(l.src) || strings.Contains(l.want, "goroutine of") || strings.Contains(l.want, "stack overflow") || strings.Contains(l.want, "ERR ") && !panics {
		return false
	}
	ends := false
	for i := range pieces {
		c := &pieces[i]
		p.imports = append(p.imports, c.imports...)
		if len(c.imports) > 0 {
			continue
		}
		if c.decl != nil {
			p.decls = append(p.decls, c.declaration())
			continue
		}
		text := c.text
		if i == len(pieces)-1 {
			if shown || panics && c.isValue() {
				text = "batchShow(" + text + ")"
			}
			if panics {
				text = "func() { defer func() { fmt.Println(\"panic:\", recover()) }(); " + text + " }()"
				ends = ends || len(c.vars) > 0
			}
		}
		ends = ends || c.ends()
		p.body += text + "\n"
	}
	if ends && (len(p.vars) > 0 || panics) {
		return false
	}
	if ends {
		p.body = "func() { " + p.body + " }()\n"
	}
	return true
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// gather notes what an input declares, and what it uses of others.
func (p *part) gather(pieces []piece) {
	own := map[string]bool{}
	for _, c := range pieces {
		for _, u := range c.uses {
			if !own[u] {
				p.uses = append(p.uses, u)
			}
		}
		p.vars = append(p.vars, c.vars...)
		for _, v := range c.vars {
			own[v] = true
		}
	}
}

// source is the part as a session gets it.
func (p *part) source() string {
	var b strings.Builder
	for _, spec := range p.imports {
		name := ""
		if spec.Name != nil {
			name = spec.Name.Name
		}
		fmt.Fprintf(&b, "import %s %s\n", name, spec.Path.Value)
	}
	for _, d := range p.decls {
		b.WriteString(d.text + "\n")
	}
	return b.String() + p.body
}

func (b *batch) kept() (n int) {
	for _, p := range b.parts {
		if !p.dropped {
			n++
		}
	}
	return n
}

// program makes the text of the batch. It leaves out parts until go/types has
// nothing against the rest.
func (b *batch) program(t *testing.T) string {
	for {
		b.poison()
		text, owner := b.text()
		bad, message := b.check(t, text)
		switch {
		case bad == 0:
			return text
		case bad > 0 && owner[bad] != nil:
			owner[bad].dropped = true
		case bad > 0:
			t.Fatalf("line %d: %s\n%s", bad, message, text)
		}
	}
}

// poison leaves out what depends on parts that were left out: on a name that
// one declares, or a variable that one may have changed.
func (b *batch) poison() {
	bad, variables := map[string]bool{}, map[string]bool{}
	reach := map[string][]string{} // of a function: what it uses
	for _, p := range b.parts {
		p.dropped = p.dropped || meets(p.uses, bad)
		switch {
		case p.dropped && p.quiet:
			continue
		case p.dropped:
			for _, n := range p.names() {
				bad[n] = true
			}
			for _, n := range p.uses {
				for _, u := range append(reach[n], n) {
					bad[u] = bad[u] || variables[u]
				}
			}
			continue
		}
		for _, n := range p.names() {
			bad[n] = false
		}
		for _, v := range p.vars {
			variables[v] = true
		}
		for _, d := range p.decls {
			for _, n := range d.names {
				for _, u := range d.uses {
					reach[n] = append(reach[n], append(reach[u], u)...)
				}
			}
		}
	}
}

func meets(names []string, set map[string]bool) bool {
	return slices.ContainsFunc(names, func(n string) bool { return set[n] })
}

// names are those that the part declares.
func (p *part) names() []string {
	all := slices.Clone(p.vars)
	for _, d := range p.decls {
		all = append(all, d.names...)
	}
	return all
}

// listing is a text and the parts that its lines are of.
type listing struct {
	top, body           strings.Builder
	ofTop, ofBody       []*part
	declared, variables map[string]bool // so far: at package level, in main
	blocks              int
}

func (g *listing) addTop(p *part, text string) {
	g.top.WriteString(text + "\n")
	g.ofTop = append(g.ofTop, slices.Repeat([]*part{p}, 1+strings.Count(text, "\n"))...)
}

func (g *listing) addBody(p *part, text string) {
	g.body.WriteString(text + "\n")
	g.ofBody = append(g.ofBody, slices.Repeat([]*part{p}, 1+strings.Count(text, "\n"))...)
}

// part writes a part; false if that cannot be.
func (g *listing) part(p *part) bool {
	g.addBody(p, fmt.Sprintf("{ fmt.Print(\"\\x01%d\\n\")", p.n))
	g.blocks++
	for _, v := range p.vars {
		g.variables[v] = true
	}
	for _, d := range p.decls {
		inMain := meets(d.uses, g.variables) || meets(d.names, g.variables) || meets(d.names, g.declared)
		switch {
		case inMain && d.closure == "":
			return false
		case inMain:
			g.addBody(p, d.closure)
		default:
			g.addTop(p, d.text)
		}
		for _, n := range d.names {
			if inMain {
				g.variables[n] = true
			} else {
				g.declared[n] = true
			}
		}
	}
	g.addBody(p, p.body)
	for _, v := range p.vars {
		g.addBody(p, "_ = "+v)
	}
	return true
}

// text writes the program, and tells which part each of its lines is of.
func (b *batch) text() (string, map[int]*part) {
	g := &listing{declared: map[string]bool{}, variables: map[string]bool{}}
	for _, p := range b.parts {
		if !p.dropped && !g.part(p) {
			p.dropped = true
			b.poison()
			return b.text()
		}
	}
	head := b.imports(g.top.String()+g.body.String()) + batchHelp + "\n"
	owner, at := map[int]*part{}, strings.Count(head, "\n")+1
	for i, p := range g.ofTop {
		owner[at+i] = p
	}
	for i, p := range g.ofBody {
		owner[at+len(g.ofTop)+1+i] = p
	}
	return head + g.top.String() + "func main() {\n" + g.body.String() + strings.Repeat("}", g.blocks) + "}\n", owner
}

// imported makes an import of a table one of the program.
func (b *batch) imported(spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return
	}
	name := filepath.Base(path)
	if spec.Name != nil {
		name = spec.Name.Name
	}
	if name != "_" && name != "." && b.names[name] == "" {
		b.names[name] = path
	}
}

// imports is the head of the program: the packages that it mentions.
func (b *batch) imports(text string) string {
	var out strings.Builder
	out.WriteString("package main\n")
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		if name == "fmt" || regexp.MustCompile(`\b`+name+`\.\pL`).MatchString(text) {
			fmt.Fprintf(&out, "import %s %q\n", name, b.names[name])
		}
	}
	return out.String()
}

var notUsed = regexp.MustCompile(`imported as (\w+) and not used|^"(?:.*/)?(\w+)" imported and not used`)

// check returns the first line with an error, 0 for none, and -1 if it is worth
// another try.
func (b *batch) check(t *testing.T, text string) (bad int, message string) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("what was taken apart does not fit together: %v\n%s", err, text)
	}
	again := false
	conf := types.Config{Importer: b.with, Error: func(err error) {
		var e types.Error
		if !errors.As(err, &e) {
			return
		}
		if m := notUsed.FindStringSubmatch(e.Msg); m != nil {
			delete(b.names, m[1]+m[2])
			again = true
			return
		}
		if line := fset.Position(e.Pos).Line; bad == 0 || line < bad {
			bad, message = line, e.Msg
		}
	}}
	_, _ = conf.Check("main", fset, []*ast.File{f}, nil) // Error has it
	if bad == 0 && again {
		return -1, ""
	}
	return bad, message
}

// goRun runs a program and returns what it prints, by the number of the part.
func goRun(t *testing.T, text string) map[int]string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "run", file)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := childtest.CombinedOutput(cmd)
	if err != nil {
		t.Fatalf("go run: %v\n%s\n%s", err, out, text)
	}
	got := map[int]string{}
	for _, chunk := range strings.Split(string(out), "\x01")[1:] {
		number, rest, _ := strings.Cut(chunk, "\n")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("%q: %v", chunk, err)
		}
		got[n] = rest
	}
	return got
}
