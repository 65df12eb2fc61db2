package explore_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkCompiledLine compares a line that has to be compiled, from the input
// to the value that is shown, with go build of the same line as a plugin, in
// pairs that take turns.
func BenchmarkCompiledLine(b *testing.B) {
	p := start(b)
	eval := func(src, want string) time.Duration {
		begun := time.Now()
		if got, err := p.eval(src); err != nil || got != want {
			b.Fatalf("%s: %q, %v", src, got, err)
		}
		return time.Since(begun)
	}
	eval("func begin(x int) int { return x }; begin(1)", "1 :: int\n")
	dir := b.TempDir()
	build := func(n int) time.Duration {
		text := fmt.Sprintf(`package main

import "github.com/peerlab/peerlab/peer/explore/live"

func F(x int) int {
	s := 0
	for i := range x {
		s += i * %d
	}
	return s
}

func Run() { live.Show(F(4)) }

func init() { live.Register("repl/line", Run, "F", F) }

func main() {}
`, n)
		file := filepath.Join(dir, "line.go")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		if out, err := exec.Command("go", "build", "-buildmode=plugin", "-ldflags=-s -w", "-o", file+".so", file).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		return time.Since(begun)
	}
	build(0) // what it imports is compiled once
	var lines, builds, ratios []float64
	n := 0
	for b.Loop() {
		n++
		line := eval(fmt.Sprintf("func f%d(x int) int { s := 0; for i := range x { s += i * %d }; return s }; f%d(4)", n, n, n), fmt.Sprintf("%d :: int\n", 6*n))
		plain := build(n)
		lines, builds = append(lines, float64(line.Milliseconds())), append(builds, float64(plain.Milliseconds()))
		ratios = append(ratios, float64(line)/float64(plain))
	}
	b.ReportMetric(0, "ns/op") // the figures below say it better
	b.ReportMetric(middle(lines), "line-ms")
	b.ReportMetric(middle(builds), "go-build-ms")
	b.ReportMetric(middle(ratios), "line/go-build")
}

func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
