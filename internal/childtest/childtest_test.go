package childtest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// envRole makes TestRole another process: one that is aborted, by the way in
// which it starts a program and that in which it ends; or that program.
const envRole = "CHILDTEST_ROLE"

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

// self is this test binary in a role. It inherits a pipe as file 3.
func self(role string, pipe *os.File) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestRole$")
	cmd.Env = append(os.Environ(), envRole+"="+role, "GORACE=atexit_sleep_ms=0")
	cmd.ExtraFiles = []*os.File{pipe}
	return cmd
}

// starts are the ways to start a program.
func starts(t *testing.T, program func(role string) *exec.Cmd) map[string]func() error {
	return map[string]func() error{
		"Start":           func() error { return childtest.Start(t, program("stay")) },
		"StartOnTerminal": func() error { childtest.StartOnTerminal(t, program("stay"), 24, 80); return nil },
		"Run":             func() error { go func() { _ = childtest.Run(program("stay")) }(); return nil },
		"CombinedOutput":  func() error { go func() { _, _ = childtest.CombinedOutput(program("stay")) }(); return nil },
		"Follow":          func() error { return program("follow").Start() },
	}
}

func TestRole(t *testing.T) {
	role := os.Getenv(envRole)
	if role == "" {
		t.Skip("is a part of TestAborted: run that")
	}
	pipe := os.NewFile(3, "pipe")
	switch role {
	case "follow":
		childtest.Follow()
	case "print":
		fmt.Fprint(os.Stdout, "out")
		fmt.Fprint(os.Stderr, ", err")
		os.Exit(7)
	case "read":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	if role == "follow" || role == "stay" {
		fmt.Fprintln(pipe, "up")
		time.Sleep(2 * patience) // whoever waits for its end has given up by then
		return
	}
	start, end, _ := strings.Cut(role, ", ")
	if err := starts(t, func(role string) *exec.Cmd { return self(role, pipe) })[start](); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until it may end
	switch end {
	case "panic":
		go panic("on purpose, as when the time is up")
	case "exit":
		os.Exit(1)
	}
	time.Sleep(patience) // until it is killed
}

// TestAborted ends a test process before its clean-up, in all ways, and sees the
// program end that it has started.
func TestAborted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux: only its kernel ends a program with the process that started it")
	}
	for start := range starts(t, nil) {
		for _, end := range []string{"panic", "exit", "kill"} {
			t.Run(start+", "+end, func(t *testing.T) {
				t.Parallel()
				abort(t, start+", "+end)
			})
		}
	}
}

func abort(t *testing.T, role string) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := self(role, w)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = childtest.Start(t, cmd)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	all := bufio.NewReader(r)
	if line, err := all.ReadString('\n'); line != "up\n" {
		t.Fatalf("the program says %q, %v", line, err)
	}
	if strings.HasSuffix(role, "kill") {
		_ = cmd.Process.Kill()
	}
	in.Close()
	if err := cmd.Wait(); err == nil {
		t.Error("it was not aborted")
	}
	// The pipe ends with the last process that has it.
	if rest, err := io.ReadAll(all); err != nil {
		t.Errorf("the program lives on: %q, %v", rest, err)
	}
}

// witness is a test that is skipped or fails; it ends there.
type witness struct {
	testing.TB
	said string
}

func (*witness) Helper()             {}
func (w *witness) Fatal(args ...any) { w.said = "fail: " + fmt.Sprint(args...); panic(w) }
func (w *witness) Skipf(format string, args ...any) {
	w.said = "skip: " + fmt.Sprintf(format, args...)
	panic(w)
}

// TestWhatIsNotThere starts a program that is not there: that is a failure, but
// for one that the test may be without.
func TestWhatIsNotThere(t *testing.T) {
	nothing := func() *exec.Cmd { return exec.Command(filepath.Join(t.TempDir(), "nothing")) }
	if err := childtest.Start(t, nothing()); err == nil {
		t.Error("Start: it was started")
	}
	if out, err := childtest.CombinedOutput(nothing()); err == nil {
		t.Errorf("CombinedOutput: %q", out)
	}
	for want, call := range map[string]func(testing.TB){
		"fail: fork/exec ": func(tb testing.TB) { childtest.StartOnTerminal(tb, nothing(), 24, 80) },
		"skip: needs no-such-program: install it, and have it in PATH": func(tb testing.TB) { childtest.Needs(tb, "no-such-program") },
	} {
		w := &witness{TB: t}
		func() {
			defer func() { _ = recover() }()
			call(w)
		}()
		if !strings.HasPrefix(w.said, want) {
			t.Errorf("it says %q, want %q", w.said, want)
		}
	}
}

// TestCombinedOutput runs a program that prints on both, and fails.
func TestCombinedOutput(t *testing.T) {
	out, err := childtest.CombinedOutput(self("print", os.Stderr))
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 || string(out) != "out, err" {
		t.Errorf("%v, %q", err, out)
	}
}

// TestThreadsThatEnd has threads end while programs run: none dies of it.
func TestThreadsThatEnd(t *testing.T) {
	type program struct {
		cmd *exec.Cmd
		in  io.Closer
	}
	var programs []program
	for range 5 {
		cmd := self("read", os.Stderr)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := childtest.Start(t, cmd); err != nil {
			t.Fatal(err)
		}
		programs = append(programs, program{cmd, in})
	}
	for range 200 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			runtime.LockOSThread() // and the thread ends with the goroutine
		}()
		<-ended
	}
	for _, p := range programs {
		p.in.Close()
		if err := p.cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}
