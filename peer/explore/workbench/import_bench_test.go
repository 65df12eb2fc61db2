package workbench_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// BenchmarkImport has a running peer import a library that the caches have, and
// builds a file that imports it as a plugin, by turns.
func BenchmarkImport(b *testing.B) {
	peer := built(b)
	for _, library := range []string{"github.com/tidwall/btree", "github.com/hashicorp/golang-lru/v2", "github.com/hashicorp/raft"} {
		b.Run(strings.ReplaceAll(library, "/", "_"), func(b *testing.B) {
			build := pluginOf(b, library)
			build(0) // or skip
			importIn(b, peer, library)
			var imports, builds time.Duration
			n := 0
			for b.Loop() {
				n++
				imports += importIn(b, peer, library)
				builds += build(n)
			}
			b.ReportMetric(imports.Seconds()*1000/float64(n), "import-ms")
			b.ReportMetric(builds.Seconds()*1000/float64(n), "build-ms")
			b.ReportMetric(imports.Seconds()/builds.Seconds(), "ratio")
		})
	}
}

// importIn starts a peer that is ready for Go, and returns how long an import
// takes it.
func importIn(b *testing.B, peer, library string) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, peer, "alice", "--dev", "--bare")
	cmd.Env = environment(b)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := childtest.Start(b, cmd); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	tell := func(line, want string) time.Duration {
		began := time.Now()
		if _, err := fmt.Fprintln(in, line); err != nil {
			b.Fatal(err)
		}
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return time.Since(began)
			}
		}
		b.Fatalf("%s: the peer has ended", line)
		return 0
	}
	tell("go x := 41; x++; x", "42 :: int")
	tell("go func() int { return x }()", "42 :: int")
	took := tell("import "+library, " is "+library)
	_ = in.Close() // it leaves, and its status tells
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		b.Error(err)
	}
	return took
}

// pluginOf makes a module with a file that imports a library, and returns what
// changes the file and builds it as a plugin.
func pluginOf(b *testing.B, library string) func(n int) time.Duration {
	b.Helper()
	dir := b.TempDir()
	goTool := func(args ...string) {
		cmd := exec.CommandContext(b.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			if unreachable.Match(out) {
				b.Skipf("needs a module proxy that can be reached: set GOPROXY: %s", out)
			}
			b.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	goTool("mod", "init", "example.com/line")
	goTool("get", library)
	return func(n int) time.Duration {
		text := fmt.Sprintf("package main\n\nimport _ %q\n\nvar X = %d\n\nfunc main() {}\n", library, n)
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		goTool("build", "-buildmode=plugin", "-ldflags=-s -w", "-o", "main.so", ".")
		return time.Since(began)
	}
}
