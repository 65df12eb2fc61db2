package trust_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// victims takes long enough to be struck in its middle.
const victims = `peers alice bob charly
timeout 2s
all init
await converged within 5s
repeat 3 {
alice msg hello
all never chat "x" for 200ms since now
}
bob,charly expect chat "hello" count == 3
check delivery
`

// TestNothingHangs strikes a run at a random moment: the runner, which holds
// the bootstrap service too, or one of its peers, is stopped for good, killed
// or told to end. Every run ends within its budget, with a status that is not
// 0 unless it was over, and leaves no process and no open port behind. A
// runner that stands still is let go on after a while, as by somebody who
// types fg: it finds its budget used up.
func TestNothingHangs(t *testing.T) {
	t.Parallel()
	rounds := 6
	if always() {
		rounds = 100
	}
	if raced && !always() {
		t.Skip("takes long: run make trust")
	}
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			strike(t, rand.New(rand.NewPCG(uint64(i), 1)))
		})
	}
}

// strike runs the scenario in a process of its own and strikes.
func strike(t *testing.T, r *rand.Rand) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "x.cmd")
	if err := os.WriteFile(file, []byte(victims), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), slowest)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "run", "--out", filepath.Join(dir, "runs"), "--budget", "10s", "--timeout", "3s", file)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir, envLiar+"=")
	cmd.WaitDelay = 5 * time.Second
	began := time.Now()
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond) // the moment is what varies
	what := blow(t, r, cmd.Process.Pid, dir)
	err = <-over
	took := time.Since(began)
	t.Logf("%s; then %v after %s\n%s", what, err, took.Round(time.Millisecond), out.String())
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil || took > 30*time.Second:
		t.Errorf("it hung: %s", what)
	case err != nil && !errors.As(err, &exit):
		t.Error(err)
	}
	settled := time.Now().Add(5 * time.Second)
	for len(processes(dir)) > 0 && time.Now().Before(settled) {
		time.Sleep(20 * time.Millisecond) // the kernel ends them
	}
	for pid, line := range processes(dir) {
		t.Errorf("%s: process %d is left: %s", what, pid, line)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.Name() != "runs" && e.Name() != "x.cmd" {
			t.Errorf("%s: %s is left", what, e.Name())
		}
	}
}

// blow hits the runner or one of its peers, and says what it did.
func blow(t *testing.T, r *rand.Rand, runner int, dir string) string {
	pid, who := runner, "the runner"
	peers := processes(dir)
	delete(peers, runner)
	if r.IntN(3) > 0 && len(peers) > 0 {
		n := r.IntN(len(peers))
		for p := range peers {
			if n--; n < 0 {
				pid, who = p, "a peer"
				break
			}
		}
	}
	sig := []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL, syscall.SIGTERM}[r.IntN(3)]
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
	if pid == runner && sig == syscall.SIGSTOP {
		time.AfterFunc(11*time.Second, func() { _ = syscall.Kill(runner, syscall.SIGCONT) })
	}
	return fmt.Sprintf("%s of %s", sig, who)
}

// processes are those with a directory in their command line, but this one.
func processes(dir string) map[int]string {
	found := map[int]string{}
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range all {
		data, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(data, []byte(dir+"/")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err == nil && pid != os.Getpid() {
			found[pid] = strings.ReplaceAll(string(data), "\x00", " ")
		}
	}
	return found
}
