//go:build unix

package local_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/internal/mailbox"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/local"
)

// scene is a world that runs, for what the conformance suite cannot see.
type scene struct {
	t     *testing.T
	dir   func(string) (string, error)
	world *local.World
	box   *mailbox.Box[coordinator.Message]
	said  []coordinator.Message // all of it
	seen  int                   // how many of them until has looked at
	order uint64
	stop  func()
}

func raise(t *testing.T, cfg local.Config) *scene {
	s := &scene{t: t, dir: cfg.Dir, world: local.NewWorld(cfg), box: mailbox.New[coordinator.Message]()}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.world.Run(ctx, func(m coordinator.Message) { s.box.Put(m) }) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.said = append(s.said, s.box.Close()...)
	})
	t.Cleanup(s.stop)
	return s
}

// until waits for a message.
func (s *scene) until(what string, wanted func(coordinator.Message) bool) coordinator.Message {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		for s.seen < len(s.said) {
			s.seen++
			if m := s.said[s.seen-1]; wanted(m) {
				return m
			}
		}
		select {
		case <-s.box.Ready():
			s.said = append(s.said, s.box.Take()...)
		case <-deadline:
			s.t.Fatalf("not in time: %s; said: %+v", what, s.said)
		}
	}
}

func (s *scene) do(o coordinator.Order) error {
	s.t.Helper()
	s.order++
	o.ID = s.order
	s.world.Do(o)
	m := s.until(fmt.Sprintf("%s %s", o.Verb, o.Peer), func(m coordinator.Message) bool {
		d, is := m.Body.(coordinator.Done)
		return is && d.ID == o.ID
	})
	return m.Body.(coordinator.Done).Err
}

func (s *scene) must(o coordinator.Order) {
	s.t.Helper()
	if err := s.do(o); err != nil {
		s.t.Fatalf("%s %s: %v", o.Verb, o.Peer, err)
	}
}

// start starts alice.
func (s *scene) start(o coordinator.Order) (testlink.Hello, coordinator.Driver) {
	s.t.Helper()
	o.Verb, o.Peer = coordinator.Start, "alice"
	s.must(o)
	m := s.until("alice attaches", func(m coordinator.Message) bool { return m.Link != nil })
	return m.Body.(testlink.Opened).Hello, m.Link
}

func (s *scene) command(d coordinator.Driver, line string) testlink.Result {
	s.t.Helper()
	id := d.Command(line)
	m := s.until(line, func(m coordinator.Message) bool {
		f, is := m.Body.(testlink.Finished)
		return is && f.ID == id
	})
	return m.Body.(testlink.Finished).Result
}

func (s *scene) path(name string) string {
	dir, err := s.dir("alice")
	if err != nil {
		s.t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// shell runs a command of the system at alice.
func (s *scene) shell(d coordinator.Driver, line, want string) {
	s.t.Helper()
	r := s.command(d, "shell "+line)
	if got, ok := strings.CutSuffix(r.Output, "\nexit status 0\n"); !r.OK || !ok || strings.TrimSpace(got) != want {
		s.t.Errorf("shell %s: %+v, want %q", line, r, want)
	}
}

func TestDirectories(t *testing.T) {
	s := raise(t, config(t, "peer"))
	attached := []language.File{{Name: "a.txt", Data: []byte("one")}, {Name: "deep/b.txt", Data: []byte("two")}}
	kill := coordinator.Order{Verb: coordinator.Kill, Peer: "alice"}

	_, d := s.start(coordinator.Order{Files: attached})
	s.shell(d, "cat a.txt deep/b.txt", "onetwo")
	s.shell(d, "echo three >a.txt; pwd", s.path("work"))
	if r := s.command(d, "log on kept.log"); !r.OK {
		t.Error(r.Error)
	}
	s.must(kill)
	_, d = s.start(coordinator.Order{Files: attached})
	s.shell(d, "cat a.txt", "three")
	s.must(kill)
	_, d = s.start(coordinator.Order{Files: attached, Fresh: true})
	s.shell(d, "cat a.txt; ls", "onea.txt\ndeep")
	s.must(kill)

	for _, name := range []string{"stdout", "stderr", "exit", "stdout.2", "exit.3", "work.before-3/kept.log", "data.before-3", "data"} {
		if _, err := os.Stat(s.path(name)); err != nil {
			t.Error(err)
		}
	}
	if err := s.do(coordinator.Order{Verb: coordinator.Start, Peer: "bob", Files: []language.File{{Name: "../alice/evil"}}}); err == nil {
		t.Error("a file was laid outside the working directory")
	}
	if _, err := os.Stat(s.path("evil")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("evil: %v", err)
	}
	s.must(coordinator.Order{Verb: coordinator.Start, Peer: "bob"}) // the failed start has left nothing
}

func TestStopHasAnEnd(t *testing.T) {
	cfg := config(t, "fake-peer", "undead")
	cfg.StopTime = 100 * time.Millisecond
	s := raise(t, cfg)
	s.start(coordinator.Order{})
	s.must(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"})
	g := s.said[s.seen-2].Body.(coordinator.Gone)
	if g.OK || !strings.Contains(g.State, "told to stop") {
		t.Errorf("%+v", g)
	}
}

// TestTheLeaveIsTold has a peer tell where it stands up to its end: the
// address as soon as there is one, and that it leaves.
func TestTheLeaveIsTold(t *testing.T) {
	s := raise(t, config(t, "peer"))
	_, d := s.start(coordinator.Order{})
	if r := s.command(d, "memberlistcreate"); !r.OK {
		t.Fatal(r.Error)
	}
	addressed := func(m coordinator.Message) bool {
		st, is := m.Body.(testlink.Status)
		return is && st.Self.Addr != ""
	}
	for i, m := range s.said {
		if addressed(m) {
			break
		}
		if _, is := m.Body.(testlink.Finished); is {
			t.Errorf("message %d: the command has ended before the address was told", i)
		}
	}
	if r := s.command(d, "init"); !r.OK {
		t.Fatal(r.Error)
	}
	s.must(coordinator.Order{Verb: coordinator.Stop, Peer: "alice"})
	closing := false
	for _, m := range s.said {
		switch b := m.Body.(type) {
		case testlink.Status:
			closing = b.Closing
		case testlink.Closed:
			if !closing || !errors.Is(b.Err, testlink.ErrClosed) {
				t.Errorf("its last status said closing %t, and the link ended with %v", closing, b.Err)
			}
		case coordinator.Gone:
			if !b.OK {
				t.Errorf("%+v", b)
			}
		}
	}
}

func TestAProgramThatIsNotThereCannotStart(t *testing.T) {
	cfg := config(t)
	cfg.Program = []string{"./nowhere/peer"}
	s := raise(t, cfg)
	start := coordinator.Order{Verb: coordinator.Start, Peer: "alice"}
	for range 2 {
		if err := s.do(start); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	}
}

// TestNothingIsLeft counts what a run with a paused peer and a killed one has
// left behind: processes, open files, the port.
func TestNothingIsLeft(t *testing.T) {
	const open = "/proc/self/fd"
	if !fileExists(open) {
		t.Skip("needs /proc, to count open files: run it on Linux")
	}
	once := func() (pids []int, url string) {
		s := raise(t, config(t, "peer"))
		hello, d := s.start(coordinator.Order{})
		if r := s.command(d, "init"); !r.OK {
			t.Fatal(r.Error)
		}
		r := s.command(d, "bootstrap")
		_, url, _ = strings.Cut(r.Output, "http://")
		url, _, _ = strings.Cut(url, "\n")
		url = strings.Fields(url)[0]
		s.must(coordinator.Order{Verb: coordinator.Kill, Peer: "alice"})
		again, _ := s.start(coordinator.Order{})
		s.must(coordinator.Order{Verb: coordinator.Pause, Peer: "alice"})
		s.stop()
		return []int{hello.PID, again.PID}, url
	}
	once() // what the first run opens for good
	before, err := os.ReadDir(open)
	if err != nil {
		t.Fatal(err)
	}
	pids, url := once()
	after, err := os.ReadDir(open)
	if err != nil {
		t.Fatal(err)
	}
	if len(after) > len(before) {
		t.Errorf("%d open files, before the run %d", len(after), len(before))
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	if c, err := net.Dial("tcp", url); err == nil {
		c.Close()
		t.Errorf("somebody listens at %s", url)
	}
}

// TestNothingOutlivesAKilledWorld kills runners at random moments of a life
// with a paused peer.
func TestNothingOutlivesAKilledWorld(t *testing.T) {
	if !fileExists("/proc/self/stat") {
		t.Skip("needs Linux, whose kernel does this: run it there; TestWatchdog is for the others")
	}
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for range rounds {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "fake-world", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := childtest.Start(t, cmd); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range rand.IntN(8) {
			lines.Scan()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		mustEnd(t, processesOf(t, dir)...)
	}
}

// processesOf are those that have the directory among their arguments.
func processesOf(t *testing.T, dir string) (pids []int) {
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		var pid int
		if err == nil && strings.Contains(string(data), dir) {
			_, err = fmt.Sscanf(name, "/proc/%d/cmdline", &pid)
			pids = append(pids, pid)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "no such process") {
			t.Fatal(err)
		}
	}
	return pids
}
