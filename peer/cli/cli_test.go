package cli_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/peer/cli"
)

// TestMain makes the test binary the program peer when it is called so: the
// tests below run real processes without a build step.
//
// Most of their time is waiting for processes, so more of them run at once than
// there are processors, unless -parallel says something else.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"peer": program, "bare": bare, "testserver": testserver})
}

func program() {
	childtest.Follow()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	status := cli.Main(ctx, os.Args[1:], cli.Process{
		Env: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Interrupts: interrupts, Extensions: bombs(),
	})
	stop()
	os.Exit(status)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_RUNTIME_DIR", filepath.Join(e.WorkDir, "run"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			return os.Mkdir(filepath.Join(e.WorkDir, "run"), 0o700)
		},
	})
}

// user is somebody with directories of their own, at one machine.
type user struct {
	t   *testing.T
	env []string
}

func newUser(t *testing.T) *user {
	t.Helper()
	run := t.TempDir()
	if err := os.Chmod(run, 0o700); err != nil {
		t.Fatal(err)
	}
	return &user{t: t, env: []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(),
		"XDG_RUNTIME_DIR=" + run, "XDG_STATE_HOME=" + t.TempDir(),
	}}
}

// process is a peer in a process of its own, driven through a pipe.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser

	mu    sync.Mutex
	lines []string
	asked int           // how many questions ask has put
	more  chan struct{} // closed and replaced when lines came
	done  chan struct{} // closed when the process has ended and all its lines are in lines
}

func (u *user) start(args ...string) *process {
	u.t.Helper()
	return u.startIn("", args...)
}

// startIn starts a peer in a directory; empty is the test's own.
func (u *user) startIn(dir string, args ...string) *process {
	u.t.Helper()
	path, err := exec.LookPath("peer")
	if err != nil {
		u.t.Fatal(err)
	}
	p := &process{t: u.t, cmd: exec.Command(path, args...), more: make(chan struct{}), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = u.env, dir
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		u.t.Fatal(err)
	}
	out, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := childtest.Start(u.t, p.cmd); err != nil {
		u.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { defer close(read); p.read(out) }()
	go func() {
		_ = p.cmd.Wait() // the status is in ProcessState
		w.Close()
		<-read
		close(p.done)
	}()
	u.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	})
	return p
}

func (p *process) read(out io.Reader) {
	s := bufio.NewScanner(out)
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, s.Text())
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, out) // after a line that is too long
}

func (p *process) send(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatalf("send %q: %v", line, err)
	}
}

// patience bounds the wait for what must come, and is spent only where it does
// not. It says nothing about how quick a peer is: dozens of them may share two
// processors with a compiler, and each then gets a few hundredths of one.
const patience = time.Minute

// expect waits until a line that begins with prefix has come.
func (p *process) expect(prefix string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		lines, more := p.lines, p.more
		p.mu.Unlock()
		for _, l := range lines {
			if strings.HasPrefix(l, prefix) {
				return
			}
		}
		select {
		case <-more:
		case <-deadline:
			p.t.Fatalf("no line %q within %s; there came:\n%s", prefix, patience, strings.Join(lines, "\n"))
		}
	}
}

// ask runs a line of commands and returns what they printed, errors among it;
// the chat's lines are left out.
func (p *process) ask(line string) (answer []string) {
	p.t.Helper()
	p.mu.Lock()
	from := len(p.lines)
	p.mu.Unlock()
	p.asked++
	mark := fmt.Sprintf("=%d=", p.asked)
	p.send(line)
	p.send("echo " + mark)
	p.expect(mark)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines[from:] {
		if l == mark {
			break
		}
		if !strings.HasPrefix(l, "<") {
			answer = append(answer, l)
		}
	}
	return answer
}

// status waits for the end of the process.
func (p *process) status() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("still running after %s", patience)
		return -1
	}
}

func TestTwoPeersChatAndOneIsKilled(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	alice := u.start("alice")
	alice.expect("ready as alice")
	bob := u.start("bob")
	bob.expect("ready as bob")
	alice.expect("<joined> bob has joined")
	alice.send("msg hello bob")
	alice.expect("delivered to 1")
	bob.expect("<alice> hello bob")
	bob.send("msg hello alice")
	alice.expect("<bob> hello alice")

	if err := bob.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	alice.expect("<lost> bob is gone")

	bob = u.start("bob")
	bob.expect("ready as bob")
	alice.expect("<joined> bob is back")
	bob.send("quit")
	if got := bob.status(); got != 0 {
		t.Errorf("bob quit with status %d", got)
	}
	alice.expect("<left> bob is leaving")
	alice.in.Close()
	if got := alice.status(); got != 0 {
		t.Errorf("alice ended with status %d at the end of input", got)
	}
}

// TestHostIsKilled kills the peer that hosts the bootstrap service.
func TestHostIsKilled(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	alice := u.start("alice")
	alice.expect("ready as alice")
	alice.send("bootstrap")
	alice.expect("service")
	bob := u.start("bob")
	bob.expect("ready as bob")
	if err := alice.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	charly := u.start("charly")
	charly.expect("ready as charly")
	charly.send("msg hi")
	bob.expect("<charly> hi")
}

// TestUsersDoNotMeet starts two peers of the same group under two users.
func TestUsersDoNotMeet(t *testing.T) {
	t.Parallel()
	one, two := newUser(t), newUser(t)
	alice := one.start("alice")
	alice.expect("ready as alice")
	bob := two.start("bob")
	bob.expect("ready as bob")
	bob.send("members --json")
	bob.expect("]")
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if text := strings.Join(bob.lines, "\n"); strings.Contains(text, "alice") {
		t.Errorf("bob sees a peer of another user:\n%s", text)
	}
}

func TestServiceWithToken(t *testing.T) {
	t.Parallel()
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore(), Token: "open-sesame"})
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(h)
	defer service.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("open-sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUser(t)
	mallory := u.start("mallory", "--bootstrap", service.URL)
	mallory.expect("peer: cannot start")
	if got := mallory.status(); got != 1 {
		t.Errorf("without the token: status %d, want 1", got)
	}
	alice := u.start("alice", "--bootstrap", service.URL, "--token-file", file)
	alice.expect("ready as alice")
	alice.send("bootstrappeers")
	alice.expect("alice  127.0.0.1:")
}

// needsSignals skips the test where a program cannot be told to end.
func needsSignals(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs the signals of Unix: run it there")
	}
}

func TestSignalsEndInOrder(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	u := newUser(t)
	alice := u.start("alice")
	alice.expect("ready as alice")
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		bob := u.start("bob")
		bob.expect("ready as bob")
		if err := bob.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		want := 0
		if sig == os.Interrupt {
			want = 130
		}
		if got := bob.status(); got != want {
			t.Errorf("%s: status %d, want %d", sig, got, want)
		}
	}
	alice.expect("<left> bob is leaving")
}
