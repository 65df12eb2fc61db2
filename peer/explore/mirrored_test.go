package explore_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// bare makes a session without a compiler, and counts the calls of tick in it.
func bare(t *testing.T) (eval func(string) (string, error), ticks *int) {
	t.Helper()
	ticks = new(int)
	p := lab.NewPeer(crowd{})
	s, err := explore.New(explore.Config{Bound: map[string]any{
		"peer": p, "members": p.Members, "tick": func() int { *ticks++; return *ticks }, "exit": runtime.Goexit, "fail": func() { panic(errors.New("failed")) },
	}})
	if err != nil {
		t.Fatal(err)
	}
	return func(src string) (string, error) {
		var out strings.Builder
		err := s.Eval(t.Context(), src, &out)
		return strings.TrimSuffix(out.String(), "\n"), err
	}, ticks
}

// TestWithoutCompiler is a session of lines that need none, each with what it
// shows.
func TestWithoutCompiler(t *testing.T) {
	eval, _ := bare(t)
	for _, l := range []struct{ src, want string }{
		{`len(members()) == 3`, "true :: bool"}, {`peer.Members()[2]`, "charly :: lab.Member"}, {`m := members()[1]`, ""}, {`m.Name, m.Self`, `"bob", false :: string, bool`},
		{`m.Name = "robert"; m`, "robert :: lab.Member"}, {`members()[1].Name`, `"bob" :: string`},
		{`n := 1; n++; n`, "2 :: int"}, {`old := &n`, ""}, {`n := "new"; n`, `"new" :: string`}, {`*old += 40; *old, n`, `42, "new" :: int, string`}, {`n += "er"; n`, `"newer" :: string`},
		{`var b bytes.Buffer; b.WriteString("kept"); b.String()`, `"kept" :: string`}, {`b.Len()`, "4 :: int"}, {`c := b; c.Reset(); b.Len(), c.Len()`, "4, 0 :: int, int"},
		{`var e error; e == nil`, "true :: bool"}, {`e = errors.New("bad"); e`, "bad :: error"}, {`_.Error()`, `"bad" :: string`}, {`_ + "!"`, `"bad!" :: string`},
		{`v, err := strconv.Atoi("7"); v`, "7 :: int"}, {`err == nil`, "true :: bool"}, {`v, err = strconv.Atoi("x"); v, err`, `0, strconv.Atoi: parsing "x": invalid syntax :: int, error`},
		{`import "net/netip"`, ""}, {`netip.MustParseAddr("::1").Is6()`, "true :: bool"}, {`import s "strings"; s.ToUpper("x")`, `"X" :: string`}, {`import . "math"`, ""}, {`Sqrt(4) + Pi*0`, "2 :: float64"},
		{`fmt.Println("said"); fmt.Printf("%T\n", m)`, "said\nlab.Member"}, {`print(1, "\n")`, "1"}, {`time.Duration`, "int64 :: time.Duration"}, {`1 << 100`, "1267650600228229401496703205376 :: untyped int"},
		{`func`, "!"}, {`len`, "!"}, {`x := 3; y := x * 2; y - x`, "3 :: int"}, {`x, y = y, x; x, y`, "6, 3 :: int, int"}, {`x := x + 1; x`, "7 :: int"},
		{`mm := map[string]int{}; mm["a"]++; mm`, `map["a":1] :: map[string]int`}, {`got, ok := mm["a"]; got, ok`, "1, true :: int, bool"}, {`got, ok = mm["b"]; got, ok`, "0, false :: int, bool"},
		{`var a any = 5; i, isInt := a.(int); i, isInt`, "5, true :: int, bool"}, {`st, isString := a.(string); st, isString`, `"", false :: string, bool`}, {`_, isErr := a.(error); isErr`, "false :: bool"}, {`er, isErr := any(e).(error); er, isErr`, "bad, true :: error, bool"},
		{`_, no := any(nil).(int); no`, "false :: bool"}, {`xs := []int{1, 2}; xs[1] = 5; ys := xs[1:]; ys[0]++; xs`, "[1 6] :: []int"},
		{`at := 0; zs := []int{1, 2}; var none *strconv.NumError; noMap := map[string]int(nil)`, ""}, {`at, zs[2] = 1, 9`, "!"}, {`at`, "1 :: int"}, {`zs[2], at = 9, 2`, "!"}, {`at`, "1 :: int"}, {`at, none.Func = 3, "x"`, "!"}, {`at`, "3 :: int"}, {`at, noMap["x"] = 4, 9`, "!"}, {`at`, "4 :: int"},
		{`at, zs[zs[2]] = 5, 9`, "!"}, {`at`, "4 :: int"}, {`at = 0; at, zs[at] = 1, 7; zs`, "[7 2] :: []int"}, {`zs[0], zs[1] = zs[1], zs[0]; zs`, "[2 7] :: []int"}, {`zs, zs[0] = nil, 8; zs`, "[] :: []int"},
		{`int8(5)`, "5 :: int8"}, {`_ + 1`, "6 :: int8"}, {`2i`, "(0+2i) :: complex128"}, {`_`, "(0+2i) :: complex128"}, {`float32(0.5)`, "0.5 :: float32"}, {`_ * 2`, "1 :: float32"}, {`time.March`, "March :: time.Month"}, {`_ + 1`, "April :: time.Month"},
		{`map[int]string{10: "a", 9: "b", -1: "c"}`, `map[-1:"c" 9:"b" 10:"a"] :: map[int]string`}, {`map[string]int{"b": 1, "a": 2}`, `map["a":2 "b":1] :: map[string]int`}, {`mm := map[string]any{}; mm["b"] = mm; mm["a"] = 1; mm`, `map["a":1 "b":map["a":1 "b":map["a":1 "b":map["a":1 "b":map["a":1 "b":map["a":1 "b":map[…:… …:…]]]]]]] :: map[string]any`}, {`_ = 0; time.March`, "March :: time.Month"}, {`_ + 1`, "April :: time.Month"},
		{`math.MaxFloat64 - 7`, "1.7976931348623157e+308 :: float64"}, {`-math.MaxFloat64 * 1 / math.MaxFloat64`, "-1 :: float64"}, {`math.MaxUint64 / 3`, "6148914691236517205 :: int"}, {`_ = 0; time.March`, "March :: time.Month"}, {`_ + 1`, "April :: time.Month"},
		{`1e400`, "1e+400 :: untyped float"}, {`1 << 70`, "1180591620717411303424 :: untyped int"}, {`_`, "April :: time.Month"},
	} {
		got, err := eval(l.src)
		if l.want == "!" && err == nil || l.want != "!" && (err != nil || got != l.want) {
			t.Errorf("%s: %q, %v, want %q", l.src, got, err, l.want)
		}
	}
}

// loud is a value that tells how often it was printed.
type loud struct{ times *int }

func (l loud) String() string { *l.times++; return strings.Repeat("x", 1000) }

// TestLargeMap prints no more of a map than is shown.
func TestLargeMap(t *testing.T) {
	times, big := 0, map[int]map[int]loud{}
	for i := range 100 {
		big[i] = map[int]loud{}
		for j := range 100 {
			big[i][j] = loud{&times}
		}
	}
	s, err := explore.New(explore.Config{Bound: map[string]any{"big": big}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := s.Eval(t.Context(), "big", &out); err != nil || !strings.HasPrefix(out.String(), "map[0:map[0:xxx") || !strings.Contains(out.String(), "…") {
		t.Errorf("%v, %.100q", err, out.String())
	}
	if times > 20 {
		t.Errorf("%d values were printed to show 16", times)
	}
}

// library is a value with a field of its own.
type library struct {
	Open  map[string]int
	inner map[string]int
	none  map[string]int
}

// TestLibrarysOwn leaves maps alone that only a library may look into.
func TestLibrarysOwn(t *testing.T) {
	s, err := explore.New(explore.Config{Bound: map[string]any{"lib": &library{Open: map[string]int{"a": 1}, inner: map[string]int{"b": 2}, none: map[string]int{}}}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := s.Eval(t.Context(), "lib", &out); err != nil || !strings.HasPrefix(out.String(), `&{Open:map["a":1] inner:map[…] none:map[]} ::`) {
		t.Errorf("%v, %s", err, out.String())
	}
}

// TestWhatIsMissing: errors that are true without a compiler are told, others
// are left to one. Nothing of such a line has run.
func TestWhatIsMissing(t *testing.T) {
	eval, ticks := bare(t)
	for src, want := range map[string]error{
		`tick(); func() {}()`: explore.ErrNoCompiler, `tick() + slices.Max([]int{1})`: explore.ErrNoCompiler, `tick() + strings.Nothing`: explore.ErrNoCompiler, `tick(); import "net/http"`: explore.ErrNoCompiler,
		`a := tick(); for {}`: explore.ErrNoCompiler, `func f() {}`: explore.ErrNoCompiler, `type T int`: explore.ErrNoCompiler, `os.Exit(tick())`: explore.ErrNoCompiler, `tick(); []lab.Member{}`: nil,
		`tick() + "x"`: nil, `tick() + nothing`: nil, `tick().Nothing`: nil, `peer = peer`: check.ErrRefused, `tick(`: nil,
	} {
		got, err := eval(src)
		var wrong *check.Error
		if want == nil && !errors.As(err, &wrong) || want != nil && !errors.Is(err, want) || got != "" {
			t.Errorf("%s: %q, %v, want %v", src, got, err, want)
		}
	}
	if *ticks != 0 {
		t.Errorf("%d calls were made by lines that could not be evaluated", *ticks)
	}
	if got, err := eval("tick() + tick()*10"); got != "21 :: int" || err != nil || *ticks != 2 {
		t.Errorf("%q, %v, %d calls", got, err, *ticks)
	}
	if _, err := eval("a"); err == nil {
		t.Error("a line that did not run has declared a variable")
	}
}

// TestEnds are ways in which a line ends before it is done.
func TestEnds(t *testing.T) {
	eval, _ := bare(t)
	if _, err := eval("n := 1; n = 2; exit(); n = 3"); !errors.Is(err, native.ErrGoexit) {
		t.Error("the end of the goroutine is", err)
	}
	if got, err := eval("n"); got != "2 :: int" || err != nil {
		t.Errorf("what had run has left %q, %v", got, err)
	}
	for src, want := range map[string]string{
		`fail()`: "panic: failed at ‹3›:1", "n = 4\nfail()\nn = 5": "panic: failed at ‹3›:2", `members()[n]`: "panic: runtime error: index out of range [4] with length 3 at ‹3›:1",
	} {
		eval, _ := bare(t)
		for _, l := range []string{"n := 4", "0"} {
			if _, err := eval(l); err != nil {
				t.Fatal(err)
			}
		}
		_, err := eval(src)
		var p *native.Panic
		if !errors.As(err, &p) || err.Error() != want {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

// TestStops stops lines that wait: those that can end do, and at once.
func TestStops(t *testing.T) {
	for src, want := range map[string]error{
		`<-never`: native.ErrStopped, `time.Sleep(time.Hour)`: native.ErrStopped, `wait()`: native.ErrLeft, `x := 1; x++; <-never`: native.ErrStopped,
	} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			s, err := explore.New(explore.Config{Bound: map[string]any{"never": make(chan int), "wait": func() { <-release }}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began := time.Now()
			if err := s.Eval(ctx, src, &strings.Builder{}); !errors.Is(err, want) || time.Since(began) > time.Minute+native.Grace {
				t.Errorf("%s: %v after %v, want %v", src, err, time.Since(began), want)
			}
			close(release)
		})
	}
}

// TestLeftBehind: a line that was left shows its value late, and changes nothing
// of those that came after it.
func TestLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var late strings.Builder
		s, err := explore.New(explore.Config{Late: &late, Bound: map[string]any{"wait": func() int { <-release; return 13 }}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Eval(ctx, "wait()", &strings.Builder{}); !errors.Is(err, native.ErrLeft) {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := s.Eval(t.Context(), "1 + 1", &out); err != nil {
			t.Fatal(err)
		}
		close(release)
		synctest.Wait()
		if err := s.Eval(t.Context(), "_ * 10", &out); err != nil || out.String() != "2 :: int\n20 :: int\n" || late.String() != "13 :: int\n" {
			t.Errorf("%v, %q, late %q", err, out.String(), late.String())
		}
	})
}

// TestLateBuilder: a session asks for its compiler once an input needs it, and
// says why there is none.
func TestLateBuilder(t *testing.T) {
	asked, lack := 0, errors.New("none today")
	s, err := explore.New(explore.Config{Await: func(context.Context) (native.Builder, error) { asked++; return nil, lack }})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []struct {
		src   string
		asked int
		want  error
	}{{"1 + 1", 0, nil}, {"n := 1", 0, nil}, {"func f() {}", 1, lack}, {"n++", 1, nil}, {"slices.Max(nil)", 2, lack}} {
		if err := s.Eval(t.Context(), l.src, &strings.Builder{}); !errors.Is(err, l.want) || asked != l.asked {
			t.Errorf("%s: %v, asked %d times, want %v, %d", l.src, err, asked, l.want, l.asked)
		}
	}
}
