package buildenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/peerlab/peerlab/internal/childtest"
)

// TestLinkWith calls the C compiler of the linker as the linker does.
func TestLinkWith(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell: run it on Unix")
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
	if out, err := childtest.CombinedOutput(exec.CommandContext(t.Context(), compiler, "-Wl,--build-id=0x12", "/tmp/go-link-1/trivial.c")); err == nil || len(out) > 0 {
		t.Errorf("asked for a flag it says %q, %v, want no", out, err)
	}
	out, err := childtest.CombinedOutput(exec.CommandContext(t.Context(), compiler, "-o", "a file.so", "go.o"))
	if err != nil || string(out) != "4 -O2 -o a file.so go.o\n" {
		t.Errorf("told to link it does %q, %v", out, err)
	}
	for _, other := range []host{{goos: "darwin", goarch: "arm64"}, {goos: "linux", goarch: "ppc64le"}} {
		e.host = other
		if got := e.linkWith(); got != "gcc -O2" {
			t.Errorf("on %s/%s: %s, want the compiler itself", other.goos, other.goarch, got)
		}
	}
	e.host = host{goos: "linux", goarch: "amd64"}
	for name, compiler := range map[string]string{"no such compiler": "clang -O2", "quoted": "'gcc' -O2"} {
		if e.tools.CC = compiler; e.linkWith() != compiler {
			t.Errorf("%s: %s, want %s as it is", name, e.linkWith(), compiler)
		}
	}
}
