package check

import (
	"fmt"
	"go/types"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check/checktest"
)

var exports = checktest.Exports(ErrNotLoaded,
	"fmt", "errors", "os", "log", "time", "strings", "math/bits", "encoding/binary", "sync", "sort")

func newSession(t testing.TB) *Session {
	t.Helper()
	e := exports(t)
	s, err := New(Config{Packages: e, Open: e.Open,
		Imports: map[string]string{"fmt": "fmt", "errors": "errors", "os": "os", "time": "time", "strings": "strings", "sync": "sync", "sort": "sort"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eval checks and commits one input, and describes what came of it.
func eval(s *Session, n int, src string) string {
	in, err := s.Parse(n, src)
	if err != nil {
		return "ERR " + err.Error()
	}
	line, err := s.Check(in)
	if err != nil {
		return "ERR " + err.Error()
	}
	s.Commit(line.Units...)
	var parts []string
	for _, v := range line.Values {
		text := Plain(v.Type)
		if v.Const != nil {
			text = v.Const.String() + " " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(append(parts, line.Notes...), ", ")
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ name, lines string }{
		{"newest wins", `x := 1
x #=> int
x := "s"
x #=> string`},
		{"functions keep the old", `x := 1
func f() int { return x }
x := "s"
f() #=> int`},
		{"lower-case fields of earlier lines", `type P struct{ a int; b string }
p := P{1, "x"}
p.a, p.b #=> int, string
p = P{2, "y"}`},
		{"old and new type", `type P struct{ a int }
p := P{1}
type P struct{ a string }
p = P{"x"} #=> ERR ‹4›:1:5: cannot use P{…} (value of struct type P) as P‹1› value in assignment`},
		{"package mode first", `func use(f func() int) int { return fx() + f() }; var gx = fx(); func fx() int { return hx }; var hx = 4
gx, use(fx) #=> int, int`},
		{"x of the x before", `var x = 1
var x = x + 1
x #=> int`},
		{"declarations after statements", `a := 1; func f() int { return a }; f() #=> int`},
		{"constants beyond int", `1 << 100 #=> 1267650600228229401496703205376 untyped int
const big = 1 << 100
big #=> 1267650600228229401496703205376 untyped int
big >> 98 #=> 4 int`},
		{"types", `type P struct{ a int }
P #=> P
[]P #=> []P
struct{ a int; B string } #=> struct{a int; B string}
chan (<-chan int) #=> chan (<-chan int)`},
		{"no value", `func f() {}
f()
clear(map[int]int{})
f #=> func()`},
		{"several results", `func g() (n int, err error) { return 1, nil }
g() #=> int, error`},
		{"results of printing", `fmt.Println(1)`},
		{"errors", `undefinedThing(3) #=> ERR ‹1›:1:1: undefined: undefinedThing
x := 1; x.foo #=> ERR ‹2›:1:11: x.foo undefined (type int has no field or method foo)
func broken( { #=> ERR ‹3›:1:14: expected ')', found '{'
} #=> ERR ‹4›:1:1: unexpected }
var n int = "s" #=> ERR ‹5›:1:13: cannot use "s" (untyped string constant) as int value in variable declaration`},
		{"refused", `os.Exit(3) #=> ERR ‹1›:1:4: os.Exit would end the whole peer: refused
e := os.Exit #=> ERR ‹2›:1:9: os.Exit would end the whole peer: refused
import "log"
log.Fatal("x") #=> ERR ‹4›:1:5: log.Fatal would end the whole peer: refused
log.Default().Fatalf("x") #=> ERR ‹5›:1:15: (*log.Logger).Fatalf would end the whole peer: refused
import "C" #=> ERR ‹6›:1:1: cgo is not available in a session: put the C code in a package of your own and import that
func init() {} #=> ERR ‹7›:1:6: func init has no meaning in a session: type its statements instead
log := 3
log #=> int
fmt.Scanln() #=> ERR ‹10›:1:5: fmt.Scanln takes what is typed to the peer itself: refused; read from a string or a file
f := os.Stdin #=> ERR ‹11›:1:9: os.Stdin takes what is typed to the peer itself: refused; read from a string or a file`},
		{"method on an older type", `type P struct{ a int }
func (p P) inc() P { p.a++; return p } #=> note: P is a new type from here on (Go cannot add a method to an existing one); older variables and functions keep the old P, convert them with P(v)
P{1}.inc() #=> P
func (p *P) dec() { p.a-- } #=> note: P is a new type from here on (Go cannot add a method to an existing one); older variables and functions keep the old P, convert them with P(v)
P{1}.inc() #=> P
type N struct{ next *N }
func (n N) get() int { return 0 } #=> note: N is a new type from here on (Go cannot add a method to an existing one); older variables and functions keep the old N, which cannot be converted, since it refers to itself`},
		{"method after a statement", `type conf struct{ a int }; c1 := conf{1}; func (c conf) get() int { return c.a }; c1.get() #=> int
type late struct{}; y := 2; func (late) get() int { return y } #=> ERR ‹2›:1:35: this method of late uses what the same input declares between them: type it as an input of its own`},
		{"methods of what is no type of the session", `x := 1
func (v x) get() {} #=> ERR ‹2›:1:9: x is not a type
type M = map[string]int
func (m M) get() {} #=> ERR ‹4›:1:9: M is another name of a type, or one of another package: Go allows it no methods here
import . "strings"
func (b *Builder) get() {} #=> ERR ‹6›:1:9: Builder is another name of a type, or one of another package: Go allows it no methods here
func (v nothing) get() {} #=> ERR ‹7›:1:9: undefined: nothing
func (v string) get() {} #=> ERR ‹8›:1:9: cannot define new methods on non-local type string
func (v sort) get() {} #=> ERR ‹9›:1:9: undefined: sort`},
		{"imports", `import str "strings"
str.ToUpper("x") #=> string
import . "math/bits"
OnesCount(255) #=> int
import "no/such" #=> ERR ‹5›:1:1: package no/such is not loaded: import it first
func strings() int { return 1 }
strings() #=> int
strings.ToUpper("x") #=> ERR ‹8›:1:9: strings.ToUpper undefined (type func() int has no field or method ToUpper)`},
		{"a generic function is no value", `func sum[N int | float64](ns ...N) (t N) { return }
sum #=> ERR ‹2›:1:1: cannot infer N (declared at ‹1›:1:10)`},
		{"unused is no error", `x := 1; { y := 2 }; for i, v := range []int{1} { }
L: for { break }
switch t := any(1).(type) { case int: }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSession(t)
			for i, line := range strings.Split(c.lines, "\n") {
				src, want, _ := strings.Cut(line, " #=> ")
				if got := eval(s, i+1, src); got != want {
					t.Errorf("%s\n got %s\nwant %s", src, got, want)
				}
			}
		})
	}
}

// TestLastValue reads "_" more often than an input is checked again.
func TestLastValue(t *testing.T) {
	s := newSession(t)
	s.BindType(LastName, types.Typ[types.Int])
	for src, want := range map[string]string{
		"_" + strings.Repeat(" + _", 20):        "int",
		"func() int { _ = 1; return _\n}() * _": "int",
		"_ + nothing":                           "ERR ‹1›:1:5: undefined: nothing",
		"_++":                                   "ERR ‹1›:1:1: _ is the peer's own: it cannot be changed; make a variable of your own with :=",
		"os.Exit(1)" + strings.Repeat("; os.Exit(2)", 20): "ERR ‹1›:1:4: os.Exit would end the whole peer: refused",
	} {
		if got := eval(s, 1, src); got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	for src, want := range map[string]bool{
		"": true, "x": true, "x := 1": true, "func f() {": false, "func f() {\n}": true, "f(1,": false, "x +": false,
		"x :=": false, "if x {": false, "for i := 0; i < 3; i++ {": false, "type P struct {": false, "`raw": false,
		"/* comment": false, `"abc`: true, "}": true, `fmt.Println("a")}`: true, "func broken( {": true, "x y": true,
		"x := []int{1,\n2,": false, "switch x {\ncase 1:": false, "import (": false, "import (\n\"fmt\"\n)": true,
		"func(a int) int {": false, "func(a int) int { return a }(": false, "// a comment": true, "x. ": false,
		"L:": true, "a, b := f(), ": false, "func f() { x y ": true, "'a": true, "x := func() {": false, "f(func() {\n}": false,
	} {
		if got := Complete(src); got != want {
			t.Errorf("Complete(%q) = %v", src, got)
		}
	}
}

// TestNothingIsTooMuch checks the inputs of the tables with a token left out,
// doubled or replaced by one of another input: whatever a person types, it is
// right or it is an error, of go/types too.
func TestNothingIsTooMuch(t *testing.T) {
	files, err := filepath.Glob("../testdata/lines/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no tables", err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var before []word
	from := ""
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, n := newSession(t), 0
		for line := range strings.Lines(string(raw)) {
			src, ok := strings.CutPrefix(strings.TrimSpace(line), "> ")
			words, _ := scan(src)
			if !ok || len(words) == 0 {
				continue
			}
			w := words[rng.IntN(len(words))]
			with := ""
			switch rng.IntN(3) {
			case 0:
				with = src[w.start:w.end] + " " + src[w.start:w.end]
			case 1:
				if len(before) > 0 {
					o := before[rng.IntN(len(before))]
					with = from[o.start:o.end]
				}
			}
			for _, text := range []string{src, src[:w.start] + with + src[w.end:]} {
				n++
				if got := eval(s, n, text); strings.Contains(got, "gives up") {
					t.Errorf("%s\n%s", text, got)
				}
			}
			before, from = words, src
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s := newSession(b)
	eval(s, 1, `type P struct{ a int }; func (p P) inc() P { p.a++; return p }; p := P{1}`)
	for b.Loop() {
		in, _ := s.Parse(2, `fmt.Println(p.inc().a, strings.ToUpper("x"))`)
		if _, err := s.Check(in); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLongInputs has inputs that must not take much longer than others of their
// length: one with an error at its head, and one of many methods.
func TestLongInputs(t *testing.T) {
	const n = 1000
	took := func(src string) time.Duration {
		least := time.Hour
		for range 3 {
			began := time.Now()
			_, _ = newSession(t).Parse(1, src) // of the error we know
			least = min(least, time.Since(began))
		}
		return least
	}
	funcs, methods := "type T int\n", "type T int\n"
	for i := range n {
		funcs += fmt.Sprintf("func f%d() int { return 1 }\n", i)
		methods += fmt.Sprintf("func (T) f%d() int { return 1 }\n", i)
	}
	lines := strings.Repeat("x = 1\n", 4*n)
	for name, c := range map[string]struct{ plain, long string }{
		"an error at the head": {lines, "a b\n" + lines},
		"many methods":         {funcs, methods},
	} {
		if plain, long := took(c.plain), took(c.long); long > 20*plain {
			t.Errorf("%s: it took %v, and without %v", name, long, plain)
		}
	}
}
