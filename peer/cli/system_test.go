//go:build unix

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSystem(t *testing.T) {
	for command, want := range map[string]struct {
		out, errs string
		status    int
	}{
		"echo out; echo err >&2; exit 3": {"out\n", "err\n", 3},
		"cat":                            {"", "", 0},
		"printf %s 'a b' c":              {"a bc", "", 0},
		"kill -9 $$":                     {"", "", -1},
	} {
		var out, errs bytes.Buffer
		status, err := runSystem(t.Context(), command, &out, &errs)
		if want.status < 0 {
			if err == nil {
				t.Errorf("%s: killed, and no error", command)
			}
			continue
		}
		if err != nil || status != want.status || out.String() != want.out || errs.String() != want.errs {
			t.Errorf("%s: %d, %v, %q, %q", command, status, err, &out, &errs)
		}
	}
}

// TestSystemEndsTheGroup cancels a command that has started another one.
func TestSystemEndsTheGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := runSystem(ctx, "sleep 60 & echo $! >"+file+".new && mv "+file+".new "+file+"; wait", &bytes.Buffer{}, &bytes.Buffer{})
		done <- err
	}()
	var pid int
	for pid == 0 && ctx.Err() == nil {
		raw, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(raw)))
		time.Sleep(5 * time.Millisecond) // nobody tells when a file comes
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("a cancelled command succeeded")
	}
	for i := 0; alive(pid); i++ {
		if i > 1000 {
			t.Fatalf("process %d lives on", pid)
		}
		time.Sleep(5 * time.Millisecond) // nobody tells when another's child ends
	}
}

// alive tells whether a process runs; one that waits to be reaped does not.
func alive(pid int) bool {
	if pid == 0 || syscall.Kill(pid, 0) != nil {
		return false
	}
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !bytes.Contains(raw, []byte(") Z "))
}
