package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a host that writes down what it hears.
type recorder struct {
	mu    sync.Mutex
	heard strings.Builder
	bound map[string]any
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.heard, format, args...)
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard.String()
}

func (r *recorder) Write(p []byte) (int, error)    { r.add("%s", p); return len(p), nil }
func (r *recorder) Print(newline bool, args []any) { r.add("print%v ", args) }
func (r *recorder) Show(args []any)                { r.add("show%v ", args) }
func (r *recorder) Bound(name string) any          { return r.bound[name] }
func (r *recorder) Begin()                         { r.add("begin ") }
func (r *recorder) Panicked(v any)                 { r.add("panicked:%v ", v) }

// returned and exited are how a goroutine ends that does not panic.
const returned, exited = "returned", "exited"

// run runs f as a line does, and tells how that ended: with the value of a panic,
// or with one of the constants.
func run(l *Line, f func()) <-chan any {
	out := make(chan any, 1)
	go pprof.Do(context.Background(), pprof.Labels(LabelKey, l.name), func(context.Context) {
		how := any(exited)
		defer func() { l.End(); out <- how }()
		defer func() {
			if v := recover(); v != nil {
				how = v
			}
		}()
		f()
		how = returned
	})
	return out
}

func wait[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within ten seconds")
	}
	return v
}

func TestLabelled(t *testing.T) {
	var inside, child string
	pprof.Do(context.Background(), pprof.Labels("a", "b", LabelKey, "mine", "z", "y"), func(context.Context) {
		inside = labelled()
		done := make(chan struct{})
		go func() { child = labelled(); close(done) }()
		<-done
	})
	if inside != "mine" || child != "mine" || labelled() != "" {
		t.Errorf("inside %q, child %q, outside %q", inside, child, labelled())
	}
}

func TestStopReachesWhatBlocks(t *testing.T) {
	var never chan int
	for name, f := range map[string]func(){
		"loop": func() {
			for {
				Poll()
			}
		},
		"calls": func() {
			for {
				Enter()
			}
		},
		"receive": func() { Recv(never) },
		"two":     func() { Recv2(never) },
		"send":    func() { SendTo(never)(1) },
		"range": func() {
			for range Chan(never) {
			}
		},
		"sleep": func() { Sleep(time.Hour) },
		"loop that recovers": func() {
			for {
				func() {
					defer func() { _ = recover() }()
					for {
						Poll()
					}
				}()
			}
		},
		"select": func() {
			<-Done()
			Halt()
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := Begin("line "+name, &recorder{})
			out := run(l, f)
			l.Stop()
			l.Stop()
			if how := wait(t, out); how != exited {
				t.Errorf("ended with %v", how)
			}
			wait(t, l.idle)
			if n := len(shared.getStopping()); n != 0 {
				t.Errorf("%d lines are still stopping", n)
			}
		})
	}
}

// TestStopInALibrary stops a line whose function a library has called in a
// goroutine of its own: nobody would recover a panic there.
func TestStopInALibrary(t *testing.T) {
	l := Begin("library", &recorder{})
	var group sync.WaitGroup
	out := run(l, func() {
		group.Go(func() {
			for {
				Poll()
			}
		})
		group.Wait()
		Halt()
	})
	l.Stop()
	if how := wait(t, out); how != exited {
		t.Errorf("ended with %v", how)
	}
}

func TestStopLeavesOtherLinesAlone(t *testing.T) {
	a, b := Begin("a", &recorder{}), Begin("b", &recorder{})
	release, ticks := make(chan struct{}), make(chan int)
	other := run(b, func() {
		for i := range 3 {
			Poll()
			SendTo(ticks)(i)
		}
		<-release
	})
	out := run(a, func() {
		for {
			Poll()
		}
	})
	a.Stop()
	for i := range 3 {
		if got := wait(t, ticks); got != i {
			t.Errorf("tick %d, want %d", got, i)
		}
	}
	close(release)
	if how := wait(t, out); how != exited {
		t.Errorf("the stopped line ended with %v", how)
	}
	if how := wait(t, other); how != returned {
		t.Errorf("the other line ended with %v", how)
	}
}

func TestGoroutinesOfALine(t *testing.T) {
	host := &recorder{}
	l := Begin("g", host)
	wait(t, run(l, func() {
		Go(func() { panic(errors.New("oops")) })
		Go(func() { Recv[int](nil) })
	}))
	select {
	case <-l.idle:
		t.Error("idle with a goroutine that waits")
	default:
	}
	l.Stop()
	wait(t, l.idle)
	if got := host.String(); !strings.Contains(got, "panicked:oops") || strings.Contains(got, "stopped") {
		t.Errorf("heard %q", got)
	}
	if n := len(shared.getStopping()); n != 0 {
		t.Errorf("%d lines are still stopping", n)
	}
}

// TestGuard has a function panic in a goroutine of a library.
func TestGuard(t *testing.T) {
	host := &recorder{}
	l := Begin("guard", host)
	if how := wait(t, run(l, func() {
		var group sync.WaitGroup
		group.Go(Guard(func() { panic("oops") }))
		group.Wait()
	})); how != returned {
		t.Errorf("ended with %v", how)
	}
	if got := host.String(); got != "begin panicked:oops " {
		t.Errorf("heard %q", got)
	}
}

func TestEndlessRecursionPanics(t *testing.T) {
	var deep func(int) int
	deep = func(n int) int { Enter(); return deep(n+1) + 1 }
	l := Begin("deep", &recorder{})
	if v := wait(t, run(l, func() { deep(0) })); v != (StackError{}) {
		t.Errorf("ended with %v", v)
	}
}

func TestHostHears(t *testing.T) {
	v := new(string)
	host := &recorder{bound: map[string]any{"n": 7, "v": unsafe.Pointer(v)}}
	l := Begin("h", host)
	if v := wait(t, run(l, func() {
		Show(1, "a")
		Println(2)
		_, _ = Printer(fmt.Fprintln)("x", Bound[int]("n"), Bound[string]("n"))
		_, _ = Formatter(fmt.Fprintf)("%03d ", 5)
		*Heap[string]("v") = "set"
	})); v != returned {
		t.Fatal(v)
	}
	if got, want := host.String(), "show[1 a] print[2] x 7 \n005 "; got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	if *v != "set" {
		t.Errorf("variable is %q", *v)
	}
}

func TestRegister(t *testing.T) {
	x := 1
	Register("p", nil, "x", &x)
	p := Take("p")
	if p == nil || p.Names["x"] != &x || Take("p") != nil {
		t.Errorf("took %v", p)
	}
}

func BenchmarkPoll(b *testing.B) {
	for b.Loop() {
		Poll()
	}
}

// BenchmarkPollBesideALeftLine is Poll while another line is stopped and stays.
func BenchmarkPollBesideALeftLine(b *testing.B) {
	l := Begin("left", &recorder{})
	l.Stop()
	defer l.End()
	mine := Begin("mine", &recorder{})
	<-run(mine, func() {
		for b.Loop() {
			Poll()
		}
	})
}

func BenchmarkEnter(b *testing.B) {
	for b.Loop() {
		Enter()
	}
}
