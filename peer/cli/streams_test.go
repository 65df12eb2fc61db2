package cli_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// TestSurroundings runs a peer in poor surroundings: streams that are closed
// or lead nowhere, an environment without anything.
func TestSurroundings(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full: run it on Linux")
	}
	t.Cleanup(func() { full.Close() })
	u := newUser(t)
	readOnly := filepath.Join(t.TempDir(), "home")
	if err := os.WriteFile(readOnly, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	bare := []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}
	for name, c := range map[string]struct {
		env    []string
		in     string // what is piped in; "-" is no stdin at all
		out    *os.File
		args   []string
		status int
		want   string
	}{
		"no environment but TMPDIR":   {env: bare, in: "members\n", want: "alive"},
		"no home":                     {env: append(bare, "HOME=/no/such/home"), in: "members\n", want: "no home directory"},
		"a home that is a file":       {env: append(bare, "HOME="+readOnly), in: "members\n", want: "no home directory"},
		"relative directories":        {env: append(bare, "HOME=.", "XDG_STATE_HOME=state", "XDG_RUNTIME_DIR=run"), in: "members\n", want: "alive"},
		"a dumb terminal":             {env: append(u.env, "TERM=dumb"), in: "members\n", want: "alive"},
		"no stdin":                    {env: u.env, in: "-", want: "ready as"},
		"empty stdin":                 {env: u.env, want: "ready as"},
		"half a line":                 {env: u.env, in: "echo half", want: "half"},
		"nowhere to print":            {env: u.env, in: "members\necho x\n", out: full, status: 1},
		"nowhere to print, -c":        {env: u.env, in: "-", out: full, args: []string{"-c", "members"}, status: 1},
		"nowhere to print, a script":  {env: u.env, in: "execute /dev/null\n", out: full, status: 1},
		"nowhere to print, demo":      {env: u.env, in: "-", out: full, args: []string{"demo"}, status: 1},
		"demo without an environment": {env: bare, in: "-", args: []string{"demo"}, want: "That was a tour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath("peer")
			if err != nil {
				t.Fatal(err)
			}
			args := c.args
			if len(args) == 0 {
				args = []string{"--group", "g" + strings.ToLower(strings.NewReplacer(" ", "", ",", "", "-", "").Replace(name))}
			}
			cmd := exec.CommandContext(t.Context(), path, args...)
			cmd.Env, cmd.Dir = c.env, t.TempDir()
			if c.in != "-" {
				cmd.Stdin = strings.NewReader(c.in)
			}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if c.out != nil {
				cmd.Stdout = c.out
			}
			timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
			_ = childtest.Run(cmd) // the status tells
			if got := cmd.ProcessState.ExitCode(); got != c.status || !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "goroutine ") {
				t.Errorf("status %d, want %d; it prints %.1500s", got, c.status, &out)
			}
		})
	}
}

// TestReaderGoesAway closes the pipe that a program prints into.
func TestReaderGoesAway(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"demo": {"demo"}, "peer": {"alice"}, "headless": {"alice", "--headless"}, "script": {"alice", "-c", "members; sleep 1; members"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath("peer")
			if err != nil {
				t.Fatal(err)
			}
			u := newUser(t)
			cmd := exec.Command(path, args...)
			cmd.Env = u.env
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stdout = w
			if err := childtest.Start(t, cmd); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
				t.Error(err)
			}
			r.Close()
			ended := make(chan struct{})
			go func() { defer close(ended); _ = cmd.Wait() }()
			go func() {
				// Again and again: a program that another test is just starting has
				// our end of the pipe, too, until it is one, and so is a reader.
				for {
					if _, err := io.WriteString(in, "members\n"); err != nil {
						return // it has ended
					}
					select {
					case <-ended:
						return
					case <-time.After(50 * time.Millisecond):
					}
				}
			}()
			select {
			case <-ended:
			case <-time.After(patience):
				t.Errorf("it still runs, %s after its reader went", patience)
				_ = cmd.Process.Kill()
				<-ended
			}
			if got := cmd.ProcessState.ExitCode(); got != 141 {
				t.Errorf("%s, want status 141", cmd.ProcessState)
			}
			if entries, _ := os.ReadDir(filepath.Join(u.runtime(), "peerlab")); len(entries) > 3 {
				t.Errorf("%v is left behind", entries)
			}
		})
	}
}

// TestReaderOfATestServerGoesAway closes the pipe that testserver run prints
// into, as head -1 does: it ends, and so do its peers.
func TestReaderOfATestServerGoesAway(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("needs /proc: run it on Linux")
	}
	path, err := exec.LookPath("testserver")
	if err != nil {
		t.Fatal(err)
	}
	u, dir := newUser(t), t.TempDir()
	script := filepath.Join(dir, "long.cmd")
	if err := os.WriteFile(script, []byte("alice init\nbob init\n"+strings.Repeat("alice msg hello\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	marker := "TEST_FAMILY=" + filepath.Base(dir) + t.Name()
	cmd := exec.Command(path, "run", "-v", "--out", filepath.Join(dir, "runs"), script)
	cmd.Env = append(u.env, marker)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	timer := startAndRead(t, cmd, out)
	if n := len(family(t, marker)); n < 2 {
		t.Errorf("%d processes run; there should be peers", n)
	}
	out.Close()
	if err := cmd.Wait(); err == nil || !timer.Stop() {
		t.Errorf("nobody read its output, and it ended with %v", cmd.ProcessState)
	}
	// Nobody tells when the children of others end.
	for by := time.Now().Add(patience); len(family(t, marker)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatalf("processes %v are left", family(t, marker))
		}
	}
}

// family are the processes with a variable in their environment.
func family(t *testing.T, variable string) (pids []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err == nil && slices.Contains(strings.Split(string(raw), "\x00"), variable) {
			pids = append(pids, e.Name())
		}
	}
	return pids
}
