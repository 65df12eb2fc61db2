//go:build unix

package local_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/local"
	"github.com/peerlab/peerlab/testserver/report"
)

const file = "alice init\nalice testfilter view 0 nothing\nalice misbehave\nalice init\n"

func TestFakePeers(t *testing.T) {
	short := func(c *coordinator.Config, _ *local.Config) { c.Command = 300 * time.Millisecond }
	tests := []struct {
		mode, file string
		change     func(*coordinator.Config, *local.Config)
		want       report.Verdict
		text       string
	}{
		{"fine", file, nil, report.Passed, ""},
		{"fine", "alice testfilter view 0 x\nalice quit\n", nil, report.Passed, ""},
		{"no flags", file, nil, report.Broken, "alice could not be started: exit status 2 [fake: unknown flag --test]"},
		{"silent", file, func(c *coordinator.Config, _ *local.Config) { c.Start = 300 * time.Millisecond }, report.Broken, "alice did not attach to the test server: not within 300ms"},
		{"wrong token", file, nil, report.Broken, "the test server refused the token"},
		{"another name", file, nil, report.Broken, `"mallory" is no peer of this run`},
		{"another version", file, nil, report.Broken, "use the same release of peer and testserver"},
		{"crash", file, nil, report.Failed, "alice ended unexpectedly: exit status 2"},
		{"hang", file, short, report.Failed, "no answer: not within 300ms"},
		{"deaf", file, short, report.Failed, "alice has not answered since x.cmd:3"},
		{"stop", file, short, report.Failed, "no answer: not within 300ms"},
		{"flood", file, nil, report.Failed, "alice's events are not complete"},
		{"lie", file, nil, report.Failed, "alice, which runs as boot 1, sent an event of bob"},
		{"race", file, nil, report.Failed, "data race"},
		{"leave somebody behind", file + "alice quit\n", nil, report.Failed, "processes that it had started outlived it"},
		{"lives on", "alice testfilter view 0 x\nalice quit\n", nil, report.Failed, "killed: its link had ended, and it had not within 5s"},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			r, dir := play(t, tt.mode, tt.file, tt.change)
			text := fmt.Sprintf("%+v %+v %+v", r.Rows, r.Problems, r.Peers)
			for _, p := range r.Problems {
				text += p.Text + " " + fmt.Sprint(p.Details)
			}
			if r.Verdict != tt.want || !strings.Contains(text, tt.text) {
				t.Errorf("%s: %s\n%s", r.Verdict, r.Why, text)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			for _, name := range []string{"stdout", "stderr", "exit"} {
				if _, err := os.Stat(filepath.Join(dir.Path(), "peers", "alice", name)); err != nil {
					t.Error(err)
				}
			}
			for _, p := range r.Peers {
				if p.PID != 0 && alive(p.PID) {
					t.Errorf("process %d is left", p.PID)
				}
			}
		})
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	r, _ := play(t, "fine", file, func(_ *coordinator.Config, c *local.Config) { c.Program = []string{"/nowhere/peer"} })
	if r.Verdict != report.Broken || !strings.Contains(r.Why, "alice could not be started: fork/exec /nowhere/peer") {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
}

func TestSettingsOfTheServerAreNotThePeers(t *testing.T) {
	r, _ := play(t, "print", "alice testfilter view 1 PEERLAB_BUDGET= HOME=/somewhere\nalice misbehave\n", func(_ *coordinator.Config, c *local.Config) {
		c.Env = []string{"PEERLAB_BUDGET=1s", "HOME=/somewhere"}
	})
	if r.Verdict != report.Passed {
		t.Errorf("%+v", r)
	}
}

// alive tells whether a process runs. One that has ended and waits for
// somebody to ask does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return os.IsNotExist(err) && !fileExists("/proc/self/stat")
	}
	rest := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	return rest[0] != 'Z' && rest[0] != 'X'
}

func fileExists(name string) bool { _, err := os.Stat(name); return err == nil }

// mustEnd waits until the processes have ended.
func mustEnd(t *testing.T, pids ...int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				for _, p := range pids {
					_ = syscall.Kill(p, syscall.SIGKILL)
				}
				t.Fatalf("process %d lives on", pid)
			}
			time.Sleep(5 * time.Millisecond) // nobody tells when another's child ends
		}
	}
}

// TestNothingOutlivesAKilledRunner kills a runner while one of its peers is
// stopped.
func TestNothingOutlivesAKilledRunner(t *testing.T) {
	if !fileExists("/proc/self/stat") {
		t.Skip("needs Linux, whose kernel does this: run it there; TestWatchdog is for the others")
	}
	cmd := exec.Command(os.Args[0], "fake-runner", t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	var pids []int
	lines := bufio.NewScanner(out)
	for len(pids) < 2 && lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) < 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Fatalf("peers: %v", pids)
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	mustEnd(t, pids...)
}

// TestWatchdog lets the pipe of a watchdog end, as it does when the runner is
// killed.
func TestWatchdog(t *testing.T) {
	stay := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "stay")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := childtest.Start(t, cmd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	watched, forgotten := stay(), stay()
	if err := syscall.Kill(watched.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	dog := exec.Command(os.Args[0], "watchdog")
	pipe, err := dog.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, dog); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(pipe, "+%d\n+%d\n-%d\nnonsense\n", watched.Process.Pid, forgotten.Process.Pid, forgotten.Process.Pid)
	if !alive(watched.Process.Pid) {
		t.Fatal("killed too early")
	}
	pipe.Close()
	if err := dog.Wait(); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, watched.Process.Pid)
	if !alive(forgotten.Process.Pid) {
		t.Error("what was removed was killed")
	}
}

func TestTheWorldWithAWatchdog(t *testing.T) {
	r, _ := play(t, "fine", file, func(_ *coordinator.Config, c *local.Config) { c.Watchdog = []string{os.Args[0], "watchdog"} })
	if r.Verdict != report.Passed {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
}
