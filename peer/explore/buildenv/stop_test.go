//go:build unix

package buildenv_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// TestStopEndsTheTools stops a load whose go command waits for another
// process: both end, and what they have written is gone.
func TestStopEndsTheTools(t *testing.T) {
	path, temp := machine(t, "go1.26.8"), t.TempDir()
	file := filepath.Join(t.TempDir(), "pid")
	script := "#!/bin/sh\n" +
		`case $1 in env) echo '{"GOVERSION":"go1.26.8","CC":"gcc","GOTOOLCHAIN":"local"}' ;;` + "\n" +
		"*) echo left >$TMPDIR/object; sleep 60 & echo $! >" + file + ".new; mv " + file + ".new " + file + "; echo a/package >&2; wait ;; esac\n"
	write(t, filepath.Join(path, "go"), []byte(script))
	e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: t.TempDir(), Environ: []string{"PATH=" + path + ":" + os.Getenv("PATH"), "TMPDIR=" + temp}})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var told []string
	ctx = buildenv.WithProgress(ctx, func(what string) {
		told = append(told, what)
		if what == "compiling a/package" {
			cancel()
		}
	})
	began := time.Now()
	if err := e.Load(ctx, "fmt"); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, told %q, want %v", err, told, context.Canceled)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	for _, dir := range []string{temp, filepath.Join(e.Dir(), "*")} {
		if left, err := filepath.Glob(filepath.Join(dir, "object")); err != nil || len(left) > 0 {
			t.Errorf("the tools have left %q, %v", left, err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	// Nobody tells when another's child ends.
	for deadline := time.Now().Add(30 * time.Second); running(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d, which the tool has started, lives on", pid)
		}
	}
}

// TestStopWhileItLooks stops a load while it asks what there is to build with:
// the next one asks again.
func TestStopWhileItLooks(t *testing.T) {
	path := machine(t, "go1.26.8")
	if err := os.Remove(filepath.Join(path, "gcc")); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(path, "go")
	quick, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	write(t, whole, []byte("#!/bin/sh\nexec "+sleep+" 60\n"))
	e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: t.TempDir(), Environ: []string{"PATH=" + path}, Nice: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := e.Load(ctx, "fmt"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Load: %v, want %v", err, context.DeadlineExceeded)
	}
	write(t, whole, quick)
	if err := e.Load(t.Context(), "fmt"); !errors.Is(err, buildenv.ErrUnavailable) {
		t.Errorf("Load: %v, want that the compiler is missed", err)
	}
}

// running tells whether a process runs; one that waits to be reaped does not.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(raw), ") Z ")
}
