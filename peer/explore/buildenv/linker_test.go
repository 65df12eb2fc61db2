package buildenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestLinkWith calls the C compiler of the linker as the linker does.
func TestLinkWith(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the compiler of this test is a shell script")
	}
	tools := filepath.Join(t.TempDir(), "it's here")
	if err := os.MkdirAll(tools, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tools, "gcc"), []byte("#!/bin/sh\necho \"$#\" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	e := &Env{dir: t.TempDir(), environ: []string{"PATH=" + tools}, host: host{goos: "linux", goarch: "amd64"}, tools: toolchain{CC: "gcc -O2"}}
	compiler := e.linkWith()
	if compiler != filepath.Join(e.dir, "cc") || compiler != e.linkWith() {
		t.Fatalf("it is %s", compiler)
	}
	if out, err := exec.CommandContext(t.Context(), compiler, "-Wl,--build-id=0x12", "/tmp/go-link-1/trivial.c").CombinedOutput(); err == nil || len(out) > 0 {
		t.Errorf("asked for a flag it says %q, %v, want no", out, err)
	}
	out, err := exec.CommandContext(t.Context(), compiler, "-o", "a file.so", "go.o").CombinedOutput()
	if err != nil || string(out) != "3 -o a file.so go.o\n" {
		t.Errorf("told to link it does %q, %v", out, err)
	}
	for _, other := range []host{{goos: "darwin", goarch: "arm64"}, {goos: "linux", goarch: "ppc64le"}} {
		e.host = other
		if got := e.linkWith(); got != "gcc" {
			t.Errorf("on %s/%s: %s, want the compiler itself", other.goos, other.goarch, got)
		}
	}
}
