package workbench_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// station is a running peer that commands are typed into.
type station struct {
	t    testing.TB
	name string
	in   io.Writer
	end  string // what Enter sends
	pid  int

	mu   sync.Mutex
	out  bytes.Buffer
	more chan struct{} // one token: something came
}

func (s *station) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.out.Write(b)
}

func (s *station) text(from int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()[from:]
}

// enter types a line, and returns where its answer will begin.
func (s *station) enter(line string) (from int) {
	s.t.Helper()
	from = len(s.text(0))
	if _, err := io.WriteString(s.in, line+s.end); err != nil {
		s.t.Fatalf("%s takes nothing any more: %v\n%s", s.name, err, tail(s.text(0)))
	}
	return from
}

// until waits until what came after from matches, and returns it.
func (s *station) until(from int, pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(time.Minute)
	for !re.MatchString(s.text(from)) {
		select {
		case <-s.more:
		case <-deadline:
			s.t.Fatalf("%s has not shown %q in a minute, but\n%s", s.name, pattern, tail(s.text(from)))
		}
	}
	return s.text(from)
}

// tail is the end of a long text.
func tail(text string) string { return text[max(0, len(text)-2000):] }

// launch starts a peer, and waits until it is ready.
func launch(t testing.TB, env []string, terminal bool, peer, name string, args ...string) *station {
	t.Helper()
	s := begin(t, env, terminal, peer, name, args...)
	s.until(0, "ready as "+name)
	return s
}

// begin starts a program that reads a pipe, or has a terminal of its own.
func begin(t testing.TB, env []string, terminal bool, peer, name string, args ...string) *station {
	t.Helper()
	s := &station{t: t, name: name, end: "\n", more: make(chan struct{}, 1)}
	cmd := exec.Command(peer, append([]string{name}, args...)...)
	cmd.Env, cmd.WaitDelay = env, 10*time.Second
	var stop func()
	if terminal {
		cmd.Env = append(env, "TERM=xterm")
		f := childtest.StartOnTerminal(t, cmd, 40, 200)
		s.in, s.end = f, "\r"
		copied := make(chan struct{})
		go func() {
			defer close(copied)
			_, _ = io.Copy(s, f) // until the peer has gone
		}()
		stop = func() {
			_, _ = io.WriteString(f, "\x04") // it may have gone
			<-copied
			_ = f.Close()
		}
	} else {
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr, s.in = s, s, in
		if err := childtest.Start(t, cmd); err != nil {
			t.Fatal(err)
		}
		stop = func() { _ = in.Close() }
	}
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		stop()
		if err := cmd.Wait(); err != nil && !strings.Contains(err.Error(), "exit status 1") && !t.Failed() {
			t.Errorf("%s: %v\n%s", name, err, tail(s.text(0))) // status 1: a command has failed, as was wanted
		}
	})
	return s
}

// group is alice, who is maltreated, and two who look on.
type group struct {
	alice, bob, charly *station
	asked              int
}

func newGroup(t *testing.T, terminal bool) *group {
	peer, env := built(t), environment(t)
	g := &group{bob: launch(t, env, false, peer, "bob"), charly: launch(t, env, false, peer, "charly")}
	g.alice = launch(t, env, terminal, peer, "alice", "--dev")
	g.bob.until(0, "<joined> alice")
	g.charly.until(0, "<joined> alice")
	g.well(t, "the start")
	return g
}

// well asks whether alice is: she takes a command, answers the chat, and the
// others have not missed her.
func (g *group) well(t *testing.T, after string) {
	t.Helper()
	g.asked++
	from := g.alice.enter(fmt.Sprintf(`/go "well" + "%d"`, g.asked))
	g.alice.until(from, fmt.Sprintf(`"well%d" :: string`, g.asked))
	for _, s := range []*station{g.bob, g.charly} {
		from := s.enter("chatmemberping alice\nmembers")
		s.until(from, `alice answered in(?s:.*)alice +alive`)
		if seen := s.text(0); regexp.MustCompile(`(?m)^<(lost|left)> alice`).MatchString(seen) {
			t.Fatalf("after %s %s has seen her go:\n%s", after, s.name, tail(seen))
		}
	}
}

// hostile is one input and what must come of it.
type hostile struct{ name, code, want string }

// refused, gone and so on are answers that several inputs have.
const (
	refused    = `error: .*would end the whole peer: refused`
	overflow   = `error: panic: stack overflow`
	nilPointer = `error: panic: runtime error: invalid memory address or nil pointer dereference`
)

// snippets are what nobody should type. The first few run in every test.
func snippets() []hostile {
	return []hostile{
		{"panic", `panic("boom")`, `error: panic: boom at`},
		{"nil pointer", `var np *int; *np`, nilPointer},
		{"panic in a goroutine", `go func() { panic("behind") }(); time.Sleep(50 * time.Millisecond)`, `goroutine of ‹\d+›: panic: behind`},
		{"endless recursion", `func deep(n int) int { return deep(n+1) + 1 }; deep(0)`, overflow},
		{"exit", `os.Exit(3)`, refused},
		{"closed standard output", `os.Stdout.Close(); fmt.Println("still " + "printed")`, `still printed`},
		{"rubbish", `}{)( := func`, `error: ‹\d+›:1:1: unexpected }`},
		{"a gigabyte", `gb := make([]byte, 1<<30); gb[1<<29] = 1; len(gb)`, `1073741824 :: int`},

		{"the gigabyte back", `gb = nil; runtime.GC(); "given " + "back"`, `"given back"`},
		{"panic of nil", `panic(nil)`, `error: panic: panic called with nil argument`},
		{"index", `[]int{}[5+len(os.Args)]`, `error: panic: runtime error: index out of range`},
		{"nil map", `var nm map[string]int; nm["a"] = 1`, `error: panic: assignment to entry in nil map`},
		{"close nil", `close((chan int)(nil))`, `error: panic: close of nil channel`},
		{"close twice", `ch := make(chan int); close(ch); close(ch)`, `error: panic: close of closed channel`},
		{"send on closed", `ch <- 1`, `error: panic: send on closed channel`},
		{"nil pointer in a goroutine", `go func() { var p *int; *p = 1 }(); time.Sleep(50 * time.Millisecond)`, `goroutine of ‹\d+›: panic: runtime error: invalid memory`},
		{"panic while panicking", `defer panic("deferred"); panic("first")`, `error: panic: deferred`},
		{"recursion of two", `func mutA(n int) int { return mutB(n) + 1 }; func mutB(n int) int { return mutA(n) + 1 }; mutA(0)`, overflow},
		{"recursion of a literal", `var self func(int) int; self = func(n int) int { return self(n) + 1 }; self(0)`, overflow},
		{"recursion in a goroutine", `go deep(0); time.Sleep(2 * time.Second)`, `goroutine of ‹\d+›: panic: stack overflow`},
		{"end of the goroutine", `runtime.Goexit()`, `error: goroutine exited`},
		{"end of another goroutine", `go runtime.Goexit(); 7`, `7 :: int`},
		{"locked thread", `runtime.LockOSThread(); 8`, `8 :: int`},
		{"exit by another name", `leave := os.Exit`, refused},
		{"exit of the log", `import "log"; log.Fatal("x")`, refused},
		{"exit of a logger", `import "log"; log.Default().Fatalf("x")`, refused},
		{"signal to oneself", `import "syscall"; syscall.Kill(syscall.Getpid(), syscall.SIGKILL)`, refused},
		{"system's exit", `import "syscall"; syscall.Exit(1)`, refused},
		{"no stack", `import "runtime/debug"; debug.SetMaxStack(1)`, refused},
		{"panic in a goroutine of a WaitGroup", `var wg sync.WaitGroup; wg.Go(func() { panic("in wg") }); wg.Wait()`, `goroutine of .*panic: in wg at ‹`},
		{"panic of a timer", `time.AfterFunc(0, func() { var m map[int]int; m[1] = 1 }); time.Sleep(50 * time.Millisecond)`, `goroutine of .*nil map`},
		{"panic of a kept function in a goroutine of a WaitGroup", `func boom() { panic("bo" + "om") }; var group sync.WaitGroup; group.Go(boom)`, `goroutine of .*panic: boom`},
		{"panic at a second time", `group.Go(boom); group.Wait()`, `goroutine of .*panic: boom`},
		{"no threads", `import "runtime/debug"; debug.SetMaxThreads(1)`, refused},
		{"the keyboard", `bufio.NewReader(os.Stdin).ReadString('\n')`, `error: .*takes what is typed to the peer itself`},
		{"the keyboard, by fmt", `fmt.Scanln()`, `error: .*takes what is typed to the peer itself`},
		{"wild pointer", `import "unsafe"; *(*int)(unsafe.Pointer(uintptr(0xdeadbeef000))) = 1`, nilPointer},
		{"init", `func init() { panic("at load") }`, `error: .*func init has no meaning`},
		{"panic while a variable begins", `var early = func() int { panic("early") }()`, `error: panic: early`},
		{"unnamed type that panics", `var rw = func() interface{ x() } { panic("unnamed") }()`, `error: panic: unnamed`},
		{"C", `import "C"`, `error: .*cgo is not available`},
		{"half a function", `func broken( {`, `error: .*expected`},
		{"no module", `import "example.invalid/no/such/module"`, `error: .*example.invalid`},
		{"no package", `import "no/such/package"`, `error: .*no/such/package`},
		{"String panics", `type sp struct{}; func (sp) String() string { panic("in String") }; sp{}`, `\{\} :: sp`},
		{"Error panics", `type ep struct{}; func (ep) Error() string { panic("in Error") }; panic(ep{})`, `error: panic: `},
		{"value with a ring", `ring := map[string]any{}; ring["self"] = ring; ring`, `:: map\[string\]any`},
		{"a hundred thousand lines", `for i := range 100000 { fmt.Println("line", i) }; "all " + "lines"`, `"all lines"`},
		{"a long value", `strings.Repeat("x", 10<<20)`, `:: string`},
		{"many goroutines", `for range 50000 { go func() { time.Sleep(100 * time.Millisecond) }() }; "all " + "started"`, `"all started"`},
		{"a race", `race := 0; for range 8 { go func() { for range 10000 { race++ } }() }; "rac" + "ing"`, `"racing"`},
		{"no environment", `os.Clearenv(); os.Getenv("PATH") == ""`, `true :: bool`},
		{"compiled without environment", `func afterwards() int { return 41 }; afterwards() + 1`, `42 :: int`},
		{"another directory", `os.Chdir("/")`, `<nil> :: error`},
		{"compiled elsewhere", `func elsewhere() int { return 43 }; elsewhere()`, `43 :: int`},
		{"a type in itself", `type inself struct { r inself }`, `error: .*invalid recursive type`},
		{"types without end", `func grow[T any](n int, x T) { grow[*T](n, &x) }`, `error: .*(cycle|infinite)`},
		{"too large a type", `var huge [1 << 60]int`, `error: .*(too large|invalid array|exceeds|address space)`},
		{"too large a slice", `make([]int, 1<<62+len(os.Args))`, `error: panic: runtime error: makeslice: len out of range`},
		{"constant division", `const cz = 1 / 0`, `error: .*division by zero`},
		{"constant without end", `1 << 100000`, `error: `},
		{"linkname", `//go:linkname rt runtime.rt`, ``},
		{"control characters", `fmt.Println("\x1b[2J\x07 contr" + "olled")`, `controlled`},
		{"a type as a method's", `type ali = map[string]int; func (a ali) m() {}`, `error: .*(no methods|invalid receiver)`},
		{"Go in Go", `peer.Command(ctx, "go 1")`, `a line of Go runs already`},
		{"fifty thousand parentheses", strings.Repeat("(", 50000) + "1" + strings.Repeat(")", 50000), `(error: |1 :: int)`},
		{"a line of a megabyte", `len("` + strings.Repeat("long ", 200000) + `")`, `(error: |1000000 :: int)`},
	}
}

// TestHostile types what nobody should into a peer that is a member of a group
// of three, and looks after each whether it still is.
func TestHostile(t *testing.T) {
	g := newGroup(t, false)
	all := snippets()
	if os.Getenv("PEERLAB_SOAK") == "" {
		all = all[:8]
	}
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) {
			g.alice.t, g.bob.t, g.charly.t = t, t, t
			from := g.alice.enter("go " + h.code)
			if h.want != "" {
				g.alice.until(from, h.want)
			}
			g.well(t, h.name)
		})
	}
	g.alice.t, g.bob.t, g.charly.t = t, t, t
}

// TestHostileStopped types what has to be stopped, at a keyboard.
func TestHostileStopped(t *testing.T) {
	g := newGroup(t, true)
	all := []hostile{
		{"loop", `for {}`, "interrupted"},
		{"loop in a goroutine of a library", `var wg sync.WaitGroup; wg.Go(func() { for {} }); wg.Wait(); select {}`, "interrupted"},
		{"deadlock", `var mu sync.Mutex; mu.Lock(); mu.Lock()`, "error: .*left running in the background"},
		{"select", `select {}`, "interrupted"},
		{"receive", `<-make(chan int)`, "interrupted"},
		{"loop in a function", `func spin() { for {} }; spin()`, "interrupted"},
		{"loop that recovers", `for { func() { defer func() { recover() }(); for {} }() }`, "interrupted"},
		{"goto", `l: goto l`, "interrupted"},
		{"wait", `var wg sync.WaitGroup; wg.Add(1); wg.Wait()`, "error: .*left running in the background"},
		{"print without end", `for { fmt.Println("flood") }`, "interrupted"},
		{"memory without end", `var all [][]byte; for { all = append(all, make([]byte, 1<<10)); time.Sleep(time.Millisecond) }`, "interrupted"},
		{"goroutines without end", `for { go func() { time.Sleep(time.Second) }(); time.Sleep(100 * time.Microsecond) }`, "interrupted"},
	}
	if os.Getenv("PEERLAB_SOAK") == "" {
		all = all[:3]
	}
	for i, h := range all {
		t.Run(h.name, func(t *testing.T) {
			g.alice.t, g.bob.t, g.charly.t = t, t, t
			from := g.alice.enter(fmt.Sprintf(`/go println("be" + "gun%d"); %s`, i, h.code))
			g.alice.until(from, fmt.Sprintf("begun%d", i))
			if _, err := io.WriteString(g.alice.in, "\x03"); err != nil {
				t.Fatal(err)
			}
			g.alice.until(from, h.want)
			g.well(t, h.name)
		})
	}
	g.alice.t, g.bob.t, g.charly.t = t, t, t
}

// TestWithout takes away what compiling needs, from a peer that is online.
func TestWithout(t *testing.T) {
	if os.Getenv("PEERLAB_SOAK") == "" {
		t.Skip("takes minutes: set PEERLAB_SOAK=1, or run make soak")
	}
	peer := built(t)
	bin := t.TempDir()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tool, filepath.Join(bin, "go")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, shell string
		env         []string
		lines       []string
		want        string
	}{
		{"C compiler", `exec "$@"`, []string{"PATH=" + bin}, []string{`go len(members()) + 1`, `go func f() int { return 3 }; f()`, "doctor"}, `(?s)3 :: int.*error: .*C compiler.*missing: `},
		{"network", `exec "$@"`, []string{"GOPROXY=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + t.TempDir()}, []string{`import github.com/tidwall/btree`, `go 1 + 1`}, `(?s)error: .*2 :: int`},
		{"room for a file", `ulimit -f 200; exec "$@"`, nil, []string{`go func f() int { return 3 }; f()`, `go 1 + 1`}, `(?s)error: .*2 :: int`},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := environment(t)
			bob := launch(t, env, false, peer, "bob")
			args := []string{"-c", c.shell, "sh", peer, "alice", "--dev"}
			for _, l := range c.lines {
				args = append(args, "-c", l)
			}
			args = append(args, "-c", "chatmemberping bob")
			out, _ := run(t, append(env, c.env...), "/bin/sh", args...) // lines fail on purpose
			if !regexp.MustCompile(c.want).MatchString(out) || !strings.Contains(out, "bob answered in") {
				t.Errorf("it does not show %q, or lost bob:\n%s", c.want, out)
			}
			bob.until(0, "<left> alice")
			if strings.Contains(bob.text(0), "<lost>") {
				t.Errorf("bob has lost alice:\n%s", bob.text(0))
			}
		})
	}
}
