package fast

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/check/checktest"
)

// exports are of the packages that session imports, and of those in table.go.
var exports = checktest.Exports(check.ErrNotLoaded, append(slices.Collect(maps.Keys(tabled())), "net/url")...)

// P is what a line makes of the session's type P: lower-case names have the mark.
type P struct {
	Ɐꟸa  int
	Next *P
}

func (p P) Ɐꟸinc() P       { p.Ɐꟸa++; return p }
func (p *P) Ɐꟸset(a int)   { p.Ɐꟸa = a }
func (p P) String() string { return fmt.Sprint("P", p.Ɐꟸa) }

type Q struct {
	*P
	Tags map[string][]int
}

const session = `package repl
import ("bytes"; "errors"; "fmt"; "math"; "net/netip"; "net/url"; "strconv"; "strings"; "time")
var (_ = errors.New; _ = fmt.Sprint; _ = strconv.Itoa; _ = strings.Split; _ netip.Addr; _ = math.Pi; _ time.Time)
type P struct { a int; Next *P }
func (p P) inc() P
func (p *P) set(a int)
func (p P) String() string
type Q struct { *P; Tags map[string][]int }
var (
	n int; u8 uint8; i8 int8; i64 int64; u64 uint64; f float64; f32 float32; s string; b bool
	xs []int; arr [3]int; m map[string]int; anys map[any]int
	err, noErr error; x any; fn func(int) int; noFn func()
	buf *bytes.Buffer; link *url.URL; noLink *url.URL; d time.Duration; addr netip.Addr
	p, p0 P; pp, noP *P; q Q; ch chan int; bad any
)
func two() (int, string)
func none()
func sum(first int, more ...int) int
func isNil(all ...int) bool
func gen[T any](v T) T
func box[T any](v T) chan T
func show(v any) string
`

type values map[string]reflect.Value

func (v values) Lookup(obj types.Object) (reflect.Value, bool) {
	got, ok := v[obj.Name()]
	return got, ok
}

func (v values) Type(obj *types.TypeName) (reflect.Type, bool) {
	t, ok := map[string]reflect.Type{"P": reflect.TypeFor[P](), "Q": reflect.TypeFor[Q]()}[obj.Name()]
	return t, ok
}

func (v values) Fixed(obj types.Object) bool { return obj != nil && obj.Name() == "link" }

// fixture are the values behind session.
type fixture struct {
	fset   *token.FileSet
	with   types.Importer
	values values
	calls  int
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{fset: token.NewFileSet(), with: exports(t).Importer(), values: values{}}
	at := func(name string, pointer any) { f.values[name] = reflect.ValueOf(pointer).Elem() }
	n, u8, i8, fl, f32, s, b := 7, uint8(250), int8(-128), 2.5, float32(0.1), "héllo", true
	at("n", &n)
	at("u8", &u8)
	at("i8", &i8)
	at("f", &fl)
	at("f32", &f32)
	i64, u64 := int64(1<<60+1<<36+1), uint64(1<<63+1<<39+1) // by way of a float64, they are rounded twice
	at("i64", &i64)
	at("u64", &u64)
	at("s", &s)
	at("b", &b)
	at("xs", &[]int{3, 1, 2})
	at("arr", &[3]int{4, 5, 6})
	at("m", &map[string]int{"a": 1})
	at("anys", &map[any]int{1: 2})
	err, noErr, x, bad := errors.New("broken"), error(nil), any(n), any([]int{1})
	at("err", &err)
	at("noErr", &noErr)
	at("x", &x)
	at("bad", &bad)
	fn, noFn := func(i int) int { f.calls++; return i * 2 }, (func())(nil)
	at("fn", &fn)
	at("noFn", &noFn)
	buf, link, noLink, d := bytes.NewBufferString("text"), &url.URL{Scheme: "http", Host: "h:1"}, (*url.URL)(nil), 3*time.Second
	at("buf", &buf)
	at("link", &link)
	at("noLink", &noLink)
	at("d", &d)
	addr, p, p0, pp, noP, ch := netip.MustParseAddr("127.0.0.1"), P{Ɐꟸa: 1}, P{}, &P{Ɐꟸa: 5}, (*P)(nil), make(chan int, 4)
	at("addr", &addr)
	at("p", &p)
	at("p0", &p0)
	at("pp", &pp)
	at("noP", &noP)
	at("ch", &ch)
	at("q", &Q{P: pp, Tags: map[string][]int{"t": {8, 9}}})
	for name, v := range map[string]any{
		"two": func() (int, string) { return 1, "two" }, "none": func() { f.calls++ }, "show": func(v any) string { return fmt.Sprint(v) },
		"isNil": func(all ...int) bool { return all == nil },
		"sum": func(first int, more ...int) int {
			for _, v := range more {
				first += v
			}
			return first
		},
	} {
		f.values[name] = reflect.ValueOf(v)
	}
	return f
}

// check type-checks an expression beside the session's names.
func (f *fixture) check(t testing.TB, src string) check.Expr {
	t.Helper()
	file, err := parser.ParseFile(f.fset, "x.go", session+"\nfunc run() { show2("+src+") }\nfunc show2(...any)\n", 0)
	if err != nil {
		t.Fatal(err)
	}
	// The argument is checked on its own: as one of show2 a constant would have a type.
	var arg ast.Expr
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && arg == nil {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "show2" {
				arg = call.Args[0]
				call.Args = nil
			}
		}
		return true
	})
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{}}
	pkg, err := (&types.Config{Importer: f.with, Error: func(error) {}}).Check(check.Path, f.fset, []*ast.File{file}, info)
	if pkg == nil {
		t.Fatal(err)
	}
	if err := types.CheckExpr(f.fset, pkg, file.End()-1, arg, info); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return check.Expr{Node: arg, Info: info, Pkg: pkg}
}

// panicked is what an expression panicked with.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprint(p.value) }

func (f *fixture) eval(t testing.TB, src string) (values []reflect.Value, mine bool, err error) {
	t.Helper()
	p, ok := New(f.values).Prepare(f.check(t, src))
	if !ok {
		return nil, false, nil
	}
	defer func() {
		if v := recover(); v != nil {
			mine, err = true, panicked{v}
		}
	}()
	return p.Run(), true, nil
}

func one(v any) []any { return []any{v} }

func TestEval(t *testing.T) {
	f := newFixture(t)
	u8, i8, f32, n := uint8(250), int8(-128), float32(0.1), 7
	for _, test := range []struct {
		src  string
		want []any
	}{
		{`1 + 2`, one(3)}, {`'a'`, one('a')}, {`1.5`, one(1.5)}, {`"a" + "b"`, one("ab")}, {`n == 7 && !b`, one(false)}, {`2i`, one(2i)},
		{`n + 1`, one(8)}, {`u8 + 10`, one(u8 + 10)}, {`i8 - 1`, one(i8 - 1)}, {`i8 / -1`, one(i8 / int8(-n/7))}, {`-i8`, one(-i8)}, {`^u8`, one(^u8)},
		{`u8 << 1`, one(u8 << 1)}, {`i8 >> 3`, one(i8 >> 3)}, {`1 << n`, one(128)}, {`n &^ 3`, one(4)}, {`n % 4`, one(3)},
		{`f * 2`, one(5.0)}, {`f32 * f32`, one(f32 * f32)}, {`f32 / 3`, one(f32 / 3)}, {`f < 3 || n/(n-7) == 1`, one(true)}, {`s + "!"`, one("héllo!")}, {`s < "i"`, one(true)},
		{`xs[1]`, one(1)}, {`xs[len(xs)-1]`, one(2)}, {`arr[u8-248]`, one(6)}, {`s[1]`, one(byte(0xc3))}, {`s[1:3]`, one("é")}, {`xs[1:]`, one([]int{1, 2})}, {`xs[:0]`, one([]int{})},
		{`m["a"]`, one(1)}, {`m["b"]`, one(0)}, {`anys[1]`, one(2)}, {`len(m)`, one(1)}, {`cap(ch)`, one(4)}, {`len("abc")`, one(3)}, {`min(n, 3)`, one(3)}, {`max(n, 3, 9)`, one(9)}, {`min(s, "a")`, one("a")},
		{`err == nil`, one(false)}, {`noErr == nil`, one(true)}, {`x == 7`, one(true)}, {`x == "7"`, one(false)}, {`x != nil`, one(true)}, {`noP == nil`, one(true)}, {`nil == noFn`, one(true)},
		{`err.Error()`, one("broken")}, {`fn(n) + fn(1)`, one(16)}, {`sum(1)`, one(1)}, {`sum(1, 2, 3)`, one(6)}, {`sum(1, xs...)`, one(7)}, {`isNil()`, one(true)}, {`isNil(1)`, one(false)}, {`isNil([]int{}...)`, one(false)}, {`isNil(nil...)`, one(true)}, {`show(nil)`, one("<nil>")}, {`show(n)`, one("7")}, {`two()`, []any{1, "two"}}, {`none()`, nil},
		{`buf.Len()`, one(4)}, {`buf.String()[1:]`, one("ext")}, {`link.Host`, one("h:1")}, {`link.Port()`, one("1")}, {`(*link).Scheme`, one("http")}, {`link.String()`, one("http://h:1")}, {`link.User == nil`, one(true)},
		{`strings.Split("a,b", ",")`, one([]string{"a", "b"})}, {`strconv.Itoa(n)`, one("7")}, {`fmt.Sprintf("%d-%v", n, xs)`, one("7-[3 1 2]")}, {`errors.Is(err, err)`, one(true)}, {`math.Sqrt(f * 1.6)`, one(2.0)},
		{`time.Second`, one(time.Second)}, {`d + 2*time.Second`, one(5 * time.Second)}, {`d.Seconds()`, one(3.0)}, {`time.Duration(n)`, one(time.Duration(7))}, {`d > time.Minute`, one(false)}, {`time.Unix(0, 0).UTC().Year()`, one(1970)}, {`time.UTC.String()`, one("UTC")},
		{`netip.MustParseAddr("::1").Is6()`, one(true)}, {`addr.IsLoopback()`, one(true)}, {`addr == netip.MustParseAddr("127.0.0.1")`, one(true)}, {`addr.Compare(netip.IPv6Unspecified()) < 0`, one(true)},
		{`int(f)`, one(2)}, {`float64(n) / 2`, one(3.5)}, {`uint8(n) - 8`, one(uint8(255))}, {`[]byte("ab")`, one([]byte("ab"))}, {`string([]byte("ab"))`, one("ab")}, {`cap([]byte("abcde"))`, one(5)}, {`cap([]byte(""))`, one(0)}, {`string(rune(n + 58))`, one("A")}, {`float32(i64)`, one(float32(1<<60 + 1<<37))}, {`float32(u64)`, one(float32(1<<63 + 1<<40))}, {`any(n)`, one(7)}, {`error(nil) == noErr`, one(true)},
		{`[]int{1, n}`, one([]int{1, 7})}, {`map[string]int{"k": n}["k"]`, one(7)}, {`[]any{nil, n}`, one([]any{nil, 7})}, {`[]string{}`, one([]string{})},
		{`append(xs, 4)`, one([]int{3, 1, 2, 4})}, {`len(append(xs, xs...))`, one(6)}, {`append([]string{}, s)`, one([]string{"héllo"})}, {`make([]int, 2)`, one([]int{0, 0})}, {`cap(make([]int, 1, 4))`, one(4)}, {`*new(int)`, one(0)}, {`len(make(map[string]int))`, one(0)},
		{`p.a`, one(1)}, {`p.inc().a`, one(2)}, {`p.inc().inc().String()`, one("P3")}, {`pp.a`, one(5)}, {`pp.inc().a`, one(6)}, {`p == p0`, one(false)}, {`p.inc() == P{a: 2}`, one(true)}, {`p != P{1, nil}`, one(false)},
		{`p == *&P{a: 1}`, one(true)}, {`&p == nil`, one(false)}, {`P(p).a`, one(1)}, {`q.a`, one(5)}, {`q.P.a`, one(5)}, {`q.Tags["t"][1]`, one(9)}, {`q.String()`, one("P5")}, {`p.Next == nil`, one(true)},
	} {
		t.Run(test.src, func(t *testing.T) {
			got, mine, err := f.eval(t, test.src)
			if err != nil || !mine {
				t.Fatalf("mine %v, %v", mine, err)
			}
			var have []any
			for _, v := range got {
				have = append(have, v.Interface())
			}
			if !reflect.DeepEqual(have, test.want) {
				t.Errorf("got %#v, want %#v", have, test.want)
			}
		})
	}
}

// TestEffects changes variables through pointers, as Go does.
func TestEffects(t *testing.T) {
	f := newFixture(t)
	for _, test := range []struct {
		effect, look string
		want         any
	}{
		{`p.set(41)`, `p.a`, 41}, {`pp.set(2)`, `q.a`, 2}, {`buf.WriteString("!")`, `buf.String()`, "text!"}, {`q.set(9)`, `pp.a`, 9}, {`delete(m, "a")`, `len(m)`, 0}, {`clear(anys)`, `len(anys)`, 0}, {`close(ch)`, `<-ch`, 0},
	} {
		if _, mine, err := f.eval(t, test.effect); err != nil || !mine {
			t.Fatalf("%s: mine %v, %v", test.effect, mine, err)
		}
		got, _, err := f.eval(t, test.look)
		if err != nil || len(got) != 1 || got[0].Interface() != test.want {
			t.Errorf("after %s %s is %v, %v, want %v", test.effect, test.look, got, err, test.want)
		}
	}
}

// TestNotMine are expressions for the compiler. None may run, not even in part:
// each would call fn first.
func TestNotMine(t *testing.T) {
	f := newFixture(t)
	for _, src := range []string{
		`func() int { return fn(1) }`, `func() int { return fn(1) }()`, `fn(1) + x.(int)`, `gen(fn(1))`, `fn(1) + len([]P{})`,
		`copy(xs, []int{fn(1)})`, `make([]int, fn(1))`, `buf.Len`, `(*P).set`, `uint8(f * float64(fn(1)))`, `&xs`, `[2]int{fn(1), 2}`,
		`struct{ a int }{fn(1)}`, `[]P{{a: fn(1)}}`, `map[string]P{}`, `arr[fn(0):]`, `xs[:fn(1):2]`, `min(f, float64(fn(1)))`, `<-box(fn(1))`, `complex(f, f)`, `64 >> ^(2 >> u8)`,
	} {
		t.Run(src, func(t *testing.T) {
			before := f.calls
			got, mine, err := f.eval(t, src)
			if mine || err != nil || got != nil || f.calls != before {
				t.Errorf("got %v, mine %v, %v, %d calls; want it left alone", got, mine, err, f.calls-before)
			}
		})
	}
}

// TestSeveral evaluates a list, and takes it as a whole or not at all.
func TestSeveral(t *testing.T) {
	f := newFixture(t)
	e := New(f.values)
	p, ok := e.Prepare(f.check(t, `n + 1`), f.check(t, `none()`), f.check(t, `two()`))
	if !ok {
		t.Fatal("not simple")
	}
	if got := p.Run(); len(got) != 3 || got[0].Interface() != 8 || got[2].Interface() != "two" || f.calls != 1 {
		t.Errorf("got %v, %d calls", got, f.calls)
	}
	if _, ok := e.Prepare(f.check(t, `fn(1)`), f.check(t, `gen(1)`)); ok || f.calls != 1 {
		t.Errorf("taken: %v, %d calls", ok, f.calls)
	}
}

// TestOrdered finds expressions whose value depends on when a variable is read.
func TestOrdered(t *testing.T) {
	f := newFixture(t)
	for src, want := range map[string]bool{
		`n + 1`: true, `fn(n) + fn(n)`: true, `fn(1) + n`: true, `n + fn(1)`: false, `n + len(s)`: true, `sum(n, fn(1))`: false, `sum(fn(1), n)`: true,
		`n + strconv.IntSize`: true, `s + strings.ToUpper(s)`: true, `s == link.Port()`: true, `link.Host + link.Port()`: false, `link.Port() + link.Host`: true,
		`xs[0] + fn(1)`: false, `xs[fn(0)]`: false, `arr[n] + <-ch`: false, `<-ch + n`: true, `n == 7 && fn(1) == 2`: true, `n == 7 && n+fn(1) == 2`: false, `s + fmt.Sprint(x)`: false, `s + fmt.Sprint(n)`: true,
		`n / n + len(strconv.Itoa(n))`: false, `n*n + len(strconv.Itoa(n))`: true, `p.a + p.inc().a`: false, `[]int{n, fn(1)}`: false, `[]int{fn(1), n}`: true, `P{a: fn(1)}.a + n`: true,
		`f*f + f`: false, `f - (f * f)`: false, `f*f - 1`: false, `-(f*f) + f`: false, `f - +(f*f)`: false, `-f + f*2*f`: false, `-(f + f) + f`: true, `float64(f*f) + f`: true, `f * (f + f)`: true, `n*n + n`: true,
	} {
		if p, ok := New(f.values).Prepare(f.check(t, src)); !ok || p.Certain != want {
			t.Errorf("%s: simple %v, ordered %v, want %v", src, ok, p.Certain, want)
		}
	}
	if p, ok := New(f.values).Prepare(f.check(t, `n`), f.check(t, `fn(1)`)); !ok || p.Certain {
		t.Error("a list whose parts are read before they are changed has an order")
	}
}

// TestOrderedAssignment is the same for what an assignment adds.
func TestOrderedAssignment(t *testing.T) {
	f := newFixture(t)
	for src, want := range map[string]bool{`f += f * f`: false, `f -= -(f * f)`: false, `f *= f * f`: true, `f += f`: true, `f = f * f`: true, `n += n * n`: true, `f32 += f32 * 2`: false} {
		file, err := parser.ParseFile(f.fset, "x.go", session+"\nfunc run() { "+src+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		if pkg, err := (&types.Config{Importer: f.with, Error: func(error) {}}).Check(check.Path, f.fset, []*ast.File{file}, info); pkg == nil {
			t.Fatal(err)
		}
		run := file.Decls[len(file.Decls)-1].(*ast.FuncDecl)
		if p, ok := New(f.values).Statement(info, run.Body.List[0], nil); !ok || p.Certain != want {
			t.Errorf("%s: simple %v, ordered %v, want %v", src, ok, p.Certain, want)
		}
	}
}

func TestPanics(t *testing.T) {
	f := newFixture(t)
	for _, test := range []struct{ src, want string }{
		{`xs[n]`, "runtime error: index out of range [7] with length 3"},
		{`arr[n]`, "runtime error: index out of range [7] with length 3"},
		{`xs[-n]`, "runtime error: index out of range [-7]"},
		{`s[n]`, "runtime error: index out of range [7] with length 6"},
		{`xs[:n]`, "runtime error: slice bounds out of range [:7] with capacity 3"},
		{`xs[n-4:n-5]`, "runtime error: slice bounds out of range [3:2]"},
		{`s[:n]`, "runtime error: slice bounds out of range [:7] with length 6"},
		{`xs[:u64]`, "runtime error: slice bounds out of range [:9223372586610589697] with capacity 3"},
		{`xs[u64:]`, "runtime error: slice bounds out of range [9223372586610589697:3]"},
		{`xs[u64:-n]`, "runtime error: slice bounds out of range [:-7]"},
		{`s[i8:u64]`, "runtime error: slice bounds out of range [:9223372586610589697] with length 6"},
		{`s[i8:u8-248]`, "runtime error: slice bounds out of range [-128:]"},
		{`n / (n - 7)`, "runtime error: integer divide by zero"},
		{`1 << (n - 8)`, "runtime error: negative shift amount"},
		{`noLink.Host`, "runtime error: invalid memory address or nil pointer dereference"},
		{`*noP`, "runtime error: invalid memory address or nil pointer dereference"},
		{`noP.inc()`, "runtime error: invalid memory address or nil pointer dereference"},
		{`noErr.Error()`, "runtime error: invalid memory address or nil pointer dereference"},
		{`noFn()`, "runtime error: invalid memory address or nil pointer dereference"},
		{`anys[bad]`, "runtime error: hash of unhashable type []int"},
		{`bad == bad`, "runtime error: comparing uncomparable type []int"},
		{`netip.MustParseAddr("x").Is6()`, `ParseAddr("x"): unable to parse IP`},
	} {
		t.Run(test.src, func(t *testing.T) {
			_, mine, err := f.eval(t, test.src)
			if !mine || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("mine %v, %v, want %q", mine, err, test.want)
			}
		})
	}
}

// TestTypes holds that the values have the types that the checker gave.
func TestTypes(t *testing.T) {
	f := newFixture(t)
	for src, want := range map[string]string{`any(n)`: "interface {}", `err`: "error", `f32 + 1`: "float32", `u8 == 1`: "bool", `errors.New("x")`: "error", `math.MaxUint32`: "int", `time.March`: "time.Month"} {
		got, mine, err := f.eval(t, src)
		if !mine || err != nil || got[0].Type().String() != want {
			t.Errorf("%s: %v %v %v, want %s", src, got, mine, err, want)
		}
	}
	if _, mine, _ := f.eval(t, `1 << 100`); mine {
		t.Error("a constant that no int holds was taken")
	}
}

func BenchmarkEval(b *testing.B) {
	f := newFixture(b)
	e := New(f.values)
	for _, src := range []string{`n + 1`, `link.Port()`, `strings.Split(s, "l")`} {
		x := f.check(b, src)
		b.Run(src, func(b *testing.B) {
			for b.Loop() {
				p, ok := e.Prepare(x)
				if !ok {
					b.Fatal("not simple")
				}
				p.Run()
			}
		})
	}
}
