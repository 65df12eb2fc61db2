//go:build unix

package buildenv_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// TestStopEndsTheTools stops a load whose go command waits for another
// process: both end.
func TestStopEndsTheTools(t *testing.T) {
	path := machine(t, "go1.26.8")
	file := filepath.Join(t.TempDir(), "pid")
	script := "#!/bin/sh\n" +
		`case $1 in env) echo '{"GOVERSION":"go1.26.8","CC":"gcc","GOTOOLCHAIN":"local"}' ;;` + "\n" +
		"*) sleep 60 & echo $! >" + file + ".new; mv " + file + ".new " + file + "; echo a/package >&2; wait ;; esac\n"
	write(t, filepath.Join(path, "go"), []byte(script))
	e, err := buildenv.Open(t.Context(), buildenv.Config{Info: info("go1.26.8"), Cache: t.TempDir(), Environ: []string{"PATH=" + path + ":" + os.Getenv("PATH")}})
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
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); running(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d, which the tool has started, lives on", pid)
		}
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
