package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/childtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bootstrap-server": func() {
		childtest.Follow()
		main()
	}})
}

// The scripts have these commands beside the usual ones:
//
//	start FLAG...      start the program, and wait until it serves
//	stop SIGNAL        end it by TERM, INT or KILL; but for KILL it must exit with 0
//	join NAME [TOKEN]  join a peer to group lab
//	listed [NAME...]   exactly these peers are listed, in this order
func TestScripts(t *testing.T) {
	s := &scripts{running: make(map[string]*program)}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": s.start, "stop": s.stop, "join": join, "listed": listed,
		},
		Condition: func(cond string) (bool, error) {
			return cond == "signals" && runtime.GOOS != "windows", nil
		},
	})
}

// patience is how long a step may take on a busy machine.
const patience = 30 * time.Second

// scripts keeps the program that each script has started last.
type scripts struct {
	mu      sync.Mutex
	running map[string]*program
}

func (s *scripts) set(ts *testscript.TestScript, p *program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[ts.Name()] = p
}

func (s *scripts) get(ts *testscript.TestScript) *program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[ts.Name()]
}

// program is one that was started.
type program struct {
	cmd    *exec.Cmd
	stderr strings.Builder
	rest   chan string // what it printed on stdout after its first line
}

var servingLine = regexp.MustCompile(`^serving (http://\S+) \(.*\)\n$`)

func (s *scripts) start(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath("bootstrap-server")
	ts.Check(err)
	p := &program{cmd: exec.Command(path, args...), rest: make(chan string, 1)}
	p.cmd.Dir = ts.Getenv("WORK")
	p.cmd.Env = []string{"PEERLAB_TTL=" + ts.Getenv("PEERLAB_TTL"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	ts.Defer(func() { _ = p.cmd.Process.Kill() }) // it has ended long since if the script passed
	watchdog := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer watchdog.Stop()
	lines := bufio.NewReader(out)
	line, _ := lines.ReadString('\n')
	m := servingLine.FindStringSubmatch(line)
	if m == nil {
		_ = p.cmd.Wait()
		ts.Fatalf("first line %q; stderr %q", line, &p.stderr)
	}
	go func() {
		data, _ := io.ReadAll(lines)
		p.rest <- string(data)
	}()
	ts.Setenv("URL", m[1])
	ts.Setenv("LINE", line)
	s.set(ts, p)
}

func (s *scripts) stop(ts *testscript.TestScript, _ bool, args []string) {
	p := s.get(ts)
	signal := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt, "KILL": os.Kill}[args[0]]
	ts.Check(p.cmd.Process.Signal(signal))
	watchdog := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer watchdog.Stop()
	rest := <-p.rest
	err := p.cmd.Wait()
	if signal != os.Kill && (err != nil || rest != "" || p.stderr.Len() > 0) {
		ts.Fatalf("%v, stdout %q, stderr %q; want an orderly end", err, rest, &p.stderr)
	}
}

func client(ts *testscript.TestScript, token string) *bootstrap.Client {
	c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: ts.Getenv("URL"), Token: token, Timeout: patience})
	ts.Check(err)
	return c
}

func join(ts *testscript.TestScript, neg bool, args []string) {
	token := strings.Join(args[1:], "")
	r := bootstrap.JoinRequest{ID: "id-" + args[0], Name: args[0], Boot: 1, Addr: "127.0.0.1:4001"}
	_, err := client(ts, token).Join(context.Background(), bootstrap.DefaultGroup, r)
	if neg && errors.Is(err, bootstrap.ErrUnauthorized) {
		return
	}
	ts.Check(err)
	if neg {
		ts.Fatalf("joined with token %q", token)
	}
}

func listed(ts *testscript.TestScript, _ bool, args []string) {
	g, err := client(ts, "").Group(context.Background(), bootstrap.DefaultGroup)
	ts.Check(err)
	var names []string
	for _, p := range g.Peers {
		names = append(names, p.Name)
	}
	if got, want := strings.Join(names, " "), strings.Join(args, " "); got != want {
		ts.Fatalf("listed %q, want %q", got, want)
	}
}
