//go:build linux

package cli_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
)

// TestShellDiesWithThePeer kills a peer in which a command of the system runs.
func TestShellDiesWithThePeer(t *testing.T) {
	t.Parallel()
	u, dir := newUser(t), t.TempDir()
	alice := u.startIn(dir, "alice", "--dev")
	alice.expect("ready as alice")
	alice.send("shell echo $$ >new; mv new pid; exec sleep 300")
	pid := 0
	for i := 0; pid == 0 && i < 2000; i++ {
		raw, _ := os.ReadFile(filepath.Join(dir, "pid")) // it comes when the command runs
		pid, _ = strconv.Atoi(strings.TrimSpace(string(raw)))
		time.Sleep(10 * time.Millisecond) // nobody tells when a file comes
	}
	if pid == 0 {
		t.Fatal("the command has not started")
	}
	if err := alice.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for i := 0; running(pid); i++ {
		if i > 1000 {
			t.Fatalf("process %d has outlived its peer", pid)
		}
		time.Sleep(10 * time.Millisecond) // nobody tells when another's child ends
	}
}

// running tells whether a process runs; one that waits to be reaped does not.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(raw), ") Z ")
}

// TestSwitchOfTheService goes to a service elsewhere and back.
func TestSwitchOfTheService(t *testing.T) {
	t.Parallel()
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore()})
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(h)
	defer service.Close()
	u := newUser(t)
	bob := u.start("bob")
	bob.expect("ready as bob")
	alice := u.start("alice", "-c", "bootstrapswitch "+service.URL, "-c", "bootstrappeers", "-c", "members",
		"-c", "msg hello", "-c", "bootstrapswitch local", "-c", "bootstrappeers")
	if got := alice.status(); got != 0 {
		t.Errorf("status %d, want 0", got)
	}
	alice.inOrder("#> ^http://\\S+ -> " + service.URL + "$\n#> ^NAME\n#> ^alice +\\S+ +1 +1m30s\n#> ^NAME +STATE\n#> ^bob +alive\n" +
		"#> ^delivered to 1\n#> ^" + service.URL + " -> http://\n#> ^bob\n#> ^alice\n")
	bob.send("bootstrapswitch http://127.0.0.1:1")
	bob.expect("error: ask for limits at http://127.0.0.1:1")
}
